package boot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"latchkey/infra/example"
	"latchkey/shared/apikey"
	"latchkey/shared/boot"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

// How often an invocation allocates from its event to its answer and its line in the log,
// beyond the one read in it.
const (
	maxValidationInvocation = 27
	maxAuthorizerInvocation = 50
)

func TestAllocationsOfInvocations(t *testing.T) {
	recorded := newRecording(t)
	keys := records.New(recorded.answering(recorded.known).Config)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // the platform gives each invocation a deadline
	defer cancel()
	lookup := func() {
		if _, err := keys.Lookup(ctx, recorded.issued.Key.Locator); err != nil {
			t.Fatal(err)
		}
	}
	api, err := example.Protected().Encode()
	if err != nil {
		t.Fatal(err)
	}
	config := boot.Config{
		Records: keys, Protected: api, Clock: time.Now, Service: "latchkey", Log: telemetry.NewLog(io.Discard, slog.LevelInfo),
	}
	for _, test := range []struct {
		op      operation.Operation
		want    string
		allowed float64
	}{
		{operation.ValidateAPIKey, `\"valid\":true}"}`, maxValidationInvocation},
		{operation.Authorizer, `"Effect":"Allow"`, maxAuthorizerInvocation},
	} {
		invoke := invocation(ctx, t, made(t, test.op, config), sampleFor(t, test.op, recorded.issued.FullKey), test.want)
		beyond := testing.AllocsPerRun(500, invoke) - testing.AllocsPerRun(500, lookup)
		t.Logf("%s allocates %v times more than the read in it", test.op.Name, beyond)
		if beyond > test.allowed {
			t.Errorf("%s allocates %v times more than its read, %v are allowed", test.op.Name, beyond, test.allowed)
		}
	}
}

func invocation(ctx context.Context, t testing.TB, function lambdaweb.Function, event []byte, want string) func() {
	return func() {
		answer, err := function.Invoke(ctx, event)
		if err != nil || !bytes.Contains(answer, []byte(want)) {
			t.Fatalf("%s, %v", answer, err)
		}
	}
}

// sampleFor is an operation's sample event, of a key that is known.
func sampleFor(t testing.TB, op operation.Operation, full apikey.FullKey) []byte {
	t.Helper()
	payload, err := os.ReadFile(fmt.Sprintf("../../events/%s.json", op.Name))
	if err != nil {
		t.Fatal(err)
	}
	identifier, secretPart := full.RevealPair()
	for name, value := range map[string]string{"root-key-id": identifier, "root-secret": secretPart, "orders-reader-key": full.Reveal()} {
		payload = bytes.ReplaceAll(payload, []byte("{{"+name+"}}"), []byte(value))
	}
	var event bytes.Buffer
	if err := json.Compact(&event, payload); err != nil {
		t.Fatal(err)
	}
	return event.Bytes()
}
