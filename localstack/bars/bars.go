// Package bars says what is measured, and what each figure must reach: one table, which the
// tests and benchmarks that measure read, and the command that shows it all.
//
// Machines are shared and noisy, so that what takes time is a ratio to a bare-bones limit
// of the same run. Allocations, calls, units and lengths are exact, and so are their bars.
//
// A test or a benchmark gives a figure to Hold, which fails it if the bar is broken, and
// shows the figure to whoever reads the test's log by machine:
//
//	bars.Hold(b, "validation/time", bars.Median(ratios))
//
// A figure that nobody gives is a broken bar for `make bench`.
package bars

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Attribute is the key of the test attributes that hold figures, each a Report in JSON.
//
// https://pkg.go.dev/testing#T.Attr
const Attribute = "figure"

// A Bar is a figure that is measured, and what it must be.
type Bar struct {
	ID     string
	Number int // which of the bars it belongs to; zero is none, and then there is no limit
	What   string
	Unit   Unit
	Limit  Limit
	Test   Test
}

// A Test is the test or the benchmark that measures a figure.
type Test struct{ Package, Name string }

// A Unit is what a figure counts.
type Unit string

// The units.
const (
	Ratio        Unit = "×"
	Count        Unit = ""
	Microseconds Unit = "µs"
	Milliseconds Unit = "ms"
	Megabytes    Unit = "MB"  // a million bytes
	Mebibytes    Unit = "MiB" // 2²⁰ bytes
	PerSecond    Unit = "/s"
)

// A Limit is what a figure must be. The zero Limit takes every one.
type Limit struct {
	Least, Most float64 // Most is zero where there are none
	Exactly     string  // what the figure is, word for word
}

// A Figure is what was measured.
type Figure struct {
	Value float64 `json:"value"`          // the median, or the only one
	Low   float64 `json:"low,omitempty"`  // the quartiles, both zero if it was measured once
	High  float64 `json:"high,omitempty"` //
	Text  string  `json:"text,omitempty"` // in place of a value
	Of    string  `json:"of,omitempty"`   // which of several it is of
}

// A Report is a figure and whose it is.
type Report struct {
	ID string `json:"id"`
	Figure
}

// Once is the figure of what was measured once, or comes out the same each time.
func Once(value float64) Figure { return Figure{Value: value} }

// Text is an exact figure that is no number.
func Text(text string) Figure { return Figure{Text: text} }

// Median is the figure of what was measured more than once.
func Median(values []float64) Figure {
	return Figure{Value: Quantile(values, 0.5), Low: Quantile(values, 0.25), High: Quantile(values, 0.75)}
}

// Quantile is the value that a part of all values are below, NaN if there are none.
func Quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// Scaled gives a figure in another unit.
func (f Figure) Scaled(factor float64) Figure {
	f.Value, f.Low, f.High = f.Value*factor, f.Low*factor, f.High*factor
	return f
}

// Hold fails a test whose figure is not what its bar demands, and puts the figure into the
// test's log, for people and for machines.
func Hold(t testing.TB, id string, f Figure) {
	t.Helper()
	i := slices.IndexFunc(All, func(b Bar) bool { return b.ID == id })
	if i < 0 {
		t.Fatalf("there is no bar %q", id)
	}
	text, err := json.Marshal(Report{ID: id, Figure: f})
	if err != nil {
		t.Fatalf("figure of %s: %v", id, err)
	}
	t.Attr(Attribute, string(text))
	bar := All[i]
	if !bar.Limit.Holds(f) {
		t.Errorf("%s: %s; the bar is %s", bar.What, bar.Show(f), bar.ShowLimit())
		return
	}
	t.Logf("%s: %s", bar.What, bar.Show(f))
}

// Holds tells whether a figure is what is demanded. No number is not.
func (l Limit) Holds(f Figure) bool {
	switch {
	case l.Exactly != "":
		return f.Text == l.Exactly
	case l.Most > 0:
		return f.Text == "" && f.Value >= l.Least && f.Value <= l.Most
	}
	return true
}

// Show is a figure in the bar's unit.
func (b Bar) Show(f Figure) string {
	text := f.Text
	if text == "" {
		text = b.number(f.Value)
	}
	if f.Of != "" {
		text += " (" + f.Of + ")"
	}
	return text
}

// ShowSpread is the quartiles of a figure, or that it is exact; nothing for a time that was
// measured once.
func (b Bar) ShowSpread(f Figure) string {
	switch {
	case f.Low != 0 || f.High != 0:
		return b.digits(f.Low) + " – " + b.number(f.High)
	case b.Unit == Count || b.Unit == Megabytes:
		return "exact"
	}
	return ""
}

// ShowLimit is what the bar demands.
func (b Bar) ShowLimit() string {
	switch l := b.Limit; {
	case l.Exactly != "":
		return l.Exactly
	case l.Least > 0:
		return fmt.Sprintf("%g – %s", l.Least, b.withUnit(fmt.Sprint(l.Most)))
	case l.Most > 0:
		return "≤ " + b.withUnit(fmt.Sprint(l.Most))
	}
	return ""
}

func (b Bar) number(value float64) string { return b.withUnit(b.digits(value)) }

func (b Bar) withUnit(digits string) string { return strings.TrimSpace(digits + " " + string(b.Unit)) }

// digits are as many as mean something.
func (b Bar) digits(value float64) string {
	decimals := 2
	switch {
	case b.Unit == Count || b.Unit == PerSecond || value >= 100:
		decimals = 0
	case b.Unit == Ratio:
		decimals = 3
	}
	return strconv.FormatFloat(value, 'f', decimals, 64)
}
