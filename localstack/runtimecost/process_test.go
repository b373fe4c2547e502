package runtimecost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/shared/operation"
)

// process is the id of an operation's one process.
func (d *deployment) process(b *testing.B, op operation.Operation) string {
	b.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		b.Fatal(err)
	}
	for _, link := range links {
		if program, err := os.Readlink(link); err == nil && program == filepath.Join(d.dir, op.Name) {
			return strings.Split(link, "/")[2]
		}
	}
	b.Fatalf("%s has no process in /proc", op.Name)
	return ""
}

// cpuTime is for how long all threads of a process have run.
//
// https://docs.kernel.org/scheduler/sched-stats.html
func cpuTime(b *testing.B, process string) time.Duration {
	b.Helper()
	paths, err := filepath.Glob(filepath.Join("/proc", process, "task/*/schedstat"))
	if err != nil || len(paths) == 0 {
		b.Fatalf("threads of %s: %v", process, err)
	}
	var sum int64
	for _, path := range paths {
		first, _, _ := strings.Cut(read(b, path), " ")
		nanoseconds, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += nanoseconds
	}
	return time.Duration(sum)
}

// peakMB is the most memory that a process has had, its program among it.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func peakMB(b *testing.B, process string) float64 {
	b.Helper()
	_, rest, _ := strings.Cut(read(b, filepath.Join("/proc", process, "status")), "VmHWM:")
	var kilobytes float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kilobytes); err != nil {
		b.Fatal(err)
	}
	return kilobytes / 1024
}

func read(b *testing.B, path string) string {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
