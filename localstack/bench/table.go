package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/localstack/bars"
)

// show writes what has a bar and then what has none, and gives the identifiers of the
// figures that are missing or break their bars.
func show(out io.Writer, all []bars.Bar, figures map[string]bars.Figure) (broken []string) {
	held := [][]string{{"bar", "what", "limit", "figure (median)", "spread (quartiles)", "ok?"}}
	free := [][]string{{"what", "figure (median)", "spread (quartiles)"}}
	for _, bar := range all {
		figure, measured := figures[bar.ID]
		cells := []string{bar.What, "missing", ""}
		if measured {
			cells = []string{bar.What, bar.Show(figure), bar.ShowSpread(figure)}
		}
		ok := measured && bar.Limit.Holds(figure)
		if !ok {
			broken = append(broken, bar.ID)
		}
		if bar.Number == 0 {
			free = append(free, cells)
			continue
		}
		held = append(held, []string{strconv.Itoa(bar.Number), cells[0], bar.ShowLimit(), cells[1], cells[2], verdict(ok)})
	}
	fmt.Fprintf(out, "\n%s\n%s\n", layOut(held), layOut(free))
	return broken
}

func verdict(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

// layOut lays out a table in Markdown whose columns can be read as they are.
func layOut(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var table strings.Builder
	for i, row := range rows {
		table.WriteString(line(row, widths, " "))
		if i == 0 {
			table.WriteString(line(make([]string, len(row)), widths, "-"))
		}
	}
	return table.String()
}

func line(cells []string, widths []int, fill string) string {
	text := "|"
	for i, cell := range cells {
		text += " " + cell + strings.Repeat(fill, widths[i]-utf8.RuneCountInString(cell)) + " |"
	}
	return text + "\n"
}
