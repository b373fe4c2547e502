package main

import (
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/bars"
)

// stream is what go test writes of two figures, one of them given twice.
const stream = `{"Action":"run","Package":"latchkey/shared/boot","Test":"TestCost"}
{"Action":"output","Package":"latchkey/shared/boot","Test":"TestCost","Output":"=== RUN   TestCost\n"}
{"Action":"attr","Package":"latchkey/shared/boot","Test":"TestCost","Key":"other","Value":"x"}
{"Action":"attr","Package":"latchkey/shared/boot","Test":"TestCost","Key":"figure","Value":"{\"id\":\"calls/valid\",\"text\":\"GetItem 2\"}"}
{"Action":"output","Package":"latchkey/shared/boot","Test":"TestCost","Output":"    calls and units: a valid key: GetItem 2\n"}
{"Action":"attr","Package":"latchkey/shared/boot","Test":"TestCost","Key":"figure","Value":"{\"id\":\"calls/valid\",\"text\":\"GetItem 1\"}"}
{"Action":"fail","Package":"latchkey/shared/boot","Test":"TestCost","Elapsed":1}
{"Action":"fail","Package":"latchkey/shared/boot","Elapsed":2}
{"Action":"attr","Package":"latchkey/shared","Key":"figure","Value":"{\"id\":\"scans\",\"text\":\"none\"}"}
{"Action":"output","Package":"latchkey/shared","Output":"ok\n"}
{"Action":"pass","Package":"latchkey/shared","Elapsed":3}
`

func TestRead(t *testing.T) {
	var progress strings.Builder
	figures, err := read(strings.NewReader(stream), &progress)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bars.Figure{"calls/valid": bars.Text("GetItem 2"), "scans": bars.Text("none")}
	if diff := cmp.Diff(want, figures); diff != "" {
		t.Errorf("figures:\n%s", diff)
	}
	wantProgress := `shared/boot TestCost
  calls and units: a valid key: GetItem 2
  calls and units: a valid key: GetItem 1
    calls and units: a valid key: GetItem 2
shared/boot failed after 2 s
  files that scan or grant Scan, but for the local TTL: none
shared passed after 3 s
`
	if diff := cmp.Diff(wantProgress, progress.String()); diff != "" {
		t.Errorf("progress:\n%s", diff)
	}
}

// Tests that fail are an error also if every figure is there.
func TestMeasure(t *testing.T) {
	for status, fails := range map[string]bool{"0": false, "1": true} {
		command := exec.Command("sh", "-c", "cat; exit "+status)
		command.Stdin = strings.NewReader(stream)
		if figures, err := measure(command, io.Discard); len(figures) != 2 || (err != nil) != fails {
			t.Errorf("status %s: %v, %v", status, figures, err)
		}
	}
}

func TestConclude(t *testing.T) {
	failure := errors.New("go test: exit status 1")
	for _, test := range []struct {
		broken  []string
		failure error
		fails   bool
	}{
		{nil, nil, false},
		{nil, failure, true},
		{[]string{"scans"}, nil, true},
		{[]string{"scans"}, failure, true},
	} {
		if err := conclude(test.broken, test.failure); (err != nil) != test.fails || test.failure != nil && !errors.Is(err, failure) {
			t.Errorf("%v and %v: %v", test.broken, test.failure, err)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	for _, text := range []string{
		"FAIL",
		`{"Action":"attr","Key":"figure","Value":"1.05"}`,
		`{"Action":"attr","Key":"figure","Value":"{\"id\":\"nobody's\",\"value\":1}"}`,
	} {
		rest := strings.NewReader(text + stream)
		if figures, err := read(rest, io.Discard); err == nil || rest.Len() > 0 {
			t.Errorf("%s: %v, %v, and %d bytes are left", text, figures, err, rest.Len())
		}
	}
}

func TestShow(t *testing.T) {
	all := []bars.Bar{
		{ID: "a", Number: 1, What: "validation ÷ limit", Unit: bars.Ratio, Limit: bars.Limit{Most: 0.45}},
		{ID: "b", Number: 2, What: "allocations", Limit: bars.Limit{Most: 24}},
		{ID: "c", Number: 7, What: "calls", Limit: bars.Limit{Exactly: "none"}},
		{ID: "d", What: "rate", Unit: bars.PerSecond},
		{ID: "e", What: "time", Unit: bars.Milliseconds},
	}
	var out strings.Builder
	broken := show(&out, all, map[string]bars.Figure{
		"a": {Value: 0.5, Low: 0.4, High: 0.6}, "b": bars.Once(24), "d": bars.Once(1500),
	})
	want := `
| bar | what               | limit    | figure (median) | spread (quartiles) | ok? |
| --- | ------------------ | -------- | --------------- | ------------------ | --- |
| 1   | validation ÷ limit | ≤ 0.45 × | 0.500 ×         | 0.400 – 0.600 ×    | NO  |
| 2   | allocations        | ≤ 24     | 24              | exact              | yes |
| 7   | calls              | none     | missing         |                    | NO  |

| what | figure (median) | spread (quartiles) |
| ---- | --------------- | ------------------ |
| rate | 1500 /s         |                    |
| time | missing         |                    |

`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "c", "e"}, broken); diff != "" {
		t.Errorf("broken:\n%s", diff)
	}
}

func TestArguments(t *testing.T) {
	got := arguments([]bars.Bar{
		{Test: bars.Test{Package: "shared/boot", Name: "TestCost"}},
		{Test: bars.Test{Package: "shared/boot", Name: "BenchmarkPages"}},
		{Test: bars.Test{Package: "shared", Name: "TestScans"}},
		{Test: bars.Test{Package: "shared/boot", Name: "TestCost"}},
	})
	for _, want := range []string{"-json", "-count=1", "-run=^(TestCost|TestScans)$", "-bench=^(BenchmarkPages)$"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q has no %s", got, want)
		}
	}
	if diff := cmp.Diff([]string{"./shared", "./shared/boot"}, got[len(got)-2:]); diff != "" {
		t.Error(diff)
	}
}
