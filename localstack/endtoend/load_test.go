package endtoend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/localstack/load"
	"latchkey/localstack/stack"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
	"latchkey/shared/route"
)

// A sabotage is a transport that comes between a load and its stack.
type sabotage func(*http.Request) (*http.Response, error)

func (s sabotage) RoundTrip(request *http.Request) (*http.Response, error) { return s(request) }

func honest(request *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(request)
}

// against does something in place of the requests of operations.
func against(instead sabotage, ops ...operation.Operation) sabotage {
	return func(request *http.Request) (*http.Response, error) {
		if slices.ContainsFunc(ops, func(op operation.Operation) bool { return isOf(op, request) }) {
			return instead(request)
		}
		return honest(request)
	}
}

func isOf(op operation.Operation, request *http.Request) bool {
	key, err := route.Parse(op.Route)
	_, takesPath := key.Bind(route.Split(request.URL.Path))
	return err == nil && takesPath && key.TakesMethod(request.Method)
}

// everyOther does something in place of every other request, the first one included.
func everyOther(instead sabotage) sabotage {
	var count atomic.Int64
	return func(request *http.Request) (*http.Response, error) {
		if count.Add(1)%2 == 1 {
			return instead(request)
		}
		return honest(request)
	}
}

// answer answers without asking.
func answer(status int, body string) sabotage {
	return func(request *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: request,
		}, nil
	}
}

// lost has the request done, and nobody hears of it.
func lost(request *http.Request) (*http.Response, error) {
	response, err := honest(request)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	return nil, errors.New("lost")
}

