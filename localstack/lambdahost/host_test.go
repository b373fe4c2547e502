package lambdahost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"latchkey/localstack/lambdahost"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/localstack/localtest"
	"latchkey/shared/operation"
)

var functions string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "functions")
	if err == nil {
		err = hosttest.Build(dir, "probe", "other-probe")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	functions = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const timeout = 20 * time.Second

func start(t testing.TB, change func(*lambdahost.Config)) (*lambdahost.Host, operation.Operation) {
	t.Helper()
	config := lambdahost.Config{Dir: functions, Operations: hosttest.Operations(timeout, "probe", "other-probe")}
	if change != nil {
		change(&config)
	}
	h, err := lambdahost.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h, config.Operations[0]
}

func invoke(t testing.TB, h *lambdahost.Host, op operation.Operation, event string) string {
	t.Helper()
	response, err := h.Invoke(t.Context(), op, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return string(response)
}

func TestInvokeGivesTheResponse(t *testing.T) {
	h, op := start(t, nil)
	const event = `{"a":"ü"}`
	if got := invoke(t, h, op, event); got != event {
		t.Errorf("got %s", got)
	}
}

func TestAFunctionSeesLambda(t *testing.T) {
	h, op := start(t, nil)
	var seen struct {
		Left           float64
		ID, ARN, Trace string
	}
	if err := json.Unmarshal([]byte(invoke(t, h, op, `{"do":"context"}`)), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Left <= 0 || seen.Left > timeout.Seconds() {
		t.Errorf("%v s are left of %v", seen.Left, timeout)
	}
	if len(seen.ID) != 36 || seen.ARN != "arn:aws:lambda:us-east-1:000000000000:function:probe" {
		t.Errorf("got %+v", seen)
	}
	if !strings.HasPrefix(seen.Trace, "Root=1-") {
		t.Errorf("trace %q", seen.Trace)
	}
}

func TestAFunctionSeesOnlyItsOwnEnvironment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAPRODUCTION")
	h, op := start(t, func(c *lambdahost.Config) {
		c.Operations[0].Runtime = operation.Runtime{Procs: 1}
		c.Environment = func(op operation.Operation) map[string]string {
			return map[string]string{"OWN": op.Name, "AWS_REGION": "eu-west-1", "AWS_LAMBDA_RUNTIME_API": "elsewhere"}
		}
	})
	var seen []string
	if err := json.Unmarshal([]byte(invoke(t, h, op, `{"do":"environment"}`)), &seen); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"OWN=probe", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_EC2_METADATA_DISABLED=true", "GOMAXPROCS=1"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, variable := range seen {
		if strings.HasPrefix(variable, "AWS_PROFILE") || strings.HasPrefix(variable, "HOME") {
			t.Errorf("sees %s", variable)
		}
	}
}

func TestErrorsOfAFunction(t *testing.T) {
	tests := []struct {
		name, event string
		want        string
		replaced    bool // by a fresh process
	}{
		{"reported", `{"do":"error","text":"no luck"}`, "errorString: no luck", false},
		{"panic", `{"do":"panic","text":"oh"}`, "string: oh", true},
		{"exit", `{"do":"exit","n":"3"}`, "exit status 3", true},
		{"exit without a reason", `{"do":"exit","n":"0"}`, "without providing a reason", true},
		{"too large", `{"do":"big","n":"6291557"}`, "Function.ResponseSizeTooLarge", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, op := start(t, nil)
			before := invoke(t, h, op, `{"do":"pid"}`)
			_, err := h.Invoke(t.Context(), op, []byte(test.event))
			failed, ok := errors.AsType[*lambdahost.FunctionError](err)
			if !ok || !strings.Contains(failed.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if after := invoke(t, h, op, `{"do":"pid"}`); (after != before) != test.replaced {
				t.Errorf("process %s before, %s after", before, after)
			}
		})
	}
}

func TestTheLargestEventAndResponsePass(t *testing.T) {
	h, op := start(t, nil)
	if got := invoke(t, h, op, fmt.Sprintf(`{"do":"big","n":"%d"}`, lambdahost.MaxResponse)); len(got) != lambdahost.MaxResponse {
		t.Errorf("%d bytes", len(got))
	}
	event := []byte(`{"text":"` + strings.Repeat("x", lambdahost.MaxEvent-11) + `"}`)
	if got := invoke(t, h, op, string(event)); len(got) != lambdahost.MaxEvent {
		t.Errorf("%d bytes", len(got))
	}
	if _, err := h.Invoke(t.Context(), op, append(event, ' ')); !errors.Is(err, lambdahost.ErrEventTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestAProcessIsKilledAtTheTimeout(t *testing.T) {
	log := &localtest.Buffer{}
	h, op := start(t, func(c *lambdahost.Config) {
		c.Operations = hosttest.Operations(300*time.Millisecond, "probe")
		c.Log = log
	})
	before := invoke(t, h, op, `{"do":"pid"}`)
	_, err := h.Invoke(t.Context(), op, []byte(`{"do":"sleep","n":"60000"}`))
	if failed, ok := errors.AsType[*lambdahost.FunctionError](err); !ok || !strings.Contains(failed.Error(), "timed out after 0.30 seconds") {
		t.Errorf("got %v", err)
	}
	if after := invoke(t, h, op, `{"do":"pid"}`); after == before {
		t.Error("the process goes on")
	}
	if !strings.Contains(log.String(), "function probe: killed after 300ms") {
		t.Errorf("log: %q", log.String())
	}
}

func TestAFunctionThatCannotStart(t *testing.T) {
	h, op := start(t, func(c *lambdahost.Config) {
		c.Environment = func(operation.Operation) map[string]string {
			return map[string]string{"PROBE_FAILS_TO_START": "1"}
		}
	})
	for range 2 {
		_, err := h.Invoke(t.Context(), op, []byte(`{}`))
		if failed, ok := errors.AsType[*lambdahost.FunctionError](err); !ok || !strings.Contains(failed.Error(), "exit status 7") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAProcessThatDiedIdleIsReplaced(t *testing.T) {
	h, op := start(t, nil)
	for range 5 {
		var pid int
		if err := json.Unmarshal([]byte(invoke(t, h, op, `{"do":"pid"}`)), &pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		localtest.WaitUntil(t, func() bool { return h.Processes(op) == 0 })
	}
}

func TestOneEventAtATimeInEachProcess(t *testing.T) {
	h, op := start(t, func(c *lambdahost.Config) { c.MaxProcesses = 3 })
	var events sync.WaitGroup
	for range 9 {
		events.Go(func() {
			if _, err := h.Invoke(t.Context(), op, []byte(`{"do":"sleep","n":"50"}`)); err != nil {
				t.Error(err)
			}
			if got := h.Processes(op); got > 3 {
				t.Errorf("%d processes", got)
			}
		})
	}
	events.Wait()
	if got := h.Processes(op); got != 3 {
		t.Errorf("%d processes, want 3", got)
	}
}

func TestAnEventThatWaitsTooLongIsGivenUp(t *testing.T) {
	h, op := start(t, func(c *lambdahost.Config) { c.MaxProcesses = 1 })
	invoke(t, h, op, `{}`)
	go func() { _, _ = h.Invoke(context.Background(), op, []byte(`{"do":"sleep","n":"1000"}`)) }()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.Invoke(ctx, op, []byte(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	invoke(t, h, op, `{}`) // the place is free again in the end
}

func TestIdleProcessesAreEnded(t *testing.T) {
	h, op := start(t, func(c *lambdahost.Config) { c.Idle = 50 * time.Millisecond })
	before := invoke(t, h, op, `{"do":"pid"}`)
	localtest.WaitUntil(t, func() bool { return h.Processes(op) == 0 })
	if after := invoke(t, h, op, `{"do":"pid"}`); after == before {
		t.Error("the same process")
	}
}

func TestCloseEndsEveryProcess(t *testing.T) {
	h, op := start(t, nil)
	var pid int
	if err := json.Unmarshal([]byte(invoke(t, h, op, `{"do":"pid"}`)), &pid); err != nil {
		t.Fatal(err)
	}
	busy := make(chan error)
	go func() {
		_, err := h.Invoke(context.Background(), op, []byte(`{"do":"sleep","n":"60000"}`))
		busy <- err
	}()
	time.Sleep(50 * time.Millisecond)
	begun := time.Now()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-busy; err == nil {
		t.Error("the busy process went on")
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v", pid, err)
	}
	if _, err := h.Invoke(t.Context(), op, []byte(`{}`)); !errors.Is(err, lambdahost.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestOutputComesInWholeLines(t *testing.T) {
	log := &localtest.Buffer{}
	h, op := start(t, func(c *lambdahost.Config) { c.Log = log })
	invoke(t, h, op, `{"do":"print","text":"one line"}`)
	_, _ = h.Invoke(t.Context(), op, []byte(`{"do":"partial","text":"half a line","n":"0"}`))
	localtest.WaitUntil(t, func() bool { return log.String() == "one line\nhalf a line\n" })
}

func TestNothingIsWrittenAfterClose(t *testing.T) {
	for range 20 {
		log := &bytes.Buffer{} // the race detector sees a write that does not wait for Close
		h, op := start(t, func(c *lambdahost.Config) { c.Log = log })
		_, _ = h.Invoke(t.Context(), op, []byte(`{"do":"partial","text":"half a line","n":"0"}`))
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); got != "half a line\n" {
			t.Fatalf("log: %q", got)
		}
	}
}

func TestAMissingBinaryIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "probe"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"probe", "missing"} {
		_, err := lambdahost.Start(lambdahost.Config{Dir: dir, Operations: hosttest.Operations(timeout, name)})
		if err == nil || !strings.Contains(err.Error(), "no binary of the function "+name) {
			t.Errorf("got %v", err)
		}
	}
}

func TestInvokeAPIThroughTheSDK(t *testing.T) {
	h, _ := start(t, nil)
	client := lambda.New(lambda.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(h.URL()),
		Credentials:      credentials.NewStaticCredentialsProvider("local", "local", ""),
		RetryMaxAttempts: 1,
	})
	for _, name := range []string{
		"probe", "latchkey-probe", "arn:aws:lambda:us-east-1:000000000000:function:latchkey-probe",
		"arn:aws:lambda:us-east-1:000000000000:function:probe:$LATEST",
	} {
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"a":1}`)})
		if err != nil {
			t.Fatal(err)
		}
		if string(out.Payload) != `{"a":1}` || out.FunctionError != nil || aws.ToString(out.ExecutedVersion) != "$LATEST" {
			t.Errorf("%s: %+v", name, out)
		}
	}

	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("probe"), Payload: []byte(`{"do":"error","text":"no luck"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"errorMessage":"no luck"`) {
		t.Errorf("%s %s", aws.ToString(out.FunctionError), out.Payload)
	}

	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("nobody")})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("unknown function: %v", err)
	}
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("probe"), Payload: []byte(`{`)})
	if _, ok := errors.AsType[*types.InvalidRequestContentException](err); !ok {
		t.Errorf("event that is no JSON: %v", err)
	}
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("probe"), Payload: bytes.Repeat([]byte(" "), lambdahost.MaxEvent+1),
	})
	if _, ok := errors.AsType[*types.RequestTooLargeException](err); !ok {
		t.Errorf("event over the limit: %v", err)
	}
	_, err = client.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("probe"), InvocationType: types.InvocationTypeEvent,
	})
	if _, ok := errors.AsType[*types.InvalidParameterValueException](err); !ok {
		t.Errorf("asynchronous: %v", err)
	}
}

func TestTheLongestNameWins(t *testing.T) {
	h, _ := start(t, nil)
	response, err := http.Post(h.URL()+"/2015-03-31/functions/latchkey-other-probe/invocations", "", strings.NewReader(`{"do":"context"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); !strings.Contains(string(body), "function:other-probe") {
		t.Errorf("got %s", body)
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	h, _ := start(t, nil)
	tests := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"no browser", func(*http.Request) {}, http.StatusOK},
		{"localhost", func(r *http.Request) { r.Host = strings.Replace(r.URL.Host, "127.0.0.1", "localhost", 1) }, http.StatusOK},
		{"another origin", func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }, http.StatusForbidden},
		{"no origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		{"rebound name", func(r *http.Request) { r.Host = "example.com:80" }, http.StatusForbidden},
		{"another port", func(r *http.Request) { r.Host = "127.0.0.1:1" }, http.StatusForbidden},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				h.URL()+"/2015-03-31/functions/probe/invocations", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			test.change(request)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("%d, want %d", response.StatusCode, test.want)
			}
		})
	}
}

func TestAStrangerIsNoProcess(t *testing.T) {
	h, _ := start(t, nil)
	response, err := http.Get(h.URL() + "/w/stranger/2018-06-01/runtime/invocation/next")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("%s", response.Status)
	}
}

func BenchmarkWarm(b *testing.B) {
	h, op := start(b, nil)
	invoke(b, h, op, `{}`)
	for b.Loop() {
		invoke(b, h, op, `{}`)
	}
}

func BenchmarkCold(b *testing.B) {
	h, op := start(b, func(c *lambdahost.Config) { c.Idle = time.Nanosecond })
	for b.Loop() {
		invoke(b, h, op, `{}`)
		b.StopTimer()
		localtest.WaitUntil(b, func() bool { return h.Processes(op) == 0 })
		b.StartTimer()
	}
}
