// Package sidebyside compares what several functions cost that do the same by different
// means, in one process and in turn.
//
// A machine has ups and downs, and a process has a heap that grows: two benchmarks that run
// one after the other meet different ones, and their ratio scatters by a factor of two. Here
// every variant is called for a short slice of time in each round, so that whatever happens
// meets all, and another variant begins each round, so that none always pays for what the
// same one leaves behind. The ratio is that of the medians of the slices, which an
// interruption does not move, and for CPU time that of the sums, which leaves out no
// collection of garbage.
package sidebyside

import (
	"fmt"
	"syscall"
	"time"

	"latchkey/localstack/bars"
)

// Times is what the slices of one variant took, in seconds.
type Times struct {
	calls     int // of a slice
	time, cpu []float64
}

// A clock tells how long something ran, and what CPU time the process has used.
type clock interface {
	now() (elapsed, cpu time.Duration)
}

// Run calls each variant for a slice of so many calls in each of so many rounds, and for one
// before them that does not count. It gives what each took, in their order.
func Run(rounds, slice int, variants ...func()) []Times {
	return run(process{began: time.Now()}, rounds, slice, variants)
}

func run(c clock, rounds, slice int, variants []func()) []Times {
	times := make([]Times, len(variants))
	for _, variant := range variants {
		measure(c, slice, variant)
	}
	for round := range rounds {
		for i := range variants {
			which := (round + i) % len(variants)
			elapsed, cpu := measure(c, slice, variants[which])
			t := &times[which]
			t.calls, t.time, t.cpu = slice, append(t.time, elapsed), append(t.cpu, cpu)
		}
	}
	return times
}

func measure(c clock, slice int, variant func()) (elapsed, cpu float64) {
	began, used := c.now()
	for range slice {
		variant()
	}
	ended, usedNow := c.now()
	return (ended - began).Seconds(), (usedNow - used).Seconds()
}

// Over gives the ratios of what a variant took to what a limit of the same run took, of time
// and of CPU time, with the quartiles of the rounds' own ratios.
func (t Times) Over(limit Times) (elapsed, cpu bars.Figure) {
	elapsed, cpu = ratios(t.time, limit.time), ratios(t.cpu, limit.cpu)
	elapsed.Value = bars.Quantile(t.time, 0.5) / bars.Quantile(limit.time, 0.5)
	cpu.Value = sum(t.cpu) / sum(limit.cpu)
	return elapsed, cpu
}

// Call is how long one call takes, in seconds.
func (t Times) Call() bars.Figure { return bars.Median(t.time).Scaled(1 / float64(t.calls)) }

func ratios(subject, limit []float64) bars.Figure {
	each := make([]float64, len(subject))
	for i := range subject {
		each[i] = subject[i] / limit[i]
	}
	return bars.Median(each)
}

func sum(values []float64) float64 {
	total := 0.0
	for _, value := range values {
		total += value
	}
	return total
}

// A process is the clock of this one.
type process struct{ began time.Time }

func (p process) now() (elapsed, cpu time.Duration) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(fmt.Sprintf("CPU time of this process: %v", err))
	}
	return time.Since(p.began), time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
