package apikey

import (
	"encoding/base64"
	"strings"
)

// The length of the longest wrapped key, in bytes.
const maxWrappedLength = 747

const (
	wrapPrefix = "ZENKEY_"
	wrapBegin  = `{"id":"`
	wrapMiddle = `","key":"`
	wrapEnd    = `"}`
)

// wrapStart is what wrapBegin becomes in base64, as far as nothing else decides it.
const wrapStart = "eyJpZCI6I"

const (
	errWrap   malformation = "not the one spelling of a wrapped key"
	errWrapID malformation = "wrapped with the id of another key"
)

// RevealWrapped gives the full key in the form in which ZenML's clients carry keys:
//
//	ZENKEY_ + base64(RFC 4648, section 4) of {"id":"<the key's id>","key":"<the full key>"}
//
// The same holds as for Reveal.
func (k FullKey) RevealWrapped() string {
	inner := wrapBegin + k.Locator.ID.String() + wrapMiddle + k.Reveal() + wrapEnd
	return wrapPrefix + base64.StdEncoding.EncodeToString([]byte(inner))
}

// isWrapped tells a wrapped key, whose prefix may be missing, from a plain one.
func isWrapped(text string) bool {
	return strings.HasPrefix(text, wrapPrefix) || strings.HasPrefix(text, wrapStart)
}

// parseWrapped reads a wrapped key in the one spelling that RevealWrapped has, but for
// its prefix. What is wrapped is no JSON of anybody's choice.
func parseWrapped(text string) (FullKey, error) {
	if len(text) > maxWrappedLength {
		return FullKey{}, errLength
	}
	inner, ok := decodeWrapped(strings.TrimPrefix(text, wrapPrefix))
	if !ok {
		return FullKey{}, errWrap
	}
	id, plain, ok := unwrap(inner)
	if !ok {
		return FullKey{}, errWrap
	}
	key, err := parsePlain(plain)
	switch {
	case err != nil:
		return FullKey{}, err
	case !key.Locator.ID.isWritten(id):
		return FullKey{}, errWrapID
	}
	return key, nil
}

// decodeWrapped reads base64 in its one spelling. What it takes on the way stays on the
// stack: noise costs no memory.
func decodeWrapped(encoded string) (inner string, ok bool) {
	var from, to, again [maxWrappedLength + 1]byte
	length, err := base64.StdEncoding.Decode(to[:], from[:copy(from[:], encoded)])
	if err != nil {
		return "", false
	}
	base64.StdEncoding.Encode(again[:], to[:length])
	if string(again[:base64.StdEncoding.EncodedLen(length)]) != encoded {
		return "", false
	}
	return string(to[:length]), true
}

func unwrap(inner string) (id, plain string, ok bool) {
	rest, begins := strings.CutPrefix(inner, wrapBegin)
	rest, ends := strings.CutSuffix(rest, wrapEnd)
	id, plain, ok = strings.Cut(rest, wrapMiddle)
	return id, plain, begins && ends && ok
}
