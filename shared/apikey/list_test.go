package apikey

import (
	"encoding/base64"
	"errors"
	"testing"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

func TestCursor(t *testing.T) {
	at := func(path string) Locator { return mint(t, path).Locator }
	single, subtree := query(t, "a.b", false), query(t, "a.b", true)

	for _, test := range []struct {
		name   string
		query  Query
		cursor Cursor
		want   bool
	}{
		{"own", single, single.CursorAfter(at("a.b")), true},
		{"own, of a subtree", subtree, subtree.CursorAfter(at("a.b.c")), true},
		{"a bare id", single, Cursor(at("a.b").ID.String()), true},
		{"a bare id for a subtree", subtree, Cursor(at("a.b").ID.String()), false},
		{"of the subtree, for one namespace", single, subtree.CursorAfter(at("a.b")), false},
		{"of one namespace, for the subtree", subtree, single.CursorAfter(at("a.b")), false},
		{"of another namespace", single, query(t, "a", false).CursorAfter(at("a")), false},
		{"made for this query with a position in another", single, single.CursorAfter(at("a")), false},
		{"the same with one below", single, single.CursorAfter(at("a.b.c")), false},
		{"the same with a look-alike", subtree, subtree.CursorAfter(at("a.bc")), false},
		{"the same with a parent", subtree, subtree.CursorAfter(at("a")), false},
		{"noise", single, "noise", false},
		{"base64 of nothing", single, Cursor(base64.RawURLEncoding.EncodeToString(nil)), false},
		{"of another version", single, rewritten(single.CursorAfter(at("a.b")), func(raw []byte) { raw[0]++ }), false},
		{"of a UUIDv4", single, rewritten(single.CursorAfter(at("a.b")), func(raw []byte) { raw[15] = 0x40 }), false},
		{"with a line break", single, single.CursorAfter(at("a.b")) + "\n", false},
		{"cut off", single, single.CursorAfter(at("a.b"))[:30], false},
	} {
		test.query.Cursor = test.cursor
		if _, err := test.query.position(); (err == nil) != test.want || err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want accepted %v", test.name, err, test.want)
		}
	}
}

// rewritten changes the bytes of a cursor.
func rewritten(cursor Cursor, change func(raw []byte)) Cursor {
	raw, err := base64.RawURLEncoding.DecodeString(string(cursor))
	if err != nil {
		panic(err)
	}
	change(raw)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw))
}

func FuzzCursor(f *testing.F) {
	subtree := query(f, "a.b", true)
	f.Add(string(subtree.CursorAfter(mint(f, "a.b.c").Locator)))
	f.Add("019b7ca9-8f2e-7e98-833b-d887d15218ce")
	f.Fuzz(func(t *testing.T, text string) {
		subtree.Cursor = Cursor(text)
		if at, err := subtree.position(); err == nil && !subtree.covers(at.Namespace) {
			t.Errorf("%q leads to %v", text, at.Namespace)
		}
	})
}

func query(t testing.TB, path string, below bool) Query {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return Query{Namespace: ns, Below: below, Limit: 1}
}
