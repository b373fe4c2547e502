package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/infra/example"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest/capacity"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// A load is a call that is made a million times.
type load struct {
	name       string
	op         operation.Operation
	signatures float64

	// event puts into the table what the call is to meet there, and gives the call.
	event func(*costs) any
}

// Loads are what most of a bill is made of.
var loads = []load{
	{"validation of a key", operation.ValidateAPIKey, 0, (*costs).validate},
	{"validation of a service account's key", operation.ValidateAPIKey, 0, (*costs).validateOwned},
	{"exchange for a token that is less than a minute old", operation.ExchangeAPIKey, 0, (*costs).validate},
	{"exchange for a new token", operation.ExchangeAPIKey, 1, (*costs).validate},
	{"decision of an authorizer", operation.Authorizer, 0, (*costs).authorize},
	{"page of 20 keys", operation.ListAPIKeys, 0, (*costs).list},
	{"creation of a key", operation.CreateAPIKey, 0, (*costs).newDemoKey},
}

// Usual is at least one call of every operation.
var usual = []load{
	{"a key", operation.CreateAPIKey, 0, (*costs).newDemoKey},
	{"a key with a description", operation.CreateAPIKey, 0, (*costs).newDescribed},
	{"a key of 3.7 KB", operation.CreateAPIKey, 0, (*costs).newLargest},
	{"a page of 20", operation.ListAPIKeys, 0, (*costs).list},
	{"a page of 20 with descriptions", operation.ListAPIKeys, 0, (*costs).listDescribed},
	{"a key", operation.GetAPIKey, 0, (*costs).oneKey},
	{"another name", operation.UpdateAPIKey, 0, (*costs).renameKey},
	{"a description", operation.UpdateAPIKey, 0, (*costs).describeKey},
	{"a key", operation.DeleteAPIKey, 0, (*costs).oneKey},
	{"10 namespaces", operation.ListNamespaces, 0, (*costs).listNamespaces},
	{"a key", operation.ValidateAPIKey, 0, (*costs).validate},
	{"a service account's key", operation.ValidateAPIKey, 0, (*costs).validateOwned},
	{"a key, for a new token", operation.ExchangeAPIKey, 1, (*costs).validate},
	{"a key", operation.WhoAmI, 0, (*costs).noBody},
	{"a key", operation.CreateWorkspaceKey, 0, (*costs).newWorkspaceKey},
	{"20 keys of a workspace", operation.ListWorkspaceKeys, 0, (*costs).listWorkspaceKeys},
	{"a key", operation.DeleteWorkspaceKey, 0, (*costs).deleteWorkspaceKey},
	{"a key, for a new token", operation.ExchangeWorkspaceKey, 1, (*costs).exchangeWorkspaceKey},
	{"an account", operation.CreateServiceAccount, 0, (*costs).newAccount},
	{"a page of 20", operation.ListServiceAccounts, 0, (*costs).listAccounts},
	{"an account", operation.GetServiceAccount, 0, (*costs).oneAccount},
	{"switched off", operation.UpdateServiceAccount, 0, (*costs).switchAccount},
	{"another name", operation.UpdateServiceAccount, 0, (*costs).renameAccount},
	{"an account", operation.DeleteServiceAccount, 0, (*costs).oneAccount},
	{"a key", operation.CreateAccountKey, 0, (*costs).newOwned},
	{"a page of 20", operation.ListAccountKeys, 0, (*costs).listOwned},
	{"a key", operation.GetAccountKey, 0, (*costs).oneOwned},
	{"switched off", operation.UpdateAccountKey, 0, (*costs).switchOwned},
	{"another name", operation.UpdateAccountKey, 0, (*costs).renameOwned},
	{"a key", operation.RotateAccountKey, 0, (*costs).rotateOwned},
	{"a key", operation.DeleteAccountKey, 0, (*costs).oneOwned},
	{"a key, for a new token", operation.Login, 1, (*costs).logIn},
	{"a service account's key, for a new token", operation.Login, 1, (*costs).logInOwned},
	{"a key", operation.CurrentUser, 0, (*costs).noBody},
	{"a service account's key", operation.CurrentUser, 0, (*costs).noBodyOwned},
	{"any", operation.SessionKeys, 0, (*costs).noBody},
	{"any", operation.OpenAPI, 0, (*costs).noBody},
	{"any", operation.Docs, 0, (*costs).noBody},
	{"a key", operation.Authorizer, 0, (*costs).authorize},
	{"a key", operation.Bootstrap, 0, (*costs).bootstrap},
	{"one key", operation.DeleteNamespace, 0, func(c *costs) any { return c.deleteNamespace(1) }},
	{"two keys", operation.DeleteNamespace, 0, func(c *costs) any { return c.deleteNamespace(2) }},
	{"an account with one key", operation.RemoveServiceAccount, 0, func(c *costs) any { return c.removeAccount(1) }},
	{"an account with two keys", operation.RemoveServiceAccount, 0, func(c *costs) any { return c.removeAccount(2) }},
	{"any", operation.Health, 0, (*costs).noBody},
	{"any", operation.NotFound, 0, (*costs).noBody},
}

