// Package coldstart_test measures what a function costs before it is warm, with programs
// that are built as they are for Lambda, and how large they are there.
//
// Every time is a ratio to a limit that is measured in the same run, in turn, because
// machines are shared and noisy:
//
//   - a cold start, from the start of the process to its first request for an event, to
//     that of a function that does nothing, testdata/empty;
//   - the first invocation of a process, from the event to the response, to the median of
//     later ones of the same process.
//
// The first bar leaves a function what a client of DynamoDB costs that is made of static
// options, 1.3 to 1.5 times the empty function, and not what the SDK's default configuration
// costs, 1.9 times. The second bar leaves it a connection and the tables that are built when
// they are first needed, next to a service that answers in a millisecond. The third bar is
// exact: 9 MB is what is left of a function if nothing is in it that it does not use.
//
// A process meets a Runtime API of its own, which does nothing else, and a table that
// answers after a millisecond, as DynamoDB does: the SDK takes a request's body away from
// the transport as soon as there is an answer, and if that is before the body has been
// written off, the transport closes the connection and has to dial anew.
package coldstart_test

import (
	"slices"
	"testing"
	"time"

	"latchkey/shared/operation"
)

// The bars.
const (
	maxColdStartRatio  = 1.6       // of a function's cold start to that of the empty one
	maxFirstRatio      = 2         // of the first invocation of a process to a warm one
	maxBootstrapLength = 9_000_000 // of a function's program for Lambda, in bytes
)

const (
	coldRounds  = 30
	processes   = 15
	invocations = 100
)

// BenchmarkColdStart starts the empty function before every other one, so that whatever
// else the machine does meets both.
func BenchmarkColdStart(b *testing.B) {
	w := newWorld(b)
	var emptyTimes []time.Duration
	times := map[string][]time.Duration{}
	for round := range coldRounds + 1 {
		for _, op := range operation.All {
			empty, full := w.coldStart(b, emptyFunction), w.coldStart(b, op)
			if round == 0 {
				continue // the programs are not in memory yet
			}
			emptyTimes = append(emptyTimes, empty)
			times[op.Name] = append(times[op.Name], full)
		}
	}
	b.Run(emptyFunction.Name, func(b *testing.B) { reportColdStart(b, emptyTimes, emptyTimes) })
	for _, op := range operation.All {
		b.Run(op.Name, func(b *testing.B) { reportColdStart(b, times[op.Name], emptyTimes) })
	}
}

func reportColdStart(b *testing.B, times, emptyTimes []time.Duration) {
	ratio := float64(quantile(times, 0.5)) / float64(quantile(emptyTimes, 0.5))
	reportTimes(b, times)
	b.ReportMetric(ratio, "time-ratio")
	if ratio > maxColdStartRatio {
		b.Errorf("%.2f ms (%.2f to %.2f), which is %.2f times the empty function; the bar is %.2f",
			milliseconds(times, 0.5), milliseconds(times, 0.25), milliseconds(times, 0.75), ratio, maxColdStartRatio)
	}
}

func reportTimes(b *testing.B, times []time.Duration) {
	b.ReportMetric(milliseconds(times, 0.25), "ms-25%")
	b.ReportMetric(milliseconds(times, 0.5), "ms-50%")
	b.ReportMetric(milliseconds(times, 0.75), "ms-75%")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFirstInvocation is of the two functions that others wait for with each of their
// own requests.
func BenchmarkFirstInvocation(b *testing.B) {
	w := newWorld(b)
	w.makeRootKey(b)
	b.Run(operation.ValidateAPIKey.Name, func(b *testing.B) {
		w.reportFirst(b, operation.ValidateAPIKey, "../../events/validate-api-key.json", `\"valid\":true`)
	})
	b.Run(operation.Authorizer.Name, func(b *testing.B) {
		w.reportFirst(b, operation.Authorizer, "testdata/authorizer.json", `"Effect":"Allow"`)
	})
}

func (w *world) reportFirst(b *testing.B, op operation.Operation, sample, want string) {
	event := w.event(b, sample)
	var first, warm []time.Duration
	var ratios []float64
	for range processes {
		times := w.invocations(b, op, event, want)
		first, warm = append(first, times[0]), append(warm, quantile(times[1:], 0.5))
		ratios = append(ratios, float64(times[0])/float64(warm[len(warm)-1]))
	}
	ratio := quantile(ratios, 0.5)
	reportTimes(b, first)
	b.ReportMetric(milliseconds(warm, 0.5), "ms-warm")
	b.ReportMetric(ratio, "time-ratio")
	if ratio > maxFirstRatio {
		b.Errorf("%.2f ms, which is %.2f times a warm invocation; the bar is %d", milliseconds(first, 0.5), ratio, maxFirstRatio)
	}
}

// quantile gives the value that a part of all are below.
func quantile[T time.Duration | float64](values []T, part float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(part*float64(len(sorted)))]
}

func milliseconds(times []time.Duration, part float64) float64 {
	return quantile(times, part).Seconds() * 1000
}
