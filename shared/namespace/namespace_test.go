package namespace

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	segment63 := strings.Repeat("a", 63)
	longest := strings.Join([]string{segment63, segment63, segment63, segment63}, ".")
	for _, path := range []string{
		"a", "demo", "endor.prod.app", "Tiger", "0", "a_b-c.d", segment63, longest,
	} {
		if got, err := Parse(path); err != nil || got.String() != path {
			t.Errorf("Parse(%q) = %q, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", ".", "a.", ".a", "a..b", "_a", "-a", "a.-b", "a b", "a#b", "a$b", "a/b", "é", "a\n", segment63 + "a", longest + ".a",
	} {
		if got, err := Parse(path); err == nil {
			t.Errorf("Parse(%q) = %q, want a refusal", path, got)
		}
	}
}

func TestContains(t *testing.T) {
	tests := []struct {
		outer, inner string
		want         bool
	}{
		{"a.b", "a.b.c", true},
		{"a", "a.b.c", true},
		{"a.b", "a.b", false},
		{"a.b", "a", false},
		{"a.b", "a.bc", false},
		{"a.b", "a.b-c", false},
		{"a.b", "a.b_c", false},
		{"a.b", "x.b.c", false},
	}
	for _, test := range tests {
		if got := must(t, test.outer).Contains(must(t, test.inner)); got != test.want {
			t.Errorf("%q contains %q: %v, want %v", test.outer, test.inner, got, test.want)
		}
	}
	if (Namespace{}).Contains(must(t, "a")) || must(t, "a").Contains(Namespace{}) {
		t.Error("the zero namespace contains or is contained")
	}
}

func must(t *testing.T, path string) Namespace {
	t.Helper()
	n, err := Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestChildParentName(t *testing.T) {
	for _, test := range []struct{ of, other, child, parent, name string }{
		{"a", "a.b.c", "a.b", "", "a"},
		{"a.b", "a.b.c", "a.b.c", "a", "b"},
		{"a.b", "a.bc", "", "a", "b"},
		{"a.b", "a.b", "", "a", "b"},
		{"a.b.c", "a", "", "a.b", "c"},
	} {
		of, other := must(t, test.of), must(t, test.other)
		if child := of.Child(other); child.String() != test.child {
			t.Errorf("from %v towards %v lies %q, want %q", of, other, child, test.child)
		}
		if of.Parent().String() != test.parent || of.Name() != test.name {
			t.Errorf("%v is %q in %q, want %q in %q", of, of.Name(), of.Parent(), test.name, test.parent)
		}
	}
}

func TestJoin(t *testing.T) {
	long := must(t, strings.Repeat(strings.Repeat("x", 63)+".", 3)+strings.Repeat("x", 60))
	for _, test := range []struct {
		of   Namespace
		name string
		want string
	}{
		{must(t, "a"), "b", "a.b"},
		{must(t, "a.b"), "C_d-1", "a.b.C_d-1"},
		{must(t, "a"), "", ""},
		{must(t, "a"), "b.c", ""},
		{must(t, "a"), "-b", ""},
		{long, "yy", long.String() + ".yy"},
		{long, "yyy", ""},
		{Namespace{}, "b", ""},
	} {
		got, err := test.of.Join(test.name)
		if got.String() != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%v and %q: %v, %v", test.of, test.name, got, err)
		}
	}
}
