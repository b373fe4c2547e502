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
	found  fault.Fields
	strict bool // whether unknown members are misfits
}

// errEnough ends the search.
var errEnough = errors.New("enough misfits")

// misfitsOf gives the first misfits of a body.
func misfitsOf(body []byte, t reflect.Type, strict bool) fault.Fields {
	m := misfits{strict: strict}
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if err := m.value(decoder, t, ""); err != nil && !errors.Is(err, errEnough) {
		return nil // the decoder's own error will have to do
	}
	return m.found
}

func (m *misfits) add(path, problem string) error {
	m.found.Add(cmp.Or(path, "body"), problem)
	if len(m.found) >= maxMisfits {
		return errEnough
	}
	return nil
}

// value reads one value that stands at a path.
func (m *misfits) value(from *jsontext.Decoder, t reflect.Type, at string) error {
	t = pointedTo(t)
	kind := from.PeekKind()
	switch {
	case kind == 'n' || t == reflect.TypeFor[Ignored]():
		return from.SkipValue()
	case t.Kind() == reflect.Struct && kind == '{':
		return m.object(from, at, func(name string) (reflect.Type, bool) { return memberType(t, name) })
	case t.Kind() == reflect.Map && kind == '{':
		return m.object(from, at, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case t.Kind() == reflect.Slice && kind == '[':
		return m.list(from, pointedTo(t.Elem()), at)
	}
	fits, err := fits(from, t)
	if err == nil && !fits {
		err = m.add(at, "value must be "+nameOf(t))
	}
	return err
}

func pointedTo(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fits reads a value that has no members to look at.
func fits(from *jsontext.Decoder, t reflect.Type) (bool, error) {
	raw, err := from.ReadValue()
	return err == nil && json.Unmarshal(raw, reflect.New(t).Interface()) == nil, err
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
		if err := m.member(from, at, token.String(), member); err != nil {
			return err
		}
	}
	_, err := from.ReadToken()
	return err
}

func (m *misfits) member(
	from *jsontext.Decoder, at, name string, member func(name string) (reflect.Type, bool),
) error {
	t, known := member(name)
	if !known && !m.strict {
		return from.SkipValue()
	}
	below := strings.TrimPrefix(at+"."+cmp.Or(name[:min(len(name), maxNameLength)], `""`), ".")
	if known {
		return m.value(from, t, below)
	}
	if err := from.SkipValue(); err != nil {
		return err
	}
	return m.add(below, "unknown field")
}

// list makes a path only where it is needed: a list may be of a hundred thousand texts.
func (m *misfits) list(from *jsontext.Decoder, t reflect.Type, at string) error {
	if _, err := from.ReadToken(); err != nil {
		return err
	}
	for i := 0; from.PeekKind() != ']'; i++ {
		if kind := t.Kind(); kind == reflect.Struct || kind == reflect.Map || kind == reflect.Slice {
			if err := m.value(from, t, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
			continue
		}
		fits, err := fits(from, t)
		if err == nil && !fits {
			err = m.add(at+"["+strconv.Itoa(i)+"]", "value must be "+nameOf(t))
		}
		if err != nil {
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
