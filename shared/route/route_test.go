package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func tableOf(t testing.TB, keys ...string) (table Table[string]) {
	t.Helper()
	for _, key := range keys {
		if err := table.Add(key, "value of "+key); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func TestMatch(t *testing.T) {
	table := tableOf(t, "$default", "ANY /files/{path+}", "GET /orders/{id}", "GET /orders/export", "ANY /orders/{id}",
		"GET /orders/{id}/items", "GET /orders", "GET /files/secret/{path+}", "GET /")
	for request, want := range map[string]string{
		"GET /":                "GET /",
		"GET /orders":          "GET /orders",
		"GET /orders/export":   "GET /orders/export",
		"POST /orders/export":  "ANY /orders/{id} id=export",
		"GET /orders/1":        "GET /orders/{id} id=1",
		"DELETE /orders/1":     "ANY /orders/{id} id=1",
		"GET /orders/":         "$default",
		"GET /orders/1/items":  "GET /orders/{id}/items id=1",
		"GET /orders/1/lines":  "$default",
		"GET /files/secret/a":  "GET /files/secret/{path+} path=a",
		"PUT /files/secret/a":  "ANY /files/{path+} path=secret/a",
		"GET /files/secret":    "ANY /files/{path+} path=secret",
		"GET /files":           "$default",
		"get /orders":          "$default",
		"GET /Orders":          "$default",
		"GET //orders":         "$default",
		"GET /orders/1/items/": "$default",
	} {
		method, path, _ := strings.Cut(request, " ")
		row, parameters, ok := table.Match(method, path)
		got := row.Key.String()
		for name, value := range parameters {
			got += fmt.Sprintf(" %s=%s", name, value)
		}
		if !ok || got != want || row.Value != "value of "+row.Key.String() {
			t.Errorf("%s: %s with %q, want %s", request, got, row.Value, want)
		}
	}
	if row, _, ok := tableOf(t, "GET /a").Match("GET", "/b"); ok {
		t.Errorf("%s takes GET /b", row.Key)
	}
	if _, _, ok := (Table[int]{}).Match("GET", "/"); ok {
		t.Error("the zero table takes a request")
	}
}

func TestMalformedKeys(t *testing.T) {
	for _, keys := range [][]string{
		{""}, {"/a"}, {"GET a"}, {"GET"}, {"GET "}, {" /a"}, {"GET /{all+}/x"}, {"GET /a", "GET /a"},
		{"GET /{a}/{b}", "GET /{b}/{c}"}, {"$default", "$default"},
	} {
		var table Table[int]
		var err error
		for _, key := range keys {
			err = table.Add(key, 0)
		}
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", keys[len(keys)-1])) {
			t.Errorf("%q: %v", keys, err)
		}
	}
}

func TestFind(t *testing.T) {
	table := tableOf(t, "GET /{a}/x", "GET /{a}/{b+}", "$default")
	for key, want := range map[string]string{
		"GET /{other}/x": "GET /{a}/x", "GET /{p}/{rest+}": "GET /{a}/{b+}", "$default": "$default",
		"GET /a/x": "", "ANY /{a}/x": "", "GET /{a}/{b}": "", "no key": "", "ANY /": "",
	} {
		if row, ok := table.Find(key); row.Key.String() != want || ok != (want != "") {
			t.Errorf("%q is found as %q", key, row.Key)
		}
	}
}

// The order of a table does not depend on that in which its rows came.
func TestRowsAreInOrder(t *testing.T) {
	want := []string{
		"GET /a/b", "ANY /a/b", "GET /a/{x}", "GET /{x}/b", "GET /a/b/{x+}", "GET /a/{x+}", "ANY /{x+}", "$default",
	}
	for i := range want {
		table := tableOf(t, slices.Concat(want[i:], want[:i])...)
		var got []string
		for _, row := range table.Rows() {
			got = append(got, row.Key.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("the rows are %q", got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("GET /a/{b}/{c+}", "/a/b/c/d")
	f.Add("$default", "/")
	f.Fuzz(func(t *testing.T, text, path string) {
		key, err := Parse(text)
		if err != nil {
			return
		}
		parameters, ok := key.Bind(Split(path))
		if !ok {
			return
		}
		for name, value := range parameters {
			if value == "" {
				t.Errorf("%q takes %q with an empty %s", text, path, name)
			}
		}
		if again, err := Parse(key.String()); err != nil || again.Compare(key) != 0 {
			t.Errorf("%q is %v when it is parsed again, %v", text, again, err)
		}
	})
}
