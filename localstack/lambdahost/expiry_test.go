package lambdahost_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/localstack/lambdahost"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/localstack/localtest"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// A process whose credentials have expired answers that it could not tell, and ends: the
// next event is another one's, which has fresh credentials.
func TestAProcessEndsWithItsCredentials(t *testing.T) {
	for _, test := range []struct {
		operation           operation.Operation
		event, expired, now string
	}{
		{operation.ValidateAPIKey, validation(t), `"statusCode":503`, `\"valid\":false`},
		{operation.Bootstrap, `{"namespace":"demo"}`, "unavailable: the key store did not answer, try again", `"full_key":"lk_`},
	} {
		t.Run(test.operation.Name, func(t *testing.T) {
			database, printed := &expiring{}, &localtest.Buffer{}
			server := httptest.NewServer(database)
			t.Cleanup(server.Close)
			h, _ := start(t, func(c *lambdahost.Config) {
				c.Dir, c.Operations, c.Log = build(t, test.operation), []operation.Operation{test.operation}, printed
				c.Environment = func(operation.Operation) map[string]string {
					return map[string]string{
						operation.ServiceNameVariable: "latchkey", operation.TableNameVariable: "keys", operation.DynamoDBVariable: server.URL,
					}
				}
			})
			for i, want := range []string{test.expired, test.now, test.now} {
				answer, err := h.Invoke(t.Context(), test.operation, []byte(test.event))
				if got := fmt.Sprintf("%s%v", answer, err); !strings.Contains(got, want) {
					t.Errorf("answer %d is %s, want %s", i, got, want)
				}
				database.isFresh.Store(true)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(printed.String(), "the process ends: its credentials have expired"); n != 1 {
				t.Errorf("%d processes have ended, want 1:\n%s", n, printed)
			}
		})
	}
}

// expiring is a DynamoDB without items that refuses credentials until there are fresh ones.
type expiring struct{ isFresh atomic.Bool }

// ServeHTTP answers a request.
func (e *expiring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // a process that is gone does not matter
	if !e.isFresh.Load() {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}`)
		return
	}
	_, _ = io.WriteString(w, "{}")
}

// build builds the real function of an operation.
func build(t *testing.T, op operation.Operation) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, op.Name), "latchkey/functions/"+op.Name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// validation is the event of a request to validate the published key.
func validation(t *testing.T) string {
	t.Helper()
	text, err := hosttest.PublishedKey()
	if err != nil {
		t.Fatal(err)
	}
	full, err := apikey.ParseFullKey(text)
	if err != nil {
		t.Fatal(err)
	}
	key, secret := full.RevealPair()
	body, err := json.Marshal(map[string]string{"key": key, "secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(events.APIGatewayV2HTTPRequest{Version: "2.0", Body: string(body)})
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}