// altered has an answer altered on its way.
func altered(alter func(request *http.Request, body []byte) []byte) sabotage {
	return func(request *http.Request) (*http.Response, error) {
		response, err := honest(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		return answer(response.StatusCode, string(alter(request, body)))(request)
	}
}

// undone deletes the key that was made, unless it is the load's own.
func undone(request *http.Request, made []byte) []byte {
	var key endorAPIKey
	if json.Unmarshal(made, &key) != nil || !strings.HasPrefix(key.Meta.Name, "load-") {
		return made
	}
	deletion, err := http.NewRequestWithContext(request.Context(), http.MethodDelete, request.URL.String()+"/"+key.UUID, nil)
	if err != nil {
		return nil
	}
	deletion.Header = request.Header
	response, err := honest(deletion)
	if err != nil {
		return nil
	}
	response.Body.Close()
	return made
}

// twice sends a request two times.
func twice(request *http.Request) (*http.Response, error) {
	response, err := honest(request.Clone(request.Context()))
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if request.Body, err = request.GetBody(); err != nil {
		return nil, err
	}
	return honest(request)
}

// retained has a rotation keep the old secret.
func retained(request *http.Request) (*http.Response, error) {
	request.Body = io.NopCloser(strings.NewReader(`{"retain_period_minutes":60}`))
	request.ContentLength = -1
	return honest(request)
}

// withObjects has the objects of a list changed.
func withObjects(change func([]json.RawMessage) []json.RawMessage) sabotage {
	return altered(func(_ *http.Request, body []byte) []byte {
		var page endorList[json.RawMessage]
		if json.Unmarshal(body, &page) != nil {
			return nil
		}
		page.List.Objects = change(page.List.Objects)
		text, err := json.Marshal(page)
		if err != nil {
			return nil
		}
		return text
	})
}

func TestLoad(t *testing.T) {
	s := restart(t, stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", WithoutStream: true})
	root := must(apikey.ParseFullKey(s.FirstKey()))(t)
	for _, test := range []struct {
		name      string
		transport sabotage
		breaches  []load.Breach
		errors    []string
		inDoubt   bool
	}{
		{"nothing is wrong", honest, nil, nil, false},
		{
			"keys are lost", against(altered(undone), operation.CreateAPIKey),
			[]load.Breach{load.LiveNotShown, load.LiveNotFound, load.LiveRefused}, nil, false,
		},
		{
			"deletions are not done", against(answer(200, "{}"), operation.DeleteAPIKey, operation.DeleteAccountKey),
			[]load.Breach{load.DeletedAccepted, load.DeletedFound, load.DeletedShown}, nil, false,
		},
		{"old secrets go on", against(retained, operation.RotateAccountKey), []load.Breach{load.ReplacedAccepted}, nil, false},
		{
			"lists lack keys", against(withObjects(func([]json.RawMessage) []json.RawMessage { return nil }), operation.ListAPIKeys),
			[]load.Breach{load.LiveNotShown}, nil, false,
		},
		{
			"lists repeat keys",
			against(withObjects(func(all []json.RawMessage) []json.RawMessage { return slices.Concat(all, all) }), operation.ListAPIKeys),
			[]load.Breach{load.ShownTwice}, nil, false,
		},
		{"creations are done twice", against(twice, operation.CreateAPIKey), []load.Breach{load.StrangerShown}, nil, false},
		{
			"errors", against(everyOther(answer(503, "{}")), operation.ValidateAPIKey),
			nil, []string{"validate-api-key: HTTP 503"}, false,
		},
		{
			"no verdicts", against(answer(200, "{}"), operation.ValidateAPIKey),
			nil, []string{"validate-api-key: an answer without a verdict"}, false,
		},
		{
			"answers about others", against(answer(200, "{}"), operation.GetAPIKey),
			nil, []string{"get-api-key: an answer about another key"}, false,
		},
		{
			"answers to creations are lost", against(everyOther(lost), operation.CreateAccountKey),
			nil, []string{"create-account-key: lost"}, true,
		},
		{
			"answers to rotations are lost", against(everyOther(lost), operation.RotateAccountKey),
			nil, []string{"rotate-account-key: lost"}, true,
		},
		{
			"answers to deletions are lost", against(everyOther(lost), operation.DeleteAccountKey, operation.DeleteAPIKey),
			nil, []string{"delete-account-key: lost", "delete-api-key: lost"}, true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := must(load.Run(t.Context(), shortLoad(s, root, test.transport)))(t)
			wantEqual(t, "breaches", slices.Sorted(maps.Keys(report.Breaches)), slices.Sorted(slices.Values(test.breaches)))
			wantErrors(t, report.Errors, test.errors)
			wantEqual(t, "passed", report.Passed(), len(test.breaches)+len(test.errors) == 0)
			wantDoubts(t, report, test.inDoubt)
		})
	}
	t.Run("there is no time", func(t *testing.T) {
		config := shortLoad(s, root, honest)
		config.Limit = config.Duration
		report := must(load.Run(t.Context(), config))(t)
		if len(report.Faults) == 0 || !strings.HasPrefix(report.Faults[0], "it was not done") {
			t.Errorf("faults: %q", report.Faults)
		}
	})
}

func shortLoad(s *stack.Stack, root apikey.FullKey, transport sabotage) load.Config {
	return load.Config{
		URL: s.URL(), Key: root, Transport: transport,
		Duration: 300 * time.Millisecond, Clients: 4, Keys: 12, ListDelay: time.Millisecond,
	}
}

// wantDoubts wants doubts only after errors, and then where some are certain.
func wantDoubts(t *testing.T, report *load.Report, certain bool) {
	t.Helper()
	if certain && report.InDoubt == 0 || report.InDoubt > 0 && len(report.Errors) == 0 {
		t.Errorf("%d keys are in doubt after the errors %v", report.InDoubt, report.Errors)
	}
}

// lostDeletion is what else goes wrong with keys that are not there. Whether the load has
// tried is chance.
const lostDeletion = "delete-api-key: HTTP 404"

// wantErrors wants one of these errors at least, and no others.
func wantErrors(t *testing.T, got map[string]int, want []string) {
	t.Helper()
	known := 0
	for what := range got {
		switch {
		case slices.Contains(want, what):
			known++
		case what != lostDeletion:
			t.Errorf("an error: %s", what)
		}
	}
	if known == 0 && len(want) > 0 {
		t.Errorf("errors %v, want %q", got, want)
	}
}

// The command starts a stack of its own, and prints no key.
func TestLoadCommand(t *testing.T) {
	program := filepath.Join(t.TempDir(), "localstack")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "latchkey/localstack")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(program, "load", "-functions", binaries, "-duration", "300ms", "-keys", "12")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil || !strings.HasSuffix(string(stdout), "\npassed\n") || stderr.Len() > 0 {
		t.Errorf("%v\n%s%s", err, stdout, &stderr)
	}
	wantNoSecrets(t, string(stdout))
}
