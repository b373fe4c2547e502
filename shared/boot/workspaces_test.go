package boot_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/operation"
)

const (
	workspaceCount   = 200
	keysInWorkspace  = 50
	workspaceFillers = 8

	// Of so many workspaces one has keys with descriptions, one key of so many: few
	// enough for one batch.
	describedWorkspaces = 20
	describedKeys       = 5
)

// A workspaceKey is what these tests look at of a listed key.
type workspaceKey struct {
	ID            string `json:"id"`
	WorkspaceName string `json:"workspaceName"`
	Description   string `json:"description"`
}

func workspaceName(i int) string { return fmt.Sprintf("w%03d", i) }

// descriptionOf is what a key of a workspace says, if anything.
func descriptionOf(workspace, key int) string {
	if workspace%describedWorkspaces != 0 || key%describedKeys != 0 {
		return ""
	}
	return "of " + workspaceName(workspace)
}

// fillWorkspaces gives what a list is to show of the keys that it makes.
func (d *deployment) fillWorkspaces(t *testing.T, from, to int) []workspaceKey {
	t.Helper()
	made := make([]workspaceKey, (to-from)*keysInWorkspace)
	var fillers sync.WaitGroup
	for filler := range workspaceFillers {
		fillers.Go(func() {
			for i := filler; i < len(made); i += workspaceFillers {
				workspace := from + i/keysInWorkspace
				made[i] = d.addWorkspaceKey(t, workspaceName(workspace), descriptionOf(workspace, i%keysInWorkspace))
			}
		})
	}
	fillers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return made
}

