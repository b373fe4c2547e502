package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

func serve(t *testing.T, ctx context.Context, r *Request, handler Handler) (Response, map[string]any) {
	t.Helper()
	var log bytes.Buffer
	response := NewServer(Config{
		Handler:  handler,
		Envelope: Problem,
		Recorder: telemetry.NewRecorder(telemetry.Config{
			Log: slog.New(slog.NewJSONHandler(&log, nil)), Service: "latchkey", Clock: time.Now,
		}),
	}).Serve(ctx, r)
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one line of JSON: %q", log.String())
	}
	return response, line
}

func failing(err error) Handler {
	return func(context.Context, *Request) (Response, error) { return Response{}, err }
}

func TestOneLogLine(t *testing.T) {
	request := &Request{ID: "r1", Operation: operation.Health, Path: "/planted", RawQuery: "planted", Header: map[string]string{"planted": "planted"}, Body: []byte("planted")}
	_, line := serve(t, t.Context(), request, func(_ context.Context, r *Request) (Response, error) {
		r.Judge("valid")
		return JSON(200, "planted", false)
	})
	for attribute, want := range map[string]any{
		"msg": "request", "level": "INFO", "operation": "health", "request_id": "r1", "status": 200.0, "verdict": "valid",
	} {
		if line[attribute] != want {
			t.Errorf("%s is %v, want %v", attribute, line[attribute], want)
		}
	}
	if text, _ := json.Marshal(line); strings.Contains(string(text), "planted") {
		t.Errorf("the line repeats the request: %s", text)
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		handler Handler
		status  int
		level   string
		logged  string
	}{
		"unknown error": {failing(errors.New("internals")), 500, "ERROR", "internals"},
		"panic":         {func(context.Context, *Request) (Response, error) { panic("internals") }, 500, "ERROR", "internals"},
		"unavailable":   {failing(fault.Wrap(fault.Unavailable, errors.New("internals"), "later")), 503, "ERROR", "internals"},
		"not found":     {failing(fault.Wrap(fault.NotFound, errors.New("internals"), "gone")), 404, "INFO", ""},
	} {
		response, line := serve(t, t.Context(), &Request{}, test.handler)
		if response.Status != test.status || line["level"] != test.level {
			t.Errorf("%s: status %d, level %v", name, response.Status, line["level"])
		}
		if strings.Contains(string(response.Body), "internals") {
			t.Errorf("%s: the client is told %s", name, response.Body)
		}
		if logged, _ := line["error"].(string); !strings.Contains(logged, test.logged) || test.logged == "" && logged != "" {
			t.Errorf("%s: logged %q, want %q", name, logged, test.logged)
		}
	}
}

func TestWorkStopsBeforeThePlatformsTimeOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), answerTime+20*time.Millisecond)
	defer cancel()
	response, _ := serve(t, ctx, &Request{}, func(ctx context.Context, _ *Request) (Response, error) {
		<-ctx.Done()
		return Response{}, fault.Wrap(fault.Unavailable, ctx.Err(), "later")
	})
	if response.Status != 503 || ctx.Err() != nil {
		t.Errorf("status %d, and the invocation's own time is up: %v", response.Status, ctx.Err())
	}
}

func TestBodyLimit(t *testing.T) {
	for size, want := range map[int]int{MaxBodyBytes: 200, MaxBodyBytes + 1: 413} {
		response, _ := serve(t, t.Context(), &Request{Body: make([]byte, size)}, func(context.Context, *Request) (Response, error) {
			return JSON(200, nil, false)
		})
		if response.Status != want {
			t.Errorf("a body of %d bytes: %d, want %d", size, response.Status, want)
		}
	}
}

// The limit is on what a client has to hold, however well that compresses.
func TestAnswerLimit(t *testing.T) {
	for size, want := range map[int]int{MaxAnswerBytes: 200, MaxAnswerBytes + 1: 500} {
		request := &Request{Header: map[string]string{"accept-encoding": "gzip"}}
		response, _ := serve(t, t.Context(), request, func(context.Context, *Request) (Response, error) {
			return JSONBody(200, bytes.Repeat([]byte("x"), size)), nil
		})
		if response.Status != want {
			t.Errorf("an answer of %d bytes: %d, want %d", size, response.Status, want)
		}
	}
}

