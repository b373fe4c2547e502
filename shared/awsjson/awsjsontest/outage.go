package awsjsontest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

// An Open makes a client and gives one of its actions.
type Open func(awsclient.Config) func(context.Context) error

// outages are what a service may do to any client, and its caller too: each is Unavailable,
// after so many requests and no more.
func outages(t *testing.T, open Open) {
	t.Run("quota", open.quota)
	t.Run("nobody there", open.nobodyThere)
	t.Run("no credentials", open.noCredentials)
	for name, answer := range map[string]http.HandlerFunc{
		"head": hang(""), "body": hang(`{"Member":`), "refusal": hangRefusing(`{"__type":`),
	} {
		t.Run("time is up for the "+name, func(t *testing.T) { open.timeIsUp(t, answer) })
	}
	t.Run("caller has gone", open.callerHasGone)
	t.Run("caller goes between two tries", open.callerGoes)
}

func (o Open) want(ctx context.Context, t *testing.T, config awsclient.Config) {
	t.Helper()
	if err := o(config)(ctx); KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

func (s *Script) want(t *testing.T, requests int) {
	t.Helper()
	if s.Requests() != requests {
		t.Errorf("%d requests, want %d", s.Requests(), requests)
	}
}

// The same quota of repetitions holds for all the calls of a client.
func (o Open) quota(t *testing.T) {
	const calls, repetitions = 120, 100
	server := Play(t, Reply(503, ""))
	act := o(ConfigOf(server.URL))
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			if err := act(t.Context()); KindOf(err) != fault.Unavailable {
				t.Error(err)
			}
		})
	}
	all.Wait()
	server.want(t, calls+repetitions)
}

func (o Open) nobodyThere(t *testing.T) {
	for _, endpoint := range []string{"http://127.0.0.1:1", "http://service.invalid", "://", "http://[::1"} {
		o.want(t.Context(), t, ConfigOf(endpoint))
	}
}

func (o Open) noCredentials(t *testing.T) {
	server := Play(t, Reply(200, "{}"))
	config := ConfigOf(server.URL)
	config.Credentials = credentials.NewStaticCredentialsProvider("", "", "")
	o.want(t.Context(), t, config)
	server.want(t, 0)
}

// timeIsUp is of a caller who waits for the head or the body of an answer.
func (o Open) timeIsUp(t *testing.T, answer http.HandlerFunc) {
	server := Play(t, answer)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	o.want(ctx, t, ConfigOf(server.URL))
	server.want(t, 1)
}

func (o Open) callerHasGone(t *testing.T) {
	server := Play(t, Reply(200, "{}"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.want(ctx, t, ConfigOf(server.URL))
	server.want(t, 0)
}

func (o Open) callerGoes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	requests := 0
	config := ConfigOf("http://service.invalid")
	config.Wrap = func(http.RoundTripper) http.RoundTripper {
		return RoundTrip(func(r *http.Request) (*http.Response, error) {
			requests++
			cancel()
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		})
	}
	o.want(ctx, t, config)
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}
