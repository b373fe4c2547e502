package query

import (
	"fmt"
	"slices"
	"strings"
)

// MaxRankLength bounds a rank, in bytes: the cursor of a sorted list carries that of
// the last message and stands in an address. Texts that are the same that far are
// equal in order.
const MaxRankLength = 2 << 10

// An Order sorts messages by a field.
type Order struct {
	schema     Schema
	path       Path
	descending bool
}

// Order gives the order by a path: that of a Text, a Flag or a Time.
func (s Schema) Order(path string, descending bool) (Order, error) {
	resolved, err := s.Path(path)
	if err != nil {
		return Order{}, err
	}
	if !slices.Contains(scalars, resolved.kind) {
		return Order{}, fmt.Errorf("%.100q is a %s and has no order", path, resolved.kind)
	}
	return Order{schema: s, path: resolved, descending: descending}, nil
}

// Rank gives a message's place. Bytewise, ranks are in the ascending order of the
// values, false before true; that of a missing value is empty and so the first. A text
// is its own rank, cut at MaxRankLength: it may end within a character.
func (o Order) Rank(message any) string {
	rank := o.path.rank(o.schema.valueOf(message))
	if len(rank) <= MaxRankLength {
		return rank
	}
	// A cut that went back to a whole character would not keep the order. A copy does
	// not keep the text alive.
	return strings.Clone(rank[:MaxRankLength])
}

// Compare is negative where the message of rank a comes before that of rank b.
func (o Order) Compare(a, b string) int {
	if o.descending {
		a, b = b, a
	}
	return strings.Compare(a, b)
}

// Path gives the field that is sorted by.
func (o Order) Path() Path { return o.path }
