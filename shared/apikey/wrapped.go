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
	encoded := strings.TrimPrefix(text, wrapPrefix)
	inner, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || base64.StdEncoding.EncodeToString(inner) != encoded {
		return FullKey{}, errWrap
	}
	id, plain, ok := unwrap(string(inner))
	if !ok {
		return FullKey{}, errWrap
	}
	key, err := parsePlain(plain)
	switch {
	case err != nil:
		return FullKey{}, err
	case key.Locator.ID.String() != id:
		return FullKey{}, errWrapID
	}
	return key, nil
}

func unwrap(inner string) (id, plain string, ok bool) {
	rest, begins := strings.CutPrefix(inner, wrapBegin)
	rest, ends := strings.CutSuffix(rest, wrapEnd)
	id, plain, ok = strings.Cut(rest, wrapMiddle)
	return id, plain, begins && ends && ok
}
