// Package shell runs, in tests, the command lines that people are told to paste.
//
// The shell is the machine's. curl is a stand-in with the few flags that the lines
// use, because a machine that runs the tests need not have one.
package shell

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// A Shell runs lines.
type Shell struct {
	path string
}

// New builds the stand-in for curl.
func New(t testing.TB) Shell {
	t.Helper()
	dir := t.TempDir()
	_, here, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(here), "testdata", "curl")
	dependOn(t, filepath.Join(source, "main.go"))
	// Git refuses to tell the version of a checkout that is another user's.
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "curl"), ".")
	build.Dir = source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	return Shell{path: dir + string(os.PathListSeparator) + os.Getenv("PATH")}
}

// dependOn reads a file that only a subprocess uses, so that go test sees it and
// takes no result from its cache after the file has changed.
func dependOn(t testing.TB, file string) {
	t.Helper()
	if _, err := os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
}

// Run runs a line and gives what it prints on standard output.
func (s Shell) Run(line string) ([]byte, error) {
	command := exec.Command("/bin/sh", "-c", line)
	command.Env = append(os.Environ(), "PATH="+s.path)
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w: %s", line, err, failed.Stderr)
	}
	return out, err
}
