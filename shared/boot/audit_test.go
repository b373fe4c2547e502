package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// Whoever goes through the log for what was revoked, as after the table was restored to an
// earlier time, is told of which key and by whom.
func TestLogTellsWhatWasRevoked(t *testing.T) {
	a := newAccounts(t)
	var log bytes.Buffer
	a.config.Log = slog.New(slog.NewJSONHandler(&log, nil))
	account := a.makeAccount(t, "ci")
	owned := a.makeKey(t, account, "k")
	key := a.create(t, keyBody(a.at.Add(time.Hour), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	ofWorkspace := a.makeWorkspaceKey(t)
	inAccount := map[string]string{"account": account.ID, "key": owned.ID}
	for _, test := range []struct {
		op    operation.Operation
		path  map[string]string
		body  string
		about map[string]any
	}{
		{operation.UpdateAccountKey, map[string]string{"account": account.ID, "key": "k"}, `{"active":false}`,
			map[string]any{"account": account.ID, "key": owned.ID}},
		{operation.RotateAccountKey, map[string]string{"account": account.ID, "key": "k"}, `{}`,
			map[string]any{"account": account.ID, "key": owned.ID}},
		{operation.DeleteAccountKey, inAccount, "", map[string]any{"account": account.ID, "key": owned.ID}},
		{operation.UpdateServiceAccount, inAccount, `{"active":false}`, map[string]any{"account": account.ID}},
		{operation.DeleteServiceAccount, inAccount, "", map[string]any{"account": account.ID}},
		{operation.DeleteAPIKey, map[string]string{"namespace": "demo", "uuid": key.UUID}, "",
			map[string]any{"key": key.UUID, "namespace": "demo"}},
		{operation.DeleteWorkspaceKey, nil, fmt.Sprintf(`{"apiKey":%q}`, ofWorkspace),
			map[string]any{"key": ofWorkspace.ID.String(), "namespace": "demo.tiger"}},
	} {
		log.Reset()
		status, body := a.call(t, test.op, events.APIGatewayV2HTTPRequest{PathParameters: test.path, Body: test.body})
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", test.op.Name, status, body)
		}
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", test.op.Name, err, log.String())
		}
		test.about["caller_key"], test.about["caller_namespace"] = a.root.UUID, "demo"
		for field, want := range test.about {
			if line[field] != want {
				t.Errorf("%s: %s is %v, want %v", test.op.Name, field, line[field], want)
			}
		}
	}
}

func (d *deployment) makeWorkspaceKey(t *testing.T) apikey.Locator {
	t.Helper()
	status, body := d.call(t, operation.CreateWorkspaceKey, events.APIGatewayV2HTTPRequest{
		Body: `{"name":"n","role":"Viewer","validUntil":"2099-12-31","workspaceName":"tiger","description":"d"}`,
	})
	var made struct{ Data struct{ APIKey string } }
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatalf("%d %s", status, body)
	}
	at, ok := apikey.LocatorIn(made.Data.APIKey)
	if !ok {
		t.Fatalf("%d %.60s", status, body)
	}
	return at
}
