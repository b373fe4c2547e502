// Package coldstart_test measures what a function costs before it is warm, with programs
// that are built as they are for Lambda, and how large they are there.
//
// Every time is a ratio to a limit that is measured in the same run, in turn, because
// machines are shared and noisy:
//
//   - a cold start, from the start of the process to its first request for an event, to
//     that of a function that does nothing, testdata/empty. The table is asked without TLS,
//     so that the process does not wait for its connection, as it does in AWS, and the
//     figure is of the program; over TLS there is a figure of its own. The empty
//     function has Go's own settings, every other one the catalogue's, which are a part of
//     what it costs;
//   - the first invocation of a process, from the event to the response, to the median of
//     later ones of the same process.
//
// What the figures must be is in latchkey/localstack/bars. Programs are for the machine that
// measures, and their memory is what they have there.
//
// A process meets a Runtime API of its own, which does nothing else, and a table that
// answers after a millisecond, as DynamoDB does: the SDK takes a request's body away from
// the transport as soon as there is an answer, and if that is before the body has been
// written off, the transport closes the connection and has to dial anew.
package coldstart_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"latchkey/localstack/bars"
	"latchkey/localstack/lambdabuild"
	"latchkey/localstack/standin"
	"latchkey/shared/operation"
)

const (
	coldRounds  = 60
	processes   = 30  // whose first invocation is measured
	warm        = 30  // invocations after it
	remembering = 5   // processes whose memory is measured
	invocations = 150 // before that
)

// BenchmarkColdStart starts each program once in a round, the empty function as seldom as
// every other one: one that is started all the time is in the processor's caches, which
// those that are compared with it are not. The order is by chance, so that none always
// follows the same one. Validation is started over TLS besides.
func BenchmarkColdStart(b *testing.B) {
	w := newWorld(b, standin.Serve, lambdabuild.Functions, emptyPackage)
	secure := &world{programs: w.programs, environment: environment(b, standin.ServeTLS)}
	starts := map[string]func() float64{overTLS: func() float64 { return secure.coldStart(b, operation.ValidateAPIKey) }}
	for _, op := range append(slices.Clone(operation.All), emptyFunction) {
		starts[op.Name] = func() float64 { return w.coldStart(b, op) }
	}
	times := coldStarts(starts)
	holdEach(b, "coldstart/", func(op operation.Operation) bars.Figure { return over(times[op.Name], times[emptyFunction.Name]) })
	bars.Hold(b, "coldstart/empty/time", bars.Median(times[emptyFunction.Name]).Scaled(1e3))
	bars.Hold(b, "coldstart/tls/time", bars.Median(times[overTLS]).Scaled(1e3))
	for _, op := range waitedFor {
		bars.Hold(b, "coldstart/"+op.Name+"/time", bars.Median(times[op.Name]).Scaled(1e3))
	}
	b.ReportMetric(0, "ns/op")
}

// overTLS is what a validation is called that waits for its connection.
const overTLS = "over TLS"

// coldStarts does each of what is named once in a round, and gives how long it took in
// each round but the first, when programs are not in memory yet.
func coldStarts(starts map[string]func() float64) map[string][]float64 {
	names := slices.Collect(maps.Keys(starts))
	times := map[string][]float64{}
	for round := range coldRounds + 1 {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if took := starts[name](); round > 0 {
				times[name] = append(times[name], took)
			}
		}
	}
	return times
}

// over is the ratio of the medians, with the quartiles of the rounds' own ratios.
func over(times, limit []float64) bars.Figure {
	ratios := make([]float64, len(times))
	for i := range times {
		ratios[i] = times[i] / limit[i]
	}
	figure := bars.Median(ratios)
	figure.Value = bars.Quantile(times, 0.5) / bars.Quantile(limit, 0.5)
	return figure
}

// waitedFor are the functions that others wait for with each of their own requests.
var waitedFor = []operation.Operation{operation.ValidateAPIKey, operation.Authorizer}

// holdEach holds the functions that are waited for to bars of their own, and the one of all
// others that has the largest figure to theirs.
func holdEach(b *testing.B, prefix string, figureOf func(operation.Operation) bars.Figure) {
	b.Helper()
	var others []bars.Figure
	for _, op := range operation.All {
		figure := figureOf(op)
		if slices.ContainsFunc(waitedFor, func(w operation.Operation) bool { return w.Name == op.Name }) {
			bars.Hold(b, prefix+op.Name, figure)
			continue
		}
		figure.Of = op.Name
		others = append(others, figure)
	}
	bars.Hold(b, prefix+bars.Others, slices.MaxFunc(others, func(x, y bars.Figure) int { return cmp.Compare(x.Value, y.Value) }))
}

// BenchmarkFirstInvocation is of the functions that are waited for, over TLS as in AWS.
func BenchmarkFirstInvocation(b *testing.B) {
	w := newWorld(b, standin.ServeTLS, functionOf(operation.Bootstrap), functionOf(operation.ValidateAPIKey), functionOf(operation.Authorizer))
	w.makeRootKey(b)
	validation := w.event(b, "../../events/validate-api-key.json")
	w.holdFirst(b, operation.ValidateAPIKey, validation, isValid)
	w.holdFirst(b, operation.Authorizer, w.event(b, "testdata/authorizer.json"), `"Effect":"Allow"`)
	var peaks, lasts []float64
	for range remembering {
		_, used := w.invocations(b, operation.ValidateAPIKey, invocations, validation, isValid)
		peaks, lasts = append(peaks, used.Peak), append(lasts, used.Last)
	}
	bars.Hold(b, "memory/peak", bars.Median(peaks))
	bars.Hold(b, "memory/last", bars.Median(lasts))
	b.ReportMetric(0, "ns/op")
}

// isValid is in the answer that a key is valid.
const isValid = `\"valid\":true`

func (w *world) holdFirst(b *testing.B, op operation.Operation, event []byte, want string) {
	b.Helper()
	var first, later, ratios []float64
	for range processes {
		times, _ := w.invocations(b, op, 1+warm, event, want)
		median := bars.Quantile(times[1:], 0.5)
		first, later, ratios = append(first, times[0]), append(later, median), append(ratios, times[0]/median)
	}
	bars.Hold(b, "first/"+op.Name, bars.Median(ratios))
	bars.Hold(b, "first/"+op.Name+"/time", bars.Median(first).Scaled(1e3))
	bars.Hold(b, "first/"+op.Name+"/warm", bars.Median(later).Scaled(1e3))
}
