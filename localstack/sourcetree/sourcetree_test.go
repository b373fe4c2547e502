package sourcetree_test

import (
	"os"
	"path/filepath"
	"testing"

	"latchkey/localstack/sourcetree"
)

func TestRoot(t *testing.T) {
	dir := t.TempDir()
	ours, nested := filepath.Join(dir, "ours"), filepath.Join(dir, "ours", "a", "b")
	if err := os.MkdirAll(nested, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(ours, "go.mod"):      "module latchkey\n\ngo 1.26\n",
		filepath.Join(ours, "a", "go.mod"): "module latchkey/other\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[string]string{ours: ours, nested: ours, dir: ""} {
		if got := sourcetree.Root(from); got != want {
			t.Errorf("from %s: %q, want %q", from, got, want)
		}
	}
}
