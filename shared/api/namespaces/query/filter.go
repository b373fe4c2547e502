package query

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth bounds parentheses within one another.
const maxDepth = 64

// A Filter says of a message whether it is asked for. The zero Filter takes all.
type Filter struct {
	schema Schema
	test   predicate
	paths  []Path
}

// A predicate is a filter, or a part of it, that has been resolved. It is given the
// message's struct.
type predicate func(message reflect.Value) bool

// Matches reports whether the filter takes a message: a value of the schema's type, or
// a pointer to one. It panics for anything else.
func (f Filter) Matches(message any) bool {
	return f.IsZero() || f.test(f.schema.valueOf(message))
}

// Paths gives what the filter looks at, in the order of its text.
func (f Filter) Paths() []Path { return slices.Clone(f.paths) }

// IsZero reports whether the filter takes all, having no condition.
func (f Filter) IsZero() bool { return f.test == nil }

// Filter reads a filter; a blank one is zero. now() in it is the time given. Errors of
// syntax are of type *SyntaxError.
func (s Schema) Filter(text string, now time.Time) (Filter, error) {
	if len(text) > MaxTextLength {
		return Filter{}, fmt.Errorf("filter is longer than %d bytes", MaxTextLength)
	}
	p := parser{scanner: scanner{text: text}, schema: s, now: now}
	if offset, ok := invalidUTF8(text); ok {
		return Filter{}, p.at(offset, "invalid UTF-8")
	}
	p.advance()
	if p.token.kind == ending {
		return Filter{}, nil
	}
	test, err := p.or()
	if err == nil && p.token.kind != ending {
		err = p.expected(`"and", "or" or the end`)
	}
	if err != nil {
		return Filter{}, err
	}
	return Filter{schema: s, test: test, paths: p.paths}, nil
}

func invalidUTF8(text string) (offset int, found bool) {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i, true
			}
		}
	}
	return 0, false
}

// A parser descends through the grammar, one token ahead.
type parser struct {
	scanner
	schema Schema
	now    time.Time

	token       token
	depth       int
	patternSize int
	paths       []Path
}

func (p *parser) advance() { p.token = p.next() }

// take goes on if the token is the one given.
func (p *parser) take(kind tokenKind, text string) bool {
	if p.token.kind != kind || p.token.text != text {
		return false
	}
	p.advance()
	return true
}

// expected is the error at a token that fits nowhere; or that is none, which is then
// what to tell of.
func (p *parser) expected(what string) error {
	if p.token.kind == invalid {
		return p.at(p.token.offset, "%s", p.token.text)
	}
	return p.at(p.token.offset, "expected %s", what)
}

func (p *parser) or() (predicate, error) { return p.joined("or", p.and, anyOf) }

func (p *parser) and() (predicate, error) { return p.joined("and", p.factor, allOf) }

func (p *parser) joined(
	by string, part func() (predicate, error), join func([]predicate) predicate,
) (predicate, error) {
	var parts []predicate
	for {
		test, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, test)
		if !p.take(keyword, by) {
			return join(parts), nil
		}
	}
}

func anyOf(parts []predicate) predicate {
	if len(parts) == 1 {
		return parts[0]
	}
	return func(message reflect.Value) bool {
		return slices.ContainsFunc(parts, func(part predicate) bool { return part(message) })
	}
}

func allOf(parts []predicate) predicate {
	if len(parts) == 1 {
		return parts[0]
	}
	return func(message reflect.Value) bool {
		return !slices.ContainsFunc(parts, func(part predicate) bool { return !part(message) })
	}
}

func (p *parser) factor() (predicate, error) {
	opening := p.token.offset
	if !p.take(symbol, "(") {
		return p.condition()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.at(opening, "more than %d parentheses within one another", maxDepth)
	}
	test, err := p.or()
	if err == nil && !p.take(symbol, ")") {
		err = p.expected(`"and", "or" or ")"`)
	}
	p.depth--
	return test, err
}

func (p *parser) condition() (predicate, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	asked, err := p.operator(path)
	if err != nil {
		return nil, err
	}
	given, err := asked.operand(p, path)
	if err != nil {
		return nil, err
	}
	return asked.test(path, given), nil
}

func (p *parser) path() (Path, error) {
	if !p.token.isText() {
		return Path{}, p.expected("a path")
	}
	if offset := equalsSign(p.token); offset >= 0 {
		return Path{}, p.at(offset, "%s", unexpected('=').text)
	}
	path, err := p.schema.Path(p.token.text)
	if err != nil {
		return Path{}, p.at(p.token.offset, "%s", err)
	}
	p.paths = append(p.paths, path)
	p.advance()
	return path, nil
}

// equalsSign gives where a word has the sign that no path has, -1 if it has none.
func equalsSign(t token) int {
	if i := strings.IndexByte(t.text, '='); t.kind == word && i >= 0 {
		return t.offset + i
	}
	return -1
}

func (p *parser) operator(path Path) (operator, error) {
	start := p.token.offset
	asked, err := p.anyOperator()
	if err == nil && !slices.Contains(asked.kinds, path.kind) {
		err = p.at(start, "%.100q is a %s: it takes %s", path.text, path.kind, operatorsOf(path.kind))
	}
	return asked, err
}

func (p *parser) anyOperator() (operator, error) {
	start, prefix, expected := p.token.offset, "", "an operator"
	if p.take(keyword, "not") {
		prefix, expected = "not ", `"in", "contains" or "exists"`
	}
	if prefix != "" && p.token.kind == keyword && p.token.text == "matches" {
		return operator{}, p.at(start, `"matches" has no "not"`)
	}
	offered := operators()
	i := slices.IndexFunc(offered, func(o operator) bool { return o.name == prefix+p.token.text })
	if i < 0 || p.token.isText() {
		return operator{}, p.expected(expected)
	}
	p.advance()
	return offered[i], nil
}
