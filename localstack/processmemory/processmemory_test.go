package processmemory

import "testing"

func TestMemoryIsRead(t *testing.T) {
	status := []byte("Name:\tvalidate-api-key\nVmPeak:\t 1230000 kB\nVmHWM:\t   18432 kB\nVmRSS:\t   17920 kB\n")
	for field, want := range map[string]float64{"VmHWM": 18, "VmRSS": 17.5} {
		if got, err := mebibytes(status, field); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", field, got, err, want)
		}
	}
	if got, err := mebibytes(status, "VmSwap"); err == nil {
		t.Errorf("a field that is not there is %v", got)
	}
}
