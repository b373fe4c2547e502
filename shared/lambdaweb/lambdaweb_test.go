package lambdaweb

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

func recorder(log io.Writer) *telemetry.Recorder {
	return telemetry.NewRecorder(telemetry.Config{
		Log: slog.New(slog.NewJSONHandler(log, nil)), Service: "latchkey", Clock: time.Now,
	})
}

func echo(seen *web.Request) Function {
	return HTTP(operation.Health, web.NewServer(web.Config{
		Handler: func(_ context.Context, r *web.Request) (web.Response, error) {
			*seen = *r
			return web.Response{Status: 201, Header: map[string]string{"X-A": "b"}, Body: []byte("é")}, nil
		},
		Envelope: web.Problem,
		Recorder: recorder(io.Discard),
	}))
}

func TestHTTPEvent(t *testing.T) {
	for name, event := range map[string]string{
		"plain":  `"body": "{\"a\":1}", "isBase64Encoded": false`,
		"base64": `"body": "eyJhIjoxfQ==", "isBase64Encoded": true`,
	} {
		var seen web.Request
		answer, err := echo(&seen).Invoke(t.Context(), []byte(`{"version": "2.0", "routeKey": "GET /health",
			"rawPath": "/health", "rawQueryString": "a=b&c=%20", "headers": {"authorization": "Bearer x"},
			"pathParameters": {"namespace": "a.b"}, "requestContext": {"requestId": "r1"}, `+event+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if seen.ID != "r1" || seen.Path != "/health" || seen.RawQuery != "a=b&c=%20" || string(seen.Body) != `{"a":1}` ||
			seen.Header["authorization"] != "Bearer x" || seen.PathValues["namespace"] != "a.b" || seen.Operation.Name != "health" {
			t.Errorf("%s: the request is %+v", name, seen)
		}
		var response events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode != 201 || response.Headers["X-A"] != "b" || response.Body != "é" {
			t.Errorf("%s: the response is %s, %v", name, answer, err)
		}
	}
}

// A compressed body comes out of base64 as it went in; one that is not is text still,
// and says nothing of base64.
func TestCompressedBody(t *testing.T) {
	body := strings.Repeat(`{"name":"é"},`, 1000)
	function := answering([]byte(body))
	for header, compressed := range map[string]bool{"": false, "gzip": true} {
		answer, err := function.Invoke(t.Context(), []byte(`{"headers": {"accept-encoding": "`+header+`"}}`))
		if err != nil {
			t.Fatal(err)
		}
		var response events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(answer, &response); err != nil {
			t.Fatal(err)
		}
		if response.IsBase64Encoded != compressed || strings.Contains(string(answer), "isBase64Encoded") != compressed {
			t.Errorf("accepting %q: the response is %.200s", header, answer)
		}
		if got := plain(t, response); got != body {
			t.Errorf("accepting %q: the client gets %.200q", header, got)
		}
	}
}

func answering(body []byte) Function {
	return HTTP(operation.Health, web.NewServer(web.Config{
		Handler:  func(context.Context, *web.Request) (web.Response, error) { return web.JSONBody(200, body), nil },
		Envelope: web.Problem,
		Recorder: recorder(io.Discard),
	}))
}

// plain is what a client sees of a response's body, behind the platform.
func plain(t *testing.T, response events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	if response.Headers["Content-Encoding"] == "" {
		return response.Body
	}
	reader, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(response.Body)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestEventThatIsNone(t *testing.T) {
	for _, payload := range []string{``, `[]`, `{"body": "%", "isBase64Encoded": true}`} {
		var seen web.Request
		if answer, err := echo(&seen).Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%q is answered %s", payload, answer)
		}
	}
}

func FuzzHTTPEvent(f *testing.F) {
	f.Add([]byte(`{"rawPath": "/", "body": "eyJhIjoxfQ==", "isBase64Encoded": true, "headers": {"a": "b"}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var seen web.Request
		answer, err := echo(&seen).Invoke(t.Context(), payload)
		if err == nil && !json.Valid(answer) {
			t.Errorf("%q is answered %q", payload, answer)
		}
	})
}

func TestDirect(t *testing.T) {
	var log bytes.Buffer
	invoke := func(err error) (string, error) {
		log.Reset()
		answer, err := Direct(operation.Bootstrap, func(_ context.Context, _ *telemetry.Entry, payload []byte) ([]byte, error) { return payload, err },
			recorder(&log)).Invoke(t.Context(), []byte(`{}`))
		return string(answer), err
	}
	if answer, err := invoke(nil); answer != `{}` || err != nil {
		t.Errorf("%s, %v", answer, err)
	}
	if panicked, err := Direct(operation.Bootstrap, func(context.Context, *telemetry.Entry, []byte) ([]byte, error) { panic("internals") },
		recorder(io.Discard)).Invoke(t.Context(), nil); err == nil || strings.Contains(err.Error(), "internals") {
		t.Errorf("a panic: %s, %v", panicked, err)
	}
	_, err := invoke(fault.InvalidField("namespace", "value is required"))
	if err == nil || !strings.Contains(err.Error(), "namespace: value is required") {
		t.Errorf("a wrong field: %v", err)
	}
	if strings.Contains(log.String(), "namespace") || !strings.Contains(log.String(), "invalid request") {
		t.Errorf("what a payload holds is logged: %s", log.String())
	}
	_, err = invoke(fault.Wrap(fault.Unauthenticated, errors.New("disabled key"), "Unauthorized"))
	if shown, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || shown.Message != "Unauthorized" || !strings.Contains(log.String(), "disabled key") {
		t.Errorf("a refused credential: %v, logged %s", err, log.String())
	}
	_, err = invoke(errors.New("internals"))
	if err == nil || strings.Contains(err.Error(), "internals") || !strings.Contains(log.String(), "internals") {
		t.Errorf("an unknown error: %v, logged %s", err, log.String())
	}
}

// What web counts is what the platform gets, whatever a body holds.
func TestWireSizeIsTheEncodedSize(t *testing.T) {
	empty, err := encode(web.Response{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{``, `"`, `\`, "<&>", "\u2028\u2029", "\x01\n\t", "é世😀", "\x7f"} {
		body := web.MustJSON(200, map[string]string{"text": strings.Repeat(text, 100)}).Body
		encoded, err := encode(web.Response{Body: body})
		if size := len(encoded) - len(empty); err != nil || size != web.WireSize(body) {
			t.Errorf("%q takes %d bytes, counted as %d, %v", text, size, web.WireSize(body), err)
		}
	}
}

func TestStream(t *testing.T) {
	var seen []string
	function := Stream(operation.RemoveServiceAccount, "pk", func(_ context.Context, key string) error {
		if seen = append(seen, key); key == "bad" {
			return errors.New("ouch")
		}
		return nil
	}, recorder(io.Discard))
	for payload, want := range map[string]string{
		`{"Records": []}`: "",
		`{"Records": [{"dynamodb": {"Keys": {"pk": {"S": "a"}, "sk": {"S": "x"}}}}, {"dynamodb": {"Keys": {"pk": {"S": "b"}}}}]}`: "a b",
	} {
		seen = nil
		if answer, err := function.Invoke(t.Context(), []byte(payload)); err != nil || string(answer) != "null" || strings.Join(seen, " ") != want {
			t.Errorf("%s: %v, %s, %v", payload, seen, answer, err)
		}
	}
	for name, payload := range map[string]string{
		"no event":       `[]`,
		"no key":         `{"Records": [{"dynamodb": {"Keys": {"sk": {"S": "x"}}}}]}`,
		"a number":       `{"Records": [{"dynamodb": {"Keys": {"pk": {"N": "1"}}}}]}`,
		"a call's error": `{"Records": [{"dynamodb": {"Keys": {"pk": {"S": "bad"}}}}, {"dynamodb": {"Keys": {"pk": {"S": "after"}}}}]}`,
	} {
		seen = nil
		if answer, err := function.Invoke(t.Context(), []byte(payload)); err == nil || len(seen) > 1 {
			t.Errorf("%s: %v, %s", name, seen, answer)
		}
	}
}

// The platform's library says what we have said already, with what the invoker has sent. Of
// a panic nobody else tells.
func TestDiscretion(t *testing.T) {
	for line, want := range map[string]bool{
		`2026/11/22 09:00:00 {"errorMessage":"invalid request; lk_key: unknown field","errorType":"invalid request"}`:   false,
		`2026/11/22 09:00:00 {"errorMessage":"x \"stackTrace\": y","errorType":"invalid request"}`:                      false,
		`2026/11/22 09:00:00 {"errorMessage":"index out of range","errorType":"boundsError","stackTrace":[{"line":1}]}`: true,
		"2026/11/22 09:00:00 failed to get the next invocation":                                                         true,
	} {
		var out strings.Builder
		n, err := discreet{&out}.Write([]byte(line))
		if n != len(line) || err != nil || (out.String() == line) != want {
			t.Errorf("%s: %q, %d, %v", line, out.String(), n, err)
		}
	}
}
