package query

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Type is what the values of a field are.
type Type uint8

// The types.
const (
	Text Type = iota // any text
	UUID             // 16 bytes
	Flag             // true or false
	Time             // an instant
)

var typeNames = [...]string{Text: "text", UUID: "UUID", Flag: "flag", Time: "time"}

// A Field is something that lists can be filtered and sorted by.
type Field struct {
	Name string // of the parameter, in sort_by, and for the Record
	Type Type
}

// A Language is what lists of one kind of thing can be asked for.
type Language struct {
	Name   string // of the filter model in messages: "APIKeyFilter"
	Fields []Field
}

// The parameters that are no fields.
const (
	pageParameter   = "page"
	sizeParameter   = "size"
	sortParameter   = "sort_by"
	joinerParameter = "logical_operator"
)

const (
	defaultPage = 1
	defaultSize = 20
	maxSize     = 10_000
	maxFilters  = 50        // each is tried on each record
	created     = "created" // sorts where nothing else is asked for
)

// Parse reads the parameters of an address. Errors are of type *Error.
func (l Language) Parse(parameters url.Values) (*Query, error) {
	p := parser{Language: l, parameters: parameters}
	q := &Query{
		Page:    p.number(pageParameter, defaultPage, math.MaxInt),
		Size:    p.number(sizeParameter, defaultSize, maxSize),
		either:  p.joiner(),
		order:   p.order(),
		filters: p.filters(),
	}
	if len(p.faults) > 0 {
		return nil, describe(p.faults, l.Name)
	}
	return q, nil
}

// A parser reads parameters one by one and collects what is wrong with them.
type parser struct {
	Language
	parameters url.Values
	faults     []fault
}

func (p *parser) refuse(f fault) { p.faults = append(p.faults, f) }

// refuseFilter tells of something that a validator of the filter model finds.
func (p *parser) refuseFilter(parameter, problem, given string) {
	p.refuse(fault{Filter, parameter, "Value error, " + problem, "value_error", given})
}

// last gives the value that counts where there should be one.
func (p *parser) last(parameter, absent string) string {
	given := p.parameters[parameter]
	if len(given) == 0 {
		return absent
	}
	return given[len(given)-1]
}

// number reads one from 1 on.
func (p *parser) number(parameter string, absent, limit int) int {
	given := p.last(parameter, strconv.Itoa(absent))
	digits, ok := Integer(given)
	n, _ := strconv.Atoi(digits) // the nearest int where the number is none
	switch {
	case !ok:
		p.refuse(fault{Request, parameter,
			"Input should be a valid integer, unable to parse string as an integer", "int_parsing", given})
	case n < 1:
		p.refuse(fault{Request, parameter,
			"Input should be greater than or equal to 1", "greater_than_equal", given})
	case n > limit:
		p.refuse(fault{Request, parameter,
			fmt.Sprintf("Input should be less than or equal to %d", limit), "less_than_equal", given})
	}
	return n
}

// integers is what pydantic takes for one, once surrounding space is gone.
var integers = pattern(`^([+-]?[0-9]+(?:_[0-9]+)*)(?:\.0+)?$`)

// pattern is compiled when it is first needed: few requests need one, and every function
// of this API would pay for it with each cold start.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Integer gives the digits, with their sign, of what pydantic takes for an integer.
func Integer(text string) (digits string, ok bool) {
	parts := integers().FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return "", false
	}
	return strings.ReplaceAll(parts[1], "_", ""), true
}

// joiner reports whether any filter is enough.
func (p *parser) joiner() bool {
	given := p.last(joinerParameter, "and")
	if given != "and" && given != "or" {
		p.refuse(fault{Request, joinerParameter, "Input should be 'or' or 'and'", "enum", given})
	}
	return given == "or"
}

func (p *parser) order() order {
	given := p.last(sortParameter, created)
	direction, field, found := strings.Cut(given, ":")
	if !found {
		direction, field = "", given
	}
	// The default needs no such field: a client that did not ask for it is not at fault.
	if len(p.parameters[sortParameter]) > 0 && !p.has(field) {
		p.refuseFilter(sortParameter, "it must be a field to sort by, after asc:, desc: or nothing", given)
	}
	return order{field: field, descending: direction == "desc"}
}

func (l Language) has(field string) bool {
	return slices.ContainsFunc(l.Fields, func(f Field) bool { return f.Name == field })
}

func (p *parser) filters() []filter {
	var all []filter
	for _, field := range p.Fields {
		for _, given := range p.parameters[field.Name] {
			if len(all) == maxFilters {
				p.refuseFilter(field.Name, fmt.Sprintf("there are more than %d filters", maxFilters), given)
				return nil
			}
			all = append(all, p.filter(field, given))
		}
	}
	return all
}

func (p *parser) filter(field Field, given string) filter {
	asked, operand := operation(given)
	read := asked.readers[field.Type]
	if read == nil {
		p.refuseFilter(field.Name, fmt.Sprintf("%s is no operator of a %s, which takes %s",
			asked.name, typeNames[field.Type], operatorsOf(field.Type)), given)
		return filter{}
	}
	test, wrong := read(operand)
	switch {
	case wrong == noNumber:
		p.refuse(fault{kind: Store, parameter: field.Name, problem: string(wrong), given: operand})
	case wrong != "":
		p.refuseFilter(field.Name, string(wrong), given)
	}
	return filter{field: field.Name, takesNull: asked.takesNull, test: test}
}
