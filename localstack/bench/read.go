package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"latchkey/localstack/bars"
)

// An event is one of `go test -json`.
//
// https://pkg.go.dev/cmd/test2json
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Key     string // of an attribute
	Value   string
	Elapsed float64 // seconds
}

// A reader gathers figures.
type reader struct {
	figures  map[string]bars.Figure
	output   map[string][]string // of each package
	progress io.Writer
}

// read reads events until there are no more. Its error is of an event or of a figure that
// cannot be read; the figures are those before it.
func read(stream io.Reader, progress io.Writer) (map[string]bars.Figure, error) {
	r := reader{figures: map[string]bars.Figure{}, output: map[string][]string{}, progress: progress}
	decoder := json.NewDecoder(stream)
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return r.figures, nil
		}
		if err == nil {
			err = r.take(e)
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, stream) // the tests must come to their end
			return r.figures, fmt.Errorf("events of go test: %w", err)
		}
	}
}

func (r *reader) take(e event) error {
	switch e.Action {
	case "run":
		fmt.Fprintf(r.progress, "%s %s\n", strings.TrimPrefix(e.Package, "latchkey/"), e.Test)
	case "attr":
		if e.Key == bars.Attribute {
			return r.keep(e.Value)
		}
	case "build-output":
		fmt.Fprint(r.progress, e.Output)
	case "output":
		r.output[e.Package] = append(r.output[e.Package], e.Output)
	case "pass", "fail":
		if e.Test == "" {
			r.end(e)
		}
	}
	return nil
}

// keep keeps a figure. A test may give one more than once: the one that breaks the bar
// counts.
func (r *reader) keep(text string) error {
	var report bars.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	i := slices.IndexFunc(bars.All, func(b bars.Bar) bool { return b.ID == report.ID })
	if i < 0 {
		return fmt.Errorf("figure of no bar: %q", report.ID)
	}
	bar := bars.All[i]
	fmt.Fprintf(r.progress, "  %s: %s\n", bar.What, bar.Show(report.Figure))
	if kept, there := r.figures[bar.ID]; !there || bar.Limit.Holds(kept) {
		r.figures[bar.ID] = report.Figure
	}
	return nil
}

// end tells how a package ended, and all that it wrote if it failed.
func (r *reader) end(e event) {
	if e.Action == "fail" {
		for _, line := range r.output[e.Package] {
			if !strings.HasPrefix(line, "=== ") {
				fmt.Fprint(r.progress, line)
			}
		}
	}
	fmt.Fprintf(r.progress, "%s %sed after %.0f s\n", strings.TrimPrefix(e.Package, "latchkey/"), e.Action, e.Elapsed)
}