// Costs are a deployment with something in it to ask for.
type costs struct {
	*accounts
	t      *testing.T
	ledger *capacity.Ledger
	log    bytes.Buffer
	bearer string // the full key of who calls
	key    bootstrapped
	many   zenEntity // an account with keys
	owned  zenEntity // one of them
	names  int
}

func newCosts(t *testing.T) *costs {
	t.Helper()
	c := &costs{t: t}
	c.accounts = newAccounts(t, func(table *dynamo.Config) { c.ledger = capacity.Keep(table) })
	c.config.Log = slog.New(slog.NewJSONHandler(&c.log, nil))
	api, err := example.Protected().Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.config.Protected = api
	c.bearer = c.root.FullKey
	c.key = c.create(t, keyBody(c.at.Add(time.Hour), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	for range 25 {
		c.newKey()
	}
	fillNamespaces(t, c.deployment, 8)
	for range 20 {
		c.addWorkspaceKey(t, "Lion", "")
		c.addWorkspaceKey(t, "described", "what it is for")
	}
	c.many = c.makeAccount(t, c.name())
	c.fillKeys(t, "demo", c.many.ID, "filler", 25)
	c.owned = c.makeKey(t, c.many, "k")
	for range 25 {
		c.makeAccount(t, c.name())
	}
	c.send(operation.ValidateAPIKey, c.validateOwned()) // which notes the use, as one call in a minute does
	return c
}

// name is one that nothing has yet, always of the same length.
func (c *costs) name() string {
	c.names++
	return fmt.Sprintf("name-%06d", c.names)
}

// Contents are what is sent besides the credential.
type contents struct {
	path        map[string]string
	query, body string
}

func (c *costs) request(sent contents) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		RawPath: "/", PathParameters: sent.path, RawQueryString: sent.query, Body: sent.body,
		Headers: map[string]string{"authorization": "Bearer " + c.bearer},
	}
}

// noBody asks for nothing in particular.
func (c *costs) noBody() any { return c.request(contents{}) }

func (c *costs) noBodyOwned() any {
	defer c.callAs(*c.owned.Body.Key)()
	return c.noBody()
}

// callAs has requests carry another full key until its result is called.
func (c *costs) callAs(bearer string) (back func()) {
	former := c.bearer
	c.bearer = bearer
	return func() { c.bearer = former }
}

const grantToRead = `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`

func (c *costs) pair(key, secret string) any {
	return events.APIGatewayV2HTTPRequest{Body: fmt.Sprintf(`{"key":%q,"secret":%q}`, key, secret)}
}

