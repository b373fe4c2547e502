package serviceaccounts

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/apikey"
)

// A listing is what lists of accounts and of keys have in common.
type listing[T any] struct {
	query  *query.Query
	all    iter.Seq2[T, error] // in order of creation
	id     func(T) apikey.ID
	fields []field[T]

	// deciding completes a part with what filters and order look at, and sparing takes
	// from one what is not needed to show it.
	deciding func([]T) error
	sparing  func(*T)
}

// page gives the part of the list that is shown, and how many match.
func (l listing[T]) page() ([]T, int, error) {
	if l.query.IsByCreation() {
		return l.window()
	}
	return l.sorted()
}

// window keeps of all that match only what is shown: they come in the order that is
// asked for.
func (l listing[T]) window() ([]T, int, error) {
	var shown []T
	from, to := math.MaxInt, math.MaxInt
	if l.query.Page <= math.MaxInt/l.query.Size {
		from, to = (l.query.Page-1)*l.query.Size, l.query.Page*l.query.Size
	}
	total := 0
	for value, err := range l.matching() {
		if err != nil {
			return nil, 0, err
		}
		if from <= total && total < to {
			l.sparing(&value)
			shown = append(shown, value)
		}
		total++
	}
	_, _, err := l.query.Bounds(total)
	return shown, total, misasked(err)
}

// A ranked is one that matches, and where it belongs.
type ranked[T any] struct {
	value T
	rank  query.Value
}

func (l listing[T]) sorted() ([]T, int, error) {
	var kept []ranked[T]
	for value, err := range l.matching() {
		if err != nil {
			return nil, 0, err
		}
		if len(kept) == maxKept {
			return nil, 0, outOfStore(fmt.Sprintf("More than %d match: ask for fewer by a filter, or sort by created.", maxKept))
		}
		rank := l.query.Rank(recordOf(l.fields, value))
		l.sparing(&value)
		kept = append(kept, ranked[T]{value, rank})
	}
	from, to, err := l.query.Bounds(len(kept))
	if err != nil {
		return nil, 0, misasked(err)
	}
	slices.SortFunc(kept, func(a, b ranked[T]) int {
		return l.query.Compare(a.rank, b.rank, l.id(a.value), l.id(b.value))
	})
	shown := make([]T, 0, to-from)
	for _, one := range kept[from:to] {
		shown = append(shown, one.value)
	}
	return shown, len(kept), nil
}

// matching gives all that match, with what decided.
func (l listing[T]) matching() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for part, err := range chunks(l.all, partSize) {
			if err == nil {
				err = l.deciding(part)
			}
			if err != nil {
				yield(none, fmt.Errorf("list: %w", err))
				return
			}
			for _, value := range part {
				if l.query.Matches(recordOf(l.fields, value)) && !yield(value, nil) {
					return
				}
			}
		}
	}
}

// chunks gives the values of a sequence so many at a time.
func chunks[T any](all iter.Seq2[T, error], size int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		part := make([]T, 0, size)
		for value, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			if part = append(part, value); len(part) < size {
				continue
			}
			if !yield(part, nil) {
				return
			}
			part = part[:0]
		}
		if len(part) > 0 {
			yield(part, nil)
		}
	}
}
