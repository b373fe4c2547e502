package script

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMatchJSON(t *testing.T) {
	const id = "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	tests := []struct {
		name, want, got string
		same            bool
	}{
		{"equal", `{"a": [1, "x", null, true], "b": {}}`, `{"b":{},"a":[1,"x",null,true]}`, true},
		{"another value", `{"a": 1}`, `{"a": 2}`, false},
		{"another type", `{"a": "1"}`, `{"a": 1}`, false},
		{"null for a text", `{"a": null}`, `{"a": ""}`, false},
		{"missing", `{"a": 1}`, `{}`, false},
		{"one more", `{}`, `{"a": 1}`, false},
		{"shorter list", `[1, 2]`, `[1]`, false},
		{"other order", `[1, 2]`, `[2, 1]`, false},
		{"pattern", `{"id": "{{uuid}}"}`, `{"id": "` + id + `"}`, true},
		{"pattern that does not fit", `{"id": "{{uuid}}"}`, `{"id": "x"}`, false},
		{"anything", `{"a": "{{any}}"}`, `{"a": {"b": 1}}`, true},
		{"variable", `{"a": "{{known}}"}`, `{"a": "value"}`, true},
		{"variable inside", `{"a": "<{{known}}>"}`, `{"a": "<value>"}`, true},
		{"variable of another value", `{"a": "{{known}}"}`, `{"a": "other"}`, false},
		{"unknown variable", `{"a": "{{unknown}}"}`, `{"a": "x"}`, false},
		{"no JSON", `{}`, `nonsense`, false},
	}
	for _, test := range tests {
		differences := Variables{"known": "value"}.MatchJSON([]byte(test.want), []byte(test.got))
		if (len(differences) == 0) != test.same {
			t.Errorf("%s: %q", test.name, differences)
		}
	}
	kept := Variables{}
	if kept.MatchJSON([]byte(`["{{uuid:first}}"]`), []byte(`["`+id+`"]`)); kept["first"] != id {
		t.Errorf("kept %v", kept)
	}
}

func TestMatchExactly(t *testing.T) {
	for _, test := range []struct {
		name, want, got string
		same            bool
	}{
		{"equal", `{"a":1,"b":"{{known}}"}`, `{"a":1,"b":"value"}`, true},
		{"kept", `{"a":"{{any:a}}","b":"<{{known}}>"}`, `{"a":"x","b":"<value>"}`, true},
		{"in two lines", "{\"a\":1,\n  \"b\":\"{{known}}\"}", `{"a":1,"b":"value"}`, true},
		{"another order", `{"a":1,"b":"{{known}}"}`, `{"b":"value","a":1}`, false},
		{"another order of what is kept", `{"a":"{{any:a}}","b":"{{known}}"}`, `{"b":"value","a":"x"}`, false},
		{"spaced", `{"a":1}`, `{"a": 1}`, false},
		{"another value", `{"a":1}`, `{"a":2}`, false},
		{"not kept", `{"a":"{{any}}"}`, `{"a":"x"}`, false},
	} {
		differences := Variables{"known": "value"}.MatchExactly([]byte(test.want), []byte(test.got))
		if (len(differences) == 0) != test.same {
			t.Errorf("%s: %q", test.name, differences)
		}
	}
}

const exampleScript = `A comment.

### Echo
POST /echo/{{place}}?a={{repeat 2 b}}
X-One: {{place}}

{"n": {{repeat 3 7}}}

HTTP 200
X-Path: /echo/here

{"n": 777}

### Bare
wait 1ms
GET /bare

HTTP 404

gone
`

func TestFillTime(t *testing.T) {
	before := time.Now()
	text, err := Variables{}.Fill("{{in 2h}}")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, text)
	if late := at.Sub(before.Add(2 * time.Hour)); err != nil || late <= -time.Second || late > time.Minute {
		t.Errorf("%s, %v", text, err)
	}
	if text, err := (Variables{}).Fill("{{in a while}}"); err == nil {
		t.Errorf("filled with %s", text)
	}
}

func TestFillDay(t *testing.T) {
	now := time.Now().UTC()
	text, err := Variables{}.Fill("{{day 0}} {{day -1}} {{day 1}}")
	if err != nil {
		t.Fatal(err)
	}
	days := func(at time.Time) string {
		return strings.Join([]string{
			at.Format(time.DateOnly), at.AddDate(0, 0, -1).Format(time.DateOnly), at.AddDate(0, 0, 1).Format(time.DateOnly),
		}, " ")
	}
	if text != days(now) && text != days(time.Now().UTC()) {
		t.Errorf("%s at %v", text, now)
	}
	if text, err := (Variables{}).Fill("{{day today}}"); err == nil {
		t.Errorf("filled with %s", text)
	}
}

