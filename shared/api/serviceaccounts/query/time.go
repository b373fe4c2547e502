package query

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

func moment(holds func(order int) bool) reader {
	return func(operand string) (test, problem) {
		at, ok := parseTime(operand)
		if !ok {
			return nil, noTime
		}
		return momentTest(at, holds), ""
	}
}

func momentTest(at time.Time, holds func(order int) bool) test {
	limit := at.UnixMicro()
	return func(v Value) bool { return holds(cmp.Compare(v.number, limit)) }
}

// sameMoment reads what stands without an operator.
func sameMoment(operand string) (test, problem) {
	at, ok := parseISO(operand)
	if !ok {
		at, ok = parseTime(operand)
	}
	if !ok {
		return nil, noTime
	}
	return momentTest(at, equal), ""
}

func between(operand string) (test, problem) {
	first, last, _ := strings.Cut(operand, ",")
	from, okFrom := parseTime(first)
	to, okTo := parseTime(last)
	if !okFrom || !okTo {
		return nil, noRange
	}
	notBefore, notAfter := momentTest(from, greaterOrEqual), momentTest(to, lessOrEqual)
	return func(v Value) bool { return notBefore(v) && notAfter(v) }, ""
}

// times is what Python's strptime takes for %Y-%m-%d %H:%M:%S. What no clock or calendar
// has is left to instant.
var times = pattern(
	`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2}| [1-9])\s+([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})$`)

func parseTime(text string) (time.Time, bool) {
	parts := times().FindStringSubmatch(text)
	if parts == nil {
		return time.Time{}, false
	}
	return instant(parts[1:])
}

// isoTimes is what pydantic takes for a time, except for bare numbers.
var isoTimes = pattern(
	`^([0-9]{4})-([0-9]{2})-([0-9]{2})` +
		`(?:[Tt _]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?` +
		`(?:[Zz]|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?)?$`)

func parseISO(text string) (time.Time, bool) {
	parts := isoTimes().FindStringSubmatch(text)
	if parts == nil {
		return time.Time{}, false
	}
	at, ok := instant(parts[1:7])
	offset := time.Duration(count(parts[9]))*time.Hour + time.Duration(count(parts[10]))*time.Minute
	if parts[8] == "-" {
		offset = -offset
	}
	return at.Add(microseconds(parts[7]) - offset), ok
}

// microseconds gives a fraction of a second, cut.
func microseconds(fraction string) time.Duration {
	const most = "000000"
	return time.Duration(count((fraction + most)[:len(most)])) * time.Microsecond
}

// instant gives what year, month, day, hour, minute and second make, if there is such a
// one. As in Python, there is no year 0.
func instant(parts []string) (time.Time, bool) {
	var n [6]int
	for i, part := range parts {
		n[i] = count(part)
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	same := [6]int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()}
	return t, same == n && t.Year() >= 1
}

// count reads a few digits, or none, which are 0.
func count(digits string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(digits))
	return n
}
