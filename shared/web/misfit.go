package web

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/fault"
)

// What is named of a body that does not fit. A name is cut: it may be as long as the
// body, and stands in every path below it.
const (
	maxMisfits    = 100
	maxNameLength = 100
)

// misfits are the members of a body that do not fit a type. The decoder names the first
// alone; a client wants to know them all. The body is well-formed JSON.
type misfits struct {
	from   *jsontext.Decoder
	strict bool // whether unknown members are misfits
	found  fault.Fields
}

// errEnough ends the search.
var errEnough = errors.New("enough misfits")

// misfitsOf gives the first misfits of a body.
func misfitsOf(body []byte, t reflect.Type, strict bool) fault.Fields {
	m := misfits{from: jsontext.NewDecoder(bytes.NewReader(body)), strict: strict}
	if err := m.value(t, nil); err != nil && !errors.Is(err, errEnough) {
		return nil
	}
	return m.found
}

// A place is where a value stands in a body. Its text is made for a misfit only: a list
// may have a hundred thousand members.
type place struct {
	above *place // nil at the top
	name  string // of a member of an object
	index int    // of a member of a list, where there is no name
}

func (p *place) String() string {
	switch {
	case p == nil:
		return ""
	case p.name == "":
		return p.above.String() + "[" + strconv.Itoa(p.index) + "]"
	}
	return strings.TrimPrefix(p.above.String()+"."+p.name, ".")
}

func (m *misfits) add(at *place, problem string) error {
	m.found.Add(cmp.Or(at.String(), "body"), problem)
	if len(m.found) >= maxMisfits {
		return errEnough
	}
	return nil
}

// value reads one value.
func (m *misfits) value(t reflect.Type, at *place) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := m.from.PeekKind()
	switch {
	case kind == 'n' || t == reflect.TypeFor[Ignored]():
		return m.from.SkipValue()
	case t.Kind() == reflect.Struct && kind == '{':
		return m.object(at, func(name string) (reflect.Type, bool) { return memberType(t, name) })
	case t.Kind() == reflect.Map && kind == '{':
		return m.object(at, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case t.Kind() == reflect.Slice && kind == '[':
		return m.list(t.Elem(), at)
	}
	raw, err := m.from.ReadValue()
	if err == nil && json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
		err = m.add(at, "value must be "+nameOf(t))
	}
	return err
}

func (m *misfits) object(at *place, typeOf func(name string) (reflect.Type, bool)) error {
	if _, err := m.from.ReadToken(); err != nil {
		return err
	}
	for m.from.PeekKind() != '}' {
		name, err := m.from.ReadToken()
		if err != nil {
			return err
		}
		if err := m.member(name.String(), at, typeOf); err != nil {
			return err
		}
	}
	_, err := m.from.ReadToken()
	return err
}

func (m *misfits) member(name string, at *place, typeOf func(name string) (reflect.Type, bool)) error {
	below := &place{above: at, name: cmp.Or(name[:min(len(name), maxNameLength)], `""`)}
	if t, known := typeOf(name); known {
		return m.value(t, below)
	}
	if err := m.from.SkipValue(); err != nil || !m.strict {
		return err
	}
	return m.add(below, "unknown field")
}

func (m *misfits) list(t reflect.Type, at *place) error {
	if _, err := m.from.ReadToken(); err != nil {
		return err
	}
	for i := 0; m.from.PeekKind() != ']'; i++ {
		if err := m.value(t, &place{above: at, index: i}); err != nil {
			return err
		}
	}
	_, err := m.from.ReadToken()
	return err
}

// memberType is the type of a struct's member by its name in JSON. Members of a struct
// within that has no name are the outer one's.
func memberType(t reflect.Type, name string) (reflect.Type, bool) {
	for _, field := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if cmp.Or(tag, field.Name) == name && !field.Anonymous {
			return field.Type, true
		}
	}
	return nil, false
}

// nameOf says of a type what a client is to send.
func nameOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}
