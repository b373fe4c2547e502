package query_test

import (
	"strings"
	"testing"

	"latchkey/shared/api/namespaces/query"
)

func TestPaths(t *testing.T) {
	for text, want := range map[string]query.Kind{
		"uuid":                               query.Text,
		"meta":                               query.Message,
		"meta.name":                          query.Text,
		"propagate":                          query.Flag,
		"meta.create_time":                   query.Time,
		"spec.seen_at":                       query.Time,
		"meta.tags":                          query.List,
		"meta.index_data":                    query.Message,
		"meta.annotations":                   query.Map,
		"meta.annotations.team":              query.Text,
		"meta.annotations.no such, key":      query.Text,
		"meta.annotations.example.org/owner": query.Text,
		"meta.annotations..":                 query.Text,
		"spec.issuer":                        query.Message,
		"spec.issuer.meta.name":              query.Text,
		"spec.rules":                         query.Map,
		"spec.rules.project":                 query.Message,
		"spec.rules.project.methods":         query.List,
		"spec.rules.project.allowed":         query.Flag,
		"spec.rules.a.b.methods":             query.List,
		"spec.rules.a.b":                     query.Message,
		"spec.rules.a.b.limit.reason":        query.Text,
		"spec.rules.reason":                  query.Message,
		"spec.rules..methods":                query.Message,
	} {
		path, err := records.Path(text)
		if err != nil || path.Kind() != want || path.String() != text {
			t.Errorf("%q: %q, a %v, %v, want a %v", text, path, path.Kind(), err, want)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	unknown := []string{
		"", ".", "uui", "UUID", "uuid.", "uuid.x", ".uuid", "meta.", "meta..name", "meta name", "meta.nam",
		"Untagged", "Skipped", "-", "size", "meta.create_time.Time", "meta.create_time.wall", "spec.seen_at.wall",
		"meta.tags.0", "meta.annotations.", "spec.rules.", "meta.annotations.\xff",
	}
	for _, text := range unknown {
		if path, err := records.Path(text); err == nil || !strings.HasPrefix(err.Error(), "unknown path ") {
			t.Errorf("%q: a %v, %v", text, path.Kind(), err)
		}
	}
	if _, err := query.SchemaOf[string]().Path("uuid"); err == nil {
		t.Error("a string has fields")
	}
}

func TestPathBounds(t *testing.T) {
	key := "meta.annotations." + strings.Repeat("é", query.MaxPathLength)
	if _, err := records.Path(key[:query.MaxPathLength-1]); err != nil {
		t.Error(err)
	}
	if _, err := records.Path(key); err == nil || err.Error() != "path is longer than 1024 bytes" {
		t.Error(err)
	}
	if _, err := records.Path(key[:500] + "\xff"); err == nil || len(err.Error()) > 250 {
		t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
	}
}

func TestOverlaps(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"meta", "meta", true},
		{"meta", "meta.name", true},
		{"meta.name", "spec.issuer.meta.name", false},
		{"meta.name", "meta.tags", false},
		{"meta.annotations", "meta.annotations.a.b", true},
		{"meta.annotations.a", "meta.annotations.a.b", false}, // keys, not fields
		{"spec.rules.a.b", "spec.rules.a.b.methods", true},
		{"spec.rules.a", "spec.rules.a.b.methods", false},
	} {
		a, b := path(t, test.a), path(t, test.b)
		if a.Overlaps(b) != test.want || b.Overlaps(a) != test.want {
			t.Errorf("%s and %s: %v and %v, want %v", a, b, a.Overlaps(b), b.Overlaps(a), test.want)
		}
	}
}

func path(t testing.TB, text string) query.Path {
	t.Helper()
	p, err := records.Path(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func texts(paths []query.Path) []string {
	var all []string
	for _, p := range paths {
		all = append(all, p.String())
	}
	return all
}
