package runtimecost_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"latchkey/localstack/event"
	"latchkey/localstack/lambdabuild"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/standin"
	"latchkey/shared/operation"
)

// A world is what processes live in: programs, a table, and what they are told of it.
type world struct {
	programs  string
	table     *standin.Table
	variables map[string]string
	rootKey   string
}

// answerTime is how long the table takes for an answer.
const answerTime = 3 * time.Millisecond

// newWorld builds all functions, and has one make a key whose record the table keeps.
func newWorld(b *testing.B) *world {
	b.Helper()
	w := &world{programs: b.TempDir(), table: standin.New(answerTime)}
	if err := lambdabuild.ForHere(w.programs, lambdabuild.Functions); err != nil {
		b.Fatal(err)
	}
	w.variables = standin.ServeTLS(b, w.table)
	w.makeRootKey(b)
	return w
}

func (w *world) makeRootKey(b *testing.B) {
	b.Helper()
	answer := w.deploy(b, asInCatalogue).invoke(b, operation.Bootstrap, read(b, "../../events/bootstrap.json"))
	var made struct {
		FullKey string `json:"full_key"`
	}
	if json.Unmarshal([]byte(answer), &made) != nil || made.FullKey == "" {
		b.Fatal("bootstrap made no key")
	}
	w.rootKey = made.FullKey
}

// A deployment has one process of each function that is invoked.
type deployment struct {
	host *lambdahost.Host
	dir  string
}

func asInCatalogue(operation.Operation) map[string]string { return nil }

// asGoChooses leaves the runtime to itself.
func asGoChooses(op operation.Operation) map[string]string {
	variables := map[string]string{}
	for name := range op.RuntimeEnvironment() {
		variables[name] = ""
	}
	return variables
}

// deploy hosts the functions with some variables beside their own. Its programs are links,
// by whose names its processes are told from those of another.
func (w *world) deploy(b *testing.B, variables func(operation.Operation) map[string]string) *deployment {
	b.Helper()
	d := &deployment{dir: b.TempDir()}
	for _, op := range operation.All {
		if err := os.Link(filepath.Join(w.programs, op.Name), filepath.Join(d.dir, op.Name)); err != nil {
			b.Fatal(err)
		}
	}
	host, err := lambdahost.Start(lambdahost.Config{
		Dir: d.dir, MaxProcesses: 1,
		Environment: func(op operation.Operation) map[string]string {
			all := maps.Clone(w.variables)
			maps.Copy(all, variables(op))
			return all
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = host.Close() })
	d.host = host
	return d
}

func (d *deployment) invoke(b *testing.B, op operation.Operation, event string) string {
	b.Helper()
	answer, err := d.host.Invoke(b.Context(), op, []byte(event))
	if err != nil {
		b.Fatalf("%s: %v", op.Name, err)
	}
	return string(answer)
}

// sample is an operation's sample event with the root key in its places, and other members.
func (w *world) sample(b *testing.B, op operation.Operation, others map[string]any) string {
	b.Helper()
	values := event.KeyValues(event.Fixed(w.rootKey))
	for _, name := range []string{event.CreatedUUID, event.CreatedAccountID, event.CreatedAccountKeyID} {
		values[name] = values[event.RootUUID]
	}
	for _, name := range []string{event.RandomName, event.CreatedKeyID} {
		values[name] = values[event.RootKeyID]
	}
	for _, name := range []string{event.OrdersReaderKey, event.CreatedAccountKey} {
		values[name] = values[event.RootKey]
	}
	filled, err := event.Fill([]byte(read(b, filepath.Join("../../events", op.Name+".json"))), values)
	if err != nil {
		b.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(filled, &members); err != nil {
		b.Fatal(err)
	}
	maps.Copy(members, others)
	text, err := json.Marshal(members)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
