package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Kind says which part of ZenML's server would have found a fault, and so how its
// client is told.
type Kind uint8

// The kinds, in the order in which they would be found.
const (
	Request Kind = iota // the request's validation
	Filter              // the filter model's validation
	Store               // a ValueError of the store
)

// An Error says what is wrong with a list that was asked for. It is meant for the client.
type Error struct {
	Kind Kind
	Text string
}

// Error gives the text.
func (e *Error) Error() string { return e.Text }

// A fault is what is wrong with one value of a parameter.
type fault struct {
	kind      Kind
	parameter string
	problem   string
	category  string // as pydantic calls it
	given     string
}

// describe gives the faults of the kind that would have been found first.
func describe(faults []fault, model string) *Error {
	kind := slices.MinFunc(faults, func(a, b fault) int { return cmp.Compare(a.kind, b.kind) }).kind
	var first []fault
	for _, f := range faults {
		if f.kind == kind {
			first = append(first, f)
		}
	}
	switch kind {
	case Request:
		return &Error{kind, report(first, "Request")}
	case Filter:
		return &Error{kind, report(first, model)}
	}
	return &Error{kind, listing(first)}
}

// report is laid out as by pydantic.
func report(faults []fault, model string) string {
	var text strings.Builder
	plural := "s"
	if len(faults) == 1 {
		plural = ""
	}
	fmt.Fprintf(&text, "%d validation error%s for %s", len(faults), plural, model)
	for _, f := range faults {
		fmt.Fprintf(&text, "\n%s\n  %s [type=%s, input_value=%s, input_type=str]",
			f.parameter, f.problem, f.category, quoted(f.given))
	}
	return text.String()
}

func listing(faults []fault) string {
	var parts []string
	for _, f := range faults {
		parts = append(parts, fmt.Sprintf("%s: %s, not %s", f.parameter, f.problem, quoted(f.given)))
	}
	return strings.Join(parts, "; ")
}

// maxQuoted bounds, in bytes, what is repeated of a value.
const maxQuoted = 100

// quoted leaves out the part of a character that is cut.
func quoted(text string) string {
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "")
	}
	return strconv.Quote(text)
}
