package schema

import (
	"slices"
	"testing"
)

func TestRanges(t *testing.T) {
	const id = "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	all := []string{"a", "a.b", "a.b-c", "a.b.c", "a.b.c.d", "a.b0", "a.bc", "a.b_c", "a.B", "ab", "A.b"}
	tests := []struct {
		name   string
		within Range
		want   []string
	}{
		{"a.b", NamespaceRange("a.b"), []string{"a.b"}},
		{"a.b and below", SubtreeRange("a.b"), []string{"a.b", "a.b.c", "a.b.c.d"}},
		{"a", NamespaceRange("a"), []string{"a"}},
		{"a and below", SubtreeRange("a"), []string{"a", "a.b", "a.b-c", "a.b.c", "a.b.c.d", "a.b0", "a.bc", "a.b_c", "a.B"}},
		{"a.b.c", NamespaceRange("a.b.c"), []string{"a.b.c"}},
	}
	for _, test := range tests {
		var got []string
		for _, namespace := range all {
			if contains(test.within, PathOf(namespace, id)) {
				got = append(got, namespace)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s covers %v, want %v", test.name, got, test.want)
		}
	}
	path := PathOf("a.b", id)
	rest := SubtreeRange("a.b").After(path)
	if contains(rest, path) || !contains(rest, PathOf("a.b", id[:35]+"f")) || !contains(rest, PathOf("a.b.c", id)) {
		t.Errorf("behind %s comes %v", path, rest)
	}
}

func contains(r Range, path string) bool { return r.From <= path && path <= r.To }

func TestSplitPath(t *testing.T) {
	for _, namespace := range []string{"a", "a.b-c.D_e"} {
		if ns, id, ok := SplitPath(PathOf(namespace, "x")); ns != namespace || id != "x" || !ok {
			t.Errorf("%q became %q, %q, %v", namespace, ns, id, ok)
		}
	}
	for _, path := range []string{"", "a", "a.b#x"} {
		if ns, id, ok := SplitPath(path); ok {
			t.Errorf("%q became %q, %q", path, ns, id)
		}
	}
}

func TestIndexesHoldNoDigest(t *testing.T) {
	for _, index := range Table.Indexes {
		if slices.Contains(index.Projected, Digest) || slices.Contains(index.Projected, Previous) {
			t.Errorf("%s holds digests", index.Name)
		}
	}
}

func TestItemsOfAnAccount(t *testing.T) {
	for name, test := range map[string]struct {
		within Range
		items  []string
	}{
		"itself":             {AccountItems(), []string{AboutItem, AccountItem}},
		"names of its keys":  {KeyNames(), []string{KeyNameItem(""), KeyNameItem("a"), KeyNameItem("\U0010ffff/")}},
		"neither of the two": {Range{}, []string{""}},
	} {
		for _, item := range []string{"", AboutItem, AccountItem, KeyNameItem(""), KeyNameItem("a"), KeyNameItem("\U0010ffff/")} {
			if got, want := contains(test.within, item), slices.Contains(test.items, item); got != want {
				t.Errorf("%s covers %q: %v, want %v", name, item, got, want)
			}
		}
	}
}

func TestSplitAccountPartition(t *testing.T) {
	if ns, id, ok := SplitAccountPartition(AccountPartition("a.b", "x")); ns != "a.b" || id != "x" || !ok {
		t.Errorf("became %q, %q, %v", ns, id, ok)
	}
	for _, partition := range []string{"", "a", KeyPartition("a", "x"), AccountNamePartition("a", "x")} {
		if ns, id, ok := SplitAccountPartition(partition); ok {
			t.Errorf("%q became %q, %q", partition, ns, id)
		}
	}
}
