package query

import (
	"errors"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxPatternSize bounds the steps that a filter's regular expressions have together
// once repetitions are written out: a short text can ask for millions of them. Each may
// be tried at each byte of a text of 16 KB, and one match cannot be interrupted.
const (
	maxPatternSize = 300
	rangesPerStep  = 16 // of a class of characters
)

// An operator is what may stand after a path.
type operator struct {
	name    string
	kinds   []Kind
	operand func(*parser, Path) (operand, error)
	test    func(Path, operand) predicate
}

// An operand is what stands after an operator: ranks of values, or a pattern.
type operand struct {
	ranks   []string
	pattern *regexp.Regexp
}

var (
	ordered = []Kind{Text, Time}
	scalars = []Kind{Text, Flag, Time}
	all     = []Kind{Text, Flag, Time, List, Map, Message}
)

// operators are made for whoever reads a filter. A table of the package would be made, and
// linked with all that it names, by every function that speaks this API.
func operators() []operator {
	return []operator{
		{"==", scalars, (*parser).one, isIn},
		{"!=", scalars, (*parser).one, not(isIn)},
		{"<", ordered, (*parser).one, inOrder(func(order int) bool { return order < 0 })},
		{"<=", ordered, (*parser).one, inOrder(func(order int) bool { return order <= 0 })},
		{">", ordered, (*parser).one, inOrder(func(order int) bool { return order > 0 })},
		{">=", ordered, (*parser).one, inOrder(func(order int) bool { return order >= 0 })},
		{"in", ordered, (*parser).list, isIn},
		{"not in", ordered, (*parser).list, not(isIn)},
		{"contains", []Kind{List}, (*parser).oneOrList, contains},
		{"not contains", []Kind{List}, (*parser).oneOrList, not(contains)},
		{"matches", []Kind{Text}, (*parser).pattern, matches},
		{"exists", all, (*parser).nothing, exists},
		{"not exists", all, (*parser).nothing, not(exists)},
	}
}

func operatorsOf(kind Kind) string {
	var names []string
	for _, o := range operators() {
		if slices.Contains(o.kinds, kind) {
			names = append(names, o.name)
		}
	}
	return strings.Join(names, ", ")
}

func not(test func(Path, operand) predicate) func(Path, operand) predicate {
	return func(path Path, given operand) predicate {
		holds := test(path, given)
		return func(message reflect.Value) bool { return !holds(message) }
	}
}

// isIn does not hold for a missing flag or time: none of theirs has an empty rank.
func isIn(path Path, given operand) predicate {
	wanted := setOf(given.ranks)
	return func(message reflect.Value) bool { return wanted[path.rank(message)] }
}

func inOrder(holds func(order int) bool) func(Path, operand) predicate {
	return func(path Path, given operand) predicate {
		return func(message reflect.Value) bool {
			rank := path.rank(message)
			missing := rank == "" && path.kind != Text
			return !missing && holds(strings.Compare(rank, given.ranks[0]))
		}
	}
}

func contains(path Path, given operand) predicate {
	wanted := setOf(given.ranks)
	return func(message reflect.Value) bool {
		list := path.in(message)
		for i := range lengthOf(list) {
			if wanted[list.Index(i).String()] {
				return true
			}
		}
		return false
	}
}

func matches(path Path, given operand) predicate {
	return func(message reflect.Value) bool { return given.pattern.MatchString(path.rank(message)) }
}

func exists(path Path, _ operand) predicate {
	return func(message reflect.Value) bool {
		switch path.kind {
		case List, Map:
			return lengthOf(path.in(message)) > 0
		case Message:
			return path.in(message).IsValid()
		case Flag:
			return path.rank(message) == rankOfFlag(true)
		}
		return path.rank(message) != ""
	}
}

// lengthOf is 0 for what is missing.
func lengthOf(v reflect.Value) int {
	if !v.IsValid() {
		return 0
	}
	return v.Len()
}

func setOf(texts []string) map[string]bool {
	set := make(map[string]bool, len(texts))
	for _, text := range texts {
		set[text] = true
	}
	return set
}

func (p *parser) nothing(Path) (operand, error) { return operand{}, nil }

func (p *parser) one(path Path) (operand, error) {
	rank, err := p.value(path)
	return operand{ranks: []string{rank}}, err
}

func (p *parser) oneOrList(path Path) (operand, error) {
	if p.token.kind == symbol && p.token.text == "[" {
		return p.list(path)
	}
	return p.one(path)
}

func (p *parser) list(path Path) (operand, error) {
	if !p.take(symbol, "[") {
		return operand{}, p.expected(`"["`)
	}
	var ranks []string
	for {
		rank, err := p.value(path)
		if err != nil {
			return operand{}, err
		}
		ranks = append(ranks, rank)
		if p.take(symbol, "]") {
			return operand{ranks: ranks}, nil
		}
		if !p.take(symbol, ",") {
			return operand{}, p.expected(`"," or "]"`)
		}
	}
}

func (p *parser) pattern(Path) (operand, error) {
	if !p.token.isText() {
		return operand{}, p.expected("a regular expression")
	}
	tree, err := syntax.Parse(p.token.text, syntax.Perl)
	if err != nil {
		return operand{}, p.at(p.token.offset, "regular expression: %s", codeOf(err))
	}
	if p.patternSize += sizeOf(tree); p.patternSize > maxPatternSize {
		return operand{}, p.at(p.token.offset, "regular expressions of more than %d steps", maxPatternSize)
	}
	pattern, err := regexp.Compile(p.token.text)
	if err != nil {
		return operand{}, p.at(p.token.offset, "regular expression: %s", codeOf(err))
	}
	p.advance()
	return operand{pattern: pattern}, nil
}

// codeOf gives the problem without the expression, which may be long.
func codeOf(err error) string {
	if problem, ok := errors.AsType[*syntax.Error](err); ok {
		return problem.Code.String()
	}
	return "invalid"
}

// sizeOf estimates the steps of an expression. It cannot overflow: syntax.Parse allows
// repetitions within one another no more than 1,000 times together.
func sizeOf(tree *syntax.Regexp) int {
	size, copies := 1, 1
	switch tree.Op {
	case syntax.OpLiteral:
		size = len(tree.Rune)
	case syntax.OpCharClass:
		size += len(tree.Rune) / 2 / rangesPerStep
	case syntax.OpRepeat:
		copies = max(tree.Min+1, tree.Max)
	}
	for _, sub := range tree.Sub {
		size += copies * sizeOf(sub)
	}
	return size
}
