package query_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"latchkey/shared/api/serviceaccounts/query"
)

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "page=2&size=5&sort_by=desc:name&logical_operator=or", "page=99999999999999999999&size=10000",
		"name=contains:a%25&name=oneof:[\"a\",\"b\"]&name=gt:1e3", "name=gt:x", "name=foo:bar&description=isempty:",
		"id=37f4f174-9c0b-4d2e-8f00-0123456789ab&id=startswith:37-f4", "owner=notoneof:[\"x\"]", "active=TRUE",
		"created=2025-10-16T12:08:11.5%2B02:00", "last_login=in:2025-1-2 3:4:5,2025-10-16 12:08:11", "name=in:x",
		"name=oneof:[\"\xff\"]&sort_by=%ff&page=%ff", "active=" + strings.Repeat("x", 300),
	} {
		f.Add(text)
	}
	records := []query.Record{
		record(nil),
		record(map[string]query.Value{"id": idValues["some"], "name": textValues["percent"], "active": flagValues["true"],
			"created": timeValues["noon"], "last_login": timeValues["later"]}),
		record(map[string]query.Value{"id": idValues["zero"], "name": textValues["10"], "owner": idValues["some"],
			"description": query.TextValue("\xff")}),
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, _ := url.ParseQuery(text) // what cannot be decoded is left out
		q, err := keys.Parse(values)
		if err != nil {
			checkError(t, values, err)
			return
		}
		for _, r := range records {
			q.Matches(r)
			checkOrder(t, q, r, records[0])
		}
		for _, total := range []int{0, 1, 99, 10_001, 1 << 62} {
			checkBounds(t, q, total)
		}
	})
}

func checkOrder(t *testing.T, q *query.Query, r, other query.Record) {
	t.Helper()
	low, high := [16]byte{1}, [16]byte{2}
	a, b := q.Rank(r), q.Rank(other)
	if q.Compare(a, b, low, high)+q.Compare(b, a, high, low) != 0 || q.Compare(a, a, low, high) >= 0 {
		t.Errorf("no order of %v and %v", a, b)
	}
}

func checkBounds(t *testing.T, q *query.Query, total int) {
	t.Helper()
	from, to, err := q.Bounds(total)
	if err == nil && (from < 0 || to < from || to-from > q.Size || to > total || to == from && total > 0) {
		t.Errorf("page %d of size %d among %d: %d to %d", q.Page, q.Size, total, from, to)
	}
	if (err == nil) != (q.Page <= q.TotalPages(total)) {
		t.Errorf("page %d of %d: %v", q.Page, q.TotalPages(total), err)
	}
}

// checkError wants an error that can be shown, and that is short for each value given.
func checkError(t *testing.T, values url.Values, err error) {
	t.Helper()
	problem, ok := errors.AsType[*query.Error](err)
	if !ok || problem.Text == "" || !utf8.ValidString(problem.Text) || problem.Kind > query.Store {
		t.Errorf("%#v", err)
	}
	most := 100
	for _, given := range values {
		most += len(given) * (300 + 100*len(`\xff`))
		for _, value := range given {
			if len(value) > 110 && strings.Contains(err.Error(), value[:110]) {
				t.Errorf("%s repeats %s", err, value)
			}
		}
	}
	if len(err.Error()) > most {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}
