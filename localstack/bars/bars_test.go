package bars

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		limit  Limit
		figure Figure
		want   bool
	}{
		{atMost(0.45), Once(0.45), true},
		{atMost(0.45), Once(0.451), false},
		{atMost(0.45), Once(math.NaN()), false},
		{atMost(0.45), Text("none"), false},
		{Limit{Least: 0.95, Most: 1.05}, Once(0.95), true},
		{Limit{Least: 0.95, Most: 1.05}, Once(0.94), false},
		{Limit{Least: 0.95, Most: 1.05}, Once(1.06), false},
		{exactly("GetItem 1"), Text("GetItem 1"), true},
		{exactly("GetItem 1"), Text("GetItem 1, GetItem 1"), false},
		{exactly("none"), Once(0), false},
		{Limit{}, Once(1e9), true},
	} {
		if got := test.limit.Holds(test.figure); got != test.want {
			t.Errorf("%+v of %+v: %v", test.limit, test.figure, got)
		}
	}
}

func TestMedian(t *testing.T) {
	if diff := cmp.Diff(Figure{Value: 5, Low: 3, High: 7}, Median([]float64{8, 2, 6, 4, 1, 7, 3, 5})); diff != "" {
		t.Error(diff)
	}
	if got := Quantile([]float64{1, 2, 3}, 1); got != 3 {
		t.Errorf("the largest of 1, 2 and 3 is %v", got)
	}
	if got := Quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

func TestFiguresAreShown(t *testing.T) {
	for _, test := range []struct {
		bar                  Bar
		figure               Figure
		text, spread, demand string
	}{
		{Bar{Unit: Ratio, Limit: atMost(0.45)}, Figure{Value: 1.1234, Low: 1, High: 1.25}, "1.123 ×", "1.000 – 1.250 ×", "≤ 0.45 ×"},
		{Bar{Unit: Ratio, Limit: Limit{Least: 0.95, Most: 1.05}}, Once(1), "1.000 ×", "", "0.95 – 1.05 ×"},
		{Bar{Unit: Count, Limit: atMost(24)}, Figure{Value: 16, Of: "a key"}, "16 (a key)", "exact", "≤ 24"},
		{Bar{Unit: Count, Limit: exactly("none")}, Text("none"), "none", "exact", "none"},
		{Bar{Unit: Microseconds}, Figure{Value: 116.4, Low: 70.97, High: 158}, "116 µs", "70.97 – 158 µs", ""},
	} {
		got := []string{test.bar.Show(test.figure), test.bar.ShowSpread(test.figure), test.bar.ShowLimit()}
		if diff := cmp.Diff([]string{test.text, test.spread, test.demand}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A witness is a test that notes what is done to it.
type witness struct {
	testing.TB
	log []string
}

func (w *witness) Helper() {}

func (w *witness) Attr(key, value string) { w.log = append(w.log, key+" "+value) }

func (w *witness) Logf(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *witness) Errorf(format string, args ...any) {
	w.log = append(w.log, "error: "+fmt.Sprintf(format, args...))
}

// Whatever a figure is, it is shown; one that breaks its bar fails the test.
func TestHold(t *testing.T) {
	w := &witness{TB: t}
	Hold(w, "validation/allocations", Once(24))
	Hold(w, "validation/allocations", Once(25))
	want := []string{
		`figure {"id":"validation/allocations","value":24}`,
		"allocations of a validation beyond its GetItem: 24",
		`figure {"id":"validation/allocations","value":25}`,
		"error: allocations of a validation beyond its GetItem: 25; the bar is ≤ 24",
	}
	if diff := cmp.Diff(want, w.log); diff != "" {
		t.Error(diff)
	}
}

// Every bar has something to hold, and only what has a bar.
func TestTable(t *testing.T) {
	numbers, ids := map[int]bool{}, map[string]bool{}
	for _, bar := range All {
		if (bar.Number > 0) != (bar.Limit != Limit{}) {
			t.Errorf("%s has the number %d and the limit %q", bar.ID, bar.Number, bar.ShowLimit())
		}
		if ids[bar.ID] {
			t.Errorf("%s is there twice", bar.ID)
		}
		numbers[bar.Number], ids[bar.ID] = true, true
	}
	for number := range 12 {
		if !numbers[number] {
			t.Errorf("nothing is measured for bar %d", number)
		}
	}
}

func TestTestsAreThere(t *testing.T) {
	for _, bar := range All {
		if !strings.Contains(testsOf(t, bar.Test.Package), "\nfunc "+bar.Test.Name+"(") {
			t.Errorf("%s is measured by %s of %s, which is not there", bar.ID, bar.Test.Name, bar.Test.Package)
		}
	}
}

// testsOf is all test code of a package.
func testsOf(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", name, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
