package query

import (
	"strconv"
	"strings"
	"time"
)

// A value is one of a filter's.
type value struct {
	text      string    // empty for an instant
	time      time.Time // of an instant
	isInstant bool      // whether a function made it
}

// literals has how a value is read, by the kind of the field that it stands beside.
var literals = map[Kind]struct {
	rank  func(value) (string, bool)
	takes string
}{
	Text: {rankAsText, "texts"},
	List: {rankAsText, "texts"},
	Flag: {rankAsFlag, "true and false"},
	Time: {rankAsTime, "dates, date() and now()"},
}

func rankAsText(v value) (string, bool) { return v.text, !v.isInstant }

func rankAsFlag(v value) (string, bool) {
	return v.text, v.text == rankOfFlag(true) || v.text == rankOfFlag(false)
}

func rankAsTime(v value) (string, bool) {
	if v.isInstant {
		return rankOfTime(v.time), true
	}
	t, ok := parseDate(v.text, time.Time{})
	return rankOfTime(t), ok
}

// value reads a value that the path can be compared with and gives its rank.
func (p *parser) value(path Path) (string, error) {
	start := p.token
	given, err := p.anyValue()
	if err != nil {
		return "", err
	}
	literal := literals[path.kind]
	rank, ok := literal.rank(given)
	if !ok {
		return "", p.at(start.offset, "%.100q is a %s: its values are %s", path.text, path.kind, literal.takes)
	}
	return rank, nil
}

func (p *parser) anyValue() (value, error) {
	if !p.token.isText() {
		return value{}, p.expected("a value")
	}
	given := p.token
	p.advance()
	f, ok := functions[strings.ToLower(given.text)]
	if ok && given.kind == word && p.take(symbol, "(") {
		return p.call(f)
	}
	return value{text: given.text}, nil
}

// A function makes a time of its argument, which is empty if there is none.
type function struct {
	of       func(argument string, now time.Time) (time.Time, bool)
	argument string
}

var functions = map[string]function{
	"date": {parseDate, "a date like 2026-01-31 or 2026-01-31T00:00:00Z"},
	"now":  {parseOffset, "a duration like -72h or -30d"},
}

func (p *parser) call(f function) (value, error) {
	argument := token{offset: p.token.offset}
	if p.token.isText() {
		argument = p.token
		p.advance()
	}
	at, ok := f.of(argument.text, p.now)
	if !ok {
		return value{}, p.at(argument.offset, "expected %s", f.argument)
	}
	if !p.take(symbol, ")") {
		return value{}, p.expected(`")"`)
	}
	return value{time: at, isInstant: true}, nil
}

func parseDate(text string, _ time.Time) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// maxDays is 100 years: days and hours together stay within a Duration.
const maxDays = 36_500

// parseOffset reads a Go duration that days may come before: -30d, 1d12h. The sign is
// that of all of it.
func parseOffset(text string, now time.Time) (time.Time, bool) {
	if text == "" {
		return now, true
	}
	unsigned := strings.TrimLeft(text, "+-")
	if len(text)-len(unsigned) > 1 {
		return time.Time{}, false
	}
	offset, ok := parseDuration(unsigned)
	if text[0] == '-' {
		offset = -offset
	}
	return now.Add(offset), ok
}

func parseDuration(unsigned string) (time.Duration, bool) {
	days, rest, hasDays := strings.Cut(unsigned, "d")
	if !hasDays {
		days, rest = "0", unsigned
	}
	count, err := strconv.ParseUint(days, 10, 32)
	if err != nil || count > maxDays {
		return 0, false
	}
	offset := time.Duration(count) * 24 * time.Hour
	if rest == "" {
		return offset, hasDays
	}
	if rest[0] == '+' || rest[0] == '-' {
		return 0, false // the sign stands before the days
	}
	part, err := time.ParseDuration(rest)
	return offset + part, err == nil && part <= maxDays*24*time.Hour
}
