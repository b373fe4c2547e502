package coldstart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/event"
	"latchkey/localstack/lambdabuild"
	"latchkey/localstack/processmemory"
	"latchkey/localstack/standin"
	"latchkey/shared/operation"
)

// emptyFunction is the limit.
var emptyFunction = operation.Operation{Name: "empty"}

// A world is what processes live in: programs, and an environment with a table in it.
type world struct {
	programs    string
	environment map[string]string
	rootKey     string
}

// answerTime is how long the table takes for an answer.
const answerTime = time.Millisecond

// newWorld builds packages for where they are measured, over TLS or not.
func newWorld(b *testing.B, serve func(testing.TB, *standin.Table) map[string]string, packages ...string) *world {
	b.Helper()
	programs := b.TempDir()
	if err := lambdabuild.ForHere(programs, packages...); err != nil {
		b.Fatal(err)
	}
	return &world{programs: programs, environment: environment(b, serve)}
}

// environment is that of a function on Lambda, with a table of its own.
func environment(b *testing.B, serve func(testing.TB, *standin.Table) map[string]string) map[string]string {
	b.Helper()
	all := serve(b, standin.New(answerTime))
	maps.Copy(all, map[string]string{
		"TZ": ":UTC", "_HANDLER": "bootstrap",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
		"AWS_LAMBDA_FUNCTION_NAME": "measured", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
	})
	return all
}

func (w *world) start(b *testing.B, op operation.Operation) (*process, time.Duration) {
	b.Helper()
	var environment []string
	for _, variables := range []map[string]string{w.environment, op.RuntimeEnvironment()} {
		for name, value := range variables {
			environment = append(environment, name+"="+value)
		}
	}
	p, took, err := start(filepath.Join(w.programs, op.Name), environment)
	if err != nil {
		b.Fatalf("%s: %v", op.Name, err)
	}
	return p, took
}

// functionOf is the package of an operation's function.
func functionOf(op operation.Operation) string { return "latchkey/functions/" + op.Name }

// coldStart is how many seconds a process takes until it asks for its first event.
func (w *world) coldStart(b *testing.B, op operation.Operation) float64 {
	b.Helper()
	p, took := w.start(b, op)
	p.kill()
	return took.Seconds()
}

// invocations are how many seconds each of so many invocations of one process takes, all with
// one event, and what memory it has after them.
func (w *world) invocations(b *testing.B, op operation.Operation, count int, event []byte, want string) ([]float64, processmemory.Memory) {
	b.Helper()
	p, _ := w.start(b, op)
	defer p.kill()
	var times []float64
	for range count {
		answer, took, err := p.invoke(event)
		if err != nil || !strings.Contains(string(answer), want) {
			b.Fatalf("%s: %s, %v", op.Name, answer, err)
		}
		times = append(times, took.Seconds())
	}
	used, err := processmemory.Of(p.command.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	return times, used
}

// makeRootKey has bootstrap make a key, whose record the table keeps.
func (w *world) makeRootKey(b *testing.B) {
	b.Helper()
	p, _ := w.start(b, operation.Bootstrap)
	defer p.kill()
	answer, _, err := p.invoke(w.event(b, "../../events/bootstrap.json"))
	var made struct {
		FullKey string `json:"full_key"`
	}
	if err != nil || json.Unmarshal(answer, &made) != nil || made.FullKey == "" {
		b.Fatalf("%s, %v", answer, err)
	}
	w.rootKey = made.FullKey
}

// event is a sample event with the root key in its places.
func (w *world) event(b *testing.B, name string) []byte {
	b.Helper()
	sample, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	filled, err := event.Fill(sample, event.KeyValues(event.Fixed(w.rootKey)))
	if err != nil {
		b.Fatal(err)
	}
	return filled
}
