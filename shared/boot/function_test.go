package boot_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/bars"
	"latchkey/localstack/keyservice/keyservicetest"
	"latchkey/shared/apikey"
	"latchkey/shared/boot"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/kms"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

// A deployment is every function, in this process, on one table.
type deployment struct {
	config boot.Config
	table  string
	place  dynamo.Config // the table without the meter
	meter  *dynamotest.Meter
	store  *dynamo.Store
	root   bootstrapped
	now    time.Time
}

type bootstrapped struct {
	UUID    string `json:"uuid"`
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	FullKey string `json:"full_key"`
}

// newDeployment has its store's configuration changed, for instance to look into it.
func newDeployment(t testing.TB, changes ...func(*dynamo.Config)) *deployment {
	t.Helper()
	table := database.NewTable(t)
	d := &deployment{now: time.Now(), table: table.Table, place: table}
	d.meter = dynamotest.Measure(&table)
	for _, change := range changes {
		change(&table)
	}
	d.store = dynamo.New(table)
	d.config = boot.Config{
		Records:  d.store,
		Store:    d.store,
		Sessions: newSessions(t),
		Clock:    d.tick,
		Random:   rand.Reader,
		Log:      slog.New(slog.NewJSONHandler(io.Discard, nil)),
	}
	answer, err := d.function(t, operation.Bootstrap).Invoke(t.Context(), []byte(`{"namespace":"demo"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &d.root); err != nil {
		t.Fatal(err)
	}
	d.meter.Take()
	return d
}

// newSessions has one session key behind KMS's wire protocol.
func newSessions(t testing.TB) boot.Sessions {
	t.Helper()
	client, id := keyservicetest.Start(t)
	return boot.Sessions{
		KeyStore: kms.New(client), KeyIDs: []string{id}, Issuer: "https://latchkey.example", Audience: "latchkey",
	}
}

// tick is a clock that never shows a time twice, so that keys sort by creation.
func (d *deployment) tick() time.Time {
	d.now = d.now.Add(time.Millisecond)
	return d.now
}

func (d *deployment) function(t testing.TB, op operation.Operation) lambdaweb.Function {
	t.Helper()
	return made(t, op, d.config)
}

// call sends an event with the root key to an operation.
func (d *deployment) call(t testing.TB, op operation.Operation, event events.APIGatewayV2HTTPRequest) (int, string) {
	t.Helper()
	return d.callWith(t, d.root.FullKey, op, event)
}

func (d *deployment) callWith(
	t testing.TB, credential string, op operation.Operation, event events.APIGatewayV2HTTPRequest,
) (int, string) {
	t.Helper()
	event.Headers = map[string]string{"authorization": "Bearer " + credential}
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.function(t, op).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Body
}

func (d *deployment) create(t testing.TB, body string) bootstrapped {
	t.Helper()
	status, answer := d.call(t, operation.CreateAPIKey, events.APIGatewayV2HTTPRequest{
		PathParameters: map[string]string{"namespace": "demo"}, Body: body,
	})
	var key struct {
		UUID string
		Spec struct{ Key, Secret string }
	}
	if err := json.Unmarshal([]byte(answer), &key); err != nil || status != 200 {
		t.Fatalf("create: %d %s", status, answer)
	}
	return bootstrapped{UUID: key.UUID, Key: key.Spec.Key, Secret: key.Spec.Secret}
}

func (d *deployment) validate(t testing.TB, key, secret string) (valid bool, body string) {
	t.Helper()
	request, err := json.Marshal(map[string]string{"key": key, "secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	status, body := d.call(t, operation.ValidateAPIKey, events.APIGatewayV2HTTPRequest{Body: string(request)})
	var answer struct{ Valid *bool }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 || answer.Valid == nil {
		t.Fatalf("validate: %d %s", status, body)
	}
	return *answer.Valid, body
}

const anHourLong = `{"meta":{"name":"ci"},"spec":{"expiration_time":%q,"permissions":%s}}`

func keyBody(expires time.Time, permissions string) string {
	return fmt.Sprintf(anHourLong, expires.UTC().Format(time.RFC3339), permissions)
}

// Whatever becomes of a well-formed key, it takes one read of one unit, and no
// write; a malformed one takes nothing. Every refusal is the same but for the key
// that it repeats.
func TestCostOfValidation(t *testing.T) {
	d := newDeployment(t)
	hour := d.now.Add(time.Hour)
	valid := d.create(t, keyBody(hour, `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	other := d.create(t, keyBody(hour, `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	largest := d.createLargest(t, hour)
	disabled := d.create(t, keyBody(hour, `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	d.disable(t, disabled.UUID)
	deleted := d.create(t, keyBody(hour, `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	if status, body := d.call(t, operation.DeleteAPIKey, events.APIGatewayV2HTTPRequest{
		PathParameters: map[string]string{"namespace": "demo", "uuid": deleted.UUID},
	}); status != 200 {
		t.Fatalf("delete: %d %s", status, body)
	}
	wrong := withSecretOf(t, valid, other)
	tests := []struct {
		name        string
		key, secret string
		later       time.Duration
		valid       bool
		bar         string
	}{
		{"valid", valid.Key, valid.Secret, 0, true, "calls/valid"},
		{"the largest", largest.Key, largest.Secret, 0, true, "calls/largest"},
		{"without expiry", d.root.Key, d.root.Secret, 0, true, "calls/valid"},
		{"unknown", deleted.Key, deleted.Secret, 0, false, "calls/unknown"},
		{"disabled", disabled.Key, disabled.Secret, 0, false, "calls/disabled"},
		{"expired", valid.Key, valid.Secret, time.Hour, false, "calls/expired"},
		{"a wrong secret", wrong.Key, wrong.Secret, 0, false, "calls/wrong-secret"},
		{"another's secret", valid.Key, other.Secret, 0, false, "calls/mistyped"}, // the checksum is of the whole key
		{"a typo", valid.Key, withTypo(valid.Secret), 0, false, "calls/mistyped"},
		{"noise", "noise", "noise", 0, false, "calls/malformed"},
	}
	start := d.now
	for _, test := range tests {
		d.now = start.Add(test.later)
		d.meter.Take()
		valid, body := d.validate(t, test.key, test.secret)
		if valid != test.valid {
			t.Errorf("%s: valid %v", test.name, valid)
		}
		bars.Hold(t, test.bar, callsOf(d.meter.Take()))
		refusal := `{"key":"` + test.key + `","secret":"","issuing_user":null,"valid":false}`
		if !valid && body != refusal {
			t.Errorf("%s is answered %s, want %s", test.name, body, refusal)
		}
	}
}

// createLargest makes the key with the longest grant that is not refused.
func (d *deployment) createLargest(t testing.TB, expires time.Time) (largest bootstrapped) {
	t.Helper()
	body := func(length int) string {
		return keyBody(expires, `{"rules":{"`+strings.Repeat("k", length)+`":{"methods":["METHOD_ALL"]}}}`)
	}
	shortest := sort.Search(schema.MaxKeyItemBytes, func(length int) bool {
		status, _ := d.call(t, operation.CreateAPIKey, events.APIGatewayV2HTTPRequest{
			PathParameters: map[string]string{"namespace": "demo"}, Body: body(length),
		})
		return status != 200
	})
	return d.create(t, body(shortest-1))
}

// withSecretOf is a key that another one's secret is tried with, in a well-formed text.
func withSecretOf(t testing.TB, key, other bootstrapped) bootstrapped {
	t.Helper()
	mine, err := apikey.ParsePair(key.Key, key.Secret)
	theirs, otherErr := apikey.ParsePair(other.Key, other.Secret)
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	mine.Secret = theirs.Secret
	key.Key, key.Secret = mine.RevealPair()
	return key
}

// withTypo changes the first character.
func withTypo(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

func (d *deployment) disable(t testing.TB, id string) {
	t.Helper()
	parsed, _ := apikey.ParseID(id)
	key, err := d.store.Get(t.Context(), apikey.Locator{Namespace: parse(t, "demo"), ID: parsed})
	if err != nil {
		t.Fatal(err)
	}
	key.Disabled = true
	if err := d.store.Update(t.Context(), key, key); err != nil {
		t.Fatal(err)
	}
}

// A page of 20 costs the same calls and units however many keys there are.
func TestCostOfAPage(t *testing.T) {
	d := newDeployment(t)
	total := 1
	for _, size := range pageSizes[:3] {
		d.fillFast(t, size-total)
		total = size
		bars.Hold(t, fmt.Sprintf("page/%d/calls", size), d.callsOfPage(t))
	}
}

// What an operation costs: its own calls, and one unit to know who calls, be it by a key
// or by a session token.
func TestCostOfEachOperation(t *testing.T) {
	d := newDeployment(t)
	hour := d.now.Add(time.Hour)
	key := d.create(t, keyBody(hour, `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	pair, err := json.Marshal(map[string]string{"key": d.root.Key, "secret": d.root.Secret})
	if err != nil {
		t.Fatal(err)
	}
	d.meter.Take()
	status, body := d.call(t, operation.ExchangeAPIKey, events.APIGatewayV2HTTPRequest{Body: string(pair)})
	var exchanged struct{ Token string }
	if err := json.Unmarshal([]byte(body), &exchanged); err != nil || status != 200 {
		t.Fatalf("exchange: %d %s", status, body)
	}
	who := dynamotest.Call{Action: "GetItem", Units: 1}
	if diff := cmp.Diff([]dynamotest.Call{who}, d.meter.Take()); diff != "" {
		t.Errorf("exchange:\n%s", diff)
	}
	demo := map[string]string{"namespace": "demo"}
	item := map[string]string{"namespace": "demo", "uuid": key.UUID}
	query := func(text string) events.APIGatewayV2HTTPRequest {
		return events.APIGatewayV2HTTPRequest{PathParameters: demo, RawQueryString: text}
	}
	page := dynamotest.Call{Action: "Query", Units: 0.5}
	for _, test := range []struct {
		name  string
		op    operation.Operation
		event events.APIGatewayV2HTTPRequest
		calls []dynamotest.Call
	}{
		{"get", operation.GetAPIKey, events.APIGatewayV2HTTPRequest{PathParameters: item}, []dynamotest.Call{{Action: "Query", Units: 1}}},
		{"who am I", operation.WhoAmI, events.APIGatewayV2HTTPRequest{}, nil},
		{"list", operation.ListAPIKeys, query(""), []dynamotest.Call{page}},
		{"list below", operation.ListAPIKeys, query("list_parameters.traverse=true"), []dynamotest.Call{page}},
		{"list, filtered", operation.ListAPIKeys, query("list_parameters.filter=meta.name==ci"), []dynamotest.Call{page}},
		{"list, sorted", operation.ListAPIKeys, query("list_parameters.sort.path=meta.name"), []dynamotest.Call{page}},
		{"list, counted", operation.ListAPIKeys, query("list_parameters.count=true"), []dynamotest.Call{page}},
		{"list, grouped", operation.ListAPIKeys, query("list_parameters.group.aggregation_paths=meta.name"), []dynamotest.Call{page}},
	} {
		for name, credential := range map[string]string{"key": d.root.FullKey, "token": exchanged.Token} {
			d.meter.Take()
			if status, body := d.callWith(t, credential, test.op, test.event); status != 200 {
				t.Errorf("%s: %d %s", test.name, status, body)
			}
			if diff := cmp.Diff(append([]dynamotest.Call{who}, test.calls...), d.meter.Take()); diff != "" {
				t.Errorf("%s by a %s:\n%s", test.name, name, diff)
			}
		}
	}
}

// Texts are read only for who sees them, or where they decide.
func TestTextsAreReadWhereTheyMatter(t *testing.T) {
	d := newDeployment(t)
	d.create(t, fmt.Sprintf(`{"meta":{"name":"ci","tags":["a"]},"spec":{"expiration_time":%q,"permissions":{"roles":["SYSTEM_ROLE_ADMIN"]}}}`,
		d.now.Add(time.Hour).Format(time.RFC3339)))
	for query, want := range map[string]int{
		"":                                            1,
		"list_parameters.mask=meta.tags":              1,
		"list_parameters.mask=meta":                   1,
		"list_parameters.mask=meta.name,spec":         0,
		"list_parameters.count=true":                  0,
		"list_parameters.filter=meta.name==other":     0,
		"list_parameters.filter=meta.name==ci":        1,
		"list_parameters.filter=meta.tags+contains+a": 1,
		"list_parameters.sort.path=uuid":              1,
		"list_parameters.sort.path=meta.description&list_parameters.mask=uuid":   1,
		"list_parameters.filter=meta.tags+contains+a&list_parameters.count=true": 1,
		"list_parameters.group.aggregation_paths=meta.tags":                      1,
		"list_parameters.group.aggregation_paths=meta.kind":                      0,
	} {
		d.meter.Take()
		status, body := d.call(t, operation.ListAPIKeys, events.APIGatewayV2HTTPRequest{
			PathParameters: map[string]string{"namespace": "demo"}, RawQueryString: query,
		})
		batches := 0
		for _, call := range d.meter.Take() {
			if call.Action == "BatchGetItem" {
				batches++
			}
		}
		if status != 200 || batches != want {
			t.Errorf("%q: %d, %d batches of texts, want %d: %.300s", query, status, batches, want, body)
		}
	}
}

func listPage(t testing.TB, d *deployment) {
	t.Helper()
	status, body := d.call(t, operation.ListAPIKeys, events.APIGatewayV2HTTPRequest{
		PathParameters: map[string]string{"namespace": "demo"}, RawQueryString: "list_parameters.page_size=20",
	})
	if got := strings.Count(body, `"tenant_meta"`); status != 200 || got != 20 {
		t.Fatalf("a page of %d keys: %d", got, status)
	}
}

// fill adds keys to the namespace demo.
func fill(t testing.TB, d *deployment, count int) {
	t.Helper()
	keys := apikey.NewService(apikey.Config{Store: d.store, Clock: d.config.Clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err := issueFillers(t, keys, count); err != nil {
		t.Fatal(err)
	}
}

func parse(t testing.TB, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
