package operation

import (
	"maps"
	"testing"
)

// More processors than a function has time of make it slower, and a heap that may grow
// without a limit ends it.
func TestRuntimes(t *testing.T) {
	for _, op := range All {
		if want := (op.MemoryMB + MBOfProcessor - 1) / MBOfProcessor; op.Runtime.Procs != want {
			t.Errorf("%s has %d processors and %d MB", op.Name, op.Runtime.Procs, op.MemoryMB)
		}
		if op.Runtime.GCPercent < 100 {
			t.Errorf("%s collects its heap at %d %%", op.Name, op.Runtime.GCPercent)
		}
	}
}

func TestRuntimeEnvironment(t *testing.T) {
	for _, test := range []struct {
		Operation
		want map[string]string
	}{
		{Operation{MemoryMB: 256, Runtime: Runtime{Procs: 1, GCPercent: 400}},
			map[string]string{"GOMAXPROCS": "1", "GOGC": "400", "GOMEMLIMIT": "204MiB"}},
		{Operation{MemoryMB: 2048, Runtime: Runtime{Procs: 2}}, map[string]string{"GOMAXPROCS": "2"}},
		{Operation{MemoryMB: 256}, nil},
	} {
		if got := test.RuntimeEnvironment(); !maps.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.Runtime, got, test.want)
		}
	}
}
