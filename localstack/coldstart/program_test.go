package coldstart_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/shared/operation"
)

const (
	allFunctions = "latchkey/functions/..."
	emptyPackage = "latchkey/localstack/coldstart/testdata/empty"
)

// flags are those of `make lambda`.
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags", "lambda.norpc"}

// build builds programs into a directory.
func build(dir string, environment []string, packages ...string) error {
	arguments := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	command := exec.Command("go", append(arguments, packages...)...)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("functions: %w\n%s", err, out)
	}
	return nil
}

// BenchmarkBootstrapLength is a benchmark only because it builds everything for Lambda.
func BenchmarkBootstrapLength(b *testing.B) {
	dir := b.TempDir()
	if err := build(dir, []string{"GOOS=linux", "GOARCH=arm64"}, allFunctions); err != nil {
		b.Fatal(err)
	}
	for _, op := range operation.All {
		b.Run(op.Name, func(b *testing.B) { reportLength(b, filepath.Join(dir, op.Name)) })
	}
}

func reportLength(b *testing.B, program string) {
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size()), "bytes")
	b.ReportMetric(0, "ns/op")
	if info.Size() > maxBootstrapLength {
		b.Errorf("%d bytes; the bar is %d", info.Size(), maxBootstrapLength)
	}
}

// What is measured is what is deployed.
func TestFlagsAreThoseOfMakeLambda(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	want := "\tCGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build " + strings.Join(flags, " ") + " "
	if !strings.Contains(strings.ReplaceAll(string(makefile), "'", ""), want) {
		t.Errorf("the Makefile has no line that begins with %q", want)
	}
}

// A program that cannot start says so, and one that can answers.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	if err := build(dir, nil, emptyPackage); err != nil {
		t.Fatal(err)
	}
	if _, _, err := start(filepath.Join(dir, "absent"), nil); err == nil {
		t.Error("a program that is not there is started")
	}
	p, _, err := start(filepath.Join(dir, "empty"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	for range 3 {
		if answer, _, err := p.invoke([]byte(`{}`)); err != nil || string(answer) != "null" {
			t.Errorf("got %s, %v", answer, err)
		}
	}
}
