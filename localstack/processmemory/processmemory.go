// Package processmemory tells what memory a process of Linux has in RAM.
package processmemory

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// A Memory is what a process has in RAM, in MiB: the most that it ever had, which is what
// Lambda reports as the memory used and ends a process for, and what it had last. Pages of
// the program itself count, as they do there.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
type Memory struct{ Peak, Last float64 }

// Of asks Linux for a process by its id. It counts in kB of 1,024 bytes.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func Of(process int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of a process: %w", err)
	}
	peak, err := mebibytes(status, "VmHWM")
	if err != nil {
		return Memory{}, err
	}
	last, err := mebibytes(status, "VmRSS")
	return Memory{Peak: peak, Last: last}, err
}

func mebibytes(status []byte, field string) (float64, error) {
	found := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+) kB$`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("memory of a process: there is no %s", field)
	}
	kibibytes, err := strconv.ParseFloat(string(found[1]), 64)
	return kibibytes / 1024, err
}
