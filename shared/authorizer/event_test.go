package authorizer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

// A reference is an event for decoders that go by reflection.
type reference struct {
	Type       string `json:"type"`
	Version    string `json:"version"`
	MethodARN  string `json:"methodArn"`
	RouteARN   string `json:"routeArn"`
	RouteKey   string `json:"routeKey"`
	Resource   string `json:"resource"`
	HTTPMethod string `json:"httpMethod"`

	AuthorizationToken    string              `json:"authorizationToken"`
	Headers               map[string]string   `json:"headers"`
	MultiValueHeaders     map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters map[string]string   `json:"queryStringParameters"`
	MultiValueParameters  map[string][]string `json:"multiValueQueryStringParameters"`

	RequestContext struct {
		APIID     string `json:"apiId"`
		EventType string `json:"eventType"`
	} `json:"requestContext"`
}

// Events are read as the standard library reads them.
func TestEventsAreReadAlike(t *testing.T) {
	for name, payload := range samples(t) {
		var want reference
		must(t, json.Unmarshal(payload, &want))
		got, err := decode(payload)
		if diff := cmp.Diff(event(want), got, cmpopts.EquateEmpty(), cmp.AllowUnexported(event{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// A member of another type makes an event none, wherever the standard library says so.
func TestTypesOfEvents(t *testing.T) {
	values := []string{
		"null", "5", "true", `"x"`, "[]", `["x"]`, "[null]", "[5]", "[[]]", "{}", `{"a":null}`, `{"a":5}`, `{"a":"x"}`, `{"a":[]}`, `{"a":["x",null]}`,
		`{"a":["x",5]}`, `{"a":{}}`, `{"apiId":5}`, `{"apiId":["x"]}`, `{"eventType":{}}`,
	}
	for _, name := range []string{
		"type", "version", "methodArn", "routeArn", "routeKey", "resource", "httpMethod", "authorizationToken", "headers", "multiValueHeaders",
		"queryStringParameters", "multiValueQueryStringParameters", "requestContext", "more",
	} {
		for _, value := range values {
			wantAlike(t, `{"`+name+`":`+value+`}`)
		}
	}
	for _, value := range values {
		wantAlike(t, value)
	}
}

// wantAlike reads an event and has the standard library read it.
func wantAlike(t *testing.T, payload string) {
	t.Helper()
	var want reference
	wrong := json.Unmarshal([]byte(payload), &want)
	got, err := decode([]byte(payload))
	if (err == nil) != (wrong == nil) {
		t.Errorf("%s: %v, want %v", payload, err, wrong)
	}
	if diff := cmp.Diff(event(want), got, cmpopts.EquateEmpty(), cmp.AllowUnexported(event{})); err == nil && diff != "" {
		t.Errorf("%s\n%s", payload, diff)
	}
}

// Of what may come twice the order counts, which decoders see in different ways.
func FuzzEvent(f *testing.F) {
	for _, payload := range samples(f) {
		f.Add(payload)
	}
	f.Add([]byte(`{"type": null, "headers": {"a": null}, "multiValueHeaders": {"a": ["b", null], "c": null}, "requestContext": {"apiId": "\u0061"}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var want reference
		wrong := jsonv2.Unmarshal(payload, &want, jsontext.AllowInvalidUTF8(true))
		got, err := decode(payload)
		if errors.Is(wrong, jsontext.ErrDuplicateName) {
			return
		}
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%q: %v, want %v", payload, err, wrong)
		}
		if diff := cmp.Diff(event(want), got, cmpopts.EquateEmpty(), cmp.AllowUnexported(event{})); err == nil && diff != "" {
			t.Errorf("%q\n%s", payload, diff)
		}
	})
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
		{"event", 14, func() { _, _ = read(payload) }},
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