func TestNoCacheKeepsAnAnswer(t *testing.T) {
	returning := func(response Response) Handler {
		return func(context.Context, *Request) (Response, error) { return response, nil }
	}
	for name, test := range map[string]struct {
		handler Handler
		want    string
	}{
		"JSON":          {returning(JSONBody(200, []byte("{}"))), "no-store"},
		"no header":     {returning(Response{Status: 204}), "no-store"},
		"error":         {failing(fault.New(fault.NotFound, "gone")), "no-store"},
		"panic":         {func(context.Context, *Request) (Response, error) { panic("internals") }, "no-store"},
		"handler's own": {returning(Response{Header: map[string]string{"Cache-Control": "max-age=60"}}), "max-age=60"},
	} {
		response, _ := serve(t, t.Context(), &Request{}, test.handler)
		if got := response.Header["Cache-Control"]; got != test.want {
			t.Errorf("%s: Cache-Control is %q, want %q", name, got, test.want)
		}
	}
}

func TestErrorHeaders(t *testing.T) {
	for _, test := range []struct {
		kind       fault.Kind
		credential bool
		name, want string
	}{
		{fault.Unauthenticated, false, "WWW-Authenticate", `Bearer realm="latchkey"`},
		{fault.Unauthenticated, true, "WWW-Authenticate", `Bearer realm="latchkey", error="invalid_token"`},
		{fault.Forbidden, true, "WWW-Authenticate", `Bearer realm="latchkey", error="insufficient_scope"`},
		{fault.MethodNotAllowed, false, "Allow", "GET"},
		{fault.NotFound, false, "WWW-Authenticate", ""},
	} {
		request := &Request{Path: "/health", Header: map[string]string{}}
		if test.credential {
			request.Header["authorization"] = "Bearer x"
		}
		response, _ := serve(t, t.Context(), request, failing(fault.New(test.kind, "no")))
		if got := response.Header[test.name]; got != test.want {
			t.Errorf("%v: %s is %q, want %q", test.kind, test.name, got, test.want)
		}
	}
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc": "abc", "bearer abc": "abc", "BEARER  abc ": "abc",
		"Basic abc": "", "Bearer": "", "Bearer ": "", "abc": "", "": "",
	} {
		got, err := (&Request{Header: map[string]string{"authorization": header}}).Bearer()
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%q gives %q, %v", header, got, err)
		}
	}
	if _, err := (&Request{}).Bearer(); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("no header: %v", err)
	}
}

type example struct {
	Name   string            `json:"name"`
	Count  int               `json:"count"`
	On     bool              `json:"on"`
	Tags   []string          `json:"tags"`
	Nested *struct{ A int }  `json:"nested"`
	Map    map[string]string `json:"map"`
	Any    Ignored           `json:"any"`
}

func TestDecodeJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"x","count":1,"on":true,"tags":["a"],"nested":{"A":1},"map":{"k":"v"},"any":[1,{}]}`: "",
		`{}`:                         "",
		` {"name": null, "any": 1} `: "",
		``:                           "body: malformed JSON at byte 0",
		`{`:                          "body: malformed JSON at byte 1",
		`{"name":"x"} trailing`:      "body: malformed JSON at byte 13",
		"{\"name\":\"\xff\"}":        "body: malformed JSON at byte 9",
		`[]`:                         "body: value must be an object",
		`"x"`:                        "body: value must be an object",
		`{"unknown":1}`:              "unknown: unknown field",
		`{"Name":"x"}`:               "Name: unknown field",
		`{"nested":{"b":1}}`:         "nested.b: unknown field",
		`{"name":1}`:                 "name: value must be a string",
		`{"count":"1"}`:              "count: value must be a number",
		`{"count":1.5}`:              "count: value must be a number",
		`{"on":"true"}`:              "on: value must be true or false",
		`{"tags":"a"}`:               "tags: value must be a list",
		`{"tags":["a",2]}`:           "tags[1]: value must be a string",
		`{"nested":[]}`:              "nested: value must be an object",
		`{"map":{"k":1}}`:            "map.k: value must be a string",
		`{"name":"a","name":"b"}`:    "name: value is given more than once",
	} {
		var into example
		err := DecodeJSON([]byte(body), &into)
		got := ""
		if err != nil {
			field := fault.Of(err).Fields[0]
			got = field.Name + ": " + field.Problem
		}
		if got != want {
			t.Errorf("%s gives %q, want %q", body, got, want)
		}
		if unreadable := strings.Contains(want, "malformed JSON"); errors.Is(err, fault.Malformed) != unreadable {
			t.Errorf("%s gives %v", body, err)
		}
		open := DecodeOpenJSON([]byte(body), &example{})
		if passes := err == nil || strings.HasSuffix(want, "unknown field"); (open == nil) != passes {
			t.Errorf("%s, where unknown members are passed over: %v", body, open)
		}
	}
}

// Every member that does not fit is named, each once, and no other.
func TestAllMisfitsAreNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"x":1,"name":2,"on":3,"nested":{"b":1,"A":"a"},"tags":["a",1,2],"map":{"k":1,"l":"m"},"any":{"x":1},"count":4}`: "" +
			"x: unknown field; name: value must be a string; on: value must be true or false; nested.b: unknown field; " +
			"nested.A: value must be a number; tags[1]: value must be a string; tags[2]: value must be a string; map.k: value must be a string",
		`{"nested":[{"b":1}],"map":[],"tags":{},"count":1e99,"name":"fine","on":null}`: "" +
			"nested: value must be an object; map: value must be an object; tags: value must be a list; count: value must be a number",
		`[{"x":1}]`: "body: value must be an object",
	} {
		var texts []string
		for _, field := range fault.Of(DecodeJSON([]byte(body), &example{})).Fields {
			texts = append(texts, field.Name+": "+field.Problem)
		}
		if diff := cmp.Diff(want, strings.Join(texts, "; ")); diff != "" {
			t.Errorf("%s:\n%s", body, diff)
		}
	}
	open := fault.Of(DecodeOpenJSON([]byte(`{"x":1,"name":2,"nested":{"b":1,"A":"a"}}`), &example{}))
	if len(open.Fields) != 2 || open.Fields[0].Name != "name" || open.Fields[1].Name != "nested.A" {
		t.Errorf("where unknown members are passed over: %+v", open.Fields)
	}
}

func unknownMembers(count int) string {
	var members strings.Builder
	for i := range count {
		fmt.Fprintf(&members, `"x%d":1,`, i)
	}
	return members.String()
}

// However much does not fit, what is kept of it is little.
func TestMisfitsAreBounded(t *testing.T) {
	long := strings.Repeat("k", 100_000)
	for name, body := range map[string]string{
		"long names":       `{"map":{"` + long + `":1,"` + long + `x":1}}`,
		"unknown members":  `{` + unknownMembers(20_000) + `"name":"x"}`,
		"members of lists": `{"tags":[` + strings.Repeat("1,", 100_000) + `1]}`,
		"a nameless one":   `{"":1,"nested":{"":1}}`,
	} {
		kept := 0
		fields := fault.Of(DecodeJSON([]byte(body), &example{})).Fields
		for _, field := range fields {
			kept += len(field.Name) + len(field.Problem)
			if field.Name == "" {
				t.Errorf("%s: a field without a name", name)
			}
		}
		if len(fields) == 0 || len(fields) > 100 || kept > 50_000 {
			t.Errorf("%s: %d fields of %d bytes", name, len(fields), kept)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"name":"x","tags":["a"],"nested":{"A":1}}`))
	f.Add([]byte("{\"\xff\":1}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var into example
		err := DecodeJSON(body, &into)
		if err == nil {
			return
		}
		failure := fault.Of(err)
		if !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.Malformed) || len(failure.Fields) == 0 {
			t.Errorf("%q gives %v", body, err)
		}
		if response := Problem(nil, failure); !json.Valid(response.Body) {
			t.Errorf("%q is answered %q", body, response.Body)
		}
	})
}

// What a client can bring about is no fault of ours, whatever its status.
func TestWhoseFailure(t *testing.T) {
	timedOut := fault.Wrap(fault.TimedOut, fault.New(fault.Unavailable, "no answer in time"), "timed out")
	for name, test := range map[string]struct {
		err              error
		faults, declined any
	}{
		"a defect":            {errors.New("defect"), 1.0, nil},
		"an outage":           {fault.New(fault.Unavailable, "out"), 1.0, nil},
		"an impatient client": {timedOut, nil, 1.0},
		"a wrong request":     {fault.New(fault.Invalid, "wrong"), nil, nil},
	} {
		_, line := serve(t, t.Context(), &Request{Path: "/"}, failing(test.err))
		if line["faults"] != test.faults || line["declined"] != test.declined {
			t.Errorf("%s: faults %v, declined %v", name, line["faults"], line["declined"])
		}
	}
}
