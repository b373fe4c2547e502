package endtoend_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/localstack/event"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/script"
	"latchkey/shared/operation"
)

const eventsDir = "../../events"

// Every operation has its sample event and, where it wants a key, one without; and
// every file belongs to an operation.
func TestEveryOperationHasItsEvents(t *testing.T) {
	for _, op := range operation.All {
		wanted := []string{op.Name}
		if op.Caller == operation.KeyHolder {
			wanted = append(wanted, op.Name+".unauthorized")
		}
		for _, name := range wanted {
			for _, ending := range []string{".json", ".golden.json"} {
				if _, err := os.Stat(filepath.Join(eventsDir, name+ending)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for _, name := range eventNames(t) {
		if _, ok := operation.Named(operationOf(name)); !ok {
			t.Errorf("%s is of no operation", name)
		}
	}
}

// Each event, sent to its function on a fresh table, gets its golden answer.
func TestSampleEvents(t *testing.T) {
	for _, name := range eventNames(t) {
		t.Run(name, func(t *testing.T) {
			op, _ := operation.Named(operationOf(name))
			w := newWorld(t)
			values := w.values(t)
			filled := fill(t, read(t, name+".json"), values)
			if op.Route != "" {
				wantRoute(t, filled, op)
			}
			answer, err := w.stack.Invoke(t.Context(), op, filled)
			if failed, ok := errors.AsType[*lambdahost.FunctionError](err); ok {
				answer, err = failed.Payload, nil // which is what the caller sees
			}
			if err != nil {
				t.Fatal(err)
			}
			w.checkEventAnswer(t, op, answer)
			golden := read(t, name+".golden.json")
			variables := w.variables(t)
			keepNamed(t, variables, values, golden)
			for _, difference := range variables.MatchJSON(golden, withParsedBody(t, answer)) {
				t.Error(difference)
			}
		})
	}
}

// fill puts values in the places of an event, as `make invoke` does.
func (w *world) fill(t *testing.T, sample []byte) []byte {
	t.Helper()
	return fill(t, sample, w.values(t))
}

func fill(t *testing.T, sample []byte, values event.Values) []byte {
	t.Helper()
	filled, err := event.Fill(sample, values)
	if err != nil {
		t.Fatal(err)
	}
	return filled
}

// keepNamed makes variables of the values that a golden answer names.
func keepNamed(t *testing.T, variables script.Variables, values event.Values, golden []byte) {
	t.Helper()
	for name, value := range values {
		if !strings.Contains(string(golden), "{{"+name+"}}") {
			continue
		}
		var err error
		if variables[name], err = value(); err != nil {
			t.Fatal(err)
		}
	}
}

// values are what sample events may name.
func (w *world) values(t *testing.T) event.Values {
	t.Helper()
	values := event.KeyValues(event.Fixed(w.root.Reveal()))
	sampleOf := func(op operation.Operation) ([]byte, error) { return read(t, op.Name+".json"), nil }
	send := func(op operation.Operation, filled []byte) ([]byte, error) {
		return w.stack.Invoke(t.Context(), op, filled)
	}
	maps.Copy(values, event.Created(sampleOf, values, send))
	return values
}

func wantRoute(t *testing.T, sample []byte, op operation.Operation) {
	t.Helper()
	var sent struct {
		RouteKey, RawPath string
		RequestContext    struct {
			RouteKey string
			HTTP     struct{ Method, Path string }
		}
	}
	if err := json.Unmarshal(sample, &sent); err != nil {
		t.Fatal(err)
	}
	context := sent.RequestContext
	if sent.RouteKey != op.Route || context.RouteKey != op.Route || context.HTTP.Path != sent.RawPath {
		t.Errorf("the event is of the route %q, the operation's is %q", sent.RouteKey, op.Route)
	}
	if op.Route != operation.DefaultRoute && (!op.HasPath(sent.RawPath) || context.HTTP.Method != op.Method()) {
		t.Errorf("%s %s is not of the route %q", context.HTTP.Method, sent.RawPath, op.Route)
	}
}

// withParsedBody writes a response's body as JSON, as the golden files do, if it is that.
func withParsedBody(t *testing.T, answer []byte) []byte {
	t.Helper()
	var response map[string]json.RawMessage
	if err := json.Unmarshal(answer, &response); err != nil {
		t.Fatal(err)
	}
	var body string
	if json.Unmarshal(response["body"], &body) != nil || !json.Valid([]byte(body)) {
		return answer
	}
	response["body"] = json.RawMessage(body)
	parsed, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func eventNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(eventsDir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !strings.HasSuffix(name, ".golden") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func operationOf(name string) string {
	op, _, _ := strings.Cut(name, ".")
	return op
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(eventsDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