func TestFillFromVariables(t *testing.T) {
	v := Variables{"full": "lk_0a_1b", "id": "019b7ca9-8f2e", "odd": "x"}
	text, err := v.Fill("{{identifier full}} {{secret full}} {{hex id}} {{identifier odd}}{{secret odd}}")
	if want := "lk_0a 1b 019b7ca98f2e x"; err != nil || text != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
	for _, unknown := range []string{"{{secret unknown}}", "{{wrap id unknown}}", "{{wrap unknown full}}", "{{wrap id}}"} {
		if text, err := v.Fill(unknown); err == nil {
			t.Errorf("%s is filled with %s", unknown, text)
		}
	}
}

func TestFillWrapped(t *testing.T) {
	v := Variables{"full": "lk_0a_1b", "id": "019b", "at": "2025-10-16T15:08:11.123456", "odd": "a+b/c=&", "no-key": "ZENKEY_x"}
	var err error
	if v["wrapped"], err = v.Fill("{{wrap id full}}"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"{{wrapped}}":            "ZENKEY_eyJpZCI6IjAxOWIiLCJrZXkiOiJsa18wYV8xYiJ9",
		"{{bare wrapped}}":       "eyJpZCI6IjAxOWIiLCJrZXkiOiJsa18wYV8xYiJ9",
		"{{plain wrapped}}":      "lk_0a_1b",
		"{{plain full}}":         "lk_0a_1b",
		"{{plain no-key}}":       "ZENKEY_x",
		"{{wrap id wrapped}}":    "ZENKEY_eyJpZCI6IjAxOWIiLCJrZXkiOiJsa18wYV8xYiJ9",
		"{{identifier wrapped}}": "lk_0a",
		"{{secret wrapped}}":     "1b",
		"{{upper id}}":           "019B",
		"{{form odd}}":           "a%2Bb%2Fc%3D%26",
		"{{second at}}":          "2025-10-16%2015:08:11",
	} {
		if got, err := v.Fill(text); err != nil || got != want {
			t.Errorf("%s is filled with %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestRun(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bare" {
			http.Error(w, "gone", http.StatusNotFound)
			return
		}
		w.Header().Set("X-Path", r.URL.Path)
		io.Copy(w, r.Body)
	}))
	defer server.Close()
	exchanges, err := Parse(exampleScript)
	if err != nil {
		t.Fatal(err)
	}
	if len(exchanges) != 2 || exchanges[0].Title != "Echo" || exchanges[1].Line != 14 || exchanges[1].pause != time.Millisecond {
		t.Fatalf("parsed %+v", exchanges)
	}
	for _, exchange := range exchanges {
		if differences := exchange.Run(server.Client(), server.URL, Variables{"place": "here"}); len(differences) > 0 {
			t.Errorf("%s: %q", exchange.Title, differences)
		}
	}
	if elsewhere, err := Parse("### x\nGET {{other}}/here/{{place}}\n\nHTTP 404\n\n404 page not found\n"); err != nil {
		t.Error(err)
	} else if differences := elsewhere[0].Run(server.Client(), server.URL, Variables{"place": "here", "other": other.URL}); len(differences) > 0 {
		t.Errorf("elsewhere: %q", differences)
	}
	if exact, err := Parse(strings.Replace(exampleScript, `{"n": 777}`, `exactly {"n": 777}`, 1)); err != nil {
		t.Error(err)
	} else if differences := exact[0].Run(server.Client(), server.URL, Variables{"place": "here"}); len(differences) > 0 {
		t.Errorf("exactly: %q", differences)
	}
	for _, edit := range [][2]string{
		{"HTTP 200", "HTTP 201"}, {`{"n": 777}`, `{"n": 778}`}, {`{"n": 777}`, `exactly {"n":777}`}, {"X-Path: /echo/here", "X-Path: /other"}, {"HTTP 404\n\ngone", "HTTP 404"}, {"\ngone", "\nother"},
	} {
		changed, err := Parse(strings.Replace(exampleScript, edit[0], edit[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, exchange := range changed {
			found += len(exchange.Run(server.Client(), server.URL, Variables{"place": "here"}))
		}
		if found != 1 {
			t.Errorf("with %q for %q: %d differences, want 1", edit[1], edit[0], found)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"### x\nGET /\n", "### x\nnonsense\n\nHTTP 200\n", "### x\nwait long\nGET /\n\nHTTP 200\n", "### x\nGET /\nno header\n\nHTTP 200\n", "### x\nGET {{other}}\n\nHTTP 200\n", "### x\nGET x{{other}}/\n\nHTTP 200\n"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
