package query

import (
	"slices"
	"strings"
)

// A test says whether a filter takes a value, which is not null.
type test func(Value) bool

// A reader makes a test of what stands after an operator.
type reader func(operand string) (test, problem)

// readers has that of each type; nil for those that do not take the operator.
type readers [len(typeNames)]reader

// A problem is what is wrong with an operand; empty if nothing is.
type problem string

const (
	noNumber problem = "the operand must be a number" // ZenML's database finds it, the others its filter model
	noList   problem = "the operand must be a JSON array of strings"
	noFlag   problem = "the operand must be true, false, 1 or 0"
	noTime   problem = "the operand must be a time like 2025-10-16 15:08:11"
	noRange  problem = "the operand must be two times like 2025-10-16 15:08:11, separated by a comma"
	notBlank problem = "nothing may follow the operator"
)

// An operator is what may stand before a colon.
type operator struct {
	name      string
	readers   readers
	takesNull bool
}

// operators are made for whoever reads a filter. A table of the package would be made, and
// linked with all that it names, by every function that speaks this API.
func operators() []operator {
	empty := bare(Value.isBlank) // nulls are, without being asked
	notEmpty := not(empty)
	return []operator{
		{name: "equals", readers: readers{
			Text: text(is), UUID: sameID, Flag: sameFlag, Time: moment(equal)}},
		{name: "notequals", readers: readers{
			Text: not(text(is)), UUID: not(sameID), Flag: not(sameFlag), Time: not(moment(equal))}},
		{name: "contains", readers: readers{Text: folded(strings.Contains), UUID: digits(strings.Contains)}},
		{name: "notcontains", readers: readers{
			Text: not(folded(strings.Contains)), UUID: not(digits(strings.Contains))}},
		{name: "startswith", readers: readers{Text: folded(strings.HasPrefix), UUID: digits(strings.HasPrefix)}},
		{name: "endswith", readers: readers{Text: folded(strings.HasSuffix), UUID: digits(strings.HasSuffix)}},
		{name: "oneof", readers: readers{Text: among(itself), UUID: among(parseID)}},
		{name: "notoneof", readers: readers{Text: not(among(itself)), UUID: not(among(parseID))}},
		{name: "gt", readers: readers{Text: number(greater), Time: moment(greater)}},
		{name: "gte", readers: readers{Text: number(greaterOrEqual), Time: moment(greaterOrEqual)}},
		{name: "lt", readers: readers{Text: number(less), Time: moment(less)}},
		{name: "lte", readers: readers{Text: number(lessOrEqual), Time: moment(lessOrEqual)}},
		{name: "in", readers: readers{Time: between}},
		{name: "isempty", readers: readers{Text: empty, UUID: empty, Flag: empty, Time: empty}, takesNull: true},
		{name: "isnotempty", readers: readers{Text: notEmpty, UUID: notEmpty, Flag: notEmpty, Time: notEmpty}},
	}
}

// literal is what is asked for without an operator.
func literal() operator {
	return operator{readers: readers{Text: text(is), UUID: sameID, Flag: sameFlag, Time: sameMoment}}
}

// operation finds out what a value asks for.
func operation(given string) (asked operator, operand string) {
	name, operand, found := strings.Cut(given, ":")
	offered := operators()
	i := slices.IndexFunc(offered, func(o operator) bool { return o.name == name })
	if !found || i < 0 {
		return literal(), given
	}
	return offered[i], operand
}

func operatorsOf(t Type) string {
	var names []string
	for _, o := range operators() {
		if o.readers[t] != nil {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, ", ")
}

// not turns a test around. Nulls are not asked: they match neither.
func not(read reader) reader {
	return func(operand string) (test, problem) {
		holds, wrong := read(operand)
		return func(v Value) bool { return !holds(v) }, wrong
	}
}

// bare reads nothing.
func bare(holds test) reader {
	return func(operand string) (test, problem) {
		if operand != "" {
			return nil, notBlank
		}
		return holds, ""
	}
}

func equal(order int) bool          { return order == 0 }
func greater(order int) bool        { return order > 0 }
func greaterOrEqual(order int) bool { return order >= 0 }
func less(order int) bool           { return order < 0 }
func lessOrEqual(order int) bool    { return order <= 0 }
