package query

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// in gives the field's value, behind any pointer; invalid if it is missing.
func (p Path) in(message reflect.Value) reflect.Value {
	v := message
	for _, s := range p.steps {
		if !v.IsValid() {
			break
		}
		v = dereference(s.from(v))
	}
	return v
}

func (s step) from(v reflect.Value) reflect.Value {
	if s.key.IsValid() {
		return v.MapIndex(s.key)
	}
	return v.Field(s.field)
}

func dereference(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

func (p Path) timeOf(v reflect.Value) time.Time {
	t, _ := reflect.TypeAssert[time.Time](v.FieldByIndex(p.clock))
	return t
}

// rank gives the value of a Text, a Flag or a Time as a text: bytewise, such texts
// are in the order of the values. That of a missing value is empty.
func (p Path) rank(message reflect.Value) string {
	v := p.in(message)
	switch {
	case !v.IsValid():
		return ""
	case p.kind == Flag:
		return rankOfFlag(v.Bool())
	case p.kind == Time:
		if t := p.timeOf(v); !t.IsZero() {
			return rankOfTime(t)
		}
		return ""
	}
	return v.String()
}

// "false" < "true".
func rankOfFlag(flag bool) string { return strconv.FormatBool(flag) }

// rankOfTime writes seconds and nanoseconds in hexadecimal digits. The sign is turned
// around, so that what lies before 1970 comes first.
func rankOfTime(t time.Time) string {
	return fmt.Sprintf("%016x%08x", uint64(t.Unix())^1<<63, t.Nanosecond())
}

const null = "null"

// encode gives the value of a Text, a Flag, a Time or a List as it stands in the
// message's own JSON.
func (p Path) encode(message reflect.Value) (jsontext.Value, error) {
	v := p.in(message)
	if !v.IsValid() || p.kind == Time && p.timeOf(v).IsZero() {
		return jsontext.Value(null), nil
	}
	encoded, err := json.Marshal(v.Interface(), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("value of %.100q: %w", p.text, err)
	}
	return encoded, nil
}
