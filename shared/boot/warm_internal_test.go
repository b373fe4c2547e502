package boot

import (
	"net/http"
	"sync/atomic"
	"testing"

	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/operation"
)

// A process waits for its first connection where that takes TLS, and where it was started
// before there is an event. One that reads no item by its key needs none.
func TestWarm(t *testing.T) {
	for _, test := range []struct {
		operation                operation.Operation
		endpoint, initialization string
		waits, reads             bool
	}{
		{operation.ValidateAPIKey, "", "", true, true},
		{operation.ValidateAPIKey, "", "on-demand", true, true},
		{operation.ValidateAPIKey, "https://dynamodb.example", "on-demand", true, true},
		{operation.ValidateAPIKey, "http://127.0.0.1", "", false, true},
		{operation.ValidateAPIKey, "http://127.0.0.1", "on-demand", false, true},
		{operation.ValidateAPIKey, "http://127.0.0.1", "provisioned-concurrency", true, true},
		{operation.ListAPIKeys, "http://127.0.0.1", "snap-start", true, true},
		{operation.Bootstrap, "", "provisioned-concurrency", false, false},
		{operation.Health, "", "provisioned-concurrency", false, false},
	} {
		t.Run(test.operation.Name+" "+test.endpoint+" "+test.initialization, func(t *testing.T) {
			t.Parallel()
			arrived, release := make(chan bool, 1), make(chan bool)
			server := awsjsontest.Play(t, func(w http.ResponseWriter, r *http.Request) {
				arrived <- true
				<-release
				awsjsontest.Reply(http.StatusInternalServerError, "")(w, r) // which is tolerated
			}, awsjsontest.Reply(http.StatusOK, "{}"))
			config := Config{Records: records.New(records.Config{Config: awsjsontest.ConfigOf(server.URL), Table: "keys"})}
			var isReleased atomic.Bool
			if test.waits {
				go func() {
					<-arrived
					isReleased.Store(true)
					close(release)
				}()
			}
			config.warm(test.operation, func(name string) string {
				return map[string]string{operation.DynamoDBVariable: test.endpoint, initializationVariable: test.initialization}[name]
			})
			if isReleased.Load() != test.waits {
				t.Errorf("the connection is awaited: %v", !test.waits)
			}
			if test.reads && !test.waits {
				<-arrived
				close(release)
			}
			if !test.reads && server.Requests() != 0 {
				t.Errorf("%d requests", server.Requests())
			}
		})
	}
}

// A connection is not awaited for ever.
func TestWarmGivesUp(t *testing.T) {
	hasDeadline := false
	to := awsjsontest.ConfigOf("https://dynamodb.example")
	to.Wrap = func(http.RoundTripper) http.RoundTripper {
		return awsjsontest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			_, hasDeadline = r.Context().Deadline()
			return nil, http.ErrServerClosed
		})
	}
	config := Config{Records: records.New(records.Config{Config: to, Table: "keys"})}
	config.warm(operation.ValidateAPIKey, func(string) string { return "" })
	if !hasDeadline {
		t.Error("the first read has no deadline")
	}
}
