package child_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/localstack/child"
)

// A test starts this test binary again as the parent that is to be killed.
const parentVariable = "CHILD_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		beParent()
	}
	os.Exit(m.Run())
}

// beParent starts a child with a child of its own, prints both ids and waits.
func beParent() {
	cmd := exec.Command("/bin/sh", "-c", "sleep 60 & echo $! ; wait")
	out, err := os.CreateTemp("", "child")
	if err != nil {
		panic(err)
	}
	cmd.Stdout = out
	p, err := child.Start(cmd)
	if err != nil {
		panic(err)
	}
	time.Sleep(200 * time.Millisecond) // both the child and its watchdog run
	inner, err := os.ReadFile(out.Name())
	if err != nil {
		panic(err)
	}
	_ = os.Remove(out.Name())
	fmt.Println(p.PID(), strings.TrimSpace(string(inner)))
	select {}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()

	pid, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

func TestKillEndsTheWholeGroup(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "sleep 60 & echo $! ; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if p.Err() == nil {
		t.Error("a killed process ended without an error")
	}
	inner, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, inner)
}

func TestStopAsksBeforeItKills(t *testing.T) {
	tests := []struct {
		name, script string
		graceful     bool
	}{
		{"listens", `trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done`, true},
		{"does not listen", `trap '' TERM; echo ready; while :; do sleep 0.01; done`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command("/bin/sh", "-c", test.script)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			p, err := child.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			p.Stop(500 * time.Millisecond)
			if graceful := p.Err() == nil; graceful != test.graceful {
				t.Errorf("graceful end: %t, want %t (%v)", graceful, test.graceful, p.Err())
			}
		})
	}
}

func TestStartReportsAMissingProgram(t *testing.T) {
	if _, err := child.Start(exec.Command("/does/not/exist")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// waitGone waits until a process has ended; a zombie nobody has waited for has.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		if syscall.Kill(pid, 0) != nil || isZombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
