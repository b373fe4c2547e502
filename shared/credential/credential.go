// Package credential takes a credential out of a header. Latchkey's own APIs and its
// authorizer before others read the header alike.
package credential

import "strings"

// Bearer gives the credential in the value of an Authorization header (RFC 6750, section
// 2.1). False: there is none, or one of another scheme.
func Bearer(header string) (string, bool) {
	scheme, text, _ := strings.Cut(header, " ")
	text = strings.TrimSpace(text)
	return text, strings.EqualFold(scheme, "Bearer") && text != ""
}
