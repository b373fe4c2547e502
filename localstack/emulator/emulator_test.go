package emulator

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/localstack/localtest"
)

func TestStartAnswersAndCloseEnds(t *testing.T) {
	e, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	pid := e.PID()
	if !e.answers(t.Context()) {
		t.Error("no answer after Start")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after Close: %v", pid, err)
	}
}

func TestTwoEmulatorsDoNotMeet(t *testing.T) {
	one, two := start(t, Config{}), start(t, Config{})
	if one.Endpoint() == two.Endpoint() {
		t.Errorf("both at %s", one.Endpoint())
	}
}

func TestAnEmulatorThatDiesIsStartedAgainOnItsData(t *testing.T) {
	log := &output{}
	e := start(t, Config{Path: filepath.Join(t.TempDir(), "data.db"), Log: log})
	call(t, e, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`)
	call(t, e, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"kept"}}}`)

	endpoint, pid := e.Endpoint(), e.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return e.PID() != pid })

	if e.Endpoint() != endpoint {
		t.Errorf("moved from %s to %s", endpoint, e.Endpoint())
	}
	if got := call(t, e, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"kept"}}}`); !strings.Contains(got, "kept") {
		t.Errorf("the item is gone: %s", got)
	}
	if !strings.Contains(log.String(), "starting it again on its data") {
		t.Errorf("log: %q", log.String())
	}
}

func TestAnEmulatorInMemoryStaysDead(t *testing.T) {
	log := &output{}
	e := start(t, Config{Log: log})
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return strings.Contains(log.String(), "its data in memory with it") })
	if e.answers(t.Context()) {
		t.Error("an empty database answers in its place")
	}
}

func TestStartReportsAProgramThatEnds(t *testing.T) {
	_, err := Start(t.Context(), Config{Binary: "/bin/false"})
	if !errors.Is(err, errEnded) {
		t.Errorf("got %v", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := filepath.Join(t.TempDir(), "silent")
	writeProgram(t, silent, "#!/bin/sh\nexec sleep 60\n")
	if _, err := Start(ctx, Config{Binary: silent}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestFind(t *testing.T) {
	installed, bare := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(installed, "go.mod"), "module latchkey\n\ngo 1.26\n")
	packaged := filepath.Join(installed, "localstack", packaged())
	writeProgram(t, packaged, "")
	deep := filepath.Join(installed, "shared", "deep")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(bare, "named")
	writeProgram(t, named, "")
	writeFile(t, filepath.Join(bare, "text"), "")

	inPath := func(string) (string, error) { return "/in/path/dynoxide", nil }
	nowhere := func(string) (string, error) { return "", os.ErrNotExist }
	tests := []struct {
		name     string
		variable string
		from     []string
		lookPath func(string) (string, error)
		want     string
		wantErr  string
	}{
		{"variable first", named, []string{deep}, inPath, named, ""},
		{"variable names no file", filepath.Join(bare, "none"), []string{deep}, inPath, "", BinaryVariable},
		{"variable names no program", filepath.Join(bare, "text"), []string{deep}, inPath, "", BinaryVariable},
		{"source tree", "", []string{deep}, inPath, packaged, ""},
		{"source tree of the program", "", []string{bare, deep}, inPath, packaged, ""},
		{"path", "", []string{bare}, inPath, "/in/path/dynoxide", ""},
		{"nowhere", "", []string{bare}, nowhere, "", "make setup"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := find(test.variable, test.from, test.lookPath)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !says(err, test.wantErr) {
				t.Errorf("error %v, want %q", err, test.wantErr)
			}
		})
	}
}

func start(t *testing.T, config Config) *Emulator {
	t.Helper()
	e, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// call sends one request of DynamoDB's protocol, which this package otherwise
// has no need of.
func call(t *testing.T, e *Emulator, action, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.Endpoint(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+action)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Date", "20300101T000000Z")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20300101/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer := &strings.Builder{}
	if err := response.Write(answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", action, answer)
	}
	return answer.String()
}

func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	writeFile(t, path, text)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// says reports whether an error is as wanted: none, or one with the text.
func says(err error, want string) bool {
	if err == nil {
		return want == ""
	}
	return want != "" && strings.Contains(err.Error(), want)
}
