package web

import (
	"bytes"
	"cmp"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/fault"
)

// misfits are the members of a body that do not fit a type. The decoder names the first
// alone; a client wants to know them all. The body is JSON that the decoder has read.
type misfits struct {
	fault.Fields
	strict bool // whether unknown members are misfits
}

// misfitsOf gives all misfits of a body.
func misfitsOf(body []byte, t reflect.Type, strict bool) fault.Fields {
	m := misfits{strict: strict}
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if err := m.value(decoder, t, ""); err != nil {
		return nil // the decoder's own error will have to do
	}
	return m.Fields
}

// value reads one value that stands at a path.
func (m *misfits) value(from *jsontext.Decoder, t reflect.Type, at string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := from.PeekKind()
	switch {
	case kind == 'n' || t == reflect.TypeFor[Ignored]():
		return from.SkipValue()
	case t.Kind() == reflect.Struct && kind == '{':
		return m.object(from, at, func(name string) (reflect.Type, bool) { return memberType(t, name) })
	case t.Kind() == reflect.Map && kind == '{':
		return m.object(from, at, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case t.Kind() == reflect.Slice && kind == '[':
		return m.list(from, t.Elem(), at)
	}
	raw, err := from.ReadValue()
	if err == nil && json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
		m.Add(cmp.Or(at, "body"), "value must be "+nameOf(t))
	}
	return err
}

func (m *misfits) object(from *jsontext.Decoder, at string, member func(name string) (reflect.Type, bool)) error {
	if _, err := from.ReadToken(); err != nil {
		return err
	}
	for from.PeekKind() != '}' {
		token, err := from.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		below := strings.TrimPrefix(at+"."+name, ".")
		t, known := member(name)
		if !known {
			if m.strict {
				m.Add(below, "unknown field")
			}
			err = from.SkipValue()
		} else {
			err = m.value(from, t, below)
		}
		if err != nil {
			return err
		}
	}
	_, err := from.ReadToken()
	return err
}

func (m *misfits) list(from *jsontext.Decoder, t reflect.Type, at string) error {
	if _, err := from.ReadToken(); err != nil {
		return err
	}
	for i := 0; from.PeekKind() != ']'; i++ {
		if err := m.value(from, t, at+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	_, err := from.ReadToken()
	return err
}

// memberType is the type of a struct's member by its name in JSON.
func memberType(t reflect.Type, name string) (reflect.Type, bool) {
	for field := range t.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if cmp.Or(tag, field.Name) == name {
			return field.Type, true
		}
	}
	return nil, false
}
