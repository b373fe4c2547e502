package endtoend_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/shell"
	"latchkey/shared/operation"
)

// The README's commands, typed into a shell, are answered in the shape that it
// shows: the same members of the same types.
func TestReadmeCommands(t *testing.T) {
	w := newWorld(t)
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "root-key")
	if err := os.WriteFile(key, []byte(w.root.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	held := w.holder(t)
	here := strings.NewReplacer(
		"http://127.0.0.1:8080", held.front(t), "http://127.0.0.1:8081", w.stack.ExampleURL(), ".local/root-key", key)
	blocks := regexp.MustCompile("(?s)```console\n\\$ (.*?)\n({.*?)\n```").FindAllStringSubmatch(string(content), -1)
	if len(blocks) != 21 {
		t.Fatalf("the README has %d commands with answers, want 21", len(blocks))
	}
	sh, kept := shell.New(t), keptAnswers{}
	for i, block := range blocks {
		answer, err := sh.Run(kept.assignments() + here.Replace(block[1]))
		if err != nil {
			t.Fatal(err)
		}
		kept.keep(t, answer)
		if got, want := shapeOf(t, answer), shapeOf(t, []byte(block[2])); got != want {
			t.Errorf("%s\nis answered in the shape %s,\nthe README shows     %s", block[1], got, want)
		}
		if i == 0 {
			waitForSecondKey(t, w)
		}
	}
	held.wantHeld(t, "README.md")
}

// A keptAnswers is what the README tells to keep, by the variables that it names: of the
// first answer that has it, but of the reader, which is the last key with its secret.
type keptAnswers struct{ uuid, account, key, reader, readerUUID string }

func (k *keptAnswers) assignments() string {
	return fmt.Sprintf("UUID='%s' ACCOUNT='%s' KEY='%s' READER='%s' READER_UUID='%s'\n",
		k.uuid, k.account, k.key, k.reader, k.readerUUID)
}

func (k *keptAnswers) keep(t *testing.T, answer []byte) {
	t.Helper()
	var shown struct {
		UUID, ID string
		Body     struct{ Key string }
		Spec     struct{ Key, Secret string }
	}
	if err := json.Unmarshal(answer, &shown); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	k.uuid, k.account, k.key = cmp.Or(k.uuid, shown.UUID), cmp.Or(k.account, shown.ID), cmp.Or(k.key, shown.Body.Key)
	if shown.Spec.Secret != "" {
		k.reader, k.readerUUID = shown.Spec.Key+"_"+shown.Spec.Secret, shown.UUID
	}
}

// waitForSecondKey makes sure that the listing, which may lag behind, is of two
// keys.
func waitForSecondKey(t *testing.T, w *world) {
	t.Helper()
	list := w.fill(t, read(t, operation.ListAPIKeys.Name+".json"))
	for range 100 {
		answer, err := w.stack.Invoke(t.Context(), operation.ListAPIKeys, list)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(answer), "tenant_meta") > 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the second key is not listed")
}

// shapeOf is JSON with the types of values in their places: two answers of one shape
// differ in values only.
func shapeOf(t *testing.T, text []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return shape(value)
}

func shape(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, name+":"+shape(v[name]))
		}
		return "{" + strings.Join(members, " ") + "}"
	case []any:
		var members []string
		for _, member := range v {
			members = append(members, shape(member))
		}
		return "[" + strings.Join(members, " ") + "]"
	}
	return fmt.Sprintf("%T", value)
}
