package lambdaweb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

func echo(seen *web.Request) Function {
	return HTTP(operation.Health, web.NewServer(web.Config{
		Handler: func(_ context.Context, r *web.Request) (web.Response, error) {
			*seen = *r
			return web.Response{Status: 201, Header: map[string]string{"X-A": "b"}, Body: []byte("é")}, nil
		},
		Envelope: func(string) web.Envelope { return web.Problem },
		Log:      slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Clock:    time.Now,
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
		answer, err := Direct(func(_ context.Context, payload []byte) ([]byte, error) { return payload, err },
			slog.New(slog.NewJSONHandler(&log, nil))).Invoke(t.Context(), []byte(`{}`))
		return string(answer), err
	}
	if answer, err := invoke(nil); answer != `{}` || err != nil {
		t.Errorf("%s, %v", answer, err)
	}
	if panicked, err := Direct(func(context.Context, []byte) ([]byte, error) { panic("internals") },
		slog.New(slog.DiscardHandler)).Invoke(t.Context(), nil); err == nil || strings.Contains(err.Error(), "internals") {
		t.Errorf("a panic: %s, %v", panicked, err)
	}
	_, err := invoke(fault.InvalidField("namespace", "value is required"))
	if err == nil || !strings.Contains(err.Error(), "namespace: value is required") {
		t.Errorf("a wrong field: %v", err)
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
