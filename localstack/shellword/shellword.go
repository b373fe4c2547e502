// Package shellword writes texts into command lines that people paste.
package shellword

import "strings"

// Quote writes a text as one word of a shell, as it is if it can be.
func Quote(text string) string {
	if text != "" && strings.IndexFunc(text, special) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// special reports whether a character might mean something to a shell.
func special(r rune) bool {
	plain := strings.ContainsRune("/._-+,@%", r) || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	return !plain
}
