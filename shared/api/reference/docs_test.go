package reference_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/shared/api/reference"
	"latchkey/shared/api/wiring"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// get serves a request that takes these encodings.
func get(t *testing.T, endpoint wiring.Endpoint, encodings string) web.Response {
	t.Helper()
	return serve(t, endpoint, &web.Request{Header: map[string]string{"accept-encoding": encodings}})
}

func serve(t *testing.T, endpoint wiring.Endpoint, r *web.Request) web.Response {
	t.Helper()
	return web.NewServer(web.Config{
		Handler:  endpoint.Handler,
		Envelope: endpoint.Envelope,
		Recorder: telemetry.NewRecorder(telemetry.Config{
			Log: slog.New(slog.DiscardHandler), Service: "latchkey", Clock: time.Now,
		}),
	}).Serve(t.Context(), r)
}

// A browser runs the one script that the policy names, and nothing else; the page asks no
// other origin for anything.
func TestPageIsWhatItsPolicyAllows(t *testing.T) {
	response := get(t, reference.Docs(), "")
	page, policy := string(response.Body), response.Header["Content-Security-Policy"]
	_, rest, _ := strings.Cut(page, "<script>")
	script, rest, _ := strings.Cut(rest, "</script>")
	if strings.Contains(rest, "<script") || len(script) < 1_000_000 {
		t.Fatalf("the page has another script than one of the viewer, of %d bytes", len(script))
	}
	sum := sha256.Sum256([]byte(script))
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) {
		t.Errorf("the policy %q lacks %q", policy, want)
	}
	for _, want := range []string{"default-src 'none';", "connect-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	for _, unwanted := range []string{"unsafe-eval", "script-src 'unsafe-inline'", "http:", "https:", "*"} {
		if strings.Contains(policy, unwanted) {
			t.Errorf("the policy %q has %q", policy, unwanted)
		}
	}
	markup := strings.Replace(page, script, "", 1)
	if sources := regexp.MustCompile(`(?i)(src|href)="[^"]*"`).FindAllString(markup, -1); len(sources) != 1 || sources[0] != `href="data:,"` {
		t.Errorf("the page refers to %q", sources)
	}
}

// What a script holds that HTML would read as markup is written otherwise: a comment that
// begins in it could hide its end.
func TestScriptHidesNoMarkup(t *testing.T) {
	page := string(get(t, reference.Docs(), "").Body)
	for text, want := range map[string]int{"<script": 1, "</script": 1, "<!--": 0} {
		if got := strings.Count(page, text); got != want {
			t.Errorf("the page has %q %d times, want %d", text, got, want)
		}
	}
}

// Either is far within what the platform takes, is the same in both encodings, and may be
// kept by whoever gets it.
func TestPublishedInEitherEncoding(t *testing.T) {
	for name, endpoint := range map[string]wiring.Endpoint{"OpenAPI": reference.OpenAPI(), "Docs": reference.Docs()} {
		plain := get(t, endpoint, "")
		for range 2 {
			compressed := get(t, endpoint, "gzip")
			reader, err := gzip.NewReader(bytes.NewReader(compressed.Body))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(reader)
			if err != nil || !bytes.Equal(body, plain.Body) {
				t.Errorf("%s: %d bytes compressed are others than the %d: %v", name, len(body), len(plain.Body), err)
			}
			if compressed.Header["Content-Encoding"] != "gzip" || plain.Header["Content-Encoding"] != "" {
				t.Errorf("%s: %v, %v", name, compressed.Header, plain.Header)
			}
		}
		if size := web.WireSize(plain.Body); size > web.MaxAnswerBytes/2 || plain.Status != 200 {
			t.Errorf("%s: status %d, %d bytes", name, plain.Status, size)
		}
		if plain.Header["Cache-Control"] != "public, max-age=300" || plain.Header["X-Content-Type-Options"] != "nosniff" {
			t.Errorf("%s: %v", name, plain.Header)
		}
	}
}
