package boot

import (
	"net/http"
	"sync/atomic"
	"testing"

	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/operation"
)

// A process that is started for an event does not wait for its first connection; one that is
// started before there is any does, and one that reads no item by its key needs none.
func TestWarm(t *testing.T) {
	for _, test := range []struct {
		operation      operation.Operation
		initialization string
		waits, reads   bool
	}{
		{operation.ValidateAPIKey, "", false, true},
		{operation.ValidateAPIKey, "on-demand", false, true},
		{operation.ValidateAPIKey, "provisioned-concurrency", true, true},
		{operation.ListAPIKeys, "snap-start", true, true},
		{operation.Bootstrap, "provisioned-concurrency", false, false},
		{operation.Health, "provisioned-concurrency", false, false},
	} {
		t.Run(test.operation.Name+" "+test.initialization, func(t *testing.T) {
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
			config.warm(test.operation, func(string) string { return test.initialization })
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
