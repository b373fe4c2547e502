package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of settings into the README")

const (
	readme     = "../README.md"
	tableBegin = "<!-- settings -->\n"
	tableEnd   = "<!-- /settings -->"
)

// The README's table is made from the settings: go test ./infra -run Readme -update.
func TestReadmeHasTheSettings(t *testing.T) {
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), tableBegin)
	table, after, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		t.Fatalf("the README has no place for the table, between %q and %q", tableBegin, tableEnd)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+tableBegin+settingsTable()+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != settingsTable() {
		t.Errorf("the README's table is not that of the settings: go test ./infra -run Readme -update\n%s", settingsTable())
	}
}

func settingsTable() string {
	var table strings.Builder
	table.WriteString("| value | without it | |\n| --- | --- | --- |\n")
	for _, s := range settings {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", s.name, s.without, s.meaning)
	}
	return table.String()
}
