package route

import (
	"fmt"
	"slices"
)

// A Table says for each of some keys what it leads to. The zero Table takes nothing.
type Table[T any] struct {
	rows []Row[T] // the one to prefer first
}

// A Row is one key of a table.
type Row[T any] struct {
	Key   Key
	Value T
}

// Add puts a row in its place. Its error is a key that is malformed, or there already
// under whatever names of its parameters.
func (t *Table[T]) Add(text string, value T) error {
	key, err := Parse(text)
	if err != nil {
		return err
	}
	if row, ok := t.Find(text); ok {
		return fmt.Errorf("route %q is there twice, also as %q", text, row.Key)
	}
	at, _ := slices.BinarySearchFunc(t.rows, key, func(row Row[T], key Key) int {
		if order := row.Key.Compare(key); order != 0 {
			return order
		}
		return -1 // behind its equals
	})
	t.rows = slices.Insert(t.rows, at, Row[T]{key, value})
	return nil
}

// Rows gives all rows, the one to prefer first.
func (t Table[T]) Rows() []Row[T] { return t.rows }

// Find gives the row of a key, whatever the parameters are called.
func (t Table[T]) Find(text string) (Row[T], bool) {
	wanted, err := Parse(text)
	if err != nil {
		return Row[T]{}, false
	}
	i := slices.IndexFunc(t.rows, func(row Row[T]) bool { return row.Key.sameAs(wanted) })
	if i < 0 {
		return Row[T]{}, false
	}
	return t.rows[i], true
}

func (k Key) sameAs(other Key) bool {
	return k.Method == other.Method && k.IsDefault() == other.IsDefault() &&
		slices.EqualFunc(k.Segments, other.Segments, func(a, b Segment) bool {
			return a.Kind == b.Kind && (a.Kind != Literal || a.Text == b.Text)
		})
}

// Match gives the row that takes a request, whose path is decoded, and what its
// parameters stand for.
func (t Table[T]) Match(method, path string) (row Row[T], parameters map[string]string, ok bool) {
	segments := Split(path)
	for _, row := range t.rows {
		if !row.Key.TakesMethod(method) {
			continue
		}
		if parameters, ok := row.Key.Bind(segments); ok {
			return row, parameters, true
		}
	}
	return Row[T]{}, nil, false
}