// addWorkspaceKey may be called by several goroutines at once, as the deployment's clock
// may not. Its own one gives whole seconds, so that records of a kind have one size, and
// a page of them one cost.
func (d *deployment) addWorkspaceKey(t *testing.T, workspace, description string) workspaceKey {
	now := time.Now().Truncate(time.Second)
	keys := apikey.NewService(apikey.Config{Store: d.store, Clock: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	demo := parse(t, "demo")
	owner := access.Caller{Name: "owner", Namespace: demo, Propagate: true, Grant: access.Grant{Roles: []access.Role{access.Owner}}}
	issued, err := keys.Issue(t.Context(), owner, apikey.Draft{
		Namespace: parse(t, "demo."+workspace), Name: "filler", User: "admin", ExpiresAt: now.AddDate(1, 0, 0),
		Grant: access.Grant{Roles: []access.Role{access.Viewer}}, Texts: apikey.Texts{Description: description},
	})
	if err != nil {
		t.Error(err)
	}
	return workspaceKey{withoutDashes(issued.Key.Locator.ID.String()), workspace, description}
}

func withoutDashes(uuid string) string { return strings.ReplaceAll(uuid, "-", "") }

// askForWorkspaces lists with the query that is given, and tells what was called for it.
func (d *deployment) askForWorkspaces(t *testing.T, query string) (status int, body string, calls []dynamotest.Call) {
	t.Helper()
	d.meter.Take()
	status, body = d.call(t, operation.ListWorkspaceKeys, events.APIGatewayV2HTTPRequest{
		RawPath: operation.ListWorkspaceKeys.Path(), RawQueryString: query,
	})
	return status, body, d.meter.Take()
}

func (d *deployment) listWorkspaces(t *testing.T, query string) ([]workspaceKey, []dynamotest.Call) {
	t.Helper()
	status, body, calls := d.askForWorkspaces(t, query)
	var answer struct {
		Data struct{ Data []workspaceKey }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%q: %d %.500s, %v", query, status, body, err)
	}
	return answer.Data.Data, calls
}

// The list of a workspace costs its own keys, however many others the tenant has.
func TestWorkspacesAmong10000Keys(t *testing.T) {
	d := newDeployment(t)
	made := d.fillWorkspaces(t, 0, workspaceCount)
	for _, test := range []struct {
		name      string
		workspace int
		actions   []string
	}{
		{"the first one, with descriptions", 0, []string{"GetItem", "Query", "BatchGetItem"}},
		{"one in the middle, without any", 101, []string{"GetItem", "Query"}},
		{"one in the middle, with descriptions", 100, []string{"GetItem", "Query", "BatchGetItem"}},
		{"the last one, without any", workspaceCount - 1, []string{"GetItem", "Query"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := d.wantWorkspace(t, test.workspace, made)
			wantActions(t, calls, test.actions)
			wantCostAlone(t, calls, test.workspace)
		})
	}
	t.Run("all of them", func(t *testing.T) { d.wantAllWorkspaces(t, made) })
}

// wantWorkspace wants the keys of one workspace out of all that were made.
func (d *deployment) wantWorkspace(t *testing.T, workspace int, made []workspaceKey) []dynamotest.Call {
	t.Helper()
	keys, calls := d.listWorkspaces(t, "workspace="+workspaceName(workspace))
	others := func(key workspaceKey) bool { return key.WorkspaceName != workspaceName(workspace) }
	wantEachOnce(t, keys, slices.DeleteFunc(slices.Clone(made), others))
	return calls
}

// wantEachOnce compares without regard to order.
func wantEachOnce(t *testing.T, got, want []workspaceKey) {
	t.Helper()
	counts := func(keys []workspaceKey) map[workspaceKey]int {
		count := map[workspaceKey]int{}
		for _, key := range keys {
			count[key]++
		}
		return count
	}
	if diff := cmp.Diff(counts(want), counts(got)); diff != "" {
		t.Errorf("%d keys, want %d (-want +got):\n%.2000s", len(got), len(want), diff)
	}
}

// wantActions wants the first one to cost one unit: it reads who calls.
func wantActions(t *testing.T, calls []dynamotest.Call, want []string) {
	t.Helper()
	var got []string
	for _, call := range calls {
		got = append(got, call.Action)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("calls (-want +got):\n%s", diff)
	}
	if calls[0].Units != 1 {
		t.Errorf("to know who calls costs %v units", calls[0].Units)
	}
}

// wantCostAlone wants the calls, and units, that the workspace takes in a table of its own.
func wantCostAlone(t *testing.T, calls []dynamotest.Call, workspace int) {
	t.Helper()
	alone := newDeployment(t)
	made := alone.fillWorkspaces(t, workspace, workspace+1)
	if diff := cmp.Diff(alone.wantWorkspace(t, workspace, made), calls); diff != "" {
		t.Errorf("(-alone +among %d keys):\n%s", workspaceCount*keysInWorkspace, diff)
	}
}

// wantAllWorkspaces wants the root key too, which is in no workspace, and no call that
// might be a Scan.
func (d *deployment) wantAllWorkspaces(t *testing.T, made []workspaceKey) {
	keys, calls := d.listWorkspaces(t, "")
	wantEachOnce(t, keys, append(slices.Clone(made), workspaceKey{ID: withoutDashes(d.root.UUID)}))
	for _, call := range calls {
		if !slices.Contains([]string{"GetItem", "Query", "BatchGetItem"}, call.Action) {
			t.Errorf("a list does a %s", call.Action)
		}
	}
}

// What one answer cannot hold is refused whole, by the name of the parameter that would
// make less of it; with it, each part is answered.
func TestWorkspacesTooLargeForOneAnswer(t *testing.T) {
	const (
		workspaces = 2
		keys       = 15
		size       = 190_000 // all together 5.7 MB, half of it under 5 MB
	)
	d := newDeployment(t)
	for i := range workspaces * keys {
		d.addWorkspaceKey(t, workspaceName(i%workspaces), strings.Repeat("x", size))
	}
	status, body, _ := d.askForWorkspaces(t, "")
	wantTooLarge(t, status, body)
	for i := range workspaces {
		if got, _ := d.listWorkspaces(t, "workspace="+workspaceName(i)); len(got) != keys {
			t.Errorf("%s has %d keys", workspaceName(i), len(got))
		}
	}
}

func wantTooLarge(t *testing.T, status int, body string) {
	t.Helper()
	var answer struct {
		StatusCode      int
		Status, Message string
		Data            any
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%.300s: %v", body, err)
	}
	if status != http.StatusUnprocessableEntity || answer.StatusCode != status || answer.Status != "VALIDATION_ERROR" ||
		answer.Data != nil || !strings.Contains(answer.Message, "workspace") {
		t.Errorf("%d %.300s, want a 422 that names workspace", status, body)
	}
}

// A gateway that takes a body for no text hands it over in base64, as it may where a
// client names no content type.
func TestBodiesInBase64(t *testing.T) {
	d := newDeployment(t)
	inBase64 := func(body string) events.APIGatewayV2HTTPRequest {
		return events.APIGatewayV2HTTPRequest{Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true}
	}
	status, body := d.call(t, operation.CreateWorkspaceKey, inBase64(`{"name":"n","role":"Owner","validUntil":"9999-12-31"}`))
	var created struct{ Data struct{ APIKey string } }
	if err := json.Unmarshal([]byte(body), &created); err != nil || status != 200 {
		t.Fatalf("create: %d %s", status, body)
	}
	request := inBase64(fmt.Sprintf(`{"apiKey":%q}`, created.Data.APIKey))
	if status, _ := d.call(t, operation.ExchangeWorkspaceKey, request); status != 200 {
		t.Errorf("exchange: %d", status)
	}
	want := `{"statusCode":200,"status":"OK","message":"Success","data":null}`
	if status, body := d.call(t, operation.DeleteWorkspaceKey, request); status != 200 || body != want {
		t.Errorf("delete: %d %s", status, body)
	}
	if status, _ := d.call(t, operation.ExchangeWorkspaceKey, request); status != 401 {
		t.Errorf("exchange of a deleted key: %d", status)
	}
}

// Texts that a list does not show cost reading all the same, which has a bound.
func TestWorkspaceOfLargeTexts(t *testing.T) {
	d := newDeployment(t)
	key := d.rootKey(t)
	key.Texts.Annotations = map[string]string{"large": strings.Repeat("x", 200_000)}
	for i := range 300 {
		key.Locator.ID[15], key.Locator.ID[14] = byte(i), byte(i>>8)
		key.Locator.Namespace = parse(t, "demo.large")
		if err := d.store.Create(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	status, body, calls := d.askForWorkspaces(t, "workspace=large")
	wantTooLarge(t, status, body)
	if len(calls) > 20 {
		t.Errorf("it is refused after %d calls", len(calls))
	}
}
