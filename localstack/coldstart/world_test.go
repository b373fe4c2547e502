package coldstart_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/infra/example"
	"latchkey/localstack/event"
	"latchkey/localstack/lambdabuild"
	"latchkey/shared/operation"
)

// emptyFunction is the limit.
var emptyFunction = operation.Operation{Name: "empty"}

// A world is what processes live in: programs, an environment and a table.
type world struct {
	programs    string
	environment []string
	table       *table
	rootKey     string
}

// newWorld builds packages for where they are measured.
func newWorld(b *testing.B, packages ...string) *world {
	b.Helper()
	programs := b.TempDir()
	if err := lambdabuild.ForHere(programs, packages...); err != nil {
		b.Fatal(err)
	}
	protected, err := example.Protected().Encode()
	if err != nil {
		b.Fatal(err)
	}
	w := &world{programs: programs, table: &table{}}
	services := httptest.NewServer(w.table)
	b.Cleanup(services.Close)
	w.environment = []string{
		"TZ=:UTC", "_HANDLER=bootstrap",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SESSION_TOKEN=local",
		"AWS_LAMBDA_FUNCTION_NAME=measured", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		operation.ServiceNameVariable + "=latchkey",
		operation.TableNameVariable + "=latchkey",
		operation.RetentionVariable + "=30",
		operation.DynamoDBVariable + "=" + services.URL,
		operation.KMSVariable + "=" + services.URL,
		operation.SessionKeysVariable + "=019b7ca9-8f2e-7e98-833b-d887d15218ce",
		operation.SessionIssuerVariable + "=https://latchkey.example.com",
		operation.SessionAudienceVariable + "=latchkey",
		operation.ProtectedAPIVariable + "=" + protected,
	}
	return w
}

func (w *world) start(b *testing.B, op operation.Operation) (*process, time.Duration) {
	b.Helper()
	environment := slices.Clone(w.environment)
	for name, value := range op.RuntimeEnvironment() {
		environment = append(environment, name+"="+value)
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
func (w *world) invocations(b *testing.B, op operation.Operation, count int, event []byte, want string) ([]float64, memory) {
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
	used, err := memoryOf(p.command.Process.Pid)
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
