package query

import (
	"cmp"
	"strings"
	"time"
)

type holding uint8

const (
	nothing holding = iota // so that null is the lowest value
	aText
	anID
	aFlag
	aTime
)

// A Value is what a record has in a field. The zero Value is null.
type Value struct {
	holds  holding
	text   string // a text, or the 16 bytes of a UUID
	number int64  // 1 for true, or the microseconds since 1970

	lower *string // where the text in lower case is kept, once a filter has asked
}

// TextValue is a text, which may be empty.
func TextValue(text string) Value { return Value{holds: aText, text: text} }

// UUIDValue is a UUID, which may be all zeros.
func UUIDValue(id [16]byte) Value { return Value{holds: anID, text: string(id[:])} }

// FlagValue is true or false.
func FlagValue(flag bool) Value {
	v := Value{holds: aFlag}
	if flag {
		v.number = 1
	}
	return v
}

// TimeValue is a time, without what is smaller than a microsecond. The zero time is null.
func TimeValue(at time.Time) Value {
	if at.IsZero() {
		return Value{}
	}
	return Value{holds: aTime, number: at.UnixMicro()}
}

// A Record tells what it has in a field of the language.
type Record func(field string) Value

// folded is the text in lower case.
func (v Value) folded() string {
	if *v.lower == "" {
		*v.lower = strings.ToLower(v.text)
	}
	return *v.lower
}

func (v Value) isNull() bool { return v.holds == nothing }

func (v Value) isBlank() bool { return v.holds == aText && v.text == "" }

// compare has nulls first and false before true. Bytewise, UUIDs are in the order of
// their digits.
func (v Value) compare(other Value) int {
	return cmp.Or(
		cmp.Compare(v.holds, other.holds),
		cmp.Compare(v.text, other.text),
		cmp.Compare(v.number, other.number),
	)
}
