package namespaces

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
)

// A place is where a page ended: behind an entry, whether or not that is still there.
type place struct {
	at   apikey.Locator
	rank string // of the entry in a sorted list
	bare bool   // only an id was given, no rank
}

const (
	cursorVersion = 2
	queryHashSize = 8
)

// A queryHash binds a cursor to what is listed, and in which order. It guards against
// mistakes; against forgery, no place leads out of what a query may list.
type queryHash [queryHashSize]byte

func hashOf(parts ...string) queryHash {
	var text []byte
	for _, part := range parts {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return queryHash(sum[:queryHashSize])
}

// cursor writes a place for a query: version, hash, the entry's id, the length of its
// rank, its rank and its namespace.
func (h queryHash) cursor(p place) string {
	raw := append([]byte{cursorVersion}, h[:]...)
	raw = append(raw, p.at.ID[:]...)
	raw = binary.AppendUvarint(raw, uint64(len(p.rank)))
	raw = append(raw, p.rank...)
	raw = append(raw, p.at.Namespace.String()...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// place reads a cursor. That writing what was read gives the same text proves its
// version, its query and its spelling at once.
func (h queryHash) place(cursor string) (place, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return place{}, false
	}
	rest, ok := bytes.CutPrefix(raw, append([]byte{cursorVersion}, h[:]...))
	if !ok || len(rest) < len(apikey.ID{}) {
		return place{}, false
	}
	id, rest := apikey.ID(rest[:len(apikey.ID{})]), rest[len(apikey.ID{}):]
	length, used := binary.Uvarint(rest)
	if used <= 0 || length > uint64(len(rest)-used) {
		return place{}, false
	}
	rank, path := rest[used:used+int(length)], rest[used+int(length):]
	ns, err := namespace.Parse(string(path))
	if err != nil {
		return place{}, false
	}
	p := place{at: apikey.Locator{Namespace: ns, ID: id}, rank: string(rank)}
	return p, h.cursor(p) == cursor
}
