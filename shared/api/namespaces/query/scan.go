package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says what is wrong with a filter, and where.
type SyntaxError struct {
	Position int // in characters, from 1; one more than there are stands for the end
	Problem  string
}

// Error gives position and problem.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("at character %d: %s", e.Position, e.Problem)
}

type tokenKind int

const (
	ending tokenKind = iota
	word
	keyword // its text is in lower case
	quoted
	symbol
	invalid // its text is the problem
)

type token struct {
	kind   tokenKind
	text   string
	offset int
}

// isText reports whether the token can be a value or a path.
func (t token) isText() bool { return t.kind == word || t.kind == quoted }

var keywords = map[string]bool{
	"or": true, "and": true, "not": true, "in": true, "contains": true, "matches": true, "exists": true,
}

// symbols has each that begins with another before it.
var symbols = []string{"==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","}

// A scanner cuts a filter, which is valid UTF-8, into tokens.
type scanner struct {
	text   string
	offset int // of what is not yet read
}

// at makes an error at a byte of the text.
func (s *scanner) at(offset int, format string, arguments ...any) error {
	return &SyntaxError{
		Position: utf8.RuneCountInString(s.text[:offset]) + 1,
		Problem:  fmt.Sprintf(format, arguments...),
	}
}

func (s *scanner) next() token {
	rest := strings.TrimLeft(s.text[s.offset:], " \t\r\n")
	s.offset = len(s.text) - len(rest)
	t, length := firstToken(rest)
	t.offset = s.offset
	s.offset += length
	return t
}

// firstToken gives the token that a text begins with, and how long it is there.
func firstToken(text string) (token, int) {
	if text == "" {
		return token{}, 0
	}
	if text[0] == '"' {
		return quotedToken(text)
	}
	for _, s := range symbols {
		if strings.HasPrefix(text, s) {
			return token{kind: symbol, text: s}, len(s)
		}
	}
	if length := wordLength(text); length > 0 {
		return wordToken(text[:length]), length
	}
	r, _ := utf8.DecodeRuneInString(text)
	return unexpected(r), len(text)
}

func unexpected(r rune) token {
	return token{kind: invalid, text: fmt.Sprintf("unexpected character %q", r)}
}

func wordToken(text string) token {
	if lower := strings.ToLower(text); keywords[lower] {
		return token{kind: keyword, text: lower}
	}
	return token{kind: word, text: text}
}

// wordLength is 0 where no word begins. A word has "=" only between two marks: the tag
// k=v is one, k==v is a comparison.
func wordLength(text string) int {
	length := 0
	for length < len(text) {
		r, size := utf8.DecodeRuneInString(text[length:])
		if !isMark(r) && (r != '=' || length == 0 || !beginsWord(text[length+1:])) {
			break
		}
		length += size
	}
	return length
}

func beginsWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return isMark(r)
}

func isMark(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.@+:/*", r)
}

func quotedToken(text string) (token, int) {
	var content strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return token{kind: quoted, text: content.String()}, i + 1
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
		}
		content.WriteByte(text[i])
	}
	return token{kind: invalid, text: "a string without its closing quote"}, len(text)
}
