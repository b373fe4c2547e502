package coldstart_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// A memory is what a process has in RAM, in MiB: the most that it ever had, which is what
// Lambda reports as the memory used and ends a process for, and what it had last. Pages of
// the program itself count, as they do there.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
type memory struct{ peak, last float64 }

// memoryOf asks Linux, which counts in kB of 1,024 bytes.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func memoryOf(process int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return memory{}, fmt.Errorf("memory of a process: %w", err)
	}
	peak, err := mebibytes(status, "VmHWM")
	if err != nil {
		return memory{}, err
	}
	last, err := mebibytes(status, "VmRSS")
	return memory{peak: peak, last: last}, err
}

func mebibytes(status []byte, field string) (float64, error) {
	found := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+) kB$`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("memory of a process: there is no %s", field)
	}
	kibibytes, err := strconv.ParseFloat(string(found[1]), 64)
	return kibibytes / 1024, err
}

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
