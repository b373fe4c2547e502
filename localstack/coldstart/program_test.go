package coldstart_test

import (
	"os"
	"path/filepath"
	"testing"

	"latchkey/localstack/bars"
	"latchkey/localstack/lambdabuild"
	"latchkey/shared/operation"
)

const emptyPackage = "latchkey/localstack/coldstart/testdata/empty"

// BenchmarkBootstrapLength is a benchmark only because it builds everything for Lambda.
func BenchmarkBootstrapLength(b *testing.B) {
	dir := b.TempDir()
	if err := lambdabuild.ForLambda(dir, lambdabuild.Functions); err != nil {
		b.Fatal(err)
	}
	holdEach(b, "length/", func(op operation.Operation) bars.Figure {
		info, err := os.Stat(filepath.Join(dir, op.Name))
		if err != nil {
			b.Fatal(err)
		}
		return bars.Once(float64(info.Size()) / 1e6)
	})
	b.ReportMetric(0, "ns/op")
}

// A program that cannot start says so, and one that can answers.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	if err := lambdabuild.ForHere(dir, emptyPackage); err != nil {
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