func (c *costs) validate() any      { return c.pair(c.key.Key, c.key.Secret) }
func (c *costs) validateOwned() any { return c.pair(pairOf(c.t, *c.owned.Body.Key)) }

func (c *costs) authorize() any {
	return map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /orders", "rawPath": "/orders",
		"routeArn":       "arn:aws:execute-api:eu-central-1:000000000000:local/$default/GET/orders",
		"identitySource": []string{"Bearer " + c.root.FullKey},
		"headers":        map[string]string{"authorization": "Bearer " + c.root.FullKey},
		"requestContext": map[string]any{"http": map[string]string{"method": "GET", "path": "/orders"}},
	}
}

// Of the namespaces API.

func (c *costs) inDemo(body string) any {
	return c.request(contents{path: map[string]string{"namespace": "demo"}, body: body})
}

func (c *costs) pageOf(namespace string) any {
	query := url.Values{"list_parameters.page_size": {"20"}}.Encode()
	return c.request(contents{path: map[string]string{"namespace": namespace}, query: query})
}

func (c *costs) draft(meta, permissions string) string {
	return fmt.Sprintf(`{"meta":{"name":"ci"%s},"spec":{"expiration_time":%q,"permissions":%s}}`,
		meta, c.at.Add(time.Hour).UTC().Format(time.RFC3339), permissions)
}

const described = `,"description":"what it is for"`

func (c *costs) newDemoKey() any   { return c.inDemo(c.draft("", grantToRead)) }
func (c *costs) newDescribed() any { return c.inDemo(c.draft(described, grantToRead)) }

// makeLargest asks for a key whose record is about as large as a new one's may be.
func (c *costs) newLargest() any {
	return c.inDemo(c.draft("", fmt.Sprintf(`{"rules":{%q:{"methods":["METHOD_ALL"]}}}`, strings.Repeat("k", 3300))))
}

func (c *costs) list() any           { return c.pageOf("demo") }
func (c *costs) listDescribed() any  { return c.pageOf("demo.described") }
func (c *costs) listNamespaces() any { return c.pageOf("demo") }

// newKey gives the id of a key that nothing else is done to.
func (c *costs) newKey() string {
	c.later(time.Millisecond)
	return c.create(c.t, c.draft("", grantToRead)).UUID
}

func (c *costs) oneKey() any {
	return c.request(contents{path: map[string]string{"namespace": "demo", "uuid": c.newKey()}})
}

func (c *costs) update(field, value string) any {
	return c.inDemo(fmt.Sprintf(`{"request":{"update_mask":"meta.%s"},"object":{"uuid":%q,"meta":{%[1]q:%[3]q}}}`,
		field, c.newKey(), value))
}

func (c *costs) renameKey() any   { return c.update("name", "cd") }
func (c *costs) describeKey() any { return c.update("description", "what it is for") }

// Of the workspaces API.

func (c *costs) newWorkspaceKey() any {
	return c.request(contents{body: `{"name":"ci","userName":"u","role":"Editor","validUntil":"2099-12-31","workspaceName":"Tiger"}`})
}

func (c *costs) listWorkspaceKeys() any {
	return c.request(contents{query: url.Values{"workspaceName": {"Lion"}}.Encode()})
}

func (c *costs) deleteWorkspaceKey() any {
	c.later(time.Millisecond)
	made := c.create(c.t, c.draft("", grantToRead))
	return c.request(contents{body: fmt.Sprintf(`{"apiKey":%q}`, made.Key)})
}

func (c *costs) exchangeWorkspaceKey() any {
	return events.APIGatewayV2HTTPRequest{Body: fmt.Sprintf(`{"apiKey":%q}`, c.root.FullKey)}
}

// Of the service-accounts API.

func (c *costs) newAccount() any {
	return c.request(contents{body: fmt.Sprintf(`{"name":%q,"active":true}`, c.name())})
}

func (c *costs) listAccounts() any { return c.request(contents{query: "size=20"}) }

