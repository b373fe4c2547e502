// Package runtimecost_test measures what the rows of the catalogue say of Go's runtime and
// of memory: how much processor time the runtime saves, how much memory a function takes
// at most, and how long an invocation would take at other memory sizes, and at what price.
//
// The functions' own programs run with a table that stands in for DynamoDB, over TLS. Of
// their processes the system tells how long their threads have run and how much memory they
// have had, as Linux does in /proc. Processor time is little disturbed by what else a
// machine does. The time of an invocation is, so it is computed: Lambda gives a memory size
// its part of a processor, and a function takes its processor time divided by that part,
// at most, and waits as long as ever. It is less where the work is done before the part is
// used up; Lambda does not say over which time it counts.
package runtimecost_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/bars"
	"latchkey/shared/operation"
)

// The bars.
const (
	maxCPURatio   = 1.0 // of processor time to what Go itself chooses
	maxMemoryPart = 0.9 // of the memory size
)

const (
	rounds    = 20
	sliceSize = 50
	largeReps = 3 // so that there is garbage of the ones before
	floodReps = 10
)

// The price in dollars of a GB-second on arm64 in us-east-1, of November 2026.
//
// https://aws.amazon.com/lambda/pricing/
const priceOfGBSecond = 0.0000133334

// measured are the kinds of work that functions do: reads of one item, a write, and a page.
func measured() []operation.Operation {
	return []operation.Operation{operation.ValidateAPIKey, operation.Authorizer, operation.CreateAPIKey, operation.ListAPIKeys}
}

// BenchmarkRuntime compares the runtime of the catalogue with what Go chooses, in turn.
func BenchmarkRuntime(b *testing.B) {
	w := newWorld(b)
	w.fillSample(b)
	for _, op := range measured() {
		b.Run(op.Name, func(b *testing.B) {
			event := w.sample(b, op, nil)
			ours, theirs := w.newSeries(b, op, event, asInCatalogue), w.newSeries(b, op, event, asGoChooses)
			for range rounds {
				ours.run(b)
				theirs.run(b)
			}
			ratio := float64(ours.cpu) / float64(theirs.cpu)
			b.ReportMetric(ours.perInvocation(), "cpu-ms")
			b.ReportMetric(ratio, "cpu-ratio")
			b.ReportMetric(ours.peak(b), "MB")
			b.ReportMetric(theirs.peak(b), "MB-of-Go")
			b.ReportMetric(0, "ns/op")
			if ratio > maxCPURatio {
				b.Errorf("%.2f of the processor time that it takes with what Go chooses; the bar is %.2f", ratio, maxCPURatio)
			}
		})
	}
}

// BenchmarkMemorySize computes how long an invocation takes at several memory sizes, the
// first of a process and later ones, and the price of a million of these beside that of
// the requests.
func BenchmarkMemorySize(b *testing.B) {
	w := newWorld(b)
	w.fillSample(b)
	for _, op := range measured() {
		event := w.sample(b, op, nil)
		s := w.newSeries(b, op, event, asInCatalogue)
		for range rounds {
			s.run(b)
		}
		wait := max(0, s.median()-s.perInvocation())
		for _, size := range []int{128, 256, 512, 1024, operation.MBOfProcessor} {
			b.Run(fmt.Sprintf("%s/%dMB", op.Name, size), func(b *testing.B) {
				part := float64(size) / operation.MBOfProcessor
				took := wait + s.perInvocation()/part
				b.ReportMetric(took, "ms")
				b.ReportMetric(wait+s.first/part, "ms-first")
				b.ReportMetric(took*1000*float64(size)/1024*priceOfGBSecond, "$/million")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// A series is of invocations of one process.
type series struct {
	*deployment
	op    operation.Operation
	event string
	first float64 // ms of processor time of the first invocation
	cpu   time.Duration
	times []float64 // ms
}

// newSeries starts a process with an event that is refused before anything is read: what
// comes before that has a whole processor.
func (w *world) newSeries(
	b *testing.B, op operation.Operation, event string, variables func(operation.Operation) map[string]string,
) *series {
	b.Helper()
	s := &series{deployment: w.deploy(b, variables), op: op, event: event}
	s.invoke(b, op, w.sample(b, op, map[string]any{"headers": nil, "identitySource": nil, "body": ""}))
	started := cpuTime(b, s.process(b, op))
	s.invoke(b, op, event)
	s.first = (cpuTime(b, s.process(b, op)) - started).Seconds() * 1000
	for range sliceSize {
		s.invoke(b, op, event)
	}
	return s
}

// run makes a slice of invocations.
func (s *series) run(b *testing.B) {
	b.Helper()
	process := s.process(b, s.op)
	before := cpuTime(b, process)
	for range sliceSize {
		began := time.Now()
		s.invoke(b, s.op, s.event)
		s.times = append(s.times, time.Since(began).Seconds()*1000)
	}
	s.cpu += cpuTime(b, process) - before
}

// perInvocation is the processor time of one in ms.
func (s *series) perInvocation() float64 { return s.cpu.Seconds() * 1000 / float64(len(s.times)) }

// peak is the most memory that the process has had, in MB.
func (s *series) peak(b *testing.B) float64 { return peak(b, s.process(b, s.op)) }

// median is that of the times, in ms.
func (s *series) median() float64 { return bars.Quantile(s.times, 0.5) }

// BenchmarkPeakMemory has functions do the largest work that they take, and all that have a
// route refuse the largest event that Lambda takes.
func BenchmarkPeakMemory(b *testing.B) {
	w := newWorld(b)
	for _, large := range w.largest(b) {
		b.Run(large.op.Name+"/"+large.name, func(b *testing.B) {
			large.fill()
			w.reportPeak(b, large.op, large.event, largeReps, http.StatusOK)
		})
	}
	for _, op := range operation.All {
		if op.Route != "" {
			b.Run(op.Name+"/6MB", func(b *testing.B) { w.reportPeak(b, op, w.flood(b, op), floodReps, http.StatusRequestEntityTooLarge) })
		}
	}
}

func (w *world) reportPeak(b *testing.B, op operation.Operation, event string, times, wantStatus int) {
	b.Helper()
	d := w.deploy(b, asInCatalogue)
	for range times {
		answer := d.invoke(b, op, event)
		if !strings.HasPrefix(answer, fmt.Sprintf(`{"statusCode":%d,`, wantStatus)) {
			b.Fatalf("%s: %.500s", op.Name, answer)
		}
	}
	process := d.process(b, op)
	used := peak(b, process)
	b.ReportMetric(used, "MB")
	b.ReportMetric(cpuTime(b, process).Seconds()*1000/float64(times), "cpu-ms")
	b.ReportMetric(0, "ns/op")
	if used > maxMemoryPart*float64(op.MemoryMB) {
		b.Errorf("%.0f MB of %d; the bar is %.0f %%", used, op.MemoryMB, 100*maxMemoryPart)
	}
	_ = d.host.Close() // to free its memory
}
