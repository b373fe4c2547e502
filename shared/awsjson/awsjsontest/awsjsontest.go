// Package awsjsontest holds clients of package awsjson to do what the SDK's do: it is a
// service that answers as it is told, well or badly, and the cases that every client must
// know.
package awsjsontest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/awsclient"
)

// Who asks, and where.
const (
	Region       = "eu-central-1"
	AccessKey    = "AKIAIOSFODNN7EXAMPLE"
	SecretKey    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	SessionToken = "token of the session"
)

// ConfigOf leads to a service.
func ConfigOf(endpoint string) awsclient.Config {
	return awsclient.Config{
		Region:      Region,
		Endpoint:    endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, SessionToken),
	}
}

// WantNoSecret wants an error to tell nothing of the credentials.
func WantNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{SecretKey, SessionToken, "AWS4-HMAC", "Credential="} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%v tells of %s", err, secret)
		}
	}
}

// impatient has the time-outs of awsclient be over sooner.
func impatient(transport http.RoundTripper) http.RoundTripper {
	patient := transport.(*http.Transport).Clone()
	patient.ResponseHeaderTimeout = time.Second / 2
	return patient
}

// A RoundTrip is a transport without a network.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip answers a request.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Answering leads to no network but to one answer.
func Answering(status int, header http.Header, body string) awsclient.Config {
	config := ConfigOf("http://service.invalid")
	config.Wrap = func(http.RoundTripper) http.RoundTripper {
		return RoundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: header, ContentLength: int64(len(body)),
				Body: io.NopCloser(strings.NewReader(body)), Request: r,
			}, nil
		})
	}
	return config
}

// A Script is a server that gives one answer to each request, and the last one from then
// on.
type Script struct {
	*httptest.Server
	answers []http.HandlerFunc

	mu       sync.Mutex
	requests int
}

// Play starts a script for as long as the test runs.
func Play(t *testing.T, answers ...http.HandlerFunc) *Script {
	t.Helper()
	s := &Script{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP gives the next answer.
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[min(s.requests, len(s.answers)-1)]
	s.requests++
	s.mu.Unlock()
	answer(w, r)
}

// Requests counts those that have come.
func (s *Script) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Reply answers with a status and a text.
func Reply(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "id of the request")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

// Refuse answers with a code of a refusal.
func Refuse(status int, code string) http.HandlerFunc {
	return Reply(status, fmt.Sprintf(`{"__type":%q,"message":"the reason"}`, code))
}

// WithHeader answers what another does, with a header more.
func WithHeader(name, value string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		answer(w, r)
	}
}

// hangUp sends a text that need not be an answer, and closes the connection, with a reset
// if that is wished.
func hangUp(text string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what is left of it would turn each closing into a reset
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		_, _ = connection.Write([]byte(text))
		if reset {
			_ = connection.(*net.TCPConn).SetLinger(0)
		}
	}
}

// hang sends what there is of an answer and waits until the client has gone.
func hang(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server looks after the client from then on
		if text != "" {
			_, _ = w.Write([]byte(text))
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	}
}

// hangRefusing is hang with a status that refuses.
func hangRefusing(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		hang(text)(w, r)
	}
}

// Padded is a JSON object that has got so many bytes longer.
func Padded(object string, bytes int) string {
	return `{"Padding":"` + strings.Repeat("x", bytes) + `",` + object[1:]
}
