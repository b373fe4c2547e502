package query

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A Query is a list that is asked for. A Language makes it; the zero Query is none.
type Query struct {
	Page, Size int // both at least 1

	either  bool // whether one filter is enough
	order   order
	filters []filter
}

type order struct {
	field      string
	descending bool
}

type filter struct {
	field     string
	takesNull bool
	test      test
}

// Uses reports whether filters or order look at one of the fields.
func (q *Query) Uses(fields ...string) bool {
	return slices.Contains(fields, q.order.field) ||
		slices.ContainsFunc(q.filters, func(f filter) bool { return slices.Contains(fields, f.field) })
}

// IsByCreation reports whether records are asked for in the order of their creation.
func (q *Query) IsByCreation() bool { return q.order == order{field: created} }

// Matches reports whether a record is asked for.
func (q *Query) Matches(r Record) bool {
	r = folding(r)
	if q.either && len(q.filters) > 0 {
		return slices.ContainsFunc(q.filters, func(f filter) bool { return f.matches(r) })
	}
	return !slices.ContainsFunc(q.filters, func(f filter) bool { return !f.matches(r) })
}

// folding gives a record whose texts remember what they are in lower case. To find that
// takes as long as a text is, and many filters may look at one.
func folding(r Record) Record {
	known := make(map[string]Value)
	return func(field string) Value {
		v, ok := known[field]
		if !ok {
			v = r(field)
			v.lower = new(string)
			known[field] = v
		}
		return v
	}
}

func (f filter) matches(r Record) bool {
	v := r(f.field)
	if v.isNull() {
		return f.takesNull
	}
	return f.test(v)
}

// maxRankBytes bounds what sorting keeps of a record.
const maxRankBytes = 2048

// Rank gives the record's value in the field that sorts. Of a long text it is the
// beginning, in memory of its own.
func (q *Query) Rank(r Record) Value {
	v := r(q.order.field)
	if len(v.text) > maxRankBytes {
		v.text = strings.Clone(v.text[:maxRankBytes])
	}
	return v
}

// Compare is negative where the record of rank a and id idA comes before the one of rank b
// and id idB: in the direction asked for, nulls being the lowest, and in that of the ids
// where the ranks are the same.
func (q *Query) Compare(a, b Value, idA, idB [16]byte) int {
	if q.order.descending {
		a, b = b, a
	}
	if c := a.compare(b); c != 0 {
		return c
	}
	return bytes.Compare(idA[:], idB[:])
}

// Bounds gives the page's place among so many matches: from its first up to, and not
// including, the one after its last. A page behind the last one is an *Error of kind Store;
// the first page always exists.
func (q *Query) Bounds(total int) (from, to int, err error) {
	if last := q.TotalPages(total); q.Page > last {
		return 0, 0, &Error{Store, fmt.Sprintf(
			"Invalid page %d: with a size of %d and a total of %d items the last page is %d.",
			q.Page, q.Size, total, last)}
	}
	from = (q.Page - 1) * q.Size
	return from, from + min(q.Size, total-from), nil
}

// TotalPages is how many pages so many matches have: 1 where there are none.
func (q *Query) TotalPages(total int) int {
	return (max(total, 1)-1)/q.Size + 1
}
