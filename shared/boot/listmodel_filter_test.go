package boot_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A filter is its text, for the server, and what it means, for the model.
type filter struct {
	text  string
	takes func(record) bool
}

// filter makes one by the grammar, so that "and" comes before "or" by itself. Values
// are mostly those that records have.
func (g *generator) filter(records []record, depth int) filter {
	return g.joined("or", func() filter {
		return g.joined("and", func() filter { return g.factor(records, depth) }, all)
	}, anyOf)
}

func (g *generator) joined(by string, part func() filter, join func([]filter, record) bool) filter {
	parts := []filter{part()}
	for g.chance(35) && len(parts) < 3 {
		parts = append(parts, part())
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	text := strings.Join(texts, g.space()+g.inAnyCase(by)+g.space())
	return filter{text, func(r record) bool { return join(parts, r) }}
}

func all(parts []filter, r record) bool {
	return !slices.ContainsFunc(parts, func(f filter) bool { return !f.takes(r) })
}

func anyOf(parts []filter, r record) bool {
	return slices.ContainsFunc(parts, func(f filter) bool { return f.takes(r) })
}

func (g *generator) factor(records []record, depth int) filter {
	if depth > 0 && g.chance(30) {
		inner := g.filter(records, depth-1)
		return filter{"(" + g.maybeSpace() + inner.text + g.maybeSpace() + ")", inner.takes}
	}
	f := pick(g, fields...)
	return g.condition(f, pick(g, operatorsOf[f.kind]...), records)
}

var operatorsOf = map[kind][]string{
	textKind:    {"==", "!=", "<", "<=", ">", ">=", "in", "not in", "matches", "exists", "not exists"},
	flagKind:    {"==", "!=", "exists", "not exists"},
	timeKind:    {"==", "!=", "<", "<=", ">", ">=", "in", "not in", "exists", "not exists"},
	listKind:    {"contains", "not contains", "exists", "not exists"},
	mapKind:     {"exists", "not exists"},
	messageKind: {"exists", "not exists"},
}

// inOrder says of each comparison how a value may lie to the one given.
var inOrder = map[string]func(order int) bool{
	"==": func(order int) bool { return order == 0 },
	"!=": func(order int) bool { return order != 0 },
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
	">":  func(order int) bool { return order > 0 },
	">=": func(order int) bool { return order >= 0 },
}

func (g *generator) condition(f field, operator string, records []record) filter {
	switch {
	case strings.HasSuffix(operator, "exists"):
		return g.stated(f, operator, "", func(value any) bool { return exists(value) != (operator == "not exists") })
	case f.kind == flagKind:
		wanted := pick(g, "true", "false")
		return g.stated(f, operator, g.text(wanted), func(value any) bool {
			return (value == (wanted == "true")) == (operator == "==")
		})
	case f.kind == timeKind:
		return g.onTime(f, operator, records)
	case f.kind == listKind:
		return g.onList(f, operator, records)
	case operator == "matches":
		return g.matching(f)
	}
	return g.onText(f, operator, records)
}

// stated writes a condition: path, operator, operand.
func (g *generator) stated(f field, operator, operand string, holds func(value any) bool) filter {
	path, between := g.text(f.path()), g.space
	if inOrder[operator] != nil {
		between = g.maybeSpace
	}
	words := strings.Fields(operator)
	for i := range words {
		words[i] = g.inAnyCase(words[i])
	}
	text := path + between() + strings.Join(words, g.space())
	if operand != "" {
		text += between() + operand
	}
	return filter{text, func(r record) bool { return holds(f.of(r)) }}
}

func exists(value any) bool {
	switch value := value.(type) {
	case string:
		return value != ""
	case []string:
		return len(value) > 0
	case time.Time:
		return !value.IsZero()
	case bool:
		return value
	}
	return false
}

func (g *generator) onText(f field, operator string, records []record) filter {
	if holds := inOrder[operator]; holds != nil {
		wanted := g.textOf(f, records)
		return g.stated(f, operator, g.text(wanted), func(value any) bool {
			return holds(strings.Compare(textIn(value), wanted))
		})
	}
	wanted := g.several(func() string { return g.textOf(f, records) })
	return g.stated(f, operator, g.list(wanted), func(value any) bool {
		return slices.Contains(wanted, textIn(value)) == (operator == "in")
	})
}

// textOf is a text that a record has there, or another.
func (g *generator) textOf(f field, records []record) string {
	if g.chance(80) {
		return textIn(f.of(pick(g, records...)))
	}
	return pick(g, "", "a", "b", "nothing has this", `"\`, "m")
}

func (g *generator) matching(f field) filter {
	pattern := pick(g, "^a", "b$", "(?i)B", "a|é", `\\`, `a\.b`, ".", "^$", `^[a-z."]{2}$`, `\s`, "demo", "7[0-9a-f]{3}-")
	compiled := regexp.MustCompile(pattern)
	return g.stated(f, "matches", g.text(pattern), func(value any) bool { return compiled.MatchString(textIn(value)) })
}

// A missing list contains nothing.
func (g *generator) onList(f field, operator string, records []record) filter {
	wanted := g.several(func() string { return g.elementOf(f, records) })
	operand := g.list(wanted)
	if len(wanted) == 1 && g.chance(50) {
		operand = g.text(wanted[0])
	}
	return g.stated(f, operator, operand, func(value any) bool {
		has := slices.ContainsFunc(listIn(value), func(text string) bool { return slices.Contains(wanted, text) })
		return has == (operator == "contains")
	})
}

func (g *generator) elementOf(f field, records []record) string {
	if list := listIn(f.of(pick(g, records...))); len(list) > 0 {
		return pick(g, list...)
	}
	return pick(g, "", "ci", "METHOD_READ", "METHOD_ALL", "SYSTEM_ROLE_ADMIN")
}

// A missing time is unlike every other, and neither before nor after it.
func (g *generator) onTime(f field, operator string, records []record) filter {
	if holds := inOrder[operator]; holds != nil {
		text, wanted := g.timeOf(f, records)
		return g.stated(f, operator, text, func(value any) bool {
			if timeIn(value).IsZero() {
				return operator == "!="
			}
			return holds(timeIn(value).Compare(wanted))
		})
	}
	wanted := map[string]time.Time{}
	for range 1 + g.IntN(3) {
		text, at := g.timeOf(f, records)
		wanted[text] = at
	}
	texts := slices.Sorted(maps.Keys(wanted))
	return g.stated(f, operator, "["+strings.Join(texts, ",")+"]", func(value any) bool {
		isIn := slices.ContainsFunc(texts, func(text string) bool { return timeIn(value).Equal(wanted[text]) })
		return isIn == (operator == "in")
	})
}

// timeOf is a time that a record has, or one around now, and how a filter may write it.
func (g *generator) timeOf(f field, records []record) (string, time.Time) {
	if g.chance(25) {
		return g.timeFromNow()
	}
	at := timeIn(f.of(pick(g, records...)))
	switch {
	case at.IsZero() || g.chance(20):
		at = g.base.Truncate(24 * time.Hour)
	case g.chance(30):
		at = at.Truncate(24 * time.Hour)
	}
	return g.timeText(at), at
}

func (g *generator) timeFromNow() (string, time.Time) {
	offset := pick(g, "", "-72h", "-30d", "+2d", "3d", "-1d12h", "90m")
	times := map[string]time.Duration{
		"": 0, "-72h": -72 * time.Hour, "-30d": -720 * time.Hour, "+2d": 48 * time.Hour,
		"3d": 72 * time.Hour, "-1d12h": -36 * time.Hour, "90m": 90 * time.Minute,
	}
	return g.inAnyCase("now") + "(" + offset + ")", g.base.Add(times[offset])
}

func (g *generator) timeText(at time.Time) string {
	text := at.UTC().Format(time.RFC3339Nano)
	switch {
	case at.Year() < 9999 && g.chance(25): // elsewhere it may be the next year
		text = at.In(time.FixedZone("", 2*3600)).Format(time.RFC3339Nano)
	case at.Equal(at.Truncate(24*time.Hour)) && g.chance(50):
		text = at.UTC().Format(time.DateOnly)
	}
	if g.chance(30) {
		return g.text(text)
	}
	return g.inAnyCase("date") + "(" + g.text(text) + ")"
}

func (g *generator) several(one func() string) []string {
	values := []string{one()}
	for g.chance(40) {
		values = append(values, one())
	}
	return values
}

func (g *generator) list(values []string) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = g.maybeSpace() + g.text(value) + g.maybeSpace()
	}
	return "[" + strings.Join(texts, ",") + "]"
}

var (
	bareWord = regexp.MustCompile(`^[\p{L}\p{Nd}_\-.@+:/*]+(=[\p{L}\p{Nd}_\-.@+:/*]+)*$`)
	reserved = []string{"or", "and", "not", "in", "contains", "matches", "exists"}
)

// text writes a value or a path, in quotes where it must be and sometimes where not.
func (g *generator) text(value string) string {
	if bareWord.MatchString(value) && !slices.Contains(reserved, strings.ToLower(value)) && g.chance(60) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

func (g *generator) inAnyCase(word string) string {
	return pick(g, word, word, strings.ToUpper(word), strings.ToUpper(word[:1])+word[1:])
}

func (g *generator) space() string { return pick(g, " ", " ", "  ", "\t", "\n") }

func (g *generator) maybeSpace() string { return pick(g, "", " ") }
