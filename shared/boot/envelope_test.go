package boot_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/boot"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// Statuses that mean one kind of fault, whatever the API.
var ofOneKind = map[int]fault.Kind{500: fault.Internal, 503: fault.Unavailable, 504: fault.TimedOut}

// Every API renders every kind of fault, in its envelope, and shows what a client
// may see and nothing else.
func TestEveryEnvelopeHasEveryKind(t *testing.T) {
	for _, path := range []string{"/v1/x", "/api/v1/api-key/x", "/api/v1/login/x", "/api/v1/service_accounts/x", "/api/v1/current-user", "/x"} {
		for _, kind := range fault.Kinds() {
			f := fault.Wrap(kind, errors.New("internals"), "what may be seen")
			response := boot.EnvelopeOf(path)(&web.Request{Path: path}, f)
			if response.Status < 400 || response.Status > 599 {
				t.Errorf("%s: %v has the status %d", path, kind, response.Status)
			}
			for status, only := range ofOneKind {
				if (kind == only) != (response.Status == status) {
					t.Errorf("%s: %v has the status %d", path, kind, response.Status)
				}
			}
			text := string(response.Body)
			if !json.Valid(response.Body) || !strings.Contains(text, "what may be seen") || strings.Contains(text, "internals") {
				t.Errorf("%s: %v is %s", path, kind, text)
			}
		}
	}
}

// A client whose time is over is told so in its own protocol's words, through the
// whole function and the store.
func TestClientTimeIsOver(t *testing.T) {
	d := newDeployment(t)
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		RawPath:        "/v1/namespaces/demo/api-keys",
		PathParameters: map[string]string{"namespace": "demo"},
		Headers:        map[string]string{"authorization": "Bearer " + d.root.FullKey, "request-timeout": "0.000000001"},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.function(t, operation.ListAPIKeys).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode != 504 {
		t.Errorf("the answer is %s, %v", answer, err)
	}
	want := `{"code":4,"message":"context deadline exceeded","details":[` +
		`{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":504}]}`
	if diff := cmp.Diff(want, response.Body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryOperationHasAHandler(t *testing.T) {
	for _, op := range operation.All {
		if _, err := boot.New(op, boot.Config{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := boot.New(operation.Operation{Name: "nothing"}, boot.Config{}); err == nil {
		t.Error("an operation without a handler was assembled")
	}
}

// Every variable that is missing is named, and no other.
func TestMissingEnvironment(t *testing.T) {
	nothing := func(string) string { return "" }
	for _, op := range operation.All {
		wants := map[string]bool{
			operation.TableNameVariable:       op.UsesTable(),
			operation.SessionKeysVariable:     op.UsesSessions(),
			operation.SessionIssuerVariable:   op.UsesSessions(),
			operation.SessionAudienceVariable: op.UsesSessions(),
		}
		_, err := boot.FromEnvironment(op, nothing)
		for variable, wanted := range wants {
			if named := err != nil && strings.Contains(err.Error(), variable); named != wanted {
				t.Errorf("%s, %s: %v", op.Name, variable, err)
			}
		}
	}
}