func (c *costs) ofAccount(body string) any {
	account := c.makeAccount(c.t, c.name())
	return c.request(contents{path: map[string]string{"account": account.ID}, body: body})
}

func (c *costs) oneAccount() any    { return c.ofAccount("") }
func (c *costs) switchAccount() any { return c.ofAccount(`{"active":false}`) }
func (c *costs) renameAccount() any { return c.ofAccount(fmt.Sprintf(`{"name":%q}`, c.name())) }

func (c *costs) ofMany(query, body string) any {
	return c.request(contents{path: map[string]string{"account": c.many.ID}, query: query, body: body})
}

func (c *costs) newOwned() any  { return c.ofMany("", fmt.Sprintf(`{"name":%q}`, c.name())) }
func (c *costs) listOwned() any { return c.ofMany("size=20", "") }

func (c *costs) ofOwned(body string) any {
	key := c.makeKey(c.t, c.many, c.name())
	return c.request(contents{path: map[string]string{"account": c.many.ID, "key": key.ID}, body: body})
}

func (c *costs) oneOwned() any    { return c.ofOwned("") }
func (c *costs) switchOwned() any { return c.ofOwned(`{"active":false}`) }
func (c *costs) renameOwned() any { return c.ofOwned(fmt.Sprintf(`{"name":%q}`, c.name())) }
func (c *costs) rotateOwned() any { return c.ofOwned(`{}`) }

func (c *costs) passwordOf(full string) any {
	return events.APIGatewayV2HTTPRequest{Body: url.Values{"password": {full}}.Encode()}
}

func (c *costs) logIn() any      { return c.passwordOf(c.root.FullKey) }
func (c *costs) logInOwned() any { return c.passwordOf(*c.owned.Body.Key) }

// Of no API.

func (c *costs) bootstrap() any { return map[string]string{"namespace": "demo"} }

func (c *costs) deleteNamespace(keys int) any {
	for range keys {
		c.later(time.Millisecond)
		c.send(operation.Bootstrap, map[string]string{"namespace": "gone"})
	}
	return map[string]string{"namespace": "gone", "confirm": "gone"}
}

// removeAccount gives the event of an account that was deleted.
func (c *costs) removeAccount(keys int) any {
	account := c.makeAccount(c.t, c.name())
	for range keys {
		c.makeKey(c.t, account, c.name())
	}
	c.do(c.t, zenRequest{op: operation.DeleteServiceAccount, account: account.ID})
	partition := events.NewStringAttribute(schema.AccountPartition("demo", account.ID))
	return events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{{
		Change: events.DynamoDBStreamRecord{Keys: map[string]events.DynamoDBAttributeValue{schema.PartitionKey: partition}},
	}}}
}

// send wants a success of an operation's function, the same one each time.
func (c *costs) send(op operation.Operation, event any) {
	c.t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.warm[op.Name] == nil {
		c.warm[op.Name] = c.function(c.t, op)
	}
	c.log.Reset()
	answer, err := c.warm[op.Name].Invoke(c.t.Context(), payload)
	if err != nil || !c.isSuccess(op, answer) {
		c.t.Fatalf("%s: %v, %s, %s", op.Name, err, answer, c.log.String())
	}
}

// isSuccess reports whether an answer, and the log, are what who calls has hoped for.
func (c *costs) isSuccess(op operation.Operation, answer []byte) bool {
	var got struct{ StatusCode int }
	isJSON := json.Unmarshal(answer, &got) == nil
	verifies := op.UsesTable() && op.Caller != operation.IAM && op.Caller != operation.Stream
	switch {
	case verifies && !strings.Contains(c.log.String(), `"verdict":"valid"`):
		return false
	case op.Name == operation.NotFound.Name:
		return got.StatusCode == 404
	case op.Route == "":
		return isJSON && !strings.Contains(c.log.String(), `"fault"`)
	}
	return got.StatusCode == 200
}
