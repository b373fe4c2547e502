package runtimecost_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/processmemory"
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

// peak is the most memory that a process has had, in MiB, which AWS calls MB.
func peak(b *testing.B, process string) float64 {
	b.Helper()
	id, err := strconv.Atoi(process)
	if err != nil {
		b.Fatal(err)
	}
	used, err := processmemory.Of(id)
	if err != nil {
		b.Fatal(err)
	}
	return used.Peak
}

func read(b *testing.B, path string) string {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
