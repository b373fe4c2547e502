// Package endtoend_test runs the real function binaries behind the local gateway on
// a real DynamoDB wire protocol: scripts of requests, the proof that each operation
// touches what its row of the catalogue says, and the search for secrets in all that
// was logged.
package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"latchkey/localstack/emulator"
	"latchkey/localstack/localtest"
	"latchkey/localstack/script"
	"latchkey/localstack/stack"
	"latchkey/localstack/table"
	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"
	_ "latchkey/shared/boot" // tells the test cache what the binaries are made of
	"latchkey/shared/operation"
)

// binaries is where TestMain builds the functions.
var binaries string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "latchkey")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binaries = dir
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator), "latchkey/functions/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("functions: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// A world is a stack whose functions reach DynamoDB and KMS through a recorder.
type world struct {
	stack    *stack.Stack
	recorder *recorder
	log      *localtest.Buffer
	root     apikey.FullKey
}

func newWorld(t *testing.T) *world {
	t.Helper()
	database, err := emulator.Start(t.Context(), emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	w := &world{log: &localtest.Buffer{}}
	w.recorder = newRecorder(t, database.Endpoint(), func() string { return w.stack.KeyServiceURL() })
	w.stack, err = stack.Start(t.Context(), stack.Config{
		FunctionsDir:     binaries,
		Addr:             "127.0.0.1:0",
		DynamoDBEndpoint: database.Endpoint(),
		Environment:      w.recorder.environment,
		Log:              w.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.stack.Close(); err != nil {
			t.Error(err)
		}
		wantNoSecrets(t, w.log.String())
	})
	if w.root, err = apikey.ParseFullKey(w.stack.FirstKey()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestScripts(t *testing.T) {
	w := newWorld(t)
	variables := w.variables(t)
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		exchanges, err := script.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, exchange := range exchanges {
			t.Run(filepath.Base(file)+"/"+exchange.Title, func(t *testing.T) { w.run(t, file, exchange, variables) })
		}
	}
	t.Run("rows of the catalogue", w.recorder.proveRows)
	if strings.Count(w.log.String(), `"msg":"request"`) < 50 {
		t.Errorf("the log holds too little to be one of the scripts:\n%.500s", w.log.String())
	}
}

func (w *world) run(t *testing.T, file string, exchange script.Exchange, variables script.Variables) {
	before := w.contents(t)
	for _, difference := range exchange.Run(http.DefaultClient, w.stack.URL(), variables) {
		t.Errorf("%s:%d: %s", file, exchange.Line, difference)
	}
	if exchange.Status >= http.StatusBadRequest && w.contents(t) != before {
		t.Errorf("%s:%d: the error has changed the table", file, exchange.Line)
	}
}

// variables are what scripts may name: the root key, a published vector, which is a
// key that no table holds, and the root key with a secret that is not its own.
func (w *world) variables(t *testing.T) script.Variables {
	t.Helper()
	rootID, rootSecret := w.root.RevealPair()
	vectorID, vectorSecret := vector(t).RevealPair()
	wrongID, wrongSecret := apikey.FullKey{Locator: w.root.Locator, Secret: vector(t).Secret}.RevealPair()
	return script.Variables{
		"root-key": w.root.Reveal(), "root-key-id": rootID, "root-secret": rootSecret, "root-uuid": w.root.Locator.ID.String(),
		"vector-id": vectorID, "vector-secret": vectorSecret,
		"wrong-id": wrongID, "wrong-secret": wrongSecret,
	}
}

func vector(t *testing.T) apikey.FullKey {
	t.Helper()
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	full, err := apikey.ParseFullKey(vectors.Accepted[0].FullKey)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// contents is all that the table holds.
func (w *world) contents(t *testing.T) string {
	t.Helper()
	var all []string
	pages := dynamodb.NewScanPaginator(table.Client(w.stack.DynamoDBEndpoint()), &dynamodb.ScanInput{
		TableName: aws.String(w.stack.Table()), ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			encoded, err := json.Marshal(item)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(encoded))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// wantNoSecrets looks for anything that parses as a key, and for anything that could
// be the secret part of one.
func wantNoSecrets(t *testing.T, log string) {
	t.Helper()
	for _, text := range regexp.MustCompile(`lk_[0-9a-v]+_[0-9a-v]{59}`).FindAllString(log, -1) {
		if _, err := apikey.ParseFullKey(text); err == nil {
			t.Error("the log holds a full key")
		}
	}
	if regexp.MustCompile(`\b[0-9a-v]{59}\b`).MatchString(log) {
		t.Error("the log holds what could be a secret")
	}
	// Header and claims of a JWT both begin so; a request's id may by chance, once.
	if regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ`).MatchString(log) {
		t.Error("the log holds what could be a session token")
	}
}

// unavailable is how each API begins to say that it cannot tell.
var unavailable = []string{`{"code":14,`, `{"statusCode":503,"status":"UNAVAILABLE",`, `{"detail":["RuntimeError",`}

// Without its database the service says that it cannot tell: never no, never yes.
func TestAbsentDatabase(t *testing.T) {
	w := newWorld(t)
	w.recorder.broken.Store(true)
	pair := fmt.Sprintf(`{"key":%q,"secret":%q}`, w.variables(t)["root-key-id"], w.variables(t)["root-secret"])
	apiKey := fmt.Sprintf(`{"apiKey":%q}`, w.root.Reveal())
	item := "/v1/namespaces/demo/api-keys/" + w.root.Locator.ID.String()
	tried := map[string]bool{}
	for _, exchange := range []struct{ method, path, body string }{
		{http.MethodPost, "/v1/auth/api-key/validate", pair},
		{http.MethodPost, "/v1/auth/api-key", pair},
		{http.MethodGet, "/v1/auth", ""},
		{http.MethodGet, "/v1/namespaces/demo/api-keys", ""},
		{http.MethodGet, "/v1/namespaces/demo/namespaces", ""},
		{http.MethodPost, "/v1/namespaces/demo/api-keys", "{}"},
		{http.MethodPatch, "/v1/namespaces/demo/api-keys", "{}"},
		{http.MethodGet, item, ""},
		{http.MethodDelete, item, ""},
		{http.MethodPost, "/api/v1/auth", apiKey},
		{http.MethodPost, "/api/v1/api-key", "{}"},
		{http.MethodGet, "/api/v1/api-key/list", ""},
		{http.MethodDelete, "/api/v1/api-key", apiKey},
		{http.MethodPost, "/api/v1/login", "password=" + w.root.Reveal()},
		{http.MethodGet, "/api/v1/current-user", ""},
	} {
		for _, op := range operation.All {
			if op.Method() == exchange.method && operation.MatchPath(op.Path(), exchange.path) {
				tried[op.Name] = true
			}
		}
		status, body := send(t, w.stack, exchange.method, exchange.path, "Bearer "+w.root.Reveal(), exchange.body)
		inEnvelope := slices.ContainsFunc(unavailable, func(begins string) bool { return strings.HasPrefix(body, begins) })
		if status != http.StatusServiceUnavailable || !inEnvelope {
			t.Errorf("%s %s: %d %s", exchange.method, exchange.path, status, body)
		}
	}
	for _, op := range operation.All {
		if op.UsesTable() && op.Route != "" && !tried[op.Name] {
			t.Errorf("%s was not tried", op.Name)
		}
	}
	w.recorder.broken.Store(false)
	if _, err := w.stack.Invoke(context.Background(), operation.Bootstrap, []byte(`{"namespace":"demo"}`)); err != nil {
		t.Errorf("when the database is back: %v", err)
	}
}

// Every call of bootstrap makes one more key; a bad request is refused by name.
func TestBootstrapAgain(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{w.root.Reveal(): true}
	for range 2 {
		answer, err := w.stack.Invoke(t.Context(), operation.Bootstrap, []byte(`{"namespace":"other.team"}`))
		if err != nil {
			t.Fatal(err)
		}
		variables := script.Variables{}
		if differences := variables.MatchJSON([]byte(`{
			"namespace": "other.team", "uuid": "{{uuid}}", "key": "{{identifier}}", "secret": "{{secret}}", "full_key": "{{full-key:full}}"
		}`), answer); differences != nil {
			t.Error(differences)
		}
		if seen[variables["full"]] {
			t.Error("a key was shown twice")
		}
		seen[variables["full"]] = true
	}
	for _, request := range []string{`{}`, `{"namespace":"a..b"}`, `{"namespace":1}`, `nonsense`} {
		if answer, err := w.stack.Invoke(t.Context(), operation.Bootstrap, []byte(request)); err == nil {
			t.Errorf("%s is answered %s", request, answer)
		}
	}
}

// A stack whose root key was deleted is not left without one.
func TestDeletedRootKeyIsReplaced(t *testing.T) {
	config := stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", DataDir: t.TempDir()}
	first := restart(t, config)
	root, err := apikey.ParseFullKey(first.FirstKey())
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/namespaces/demo/api-keys/" + root.Locator.ID.String()
	if status, body := send(t, first, http.MethodDelete, path, "Bearer "+root.Reveal(), ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := restart(t, config)
	if second.FirstKey() == "" || second.FirstKey() == first.FirstKey() {
		t.Error("the deleted key was not replaced")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if third := restart(t, config); third.FirstKey() != "" {
		t.Error("a good key was replaced")
	}
}

func restart(t *testing.T, config stack.Config) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
