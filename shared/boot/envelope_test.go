package boot_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"latchkey/shared/boot"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// Every API renders every kind of fault, in its envelope, and shows what a client
// may see and nothing else.
func TestEveryEnvelopeHasEveryKind(t *testing.T) {
	for _, path := range []string{"/v1/x", "/api/v1/api-key/x", "/api/v1/login/x", "/x"} {
		for _, kind := range fault.Kinds() {
			f := fault.Wrap(kind, errors.New("internals"), "what may be seen")
			response := boot.EnvelopeOf(path)(&web.Request{Path: path}, f)
			if response.Status < 400 || response.Status > 599 {
				t.Errorf("%s: %v has the status %d", path, kind, response.Status)
			}
			if kind == fault.Internal != (response.Status == 500) || kind == fault.Unavailable != (response.Status == 503) {
				t.Errorf("%s: %v has the status %d", path, kind, response.Status)
			}
			text := string(response.Body)
			if !json.Valid(response.Body) || !strings.Contains(text, "what may be seen") || strings.Contains(text, "internals") {
				t.Errorf("%s: %v is %s", path, kind, text)
			}
		}
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

func TestEnvironmentWithoutTable(t *testing.T) {
	nothing := func(string) string { return "" }
	for _, op := range operation.All {
		_, err := boot.FromEnvironment(op, nothing)
		if (err != nil) != op.UsesTable() || err != nil && !strings.Contains(err.Error(), operation.TableNameVariable) {
			t.Errorf("%s: %v", op.Name, err)
		}
	}
}
