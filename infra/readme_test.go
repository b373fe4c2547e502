package main

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/docs/doctable"
)

// The README's table is made from the settings: go test ./infra -run Readme -update.
func TestReadmeHasTheSettings(t *testing.T) {
	doctable.Hold(t, "../README.md", "settings", settingsTable())
}

func settingsTable() string {
	var table strings.Builder
	table.WriteString("| value | without it | |\n| --- | --- | --- |\n")
	for _, s := range settings {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", s.name, s.without, s.meaning)
	}
	return table.String()
}
