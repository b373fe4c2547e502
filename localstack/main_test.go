package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/localstack/emulator"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/localstack/stack"
	"latchkey/shared/operation"
)

// A test starts this test binary again as the program.
const programVariable = "LOCALSTACK_TEST_PROGRAM"

var functions, fullKey string

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(hosttest.Run(m, &functions, &fullKey))
}

// A program is a running local stack.
type program struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

// begin starts the program and waits until it has greeted.
func begin(t *testing.T, dataDir string) *program {
	t.Helper()
	p := &program{
		cmd:    command("-data", dataDir, "-addr", "127.0.0.1:0", "-example-addr", "127.0.0.1:0", "-functions", functions),
		stderr: &bytes.Buffer{},
	}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	for {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("%v; stderr: %s", err, p.stderr)
		}
		if strings.HasPrefix(line, "K=") {
			return p
		}
	}
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programVariable+"=1")
	return cmd
}

// parts are the processes of the stack besides the program: a function's, by its
// id, and the emulator, by its address.
func parts(t *testing.T, dataDir string) (function int, dynamoDB string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"do":"pid"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command("invoke", "-op", "health", "-event", file, "-data", dataDir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &function); err != nil {
		t.Fatal(err)
	}
	running, err := stack.Find(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return function, strings.TrimPrefix(running.DynamoDB, "http://")
}

func TestAnInterruptionEndsEverythingWithStatus0(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		dataDir := t.TempDir()
		p := begin(t, dataDir)
		function, dynamoDB := parts(t, dataDir)
		begun := time.Now()
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("%v: %v; stderr: %s", signal, err, p.stderr)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%v took %v", signal, took)
		}
		waitGone(t, function, dynamoDB)
	}
}

func TestAKilledStackLeavesNoProcessAndCanStartAgain(t *testing.T) {
	dataDir := t.TempDir()
	p := begin(t, dataDir)
	function, dynamoDB := parts(t, dataDir)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	waitGone(t, function, dynamoDB)
	if _, err := stack.Find(dataDir); err == nil {
		t.Error("it is still told of")
	}
	begin(t, dataDir)
}

func TestAStartTakesLessThanThreeSeconds(t *testing.T) {
	begun := time.Now()
	begin(t, t.TempDir())
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRefusalsAreOneLine(t *testing.T) {
	dataDir, empty := t.TempDir(), t.TempDir()
	begin(t, dataDir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		args []string
		env  string
		want string
	}{
		{"data in use", []string{"-data", dataDir, "-addr", "127.0.0.1:0", "-example-addr", "127.0.0.1:0"}, "", "another local stack runs"},
		{"address in use", []string{"-data", t.TempDir(), "-addr", taken.Addr().String()}, "", "make run ADDR="},
		{"example's address in use", []string{"-data", t.TempDir(), "-addr", "127.0.0.1:0", "-example-addr", taken.Addr().String()},
			"", "make run EXAMPLE_ADDR="},
		{"no functions", []string{"-data", t.TempDir(), "-addr", "127.0.0.1:0", "-example-addr", "127.0.0.1:0", "-functions", empty},
			"", "make build"},
		{"no emulator", []string{"-data", t.TempDir(), "-addr", "127.0.0.1:0", "-example-addr", "127.0.0.1:0", "-functions", functions},
			emulator.BinaryVariable + "=none", "is not a program"},
		{"unexpected argument", []string{"serve"}, "", `unexpected argument "serve"`},
		{"no process", []string{"-max-processes", "0"}, "", "-max-processes"},
		{"no data", []string{"-data", ""}, "", "-data"},
		{"reset while running", []string{"reset", "-data", dataDir}, "", "another local stack runs"},
		{"load on functions that answer otherwise", []string{"load", "-functions", functions}, "", "preparation of the load"},
		{"load by too many", []string{"load", "-functions", functions, "-clients", "1000"}, "", "clients: 1000"},
		{"invoke without a stack", []string{"invoke", "-op", "health", "-data", empty}, "", "no local stack runs"},
		{"invoke of nothing", []string{"invoke"}, "", `no operation ""`},
		{"invoke with a missing event", []string{"invoke", "-op", "health", "-data", dataDir, "-event", "none"},
			"", "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := command(test.args...)
			cmd.Env = append(cmd.Env, test.env)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%v", err)
			}
			text := stderr.String()
			if !strings.Contains(text, test.want) || strings.Count(text, "\n") != 1 || stdout.Len() > 0 {
				t.Errorf("stdout %q, stderr %q", &stdout, text)
			}
		})
	}
}

func TestInvokePrintsTheResponseOnly(t *testing.T) {
	dataDir := t.TempDir()
	begin(t, dataDir)
	dir := t.TempDir()
	write := func(text string) string {
		file := filepath.Join(dir, "event.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	tests := []struct {
		name, event string
		stdout      string
		stderr      string
	}{
		{"response", `{"do":"answer"}`, `{"body":"{\"do\":\"answer\"}","statusCode":200}` + "\n", ""},
		{"root key", `{"k":"{{root-key}}"}`, `{"k":"` + fullKey + `"}` + "\n", ""},
		{"unknown placeholder", `{"k":"{{other}}"}`, "", "placeholder {{other}}: unknown"},
		{"function error", `{"do":"error","text":"no luck"}`, "", "no luck"},
		{"crash", `{"do":"exit","n":"1"}`, "", "Runtime.ExitError"},
		{"no JSON", `{`, "", "Could not parse request body into json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := []string{"invoke", "-op", operation.ListAPIKeys.Name, "-data", dataDir, "-event", write(test.event)}
			err := run(t.Context(), args, &stdout, &stderr)
			if stdout.String() != test.stdout || stderr.Len() > 0 {
				t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
			}
			if !says(err, test.stderr) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestResetForgets(t *testing.T) {
	dataDir := t.TempDir()
	p := begin(t, dataDir)
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	if err := run(t.Context(), []string{"reset", "-data", dataDir}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.ReadRootKey(dataDir); err == nil {
		t.Error("the root key is still there")
	}
}

func TestWarning(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": false, "localhost:8080": false, "[::1]:8080": false, "nonsense": false,
		"0.0.0.0:8080": true, ":8080": true, "192.0.2.1:80": true, "example.com:80": true,
	} {
		var stderr bytes.Buffer
		warnIfPublic(addr, &stderr)
		if got := stderr.Len() > 0; got != want {
			t.Errorf("%s: %q", addr, &stderr)
		}
	}
}

func waitGone(t *testing.T, function int, dynamoDB string) {
	t.Helper()
	for range 300 {
		if hasEnded(function) && !listens(dynamoDB) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("function ended: %t, emulator listens: %t", hasEnded(function), listens(dynamoDB))
}

func listens(address string) bool {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// hasEnded is true of a zombie as well: in a container nobody may wait for an
// orphan.
func hasEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(stat), ") Z ")
}

// says reports whether an error is as wanted: none, or one with the text.
func says(err error, want string) bool {
	if err == nil {
		return want == ""
	}
	return want != "" && strings.Contains(err.Error(), want)
}
