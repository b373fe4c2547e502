package apikey

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// MaxSkip is how many keys a listing may pass over before its first.
const MaxSkip = 10_000

// A Query asks for one page of the keys of a namespace. A cursor wins over Skip.
type Query struct {
	Namespace namespace.Namespace
	Below     bool   // also the namespaces below
	Cursor    Cursor // where the last page ended; empty for the first
	Skip      int    // so many keys before the page; at most MaxSkip
	Limit     int    // of the page, at least 1
}

// List reads a page. It is eventually consistent. Forbidden: the caller may not
// read all that is asked for. Invalid: the field cursor is of another query or no
// cursor at all, or the field skip is over MaxSkip.
func (s *Service) List(ctx context.Context, caller access.Caller, q Query) (Page, error) {
	if err := q.require(caller); err != nil {
		return Page{}, err
	}
	selection, err := q.selection()
	if err != nil {
		return Page{}, err
	}
	page, err := s.store.List(ctx, selection)
	if err != nil {
		return Page{}, fmt.Errorf("page of keys: %w", err)
	}
	return page, nil
}

func (q Query) selection() (Selection, error) {
	selection := Selection{Namespace: q.Namespace, Below: q.Below, Limit: q.Limit}
	if q.Cursor != "" {
		after, err := q.position()
		selection.After = &after
		return selection, err
	}
	if q.Skip > MaxSkip {
		return Selection{}, fault.InvalidField("skip", "value must be at most "+strconv.Itoa(MaxSkip))
	}
	selection.Skip = q.Skip
	return selection, nil
}

func (q Query) require(caller access.Caller) error {
	if q.Below {
		return caller.RequireBelow(access.Read, access.APIKey, q.Namespace)
	}
	return caller.Require(access.Read, access.APIKey, q.Namespace)
}

// A Cursor is a place in a listing: opaque, and of one query only. Where a single
// namespace is listed, the id of a key in it is a cursor too.
type Cursor string

const (
	cursorVersion = 1
	queryHashSize = 8
)

// CursorAfter gives the cursor that continues the query behind a key of it.
func (q Query) CursorAfter(at Locator) Cursor {
	raw := append([]byte{cursorVersion}, q.hash()...)
	raw = append(raw, at.ID[:]...)
	raw = append(raw, at.Namespace.String()...)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw))
}

// hash binds a cursor to what is listed. It guards against mistakes; against
// forgery, position clamps to what the query may list.
func (q Query) hash() []byte {
	text := binary.AppendUvarint(nil, uint64(len(q.Namespace.String())))
	text = append(text, q.Namespace.String()...)
	if q.Below {
		text = append(text, "/below"...)
	}
	sum := sha256.Sum256(text)
	return sum[:queryHashSize]
}

func (q Query) position() (Locator, error) {
	if id, ok := ParseID(string(q.Cursor)); ok && !q.Below {
		return Locator{Namespace: q.Namespace, ID: id}, nil
	}
	at, ok := q.decode()
	if !ok || !q.covers(at.Namespace) {
		return Locator{}, fault.InvalidField("cursor", "value is no cursor of this list")
	}
	return at, nil
}

// decode reads the cursor. That writing its position again gives the same text proves
// its version, its query and its spelling at once.
func (q Query) decode() (Locator, bool) {
	const headerSize = 1 + queryHashSize + idBytes
	raw, err := base64.RawURLEncoding.DecodeString(string(q.Cursor))
	if err != nil || len(raw) < headerSize {
		return Locator{}, false
	}
	ns, err := namespace.Parse(string(raw[headerSize:]))
	if err != nil {
		return Locator{}, false
	}
	at := Locator{Namespace: ns, ID: ID(raw[1+queryHashSize : headerSize])}
	return at, at.ID.isValid() && q.CursorAfter(at) == q.Cursor
}

func (q Query) covers(ns namespace.Namespace) bool {
	return ns == q.Namespace || q.Below && q.Namespace.Contains(ns)
}
