package load

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/operation"
)

func TestQuantiles(t *testing.T) {
	var l latencies
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	for part, want := range map[float64]time.Duration{
		0.001: time.Millisecond, 0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second,
	} {
		if got := l.quantile(part); got < want || got > want+want/50 {
			t.Errorf("%v: %v, want %v or 2 %% more", part, got, want)
		}
	}
	l.add(0)
	l.add(time.Hour) // is counted with the largest size
	if l.max != time.Hour || l.count != 1002 || l.quantile(0.5) > 511*time.Millisecond {
		t.Errorf("%d, %v at most", l.count, l.max)
	}
}

func TestGrowth(t *testing.T) {
	const mib = 1 << 20
	flat := func(int) int64 { return 20 * mib }
	more := func(by int64) func(int) int64 {
		return func(second int) int64 { return flat(0) + int64(second/30)*by }
	}
	for _, test := range []struct {
		name, program string
		size          func(second int) int64
		changes       int
		want          bool
	}{
		{"flat", "f", flat, 0, false},
		{"warm-up", "f", func(second int) int64 { return min(10, int64(second)) * 10 * mib }, 0, false},
		{"a peak", "f", func(second int) int64 { return flat(0) + int64(second/39)*100*mib }, 0, false},
		{"a leak", "f", func(second int) int64 { return flat(0) + int64(second)*mib }, 0, true},
		{"what is allowed", "f", more(3 * mib), 10_000, false},
		{"more than that", "f", more(3*mib + 1), 10_000, true},
		{"a heap that is not collected yet", operation.DeleteAPIKey.Name, more(16 * mib), 0, false},
		{"one that was", operation.DeleteAPIKey.Name, more(16*mib + 1), 0, true},
		{"what is allowed to the emulator", "emulator", more(4 * mib), 2048, false},
		{"more than that", "emulator", more(4*mib + 1), 2048, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(Config{PID: 1, Emulator: "emulator", Duration: 40 * time.Second})
			for second := range 40 {
				m.add(test.program, time.Duration(second)*time.Second, test.size(second))
			}
			growths := m.growths(test.changes)
			if len(growths) != 1 || growths[0].IsTooMuch() != test.want {
				t.Errorf("%+v", growths)
			}
		})
	}
}

// What a load begins with is in neither median.
func TestWarmUpIsNotJudged(t *testing.T) {
	m := newMemory(Config{PID: 1, Duration: 40 * time.Second})
	for second := range 40 {
		size := int64(1)
		if second < 10 {
			size = 100
		}
		m.add("f", time.Duration(second)*time.Second, size)
	}
	if growths := m.growths(0); len(growths) != 1 || growths[0].Second != 1 || growths[0].Last != 1 {
		t.Errorf("%+v", growths)
	}
}

// A load fails by each of these alone.
func TestFaults(t *testing.T) {
	for want, spoil := range map[string]func(*run, *Report){
		"":                                       func(*run, *Report) {},
		"1 errors":                               func(_ *run, r *Report) { r.Errors = map[string]int{"validate-api-key: HTTP 503": 1} },
		string(LiveRefused) + ": 1 times":        func(_ *run, r *Report) { r.Breaches = map[Breach]Tally{LiveRefused: {Count: 1}} },
		"1 of 2 keys were not audited":           func(_ *run, r *Report) { r.Audited = 1 },
		"no key was created, rotated or deleted": func(r *run, _ *Report) { r.ledger.rotations = 0 },
		"lost":                                   func(r *run, _ *Report) { r.memory.problem = errLost },
		"no process was seen for long enough to judge its memory": func(_ *run, r *Report) { r.Memory = nil },
		"f grows": func(_ *run, r *Report) { r.Memory[0].Last++ },
	} {
		l, k := withKey(t)
		l.rotated(l.toRotate(), k.full, nil)
		l.deleted(l.toDelete(), nil)
		r := &run{ledger: l, memory: newMemory(Config{PID: 1})}
		report := &Report{Alive: 1, Deleted: 1, Audited: 2, Memory: []Growth{{Program: "f", Last: 1, Allowed: 1}}}
		spoil(r, report)
		if got := strings.Join(r.faults(t.Context(), report), "; "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatWasHardlySeenIsNotJudged(t *testing.T) {
	m := newMemory(Config{PID: 1, Duration: 40 * time.Second})
	m.add("f", 15*time.Second, 1)
	m.add("f", 35*time.Second, 100<<20)
	if growths := m.growths(0); len(growths) > 0 {
		t.Errorf("%+v", growths)
	}
}

func TestProcesses(t *testing.T) {
	command := exec.Command("sleep", "60")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]process{}
	for _, p := range below(all, os.Getpid()) {
		found[p.id] = p
	}
	child := found[command.Process.Pid]
	if child.parent != os.Getpid() || child.program != "sleep" || found[os.Getpid()].resident < 1<<20 {
		t.Errorf("%+v", found)
	}
	if _, ok := found[os.Getppid()]; ok {
		t.Error("the parent is below its child")
	}
}

func TestPS(t *testing.T) {
	got, err := fromPS("    1     0   1200 /sbin/init splash\n 1234     1  18432 /tmp/functions/validate-api-key\n")
	want := []process{{1, 0, 1200 << 10, "init"}, {1234, 1, 18 << 20, "validate-api-key"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(process{})); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := fromPS("PID PPID RSS ARGS\n"); err == nil {
		t.Error("headings are taken for a process")
	}
}
