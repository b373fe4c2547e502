package load

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is what a load and its audit have found.
type Report struct {
	Took       time.Duration // the load alone
	Operations []Times       // of load and audit, by name
	Errors     map[string]int
	Breaches   map[Breach]Tally

	Made, Rotated, Deleted, Alive int // keys, as acknowledged
	InDoubt                       int // of which nothing is said
	Audited                       int // of those that are alive or deleted

	Memory   []Growth
	Unjudged string // why memory was not judged; empty: it was

	Faults []string // what it failed by, empty for a load that has passed
}

// Times are how long the answers of an operation took.
type Times struct {
	Name          string
	Count, Errors int
	P50, P99, Max time.Duration // the first two at most 2 % too long
}

// Passed reports whether everything was as it must be.
func (r *Report) Passed() bool { return len(r.Faults) == 0 }

func (r *run) report(ctx context.Context, took time.Duration, audited int) *Report {
	report := &Report{
		Took: took, Errors: r.record.errors, Breaches: r.record.breaches, Audited: audited,
		Made: len(r.ledger.byID), Rotated: r.ledger.rotations, Deleted: r.ledger.count(gone), Alive: r.ledger.count(alive),
		InDoubt:  r.ledger.count(doubted),
		Unjudged: r.memory.unjudged(),
	}
	report.Memory = r.memory.growths(report.Made + report.Rotated + report.Deleted)
	for _, name := range slices.Sorted(maps.Keys(r.record.operations)) {
		l := r.record.operations[name]
		report.Operations = append(report.Operations, Times{
			Name: name, Count: l.count, Errors: r.record.failed[name],
			P50: l.quantile(0.5), P99: l.quantile(0.99), Max: l.max,
		})
	}
	report.Faults = r.faults(ctx, report)
	return report
}

// faults are what the run has failed by.
func (r *run) faults(ctx context.Context, report *Report) []string {
	var faults []string
	add := func(is bool, format string, arguments ...any) {
		if is {
			faults = append(faults, fmt.Sprintf(format, arguments...))
		}
	}
	errors := 0
	for _, count := range report.Errors {
		errors += count
	}
	add(ctx.Err() != nil, "it was not done: %v", context.Cause(ctx))
	add(errors > 0, "%d errors", errors)
	for _, breach := range slices.Sorted(maps.Keys(report.Breaches)) {
		add(true, "%s: %d times", breach, report.Breaches[breach].Count)
	}
	all := report.Alive + report.Deleted
	add(report.Audited < all, "%d of %d keys were not audited", all-report.Audited, all)
	add(!r.ledger.hasAll(), "no key was created, rotated or deleted")
	if report.Unjudged != "" {
		return faults
	}
	add(r.memory.problem != nil, "%v", r.memory.problem)
	add(len(report.Memory) == 0, "no process was seen for long enough to judge its memory")
	for _, growth := range report.Memory {
		add(growth.IsTooMuch(), "%s grows", growth.Program)
	}
	return faults
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	var text strings.Builder
	r.printOperations(&text)
	r.printErrors(&text)
	r.printMemory(&text)
	fmt.Fprintf(&text, "\n%d keys made, %d rotations, %d keys deleted, %d alive, %d in doubt; %d audited\n",
		r.Made, r.Rotated, r.Deleted, r.Alive, r.InDoubt, r.Audited)
	if r.Passed() {
		text.WriteString("\npassed\n")
	} else {
		fmt.Fprintf(&text, "\nFAILED: %s\n", strings.Join(r.Faults, "; "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (r *Report) printOperations(text io.Writer) {
	table := newTable(text)
	fmt.Fprintln(table, "operation\tcount\terrors\tp50\tp99\tmax\t")
	for _, op := range r.Operations {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\t\n", op.Name, op.Count, op.Errors, ms(op.P50), ms(op.P99), ms(op.Max))
	}
	_ = table.Flush() // into memory
}

func (r *Report) printErrors(text io.Writer) {
	fmt.Fprintln(text)
	if len(r.Errors) == 0 {
		fmt.Fprintln(text, "no errors")
	}
	for _, what := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(text, "%d times %s\n", r.Errors[what], what)
	}
	for _, breach := range slices.Sorted(maps.Keys(r.Breaches)) {
		tally := r.Breaches[breach]
		fmt.Fprintf(text, "%d times %s, as %s\n", tally.Count, breach, strings.Join(tally.Keys, ", "))
	}
}

func (r *Report) printMemory(text io.Writer) {
	fmt.Fprintln(text)
	if r.Unjudged != "" {
		fmt.Fprintf(text, "memory was not judged: %s\n", r.Unjudged)
		return
	}
	table := newTable(text)
	fmt.Fprintln(table, "memory in MiB of the largest\tsecond quarter\tlast quarter\tchange\tallowed\tor up to\t")
	for _, g := range r.Memory {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n",
			g.Program, mib(g.Second), mib(g.Last), mib(g.Last-g.Second), mib(g.Allowed), mib(g.InAnyCase))
	}
	_ = table.Flush() // into memory
}

func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

func mib(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }
