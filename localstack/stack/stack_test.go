package stack_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/infra/example"
	"latchkey/localstack/emulator"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/localstack/localtest"
	"latchkey/localstack/shell"
	"latchkey/localstack/stack"
	"latchkey/localstack/table"
	"latchkey/shared/apikey/apikeytest"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

var functions, fullKey string

func TestMain(m *testing.M) { os.Exit(hosttest.Run(m, &functions, &fullKey)) }

func start(t *testing.T, config stack.Config) *stack.Stack {
	t.Helper()
	config = withFreeAddresses(config)
	config.FunctionsDir = functions
	s, err := stack.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func withFreeAddresses(config stack.Config) stack.Config {
	config.Addr = cmp.Or(config.Addr, "127.0.0.1:0")
	config.ExampleAddr = cmp.Or(config.ExampleAddr, "127.0.0.1:0")
	return config
}

func TestAStackInMemory(t *testing.T) {
	s := start(t, stack.Config{WithoutStream: true, Table: "other", Environment: func(op operation.Operation) map[string]string {
		return map[string]string{"OWN": op.Name}
	}})
	if s.FirstKey() != fullKey {
		t.Error("no first key")
	}
	if got := get(t, s.URL()+"/health?a=b"); !strings.Contains(got, `"routeKey":"GET /health"`) {
		t.Errorf("got %s", got)
	}
	response, err := s.Invoke(t.Context(), operation.ValidateAPIKey, []byte(`{"do":"environment"}`))
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	if err := json.Unmarshal(response, &seen); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AWS_ENDPOINT_URL_DYNAMODB=" + s.DynamoDBEndpoint(), "TABLE_NAME=other", "OWN=validate-api-key"} {
		if !slices.Contains(seen, want) {
			t.Errorf("no %s", want)
		}
	}
	if err := table.Create(t.Context(), table.Client(s.DynamoDBEndpoint()), s.Table(), table.WithoutStream); err != nil {
		t.Errorf("table: %v", err)
	}
}

// The authorizer before the example is told what the example is, and the example's own
// function nothing of Latchkey's.
func TestWhatTheExampleIsTold(t *testing.T) {
	s := start(t, stack.Config{})
	protectedAPI, err := example.Sampled().Encode()
	if err != nil {
		t.Fatal(err)
	}
	told := func(op operation.Operation) (ours []string) {
		response, err := s.Invoke(t.Context(), op, []byte(`{"do":"environment"}`))
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		if err := json.Unmarshal(response, &seen); err != nil {
			t.Fatal(err)
		}
		for _, variable := range seen {
			name, _, _ := strings.Cut(variable, "=")
			if strings.HasPrefix(name, "AWS_ENDPOINT") || strings.HasPrefix(name, "SESSION_") || name == operation.TableNameVariable || name == operation.ServiceNameVariable || name == operation.RetentionVariable || name == operation.ProtectedAPIVariable {
				ours = append(ours, variable)
			}
		}
		return ours
	}
	if got := told(operation.Authorizer); !slices.Contains(got, "PROTECTED_API="+protectedAPI) || len(got) != 8 {
		t.Errorf("the authorizer is told %q", got)
	}
	if got := told(operation.WhoAmI); len(got) != 7 {
		t.Errorf("another function is told %q", got)
	}
	if got := told(operation.CreateAPIKey); !slices.Contains(got, "RETENTION_DAYS=30") || len(got) != 8 {
		t.Errorf("a function that stores keys is told %q", got)
	}
	if got := told(example.Orders); len(got) != 0 {
		t.Errorf("the example is told %q", got)
	}
}

// Every route of the example is behind the authorizer, which here answers with its event:
// that is neither a policy nor a yes.
func TestTheExampleIsGuarded(t *testing.T) {
	s := start(t, stack.Config{})
	for _, key := range example.Routes() {
		method, path, _ := strings.Cut(strings.ReplaceAll(key, "{id}", "1"), " ")
		for authorization, want := range map[string]int{"": 401, "Bearer x": 500} {
			request, err := http.NewRequestWithContext(t.Context(), method, s.ExampleURL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", authorization)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("%s with %q: %d, want %d", key, authorization, response.StatusCode, want)
			}
		}
	}
}

func TestDataAndKeyOutliveAStack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, stack.Config{DataDir: dir})
	if first.FirstKey() != fullKey {
		t.Error("the first start makes no key")
	}
	put(t, first, "kept", 0)
	localtest.WantMode(t, dir, 0o700|os.ModeDir)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(t, stack.Config{DataDir: dir})
	if second.FirstKey() != "" {
		t.Error("the second start makes a key")
	}
	if !exists(t, second, "kept") {
		t.Error("the item is gone")
	}
	if got, err := stack.ReadRootKey(dir); err != nil || got != fullKey {
		t.Errorf("root key: %v", err)
	}
}

// A directory may be anybody's, such as /tmp.
func TestADirectoryKeepsItsMode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ours")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := stack.Reset(dir); err != nil {
		t.Fatal(err)
	}
	if left := localtest.Entries(t, dir); len(left) > 0 {
		t.Errorf("reset made %v", left)
	}
	s := start(t, stack.Config{DataDir: dir})
	put(t, s, "secret", 0)
	localtest.WaitUntil(t, func() bool { return slices.Contains(localtest.Entries(t, dir), "stream.json") })
	localtest.WantMode(t, dir, 0o755|os.ModeDir)
	files := localtest.Entries(t, dir)
	for _, name := range []string{
		"dynamodb.db", "dynamodb.db-shm", "dynamodb.db-wal", "lock", "root-key", "stack.json", "stream.json",
	} {
		if !slices.Contains(files, name) {
			t.Errorf("no %s", name)
		}
	}
	for _, name := range files {
		if name != "session-keys" {
			localtest.WantMode(t, filepath.Join(dir, name), 0o600)
		}
	}
	sessionKeys := filepath.Join(dir, "session-keys")
	localtest.WantMode(t, sessionKeys, 0o700|os.ModeDir)
	for _, name := range localtest.Entries(t, sessionKeys) {
		localtest.WantMode(t, filepath.Join(sessionKeys, name), 0o600)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stack.Reset(dir); err != nil {
		t.Fatal(err)
	}
	localtest.WantMode(t, dir, 0o755|os.ModeDir)
}

func TestARootKeyThatDoesNotWorkIsReplaced(t *testing.T) {
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	for name, kept := range map[string]string{
		"not valid": vectors.Accepted[1].FullKey, "no key": "nonsense", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeRootKey(t, dir, kept)
			s := start(t, stack.Config{DataDir: dir})
			if s.FirstKey() != fullKey || strings.Count(greeting(t, s), fullKey) != 1 {
				t.Error("no new key is shown")
			}
			if got, err := stack.ReadRootKey(dir); err != nil || got != fullKey {
				t.Errorf("the file is not replaced: %v", err)
			}
			localtest.WantMode(t, filepath.Join(dir, "root-key"), 0o600)
		})
	}
}

// Without a verdict the key may be valid, so that it must not be replaced.
func TestWithoutAVerdictThereIsNoStart(t *testing.T) {
	for want, variables := range map[string]map[string]string{
		"validate-api-key answers with the status 503": {"PROBE_VALIDATES_WITH_STATUS": "503"},
		"exit status 7": {"PROBE_FAILS_TO_START": "1"},
	} {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			writeRootKey(t, dir, fullKey)
			_, err := stack.Start(t.Context(), withFreeAddresses(stack.Config{
				FunctionsDir: functions, DataDir: dir,
				Environment: func(operation.Operation) map[string]string { return variables },
			}))
			if err == nil || !strings.Contains(err.Error(), "cannot tell whether the key in "+dir) ||
				!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
			if got, err := stack.ReadRootKey(dir); err != nil || got != fullKey {
				t.Errorf("the file is replaced: %v", err)
			}
		})
	}
}

func TestRunning(t *testing.T) {
	dir := t.TempDir()
	if _, err := stack.Find(dir); !errors.Is(err, stack.ErrNotRunning) {
		t.Errorf("before: %v", err)
	}
	s := start(t, stack.Config{DataDir: dir})
	running, err := stack.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := stack.Running{
		URL: s.URL(), ExampleURL: s.ExampleURL(), InvokeURL: s.InvokeURL(), DynamoDB: s.DynamoDBEndpoint(), Table: s.Table(),
		PID: os.Getpid(),
	}
	if running != want {
		t.Errorf("got %+v", running)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Find(dir); !errors.Is(err, stack.ErrNotRunning) {
		t.Errorf("after: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	running := start(t, stack.Config{DataDir: dir})
	taken := strings.TrimPrefix(running.URL(), "http://")
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		config stack.Config
		binary string
		want   string
	}{
		{"data in use", stack.Config{DataDir: dir}, "", dir + ": another local stack runs on this directory"},
		{"address in use", stack.Config{Addr: taken}, "", "the address " + taken + " is in use"},
		{"no address", stack.Config{Addr: "nonsense"}, "", "address of the HTTP API"},
		{"example's address in use", stack.Config{ExampleAddr: taken}, "", "the address " + taken + " is in use"},
		{"no address of the example", stack.Config{ExampleAddr: "nonsense"}, "", "address of the example"},
		{"no functions", stack.Config{FunctionsDir: other}, "", "no binary of the function create-api-key in " + other},
		{"no emulator", stack.Config{}, filepath.Join(other, "none"), "LATCHKEY_DYNOXIDE names"},
		{"no directory", stack.Config{DataDir: filepath.Join(other, "file")}, "", "state directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(emulator.BinaryVariable, test.binary)
			config := withFreeAddresses(test.config)
			config.FunctionsDir = cmp.Or(config.FunctionsDir, functions)
			_, err := stack.Start(t.Context(), config)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if get(t, running.URL()+"/health") == "" {
		t.Error("the running stack suffered")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s := start(t, stack.Config{})
	pid, err := s.Invoke(t.Context(), operation.Health, []byte(`{"do":"pid"}`))
	if err != nil {
		t.Fatal(err)
	}
	var function int
	if err := json.Unmarshal(pid, &function); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := syscall.Kill(function, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("function: %v", err)
	}
	for _, url := range []string{s.URL(), s.ExampleURL(), s.InvokeURL(), s.DynamoDBEndpoint()} {
		if connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			_ = connection.Close()
			t.Errorf("%s still answers", url)
		}
	}
}

func TestExpiredItemsAreSwept(t *testing.T) {
	log := &localtest.Buffer{}
	clock := &clock{now: time.Unix(1000, 0)}
	s := start(t, stack.Config{SweepInterval: 10 * time.Millisecond, Now: clock.Now, Log: log})
	put(t, s, "due later", 2000)
	time.Sleep(50 * time.Millisecond)
	if !exists(t, s, "due later") {
		t.Fatal("swept before it was due")
	}
	clock.set(time.Unix(2000, 0))
	for range 500 {
		if !exists(t, s, "due later") && strings.Contains(log.String(), "TTL: items deleted: 1") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not swept; log: %s", log.String())
}

func TestAnotherDynamoDBReplacesTheEmulator(t *testing.T) {
	e, err := emulator.Start(t.Context(), emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	t.Setenv(emulator.BinaryVariable, "/does/not/exist")
	dir := t.TempDir()
	s := start(t, stack.Config{DataDir: dir, DynamoDBEndpoint: e.Endpoint()})
	if s.DynamoDBEndpoint() != e.Endpoint() || s.FirstKey() == "" {
		t.Errorf("at %s", s.DynamoDBEndpoint())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, stack.Config{DataDir: dir, DynamoDBEndpoint: e.Endpoint()})
	if again.FirstKey() != "" {
		t.Error("a second key is made")
	}
	put(t, again, "changed", 0)
	localtest.WaitUntil(t, func() bool { return slices.Contains(localtest.Entries(t, dir), "stream.json") })
	if text := greeting(t, again); !strings.Contains(text, "\nLatchkey's data are in the DynamoDB at "+e.Endpoint()) {
		t.Errorf("it is not told of:\n%s", text)
	}
}

// A stack whose function fails leaves the change to the next one.
func TestChangesAreGivenToTheFunctionThatWantsThem(t *testing.T) {
	dir, log := t.TempDir(), &localtest.Buffer{}
	op := operation.RemoveServiceAccount
	s := start(t, stack.Config{DataDir: dir, Log: log, Environment: func(of operation.Operation) map[string]string {
		if of.Name == op.Name {
			return map[string]string{"PROBE_FAILS_TO_START": "1"}
		}
		return nil
	}})
	put(t, s, "not wanted", 0)
	item := keyOf("wanted")
	item[op.Feed] = &types.AttributeValueMemberS{Value: "now"}
	putItem(t, s, item)
	localtest.WaitUntil(t, func() bool {
		return strings.Contains(log.String(), "stream: "+op.Name+": attempt 1 of 11 at record ")
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := log.String()
	if strings.Contains(before, "wanted") {
		t.Errorf("the log holds contents: %s", before)
	}

	start(t, stack.Config{DataDir: dir, Log: log})
	localtest.WaitUntil(t, func() bool { return strings.Contains(checkpoint(t, dir), `": "2"`) })
	if got := log.String(); strings.Contains(got[len(before):], "stream") || slices.Contains(localtest.Entries(t, dir), "dead-letters.jsonl") {
		t.Errorf("log: %s", got[len(before):])
	}
}

func TestWithoutAStreamNobodyIsGivenChanges(t *testing.T) {
	dir := t.TempDir()
	s := start(t, stack.Config{DataDir: dir, WithoutStream: true})
	put(t, s, "changed", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := checkpoint(t, dir); got != "" {
		t.Errorf("checkpoint: %s", got)
	}
}

// checkpoint is the file of the stream's checkpoints, empty where there is none.
func checkpoint(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "stream.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func TestReset(t *testing.T) {
	dir := t.TempDir()
	stranger := filepath.Join(dir, "stranger")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, stack.Config{DataDir: dir})
	put(t, s, "forgotten", 0)
	localtest.WaitUntil(t, func() bool { return slices.Contains(localtest.Entries(t, dir), "stream.json") })
	if err := stack.Reset(dir); !errors.Is(err, stack.ErrInUse) {
		t.Errorf("while it runs: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dead-letters.jsonl"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := stack.Reset(dir); err != nil {
		t.Fatal(err)
	}
	if left := localtest.Entries(t, dir); !slices.Equal(left, []string{"lock", "stranger"}) {
		t.Errorf("left are %v", left)
	}
	again := start(t, stack.Config{DataDir: dir})
	if exists(t, again, "forgotten") || again.FirstKey() == "" {
		t.Error("the data is still there")
	}
	if err := stack.Reset(filepath.Join(dir, "none")); err != nil {
		t.Errorf("no directory: %v", err)
	}
}

func TestGreeting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	clock := &clock{now: time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)}
	s := start(t, stack.Config{DataDir: dir, Now: clock.Now})
	first := greeting(t, s)
	if strings.Count(first, fullKey) != 1 || !strings.Contains(first, s.URL()) || !strings.Contains(first, s.ExampleURL()+"/orders") {
		t.Errorf("first greeting:\n%s", strings.ReplaceAll(first, fullKey, "(key)"))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, stack.Config{DataDir: dir, Now: clock.Now})
	second := greeting(t, s)
	if strings.Contains(second, fullKey) {
		t.Error("the second greeting shows the key again")
	}
	_, secret, _ := strings.Cut(strings.TrimPrefix(fullKey, "lk_"), "_")
	requests := paste(t, second)
	wants := []struct{ method, path, authorization, body string }{
		{"POST", "/v1/namespaces/demo/api-keys", "Bearer " + fullKey, `{"meta":{"name":"first"},"spec":{` +
			`"expiration_time":"2031-05-06T00:00:00Z","permissions":{"roles":["SYSTEM_ROLE_READ_ONLY"]}}}`},
		{"GET", "/v1/namespaces/demo/api-keys", "Bearer " + fullKey, ""},
		{"POST", "/v1/auth/api-key/validate", "", fmt.Sprintf(`{"key":%q,"secret":%q}`, strings.TrimSuffix(fullKey, "_"+secret), secret)},
	}
	if len(requests) != len(wants) {
		t.Fatalf("%d requests", len(requests))
	}
	for i, want := range wants {
		got := requests[i]
		if got.RequestContext.HTTP.Method != want.method || got.RawPath != want.path ||
			got.Headers["authorization"] != want.authorization || got.Body != want.body {
			t.Errorf("request %d is %s %s", i, got.RequestContext.HTTP.Method, got.RawPath)
		}
	}
}

// paste runs the lines of a greeting that are for a shell, against a stack whose
// functions answer with the event that they got.
func paste(t *testing.T, greeting string) []events.APIGatewayV2HTTPRequest {
	t.Helper()
	sh := shell.New(t)
	var got []events.APIGatewayV2HTTPRequest
	for line := range strings.Lines(greeting) {
		if !strings.Contains(line, "curl") {
			continue
		}
		out, err := sh.Run(line)
		if err != nil {
			t.Fatal(err)
		}
		var event events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(out, &event); err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	return got
}

func greeting(t *testing.T, s *stack.Stack) string {
	t.Helper()
	var text bytes.Buffer
	if err := s.Greet(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func put(t *testing.T, s *stack.Stack, pk string, purgeAt int) {
	t.Helper()
	item := keyOf(pk)
	if purgeAt > 0 {
		item[schema.PurgeAt] = &types.AttributeValueMemberN{Value: fmt.Sprint(purgeAt)}
	}
	putItem(t, s, item)
}

func putItem(t *testing.T, s *stack.Stack, item map[string]types.AttributeValue) {
	t.Helper()
	name := s.Table()
	_, err := table.Client(s.DynamoDBEndpoint()).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item})
	if err != nil {
		t.Fatal(err)
	}
}

func exists(t *testing.T, s *stack.Stack, pk string) bool {
	t.Helper()
	name := s.Table()
	out, err := table.Client(s.DynamoDBEndpoint()).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, Key: keyOf(pk)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item != nil
}

func keyOf(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: pk},
		schema.SortKey:      &types.AttributeValueMemberS{Value: "x"},
	}
}

func writeRootKey(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "root-key"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}
