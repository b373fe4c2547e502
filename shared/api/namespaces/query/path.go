package query

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of what a client sends, in bytes.
const (
	MaxTextLength = 8 << 10 // of a filter, of a list of paths
	MaxPathLength = 1 << 10
)

// maxNamed bounds how many wrong paths of a list an error names.
const maxNamed = 20

// A Kind says what a field holds, and so what may be asked of it.
type Kind int

// The kinds of fields. A field of any other type has no path.
const (
	Text    Kind = iota + 1 // a string
	Flag                    // a bool
	Time                    // a time.Time, or a struct that embeds one
	List                    // a slice of strings
	Map                     // a map from strings
	Message                 // a struct
)

// String names the kind in messages.
func (k Kind) String() string {
	return [...]string{"no field", "text", "flag", "time", "list", "map", "message"}[k]
}

// A Schema describes a message type by its JSON names. It holds the type alone and
// costs nothing to make.
type Schema struct {
	message reflect.Type
}

// SchemaOf gives the schema of M: a struct, or a pointer to one. Its fields are those
// that a json tag names.
func SchemaOf[M any]() Schema {
	return Schema{message: indirect(reflect.TypeFor[M]())}
}

// A Path leads to a field that a message has by its type.
type Path struct {
	text  string
	kind  Kind
	steps []step
	clock []int // the index of the time.Time within a Time
}

// A step goes from a struct to a field, or from a map to the value of a key.
type step struct {
	name  string // in JSON
	field int
	key   reflect.Value // valid in a map only
}

// Path resolves a path.
func (s Schema) Path(text string) (Path, error) {
	if len(text) > MaxPathLength {
		return Path{}, fmt.Errorf("path is longer than %d bytes", MaxPathLength)
	}
	path, ok := Path{text: text}.through(s.message, text)
	if !ok || !utf8.ValidString(text) {
		return Path{}, fmt.Errorf("unknown path %.100q", text)
	}
	return path, nil
}

// paths resolves a list of paths that commas separate; none if it is blank.
func (s Schema) paths(list string) ([]Path, error) {
	if len(list) > MaxTextLength {
		return nil, fmt.Errorf("paths are longer than %d bytes", MaxTextLength)
	}
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var paths []Path
	var unknown []string
	for text := range strings.SplitSeq(list, ",") {
		path, err := s.Path(strings.TrimSpace(text))
		if err != nil {
			if len(unknown) < maxNamed && !slices.Contains(unknown, err.Error()) {
				unknown = append(unknown, err.Error())
			}
			continue
		}
		paths = append(paths, path)
	}
	if len(unknown) > 0 {
		return nil, errors.New(strings.Join(unknown, "; "))
	}
	return paths, nil
}

// valueOf gives a message's struct, invalid if it is a nil pointer.
func (s Schema) valueOf(message any) reflect.Value {
	v := dereference(reflect.ValueOf(message))
	if v.IsValid() && v.Type() != s.message {
		panic(fmt.Sprintf("query: a %v among messages of type %v", v.Type(), s.message))
	}
	return v
}

// through goes on from a value of type t.
func (p Path) through(t reflect.Type, rest string) (Path, bool) {
	switch t = indirect(t); kindOf(t) {
	case Message:
		return p.throughStruct(t, rest)
	case Map:
		return p.throughMap(t, rest)
	}
	return Path{}, false
}

func (p Path) throughStruct(t reflect.Type, rest string) (Path, bool) {
	name, rest, more := strings.Cut(rest, ".")
	field, ok := fieldNamed(t, name)
	if !ok {
		return Path{}, false
	}
	p.steps = append(p.steps, step{name: name, field: field.Index[0]})
	if more {
		return p.through(field.Type, rest)
	}
	return p.endingAt(field.Type)
}

// throughMap takes as much as it can for the key. That a path below it is no field is
// found before another map is reached, so that this cannot multiply.
func (p Path) throughMap(t reflect.Type, rest string) (Path, bool) {
	if kindOf(indirect(t.Elem())) == Message {
		for dot := strings.LastIndexByte(rest, '.'); dot > 0; dot = strings.LastIndexByte(rest[:dot], '.') {
			if found, ok := p.withKey(t, rest[:dot]).through(t.Elem(), rest[dot+1:]); ok {
				return found, true
			}
		}
	}
	if rest == "" {
		return Path{}, false
	}
	return p.withKey(t, rest).endingAt(t.Elem())
}

func (p Path) withKey(t reflect.Type, key string) Path {
	p.steps = append(p.steps, step{name: key, key: reflect.ValueOf(key).Convert(t.Key())})
	return p
}

func (p Path) endingAt(t reflect.Type) (Path, bool) {
	t = indirect(t)
	p.kind, p.clock = kindOf(t), clockOf(t)
	return p, p.kind != 0
}

func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for field := range t.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == name && tag != "" && tag != "-" {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func kindOf(t reflect.Type) Kind {
	switch kind := t.Kind(); {
	case kind == reflect.String:
		return Text
	case kind == reflect.Bool:
		return Flag
	case kind == reflect.Slice && t.Elem().Kind() == reflect.String:
		return List
	case kind == reflect.Map && t.Key().Kind() == reflect.String:
		return Map
	case clockOf(t) != nil:
		return Time
	case kind == reflect.Struct:
		return Message
	}
	return 0
}

// clockOf gives where a Time has its time.Time: empty if it is one, nil if t is none.
func clockOf(t reflect.Type) []int {
	clock := reflect.TypeFor[time.Time]()
	if t == clock {
		return []int{}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for field := range t.Fields() {
		if field.Anonymous && field.Type == clock {
			return field.Index
		}
	}
	return nil
}

func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// String gives the path as it was asked for.
func (p Path) String() string { return p.text }

// Kind says what the field holds.
func (p Path) Kind() Kind { return p.kind }

// Overlaps reports whether one path is the other or lies below it: what is asked of
// the one depends on the other. Both are of one schema.
func (p Path) Overlaps(other Path) bool {
	shorter := min(len(p.steps), len(other.steps))
	return slices.EqualFunc(p.steps[:shorter], other.steps[:shorter], func(a, b step) bool {
		return a.name == b.name
	})
}
