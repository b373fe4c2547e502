package apikey

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An ID is the UUIDv7 of a key or a service account (RFC 9562, section 5.7). IDs sort by
// creation.
type ID [16]byte

const idTextLength = 36

// newID makes an id that carries the time down to a quarter of a microsecond
// (RFC 9562, section 6.2, method 3), so that ids made in one millisecond sort too.
func newID(now time.Time, random io.Reader) (ID, error) {
	var id ID
	if _, err := io.ReadFull(random, id[8:]); err != nil {
		return ID{}, fmt.Errorf("random bits of an id: %w", err)
	}
	nanosIntoMilli := uint64(now.Nanosecond() % int(time.Millisecond))
	fraction := nanosIntoMilli << 12 / uint64(time.Millisecond)
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|7<<12|fraction)
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// ParseID reads an id in the canonical form of 36 characters, in either case. It
// reports false for any other text, also for a UUID of another version.
func ParseID(text string) (ID, bool) {
	if len(text) != idTextLength {
		return ID{}, false
	}
	parsed, err := uuid.Parse(text)
	return ID(parsed), err == nil && ID(parsed).isValid()
}

func (id ID) isValid() bool {
	return uuid.UUID(id).Version() == 7 && uuid.UUID(id).Variant() == uuid.RFC4122
}

// String gives the canonical form, in lower case.
func (id ID) String() string { return uuid.UUID(id).String() }

// isWritten reports whether a text is what String gives.
func (id ID) isWritten(text string) bool {
	parsed, ok := ParseID(text)
	return ok && parsed == id && !strings.ContainsAny(text, "ABCDEF")
}

// IsZero reports whether the id is of nothing.
func (id ID) IsZero() bool { return id == ID{} }
