package authorizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/shared/protected"
)

// samples are the events of the API's sample files.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob("../../events/authorizer*.json")
	must(t, err)
	for _, name := range names {
		if !strings.HasSuffix(name, ".golden.json") {
			all[filepath.Base(name)], err = os.ReadFile(name)
			must(t, err)
		}
	}
	if len(all) < len(shapeNames) {
		t.Fatalf("%d sample events", len(all))
	}
	return all
}

// The last of two members counts, and what is no UTF-8 is replaced, as ever.
func TestToleranceOfEvents(t *testing.T) {
	got, err := read([]byte(`{"type": "TOKEN", "methodArn": "x", "methodArn": "` + arn + `", "authorizationToken": "` + "\xff" + `", "more": [{}]}`))
	if err != nil || got.target.arn != arn || got.event.AuthorizationToken != "\ufffd" {
		t.Errorf("%+v, %v", got, err)
	}
}

// An ARN is taken apart without a copy of it.
func TestTargets(t *testing.T) {
	const api = "arn:aws:execute-api:eu-central-1:1:abc"
	for arn, want := range map[string]target{
		api + "/prod/GET/a/b:c":                             {stage: api + "/prod", method: "GET", path: "/a/b:c"},
		api + "/prod/GET/":                                  {stage: api + "/prod", method: "GET", path: "/"},
		api + "/$default/GET//":                             {stage: api + "/$default", method: "GET", path: "//"},
		api + "/prod/GET":                                   {},
		api + "//GET/a":                                     {},
		api + "/prod//a":                                    {},
		api + ":x/prod/GET/a":                               {},
		api[:len(api)-3] + "/p/G/a":                         {},
		"arn:aws:execute-api:eu-central-1:abc/prod/GET/a":   {},
		"arn:aws:lambda:eu-central-1:1:abc/prod/GET/a":      {},
		"ARN:aws:execute-api:eu-central-1:1:abc/prod/GET/a": {},
		strings.ReplaceAll(api, ":execute-api", ":x:execute-api") + "/p/GET/a": {},
		"": {}, "/": {}, "///": {},
	} {
		if want.stage != "" {
			want.arn = arn
		}
		got, err := readTarget(arn)
		if got != want || (err == nil) != (want.stage != "") {
			t.Errorf("%s is taken for %+v, %v", arn, got, err)
		}
		if got.stage != "" && got.stage+"/"+got.method+got.path != arn {
			t.Errorf("%s is not all of its target %+v", arn, got)
		}
	}
}

// What an answer takes beside the verification of the credential: to read the event, to
// find the route and its right, and to make a policy, each resource of which is a text.
func TestAllocationsOfDecision(t *testing.T) {
	a := protecting(t, protected.API{Routes: protected.Defaults("GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}")})
	key, payload := keyWith(t, rules("read orders")), samples(t)["authorizer.json"]
	r, err := read(payload)
	must(t, err)
	for _, step := range []struct {
		name    string
		allowed float64
		do      func()
	}{
		{"event", 46, func() { _, _ = read(payload) }},
		{"decision", 8, func() { a.allows(key, r) }},
		{"policy", 20, func() { a.policy(r, key, true) }},
	} {
		if got := testing.AllocsPerRun(100, step.do); got > step.allowed {
			t.Errorf("%s: %v allocations, %v are allowed", step.name, got, step.allowed)
		}
	}
	if !a.allows(key, r) {
		t.Error("what is measured is a refusal")
	}
}
