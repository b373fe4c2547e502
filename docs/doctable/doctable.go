// Package doctable holds the tables of pages to the data that they are made of. Such a table
// stands between two comments that name it, <!-- name --> and <!-- /name -->, and a test
// with -update writes it there.
package doctable

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables that are held into their pages")

// Hold wants a page to have a table, which ends with its last row's line break, by a name.
func Hold(t testing.TB, page, name, table string) {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, begins := strings.Cut(string(content), begin)
	there, after, ends := strings.Cut(rest, end)
	switch {
	case !begins || !ends:
		t.Fatalf("%s has no place for the table of %s, between %q and %q", page, name, begin, end)
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case there != table:
		t.Errorf("%s has another table of %s: run this test with -update\n%s", page, name, table)
	}
}
