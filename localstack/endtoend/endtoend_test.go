// Package endtoend_test runs the real function binaries behind the local gateway on
// a real DynamoDB wire protocol: scripts of requests, the proof that each operation
// touches what its row of the catalogue says, and the search for secrets in all that
// was logged.
package endtoend_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/localtest"
	"latchkey/localstack/script"
	"latchkey/localstack/stack"
	"latchkey/localstack/table"
	"latchkey/shared/api/reference/referencetest"
	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"

	// These tell the test cache what the binaries are made of.
	_ "latchkey/shared/api/platform"
	_ "latchkey/shared/api/unrouted"
	_ "latchkey/shared/boot/guard"
	_ "latchkey/shared/boot/sessions"
	_ "latchkey/shared/boot/store"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
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
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator), "latchkey/functions/...", "latchkey/infra/example/orders")
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
	document *referencetest.Document
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
	w := &world{log: &localtest.Buffer{}, document: referencetest.New(t)}
	w.recorder = newRecorder(t, database.Endpoint(), func() string { return w.stack.KeyServiceURL() })
	w.stack, err = stack.Start(t.Context(), stack.Config{
		FunctionsDir:     binaries,
		Addr:             "127.0.0.1:0",
		ExampleAddr:      "127.0.0.1:0",
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
	w.settle(t) // so that the last deletion, too, is done with
	t.Run("nothing is left behind", w.wantWhole)
	t.Run("a tenant is deleted", w.wantDeleted)
	t.Run("rows of the catalogue", w.recorder.proveRows)
	t.Run("statuses of the document", w.wantStatuses)
	if strings.Count(w.log.String(), `"msg":"request"`) < 50 {
		t.Errorf("the log holds too little to be one of the scripts:\n%.500s", w.log.String())
	}
}

// run sends a request and holds its answer to what it must be. An error changes nothing,
// but for the note that a key was used, which is of its own use: a refused key has none.
// While the stream removes what a deleted account has left, that cannot be told.
func (w *world) run(t *testing.T, file string, exchange script.Exchange, variables script.Variables) {
	before, isError := "", exchange.Status >= http.StatusBadRequest
	if isError {
		before = w.contents(t)
	}
	held := w.holder(t)
	for _, difference := range exchange.Run(&http.Client{Transport: held}, w.stack.URL(), variables) {
		t.Errorf("%s:%d: %s", file, exchange.Line, difference)
	}
	held.wantHeld(t, filepath.Base(file)+"/"+exchange.Title)
	if !isError || strings.Contains(before, removed) {
		return
	}
	after := w.contents(t)
	if exchange.Status != http.StatusUnauthorized {
		before, after = withoutUses(before), withoutUses(after)
	}
	if before != after {
		t.Errorf("%s:%d: the error has changed the table", file, exchange.Line)
	}
}

func withoutUses(contents string) string {
	items := slices.DeleteFunc(strings.Split(contents, "\n"), func(item string) bool { return strings.Contains(item, useKey) })
	return strings.Join(items, "\n")
}

// How items show what they are.
const (
	useKey  = `"` + schema.SortKey + `":{"Value":"` + schema.UseItem + `"}`
	removed = `"` + schema.RemovedAt + `":`
)

// settle waits until nothing is being removed from the table any more.
func (w *world) settle(t *testing.T) {
	t.Helper()
	waitForRemoval(t, func() int {
		contents := w.contents(t)
		if !strings.Contains(contents, removed) {
			return 0
		}
		return strings.Count(contents, "\n") + 1
	})
}

// variables are what scripts may name: the root key, a published vector, which is a
// key that no table holds, the root key with a secret that is not its own, and the
// example's base URL.
func (w *world) variables(t *testing.T) script.Variables {
	t.Helper()
	rootID, rootSecret := w.root.RevealPair()
	vectorID, vectorSecret := vector(t).RevealPair()
	wrongID, wrongSecret := apikey.FullKey{Locator: w.root.Locator, Secret: vector(t).Secret}.RevealPair()
	return script.Variables{
		"root-key": w.root.Reveal(), "root-key-id": rootID, "root-secret": rootSecret, "root-uuid": w.root.Locator.ID.String(),
		"vector-id": vectorID, "vector-secret": vectorSecret,
		"wrong-id": wrongID, "wrong-secret": wrongSecret,
		"example": w.stack.ExampleURL(),
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

// wantWhole wants nothing in the table to be of a key or an account that is not there any
// more, and all that has a name to be found by it.
func (w *world) wantWhole(t *testing.T) {
	items, names := w.items(t), 0
	for at, item := range items {
		if item[schema.Holder] != "" {
			names++
		}
		for _, needed := range neededBy(item) {
			if items[needed] == nil {
				t.Errorf("%s is there without %s", at, needed)
			}
		}
	}
	if names < 10 {
		t.Errorf("the table holds %d names, too few to be what the scripts leave", names)
	}
}

// items are the texts of all items, by both parts of their keys.
func (w *world) items(t *testing.T) map[string]map[string]string {
	t.Helper()
	items := map[string]map[string]string{}
	for line := range strings.Lines(w.contents(t)) {
		var attributes map[string]struct{ Value any }
		if err := json.Unmarshal([]byte(line), &attributes); err != nil {
			t.Fatal(err)
		}
		item := map[string]string{}
		for name, attribute := range attributes {
			item[name], _ = attribute.Value.(string)
		}
		items[item[schema.PartitionKey]+" "+item[schema.SortKey]] = item
	}
	return items
}

// neededBy gives the items without which an item has no business in the table.
func neededBy(item map[string]string) []string {
	partition, sort := item[schema.PartitionKey], item[schema.SortKey]
	ns, _, _ := strings.Cut(partition, "#")
	_, _, isOfAccount := schema.SplitAccountPartition(partition)
	owner, holder := item[schema.Owner], item[schema.Holder]
	switch {
	case sort == schema.KeyItem && owner != "":
		return []string{owner + " " + schema.AccountItem, owner + " " + schema.KeyNameItem(item[schema.Name]), partition + " " + schema.UseItem}
	case sort == schema.KeyItem:
		return nil
	case sort == schema.AccountItem:
		return []string{schema.AccountNamePartition(ns, item[schema.Name]) + " " + schema.AccountNameItem}
	case sort == schema.AccountNameItem:
		return []string{schema.AccountPartition(ns, holder) + " " + schema.AccountItem}
	case isOfAccount && holder != "":
		return []string{partition + " " + schema.AccountItem, schema.KeyPartition(ns, holder) + " " + schema.KeyItem}
	case isOfAccount:
		return []string{partition + " " + schema.AccountItem}
	}
	return []string{partition + " " + schema.KeyItem}
}

// contents is all that the table holds, an item in each line.
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

// wantNoSecrets holds a log to what it may hold.
func wantNoSecrets(t *testing.T, log string) {
	t.Helper()
	for _, found := range secretsIn(log) {
		t.Errorf("the log holds %s", found)
	}
}

// What looks like a secret in a log.
var (
	fullKeys = regexp.MustCompile(`lk_[0-9a-v]+_[0-9a-v]{59}`)
	secrets  = regexp.MustCompile(`\b[0-9a-v]{59}\b`)
	// Header and claims of a JWT both begin so; a request's id may by chance, once.
	tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ`)
	// A wrapped key has a prefix, or begins as its JSON does in base64.
	wrapPrefixes = regexp.MustCompile(`ZENKEY_\w`)
	wrapped      = regexp.MustCompile(`eyJpZCI6I[A-Za-z0-9+/]*`)
)

// inForms undoes what a form does to base64.
var inForms = strings.NewReplacer("%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=", `\/`, "/", `\u002b`, "+")

// secretsIn looks for anything that parses as a key, for anything that could be the
// secret part of one, for session tokens, and for all these in the form in which
// clients of the service-accounts API carry keys.
func secretsIn(log string) []string {
	var found []string
	for _, text := range fullKeys.FindAllString(log, -1) {
		if _, err := apikey.ParseFullKey(text); err == nil {
			found = append(found, "a full key")
		}
	}
	for what, pattern := range map[string]*regexp.Regexp{
		"what could be a secret": secrets, "what could be a session token": tokens, "what could be a wrapped key": wrapPrefixes,
	} {
		if pattern.MatchString(log) {
			found = append(found, what)
		}
	}
	for _, run := range wrapped.FindAllString(inForms.Replace(log), -1) {
		if strings.Contains(unwrapped(run), `"key":"lk_`) {
			found = append(found, "a wrapped key without its prefix")
		}
	}
	return found
}

// unwrapped decodes as much of base64 as is there.
func unwrapped(run string) string {
	decoded, _ := base64.RawStdEncoding.DecodeString(run[:len(run)/4*4])
	return string(decoded)
}

// What nobody finds proves nothing: each form in which a secret could get into a log is
// found, and what is no secret is not.
func TestSecretsAreFound(t *testing.T) {
	key := vector(t)
	_, secret := key.RevealPair()
	whole := key.RevealWrapped()
	bare := strings.TrimPrefix(whole, "ZENKEY_")
	for name, text := range map[string]string{
		"a key":                      key.Reveal(),
		"a secret":                   secret,
		"a token":                    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
		"a wrapped key":              whole,
		"in a form":                  "grant_type=zenml-api-key&password=" + url.QueryEscape(whole),
		"its prefix":                 "ZENKEY_e",
		"without its prefix":         bare,
		"in a form without it":       "password=" + url.QueryEscape(bare) + "&x=y",
		"without its padding":        strings.TrimRight(bare, "="),
		"without its last character": bare[:len(bare)-5],
		"in a text":                  "Bearer: " + bare + ", says the client",
	} {
		line, err := json.Marshal(map[string]string{"level": "INFO", "error": text})
		if err != nil {
			t.Fatal(err)
		}
		if found := secretsIn("{}\n" + string(line) + "\n{}"); len(found) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	for _, text := range []string{
		"", key.Locator.String(), key.Locator.ID.String(), `{"path":"/api/v1/login","key":"` + key.Locator.ID.String() + `"}`,
		"eyJpZCI6I", base64.StdEncoding.EncodeToString([]byte(`{"id":"` + key.Locator.ID.String() + `"}`)), "ZENKEY_",
	} {
		if found := secretsIn(text); len(found) > 0 {
			t.Errorf("%q holds %q", text, found)
		}
	}
}

// unavailable is how each API begins to say that it cannot tell.
var unavailable = []string{`{"code":14,`, `{"statusCode":503,"status":"UNAVAILABLE",`, `{"detail":["RuntimeError",`}

// Without its database the service says that it cannot tell: never no, never yes.
func TestAbsentDatabase(t *testing.T) {
	w := newWorld(t)
	session := exchange(t, w.stack, w.root)
	w.recorder.broken.Store(true)
	pair := fmt.Sprintf(`{"key":%q,"secret":%q}`, w.variables(t)["root-key-id"], w.variables(t)["root-secret"])
	apiKey := fmt.Sprintf(`{"apiKey":%q}`, w.root.Reveal())
	item := "/v1/namespaces/demo/api-keys/" + w.root.Locator.ID.String()
	accounts := "/api/v1/service_accounts"
	keys := accounts + "/" + w.root.Locator.ID.String() + "/api_keys" // of no account, which nobody can tell now
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
		{http.MethodPost, accounts, `{"name":"x","active":true}`},
		{http.MethodGet, accounts, ""},
		{http.MethodGet, accounts + "/x", ""},
		{http.MethodPut, accounts + "/x", "{}"},
		{http.MethodDelete, accounts + "/x", ""},
		{http.MethodPost, keys, `{"name":"x"}`},
		{http.MethodGet, keys, ""},
		{http.MethodGet, keys + "/x", ""},
		{http.MethodPut, keys + "/x", "{}"},
		{http.MethodPut, keys + "/x/rotate", "{}"},
		{http.MethodDelete, keys + "/x", ""},
		{http.MethodPost, "/api/v1/login", "password=" + w.root.Reveal()},
		{http.MethodGet, "/api/v1/current-user", ""},
	} {
		for _, op := range operation.All {
			if op.Method() == exchange.method && op.HasPath(exchange.path) {
				tried[op.Name] = true
			}
		}
		status, body := send(t, w.stack, exchange.method, exchange.path, "Bearer "+w.root.Reveal(), exchange.body)
		inEnvelope := slices.ContainsFunc(unavailable, func(begins string) bool { return strings.HasPrefix(body, begins) })
		if status != http.StatusServiceUnavailable || !inEnvelope {
			t.Errorf("%s %s: %d %s", exchange.method, exchange.path, status, body)
		}
	}
	for _, credential := range []string{w.root.Reveal(), session} {
		wantExample(t, w, credential, http.StatusInternalServerError)
	}
	tried[operation.Authorizer.Name] = true
	for _, op := range operation.All {
		if op.UsesTable() && (op.Route != "" || op.Caller == operation.Gateway) && !tried[op.Name] {
			t.Errorf("%s was not tried", op.Name)
		}
	}
	w.recorder.broken.Store(false)
	if _, err := w.stack.Invoke(context.Background(), operation.Bootstrap, []byte(`{"namespace":"demo"}`)); err != nil {
		t.Errorf("when the database is back: %v", err)
	}
	wantExample(t, w, session, 0)
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

// wantDeleted deletes the tenant of the scripts, with all that they have left in the table
// and an account of which nobody has asked before, and wants nothing to be left of it.
func (w *world) wantDeleted(t *testing.T) {
	status, body := send(t, w.stack, http.MethodPost, "/api/v1/service_accounts", "Bearer "+w.root.Reveal(), `{"name":"last","active":true}`)
	if status != http.StatusOK {
		t.Fatalf("an account: %d %s", status, body)
	}
	if _, err := w.stack.Invoke(t.Context(), operation.Bootstrap, []byte(`{"namespace":"demo-other"}`)); err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, item := range w.items(t) {
		if !isOfDemo(item) {
			others++
		}
	}
	for isComplete := false; !isComplete; {
		isComplete = w.deleteSome(t)
	}
	w.settle(t) // the stream is told, too
	items := w.items(t)
	for at, item := range items {
		if isOfDemo(item) {
			t.Errorf("%s is left", at)
		}
	}
	if others == 0 || len(items) != others {
		t.Errorf("%d items of others are left of %d", len(items), others)
	}
	if status, body := send(t, w.stack, http.MethodGet, "/v1/auth", "Bearer "+w.root.Reveal(), ""); status != http.StatusUnauthorized {
		t.Errorf("the root key: %d %s", status, body)
	}
}

// deleteSome deletes a part of the tenant, wants it to be on record, and reports whether that
// was all.
func (w *world) deleteSome(t *testing.T) bool {
	t.Helper()
	var answer struct {
		Deleted  struct{ Keys, Accounts float64 }
		Complete bool
	}
	before := len(w.log.String())
	if err := json.Unmarshal(must(w.stack.Invoke(t.Context(), operation.DeleteNamespace, []byte(deleteDemo)))(t), &answer); err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	localtest.WaitUntil(t, func() bool {
		lines = linesOf(w.log.String()[before:], operation.DeleteNamespace)
		return len(lines) > 0
	})
	line := lines[0]
	if line["namespace"] != "demo" || line["deleted_keys"] != answer.Deleted.Keys || line["deleted_accounts"] != answer.Deleted.Accounts {
		t.Errorf("%+v is on record as %v", answer, line)
	}
	if answer.Complete == (answer.Deleted.Keys+answer.Deleted.Accounts > 0) {
		t.Fatalf("%+v: that deletes and is complete, or neither", answer)
	}
	return answer.Complete
}

const deleteDemo = `{"namespace":"demo","confirm":"demo"}`

func isOfDemo(item map[string]string) bool {
	ns, _, _ := strings.Cut(item[schema.PartitionKey], "#")
	return schema.TenantOf(ns) == "demo"
}

// Whoever does not say twice what is to be deleted, or not well, deletes nothing, and without
// the table nobody is told that it is done.
func TestDeletionIsRefused(t *testing.T) {
	w := newWorld(t)
	before := w.contents(t)
	for request, problem := range map[string]string{
		`{}`:                                               "namespace: value must be",
		`{"namespace":"demo"}`:                             "confirm: value must be the namespace again",
		`{"namespace":"demo","confirm":"Demo"}`:            "confirm: value must be the namespace again",
		`{"namespace":"demo","confirm":true}`:              "confirm: ",
		`{"namespace":"","confirm":""}`:                    "namespace: value must be",
		`{"namespace":"demo.","confirm":"demo."}`:          "namespace: value must be",
		`{"namespace":"demo","confirm":"demo","all":true}`: "all: ",
		`nonsense`: "",
	} {
		answer, err := w.stack.Invoke(t.Context(), operation.DeleteNamespace, []byte(request))
		if failed, ok := errors.AsType[*lambdahost.FunctionError](err); !ok || !strings.Contains(string(failed.Payload), problem) {
			t.Errorf("%s is answered %s, %v", request, answer, err)
		}
	}
	if after := w.contents(t); after != before {
		t.Errorf("the table holds %s, not %s", after, before)
	}
	w.recorder.broken.Store(true)
	_, err := w.stack.Invoke(t.Context(), operation.DeleteNamespace, []byte(deleteDemo))
	if failed, ok := errors.AsType[*lambdahost.FunctionError](err); !ok || !strings.Contains(string(failed.Payload), `"unavailable"`) {
		t.Errorf("without the table: %v", err)
	}
}

// A stack whose root key was deleted is not left without one.
func TestDeletedRootKeyIsReplaced(t *testing.T) {
	config := stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", DataDir: t.TempDir()}
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
