// Package sessions is the part of functions that issue or verify session tokens.
package sessions

import (
	"strings"

	"latchkey/shared/boot"
	"latchkey/shared/kms"
	"latchkey/shared/operation"
)

// KMS keeps the session keys that the environment names.
func KMS(e *boot.Environment, c *boot.Config) {
	c.Sessions = boot.Sessions{
		KeyStore: kms.New(e.Client(operation.KMSVariable)),
		KeyIDs:   strings.Split(e.Required(operation.SessionKeysVariable), ","),
		Issuer:   e.Required(operation.SessionIssuerVariable),
		Audience: e.Required(operation.SessionAudienceVariable),
	}
}
