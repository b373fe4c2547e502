package lambdaweb

import (
	"encoding/base64"
	stdjson "encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// byLibrary reads an event as the platform's library has it, with all its members.
func byLibrary(e events.APIGatewayV2HTTPRequest) *web.Request {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil
		}
	}
	return &web.Request{
		ID: e.RequestContext.RequestID, Operation: operation.Health, Method: e.RequestContext.HTTP.Method, Path: e.RawPath,
		PathValues: e.PathParameters, RawQuery: e.RawQueryString, Header: e.Headers, Body: body,
	}
}

func differ(t testing.TB, want, got *web.Request) string {
	t.Helper()
	parts := func(r *web.Request) []any {
		return []any{r.ID, r.Method, r.Path, maps.Clone(r.PathValues), r.RawQuery, maps.Clone(r.Header), string(r.Body), r.Operation.Name}
	}
	if (want == nil) != (got == nil) {
		return "one of them is none"
	}
	if want == nil {
		return ""
	}
	return cmp.Diff(parts(want), parts(got))
}

// sampleEvents are those that the API's sample files hold.
func sampleEvents(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob("../../events/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".golden.json") {
			continue
		}
		if all[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What we leave out of an event changes nothing of a request.
func TestEventsAreReadAsTheLibraryReadsThem(t *testing.T) {
	for name, payload := range sampleEvents(t) {
		var whole events.APIGatewayV2HTTPRequest
		if err := stdjson.Unmarshal(payload, &whole); err != nil {
			continue // another kind of event
		}
		got, err := read(operation.Health, payload)
		if diff := differ(t, byLibrary(whole), got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestTolerance(t *testing.T) {
	for payload, want := range map[string]*web.Request{
		`{"rawPath": "/a", "rawPath": "/b"}`:                       {Path: "/b"},
		`{"headers": {"a": "1"}, "headers": {"a": "2"}}`:           {Header: map[string]string{"a": "2"}},
		"{\"rawPath\": \"/\xff\", \"body\": \"\xff\"}":             {Path: "/\ufffd", Body: []byte("\ufffd")},
		`{"body": "\ud83d\ude00\ud83d\u0000\/"}`:                   {Body: []byte("😀\ufffd\x00/")},
		`{"body": "a", "body": null, "headers": null}`:             {},
		`{"Body": "a", "timeEpoch": [{}], "requestContext": null}`: {},
		`{"body": "", "isBase64Encoded": true}`:                    {},
		`null`:                                                     {},
	} {
		want.Operation = operation.Health
		got, err := read(operation.Health, []byte(payload))
		if diff := differ(t, want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", payload, err, diff)
		}
	}
	for _, payload := range []string{
		`{"body": 1}`, `{"body": ["a"]}`, `{"body": {}}`, `{"body": "\x"}`, `{"body": "a"`, `{} {}`, `{"headers": {"a": 1}}`, `{"headers": ["a"]}`,
		`{"isBase64Encoded": "true"}`, `{"body": "YQ", "isBase64Encoded": true}`,
	} {
		if got, err := read(operation.Health, []byte(payload)); err == nil {
			t.Errorf("%s is read as %+v", payload, got)
		}
	}
}

// What the platform's library can read we read too, and alike.
func FuzzEvent(f *testing.F) {
	for _, payload := range sampleEvents(f) {
		f.Add(payload)
	}
	f.Add([]byte(`{"rawPath": "/", "body": "eyJhIjoxfQ==", "isBase64Encoded": true, "headers": {"a": "b"}, "headers": null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var whole events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(payload, &whole, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
			return
		}
		got, _ := read(operation.Health, payload)
		if diff := differ(t, byLibrary(whole), got); diff != "" {
			t.Errorf("%q\n%s", payload, diff)
		}
	})
}

// Of an event are made the request, its body, its maps and what is long among its texts:
// short ones, which most events have alike, the decoder keeps.
func TestAllocationsOfReading(t *testing.T) {
	const allowed = 9
	payload := sampleEvents(t)["../../events/validate-api-key.json"]
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := read(operation.ValidateAPIKey, payload); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > allowed {
		t.Errorf("%v allocations, %d are allowed", allocations, allowed)
	}
}

// The answer is what encoding it by reflection would be.
func TestAnswersAreEncodedAsTheLibraryHasThem(t *testing.T) {
	for _, header := range []map[string]string{
		nil, {}, {"B": "b", "A": "a"}, {"Allow": "GET, \"POST\"\\", "X-é": "\u2028\x01"},
		{"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": ""},
	} {
		for _, body := range []string{"", `{"a":"\u00e9<&>\\"}`, "\x00\x7f\u2029😀"} {
			got, err := encode(web.Response{Status: 418, Header: header, Body: []byte(body)})
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(struct {
				StatusCode int               `json:"statusCode"`
				Headers    map[string]string `json:"headers"`
				Body       string            `json:"body"`
			}{418, header, body}, json.Deterministic(true))
			if err != nil || string(got) != string(want) {
				t.Errorf("%s, want %s, %v", got, want, err)
			}
		}
	}
	for _, r := range []web.Response{{Body: []byte("\xff")}, {Header: map[string]string{"\xff": ""}}, {Header: map[string]string{"a": "\xff"}}} {
		if answer, err := encode(r); err == nil {
			t.Errorf("what is no UTF-8 is encoded as %s", answer)
		}
	}
}

// An answer is written into one piece of memory.
func TestAllocationsOfEncoding(t *testing.T) {
	response := web.JSONBody(200, []byte(`{"valid":true,"key":"lk_"}`))
	response.Header["Cache-Control"] = "no-store"
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := encode(response); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 1 {
		t.Errorf("%v allocations", allocations)
	}
}
