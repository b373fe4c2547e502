package sidebyside

import (
	"math"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/bars"
)

// A fake clock goes on when a variant says so.
type fake struct{ elapsed, cpu time.Duration }

func (f *fake) now() (elapsed, cpu time.Duration) { return f.elapsed, f.cpu }

// taking is a variant that takes some time of each round, and half of it of the CPU. It
// notes that it was called.
func (f *fake) taking(name string, order *strings.Builder, times ...time.Duration) func() {
	calls := 0
	return func() {
		took := times[min(calls, len(times)-1)]
		f.elapsed, f.cpu = f.elapsed+took, f.cpu+took/2
		calls++
		order.WriteString(name)
	}
}

func TestVariantsTakeTurns(t *testing.T) {
	var f fake
	var order strings.Builder
	run(&f, 3, 2, []func(){f.taking("a", &order, 1), f.taking("b", &order, 1), f.taking("c", &order, 1)})
	if want := "aabbcc" + "aabbcc" + "bbccaa" + "ccaabb"; order.String() != want {
		t.Errorf("the order is %s, want %s", order.String(), want)
	}
}

// The first slice, in which everything is made, does not count; an interruption moves the
// CPU time alone.
func TestRatios(t *testing.T) {
	var f fake
	var order strings.Builder
	times := run(&f, 5, 1, []func(){
		f.taking("limit", &order, time.Hour, 10*time.Millisecond),
		f.taking("subject", &order, time.Hour, 20*time.Millisecond, 20*time.Millisecond, 120*time.Millisecond, 20*time.Millisecond),
	})
	elapsed, cpu := times[1].Over(times[0])
	wantFigure(t, "time", elapsed, bars.Figure{Value: 2, Low: 2, High: 2})
	wantFigure(t, "CPU", cpu, bars.Figure{Value: 4, Low: 2, High: 2})
	wantFigure(t, "limit", times[0].Call(), bars.Figure{Value: 0.01, Low: 0.01, High: 0.01})
}

func TestACallIsPartOfASlice(t *testing.T) {
	var f fake
	var order strings.Builder
	times := run(&f, 3, 10, []func(){f.taking("a", &order, 10*time.Millisecond)})
	wantFigure(t, "a call", times[0].Call(), bars.Figure{Value: 0.01, Low: 0.01, High: 0.01})
}

func wantFigure(t *testing.T, what string, got, want bars.Figure) {
	t.Helper()
	for _, pair := range [][2]float64{{got.Value, want.Value}, {got.Low, want.Low}, {got.High, want.High}} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s: %+v, want %+v", what, got, want)
			return
		}
	}
}

// The process's own clock goes on with what it does.
func TestProcess(t *testing.T) {
	sink := 0
	times := Run(2, 1, func() {
		for i := range 1_000_000 {
			sink += i
		}
	})
	if times[0].Call().Value <= 0 || sum(times[0].cpu) <= 0 {
		t.Errorf("%d additions took %+v", sink, times[0])
	}
}
