package boot_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

// All that API Gateway passes on of a request's line and headers.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const headerBytes = 10_240

// A credential of any length that a header can have is refused for its length alone:
// without a store, of which there is none here, and without more memory than it takes to
// read the event.
func TestHugeCredentials(t *testing.T) {
	fill := func(begin string) string { return begin + strings.Repeat("a", headerBytes-len(begin)) }
	for name, credential := range map[string]string{
		"key": fill("lk_"), "parts": strings.Repeat("_", headerBytes), "wrapped": fill("ZENKEY_"), "wrap": fill("eyJ"),
		"token": fill("eyJ.eyJ."), "dots": strings.Repeat(".", headerBytes), "spaces": strings.Repeat(" ", headerBytes-1) + "a",
	} {
		t.Run(name, func(t *testing.T) {
			for _, op := range operation.All {
				if op.Caller == operation.KeyHolder {
					checkHugeCredential(t, op, credential)
				}
			}
		})
	}
}

func checkHugeCredential(t *testing.T, op operation.Operation, credential string) {
	t.Helper()
	var log strings.Builder
	function := made(t, op, boot.Config{Log: slog.New(slog.NewJSONHandler(&log, nil)), Clock: time.Now, Sessions: boot.Sessions{KeyIDs: []string{"1"}}})
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Headers: map[string]string{"authorization": "Bearer " + credential, "content-type": "application/json"}, Body: "{}",
		PathParameters: map[string]string{"namespace": "demo", "uuid": "x", "account": "x", "key": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := allocated()
	answer, err := function.Invoke(t.Context(), payload)
	took := allocated() - before
	var response events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(answer, &response) != nil || response.StatusCode != 401 {
		t.Errorf("%s: %s, %v", op.Name, answer, err)
	}
	if took > 4*headerBytes {
		t.Errorf("%s: %d bytes were allocated", op.Name, took)
	}
	if repeated := credential[headerBytes/2 : headerBytes/2+64]; strings.Contains(string(answer), repeated) || strings.Contains(log.String(), repeated) {
		t.Errorf("%s repeats the credential", op.Name)
	}
}

// allocated is how many bytes have ever been allocated.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// What else a function reads of headers may be as long.
func TestHugeHeaders(t *testing.T) {
	for name, value := range map[string]string{
		"accept-encoding": strings.Repeat("gzip;q=0,", headerBytes/9),
		"content-type":    "application/json;" + strings.Repeat("a;", headerBytes/2),
		"request-timeout": strings.Repeat("1", headerBytes),
	} {
		function := made(t, operation.WhoAmI, boot.Config{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Clock: time.Now})
		payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{Headers: map[string]string{name: value}})
		if err != nil {
			t.Fatal(err)
		}
		before := allocated()
		answer, err := function.Invoke(t.Context(), payload)
		took := allocated() - before
		if err != nil || !strings.Contains(string(answer), `"statusCode":401`) {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
		if took > 4*headerBytes {
			t.Errorf("%s: %d bytes were allocated", name, took)
		}
	}
}
