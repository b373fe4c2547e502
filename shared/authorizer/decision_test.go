package authorizer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/keyservice/keyservicetest"
	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/kms"
	"latchkey/shared/namespace"
	"latchkey/shared/policy"
	"latchkey/shared/policy/policytest"
	"latchkey/shared/protected"
	"latchkey/shared/session"
	"latchkey/shared/telemetry"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// A world is keys in a real store, and session keys behind KMS's wire protocol.
type world struct {
	keys     *apikey.Service
	sessions *session.Service
	root     access.Caller
	meter    *dynamotest.Meter
	now      time.Time
	log      bytes.Buffer
}

func newWorld(t testing.TB, change ...func(*dynamo.Config)) *world {
	t.Helper()
	w := &world{now: noon}
	table := database.NewTable(t)
	w.keys, w.sessions = w.services(t, table)
	w.root = w.bootstrap(t, "acme")
	w.meter = dynamotest.Measure(&table)
	for _, c := range change {
		c(&table)
	}
	w.keys, w.sessions = w.services(t, table)
	return w
}

func (w *world) services(t testing.TB, table dynamo.Config) (*apikey.Service, *session.Service) {
	t.Helper()
	keys := apikey.NewService(apikey.Config{
		Store: dynamo.New(table), Clock: w.clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	client, signer := keyservicetest.Start(t)
	return keys, session.NewService(session.Config{
		Verifier: keys.Verifier, KeyStore: kms.New(client), KeyIDs: []string{signer},
		Issuer: "https://latchkey.example", Audience: "latchkey", Clock: w.clock,
	})
}

func (w *world) clock() time.Time { return w.now }

func parse(t testing.TB, ns string) namespace.Namespace {
	t.Helper()
	parsed, err := namespace.Parse(ns)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (w *world) bootstrap(t testing.TB, ns string) access.Caller {
	t.Helper()
	issued, err := w.keys.Bootstrap(t.Context(), parse(t, ns))
	if err != nil {
		t.Fatal(err)
	}
	return issued.Key.Caller()
}

// draft is of a key that may do everything in the protected API.
func draft(ns namespace.Namespace) apikey.Draft {
	return apikey.Draft{
		Namespace: ns, Name: "robot", User: "ann@acme.example", ExpiresAt: noon.Add(24 * time.Hour),
		Grant: access.Grant{Roles: []access.Role{access.Admin, access.SyncOrg}},
	}
}

func (w *world) issue(t testing.TB, change ...func(*apikey.Draft)) apikey.Issued {
	t.Helper()
	d := draft(parse(t, "acme.shop"))
	for _, c := range change {
		c(&d)
	}
	root := w.root
	if !root.Namespace.Contains(d.Namespace) {
		root = w.bootstrap(t, d.Namespace.String())
	}
	issued, err := w.keys.Issue(t.Context(), root, d)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (w *world) issueForAccount(t testing.TB) (apikey.Issued, apikey.Account) {
	t.Helper()
	account, err := w.keys.CreateAccount(t.Context(), w.root, apikey.AccountDraft{Namespace: parse(t, "acme.shop"), Name: rand.Text()})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := w.keys.IssueFor(t.Context(), w.root, account, apikey.AccountKeyDraft{Name: "robot"})
	if err != nil {
		t.Fatal(err)
	}
	return issued, account
}

func (w *world) token(t testing.TB, key apikey.FullKey) string {
	t.Helper()
	token, _, err := w.sessions.Exchange(t.Context(), key, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token.Text
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An asker sends one shape of event, of a request for GET /orders/5.
type asker struct {
	name  string
	api   protected.API
	event func(credential string) any
	// refused and forbidden are what the client gets without a good key, and without the
	// right.
	refused, forbidden string
}

const arn = policytest.Stage + "/GET/orders/5"

type object = map[string]any

func bearer(credential string) object {
	if credential == "" {
		return object{"Host": "api.example"}
	}
	return object{"Host": "api.example", "Authorization": "Bearer " + credential}
}

func lists(single object) object {
	multi := object{}
	for name, value := range single {
		multi[name] = []any{value}
	}
	return multi
}

func askers() []asker {
	shop := protected.API{Namespace: "acme.shop", Routes: protected.Defaults("GET /orders", "GET /orders/{id}", "DELETE /orders/{id}")}
	bare := protected.API{Namespace: "acme.shop", BasePath: "/shop"}
	simple, connect, browser := shop, protected.API{Namespace: "acme.shop", Right: protected.To(access.Read, "orders")}, protected.API{}
	simple.Simple = true
	browser = connect
	browser.QueryParameter = "token"
	keyHeader := shop
	keyHeader.Header = protected.APIKeyHeader
	rest := func(credential string) any {
		return object{
			"type": "REQUEST", "methodArn": arn, "resource": "/orders/{id}", "path": "/orders/5", "httpMethod": "GET",
			"headers": bearer(credential), "multiValueHeaders": lists(bearer(credential)),
			"requestContext": object{"apiId": "a1b2c3", "httpMethod": "GET"},
		}
	}
	v1 := func(credential string) any {
		event := rest(credential).(object)
		event["version"] = "1.0"
		return event
	}
	v2 := func(credential string) any {
		return object{
			"version": "2.0", "type": "REQUEST", "routeArn": arn, "routeKey": "GET /orders/{id}", "rawPath": "/prod/orders/5",
			"identitySource": []any{"Bearer " + credential}, "headers": bearer(credential),
			"requestContext": object{"apiId": "a1b2c3", "http": object{"method": "GET"}},
		}
	}
	connecting := func(headers, query object) any {
		return object{
			"type": "REQUEST", "methodArn": policytest.Stage + "/$connect", "headers": headers, "multiValueHeaders": lists(headers),
			"queryStringParameters": query, "multiValueQueryStringParameters": lists(query),
			"requestContext": object{"routeKey": "$connect", "eventType": "CONNECT", "apiId": "a1b2c3"},
		}
	}
	return []asker{
		{"rest-token", shop, func(credential string) any {
			return object{"type": "TOKEN", "methodArn": arn, "authorizationToken": "Bearer " + credential}
		}, "401", "403"},
		{"rest-token with x-api-key", keyHeader, func(credential string) any {
			return object{"type": "TOKEN", "methodArn": arn, "authorizationToken": credential}
		}, "401", "403"},
		{"rest-request", shop, rest, "401", "403"},
		{"rest-request without a table", bare, rest, "401", "403"},
		{"http-1.0", shop, v1, "403", "403"},
		{"http-1.0 without a table", bare, v1, "403", "403"},
		{"http-2.0", shop, v2, "403", "403"},
		{"http-2.0 without a table", bare, v2, "403", "403"},
		{"http-2.0, simple", simple, v2, "403", "403"},
		{"http-2.0 with x-api-key", keyHeader, func(credential string) any {
			event := v2("").(object)
			event["headers"] = object{"x-api-key": credential}
			return event
		}, "403", "403"},
		{"websocket", connect, func(credential string) any { return connecting(bearer(credential), object{}) }, "401", "403"},
		{"websocket of a browser", browser, func(credential string) any {
			return connecting(object{"Host": "api.example"}, object{"token": credential})
		}, "401", "403"},
		{"appsync", connect, func(credential string) any {
			return object{
				"authorizationToken": credential, "requestHeaders": object{},
				"requestContext": object{"apiId": "a1b2c3", "queryString": "query { orders { id } }", "variables": object{}},
			}
		}, "false", "false"},
	}
}

// ask sends an event and says what the platform makes of the answer.
func (w *world) ask(t testing.TB, api protected.API, event any) (outcome, answer string) {
	t.Helper()
	a, err := New(Config{API: api, Sessions: w.sessions, Clock: w.clock})
	must(t, err)
	payload, err := json.Marshal(event)
	must(t, err)
	var entry telemetry.Entry
	text, err := a.Authorize(t.Context(), &entry, payload)
	telemetry.NewRecorder(telemetry.Config{Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Clock: w.clock}).
		Record(t.Context(), &entry, telemetry.Outcome{})
	return outcomeFor(t, event.(object), text, err), string(text)
}

func outcomeFor(t testing.TB, event object, answer []byte, err error) string {
	t.Helper()
	switch {
	case errors.Is(err, fault.Unauthenticated) && fault.Of(err).Message == "Unauthorized":
		return "401"
	case err != nil:
		return "500"
	}
	var got struct {
		IsAuthorized   *bool
		PrincipalID    string
		PolicyDocument policy.Document
		TTLOverride    *int
	}
	must(t, json.Unmarshal(answer, &got))
	switch isSimple := got.IsAuthorized != nil; {
	case isSimple && *got.IsAuthorized:
		return "allowed"
	case isSimple && got.TTLOverride != nil:
		return "false"
	case isSimple:
		return "403"
	}
	asked, _ := event["methodArn"].(string)
	if asked == "" {
		asked, _ = event["routeArn"].(string)
	}
	if got.PrincipalID == "" || got.PolicyDocument.Version != "2012-10-17" || !policytest.Allows(got.PolicyDocument, asked) {
		return "403"
	}
	return "allowed"
}

// Every state that a credential can be in, before every kind of API.
func TestCredentials(t *testing.T) {
	w := newWorld(t)
	good, other := w.issue(t), w.issue(t)
	deleted, disabled, expiring, rotated, replaced := w.issue(t), w.issue(t), w.issue(t), w.issue(t), w.issue(t)
	tokenOfDeleted := w.token(t, deleted.FullKey)
	ofSwitchedOff, switchedOff := w.issueForAccount(t)
	ofRemoved, removed := w.issueForAccount(t)

	yes := true
	must(t, w.keys.Delete(t.Context(), w.root, apikey.At(deleted.Key.Locator)))
	_, err := w.keys.Update(t.Context(), w.root, apikey.At(disabled.Key.Locator), apikey.Edit{Disabled: &yes})
	must(t, err)
	_, err = w.keys.Rotate(t.Context(), w.root, apikey.At(rotated.Key.Locator), 60)
	must(t, err)
	_, err = w.keys.Rotate(t.Context(), w.root, apikey.At(replaced.Key.Locator), 0)
	must(t, err)
	_, err = w.keys.UpdateAccount(t.Context(), w.root, switchedOff, apikey.AccountEdit{Disabled: &yes})
	must(t, err)
	must(t, w.keys.DeleteAccount(t.Context(), w.root, removed))

	token := w.token(t, good.FullKey)
	full := good.FullKey.Reveal()
	credentials := map[string]struct {
		text string
		good bool
	}{
		"none":                               {"", false},
		"nothing like a key":                 {"open sesame", false},
		"cut off":                            {full[:len(full)-1], false},
		"mistyped":                           {mistyped(full), false},
		"unknown":                            {deleted.FullKey.Reveal(), false},
		"with the secret of another":         {apikey.FullKey{Locator: good.Key.Locator, Secret: other.FullKey.Secret}.Reveal(), false},
		"only the public half":               {good.Key.Locator.String(), false},
		"disabled":                           {disabled.FullKey.Reveal(), false},
		"of an account that is switched off": {ofSwitchedOff.FullKey.Reveal(), false},
		"of an account that is gone":         {ofRemoved.FullKey.Reveal(), false},
		"with a secret that was replaced":    {replaced.FullKey.Reveal(), false},
		"a token of a key that is gone":      {tokenOfDeleted, false},
		"a forged token":                     {mistyped(token), false},
		"a token without a signature":        {token[:strings.LastIndexByte(token, '.')+1], false},
		"good":                               {full, true},
		"with the secret before the last":    {rotated.FullKey.Reveal(), true},
		"good until the last moment":         {expiring.FullKey.Reveal(), true},
		"a token":                            {token, true},
	}
	w.now = noon.Add(30 * time.Minute)
	for _, from := range askers() {
		for state, credential := range credentials {
			want := from.refused
			if credential.good {
				want = "allowed"
			}
			if got, answer := w.ask(t, from.api, from.event(credential.text)); got != want {
				t.Errorf("%s, key %s: %s, want %s, by %s", from.name, state, got, want, answer)
			}
		}
	}
	w.now = expiring.Key.ExpiresAt
	for _, from := range askers() {
		if got, answer := w.ask(t, from.api, from.event(expiring.FullKey.Reveal())); got != from.refused {
			t.Errorf("%s, key that has expired: %s, want %s, by %s", from.name, got, from.refused, answer)
		}
	}
	w.requireNoSecrets(t, full, token, tokenOfDeleted)
}

// mistyped has another letter near the end.
func mistyped(text string) string {
	i := len(text) - 10
	letter := "0"
	if text[i] == '0' {
		letter = "1"
	}
	return text[:i] + letter + text[i+1:]
}

func (w *world) requireNoSecrets(t *testing.T, secrets ...string) {
	t.Helper()
	if w.log.Len() == 0 {
		t.Error("nothing is logged")
	}
	for _, secret := range secrets {
		if strings.Contains(w.log.String(), secret[len(secret)/2:]) {
			t.Error("a secret is logged")
		}
	}
}

// Every right that a key can have or lack, before every kind of API.
func TestRights(t *testing.T) {
	in := func(ns string, propagate bool, grant access.Grant) func(*apikey.Draft) {
		return func(d *apikey.Draft) { d.Namespace, d.Propagate, d.Grant = parse(t, ns), propagate, grant }
	}
	reader := rules("read orders")
	except := access.Grant{Rules: map[string]access.Method{access.EveryKind: access.All}, Except: []string{"Orders"}}
	all := access.Grant{Rules: map[string]access.Method{access.EveryKind: access.Read}, Except: []string{"pets"}}
	for name, test := range map[string]struct {
		key  func(*apikey.Draft)
		want bool
	}{
		"the kind and the method":             {in("acme.shop", false, reader), true},
		"the kind in other letters":           {in("acme.shop", false, rules("read ORD_ERS")), true},
		"another method":                      {in("acme.shop", false, rules("delete orders", "create orders")), false},
		"another kind":                        {in("acme.shop", false, rules("read order")), false},
		"no right at all":                     {in("acme.shop", false, rules("read pets")), false},
		"a role that reads":                   {in("acme.shop", false, access.Grant{Roles: []access.Role{access.ReadOnly}}), true},
		"a role that means nothing here":      {in("acme.shop", false, access.Grant{Roles: []access.Role{access.SyncOrg}}), false},
		"every kind":                          {in("acme.shop", false, all), true},
		"every kind but this":                 {in("acme.shop", false, except), false},
		"from above, reaching below":          {in("acme", true, reader), true},
		"from above, not reaching below":      {in("acme", false, reader), false},
		"from below, reaching below":          {in("acme.shop.eu", true, reader), false},
		"from beside":                         {in("acme.shop-eu", true, reader), false},
		"from a tenant that looks like it":    {in("acme-shop", true, reader), false},
		"from above, every right, not there":  {in("acme", false, access.Grant{Roles: []access.Role{access.Admin}}), false},
		"from another tenant, with any right": {in("other", true, access.Grant{Roles: []access.Role{access.Admin}}), false},
	} {
		w := newWorld(t)
		key := w.issue(t, test.key).FullKey
		for _, from := range askers() {
			want := from.forbidden
			if test.want {
				want = "allowed"
			}
			for _, credential := range []string{key.Reveal(), w.token(t, key)} {
				if got, answer := w.ask(t, from.api, from.event(credential)); got != want {
					t.Errorf("%s, %s: %s, want %s, by %s", from.name, name, got, want, answer)
				}
			}
		}
	}
}

// The key of a service account has no grant: it passes where any key does. That it may
// read Latchkey's own resources counts nowhere else.
func TestKeysOfAccounts(t *testing.T) {
	w := newWorld(t)
	issued, _ := w.issueForAccount(t)
	for _, from := range askers() {
		from.api.Routes = map[string]protected.Right{"GET /orders/{id}": protected.AnyKey()}
		from.api.Right = protected.AnyKey()
		if got, answer := w.ask(t, from.api, from.event(issued.FullKey.Reveal())); got != "allowed" {
			t.Errorf("%s, any key: %s by %s", from.name, got, answer)
		}
		for _, kind := range []string{access.APIKey, access.ServiceAccount, "orders"} {
			from.api.Routes["GET /orders/{id}"] = protected.To(access.Read, kind)
			from.api.Right = protected.To(access.Read, kind)
			if got, answer := w.ask(t, from.api, from.event(issued.FullKey.Reveal())); got != from.forbidden {
				t.Errorf("%s, %s: %s by %s", from.name, kind, got, answer)
			}
		}
	}
}

// What is not configured is nobody's.
func TestUnsetRights(t *testing.T) {
	w := newWorld(t)
	key := w.issue(t).FullKey.Reveal()
	for _, from := range askers() {
		from.api.Right = protected.Right{}
		from.api.Routes = map[string]protected.Right{"GET /pets": {}}
		if got, answer := w.ask(t, from.api, from.event(key)); got != from.forbidden {
			t.Errorf("%s: %s by %s", from.name, got, answer)
		}
	}
}

// What cannot be decided is an error, never an answer.
func TestUndecided(t *testing.T) {
	for name, fault := range map[string]dynamotest.Fault{
		"throttled": dynamotest.Throttle, "failing": dynamotest.ServerError, "without rights": dynamotest.AccessDenied,
		"cut off": dynamotest.LoseAnswer,
	} {
		w := newWorld(t)
		key := w.issue(t).FullKey
		broken := newWorld(t, func(c *dynamo.Config) { dynamotest.Break(c, "GetItem", fault) })
		for _, from := range askers() {
			if got, answer := broken.ask(t, from.api, from.event(key.Reveal())); got != "500" {
				t.Errorf("%s, a store that is %s: %s by %s", from.name, name, got, answer)
			}
		}
	}
}

func TestEventsThatAreNone(t *testing.T) {
	a := protecting(t, protected.API{Routes: protected.Defaults("GET /orders")})
	for _, payload := range []string{
		"", "null", "[]", "{}", `{"type":"TOKEN"}`, `{"type":"JWT","methodArn":"` + arn + `"}`,
		`{"type":"REQUEST","version":"3.0","routeArn":"` + arn + `"}`,
		`{"type":"REQUEST","version":"2.0","methodArn":"` + arn + `"}`,
		`{"type":"TOKEN","methodArn":"` + policytest.Stage + `","authorizationToken":"Bearer x"}`,
		`{"type":"TOKEN","methodArn":"` + policytest.Stage + `/$connect","authorizationToken":"Bearer x"}`,
		`{"type":"TOKEN","methodArn":"arn:aws:lambda:eu-central-1:0:x/prod/GET/orders","authorizationToken":"Bearer x"}`,
		`{"type":"REQUEST","methodArn":"` + arn + `","requestContext":{"eventType":"CONNECT"}}`,
		`{"authorizationToken":"x","requestContext":{}}`,
	} {
		answer, err := a.Authorize(t.Context(), new(telemetry.Entry), []byte(payload))
		if err == nil || errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
	}
}

// A credential is looked for in one place, and only once.
func TestWhereCredentialsAreNot(t *testing.T) {
	w := newWorld(t)
	key := w.issue(t).FullKey.Reveal()
	api := protected.API{Namespace: "acme.shop", Routes: protected.Defaults("GET /orders/{id}"), Right: protected.AnyKey()}
	base := func(changes object) object {
		event := object{
			"type": "REQUEST", "methodArn": arn, "resource": "/orders/{id}", "httpMethod": "GET",
			"requestContext": object{"apiId": "a1b2c3"},
		}
		for name, value := range changes {
			event[name] = value
		}
		return event
	}
	connect := func(changes object) object {
		event := base(changes)
		event["methodArn"] = policytest.Stage + "/$connect"
		event["requestContext"] = object{"eventType": "CONNECT"}
		return event
	}
	browser := api
	browser.QueryParameter = "token"
	keyHeader := api
	keyHeader.Header = protected.APIKeyHeader
	for name, test := range map[string]struct {
		api   protected.API
		event object
		want  string
	}{
		"once":                   {api, base(object{"headers": bearer(key)}), "allowed"},
		"in any letters":         {api, base(object{"headers": object{"AUTHORIZATION": "bearer " + key}}), "allowed"},
		"twice":                  {api, base(object{"headers": bearer(key), "multiValueHeaders": object{"Authorization": []any{"Bearer " + key, "Bearer " + key}}}), "401"},
		"twice, in two ways":     {api, base(object{"headers": object{"Authorization": "Bearer " + key, "authorization": "Bearer " + key}}), "401"},
		"without a scheme":       {api, base(object{"headers": object{"Authorization": key}}), "401"},
		"another scheme":         {api, base(object{"headers": object{"Authorization": "Basic " + key}}), "401"},
		"the other header":       {api, base(object{"headers": object{"x-api-key": key}}), "401"},
		"not the other header":   {keyHeader, base(object{"headers": bearer(key)}), "401"},
		"that header":            {keyHeader, base(object{"headers": object{"X-Api-Key": key}}), "allowed"},
		"that header, a scheme":  {keyHeader, base(object{"headers": object{"X-Api-Key": "Bearer " + key}}), "401"},
		"query":                  {browser, base(object{"queryStringParameters": object{"token": key}}), "401"},
		"query of $connect":      {browser, connect(object{"queryStringParameters": object{"token": key}}), "allowed"},
		"unless not configured":  {api, connect(object{"queryStringParameters": object{"token": key}}), "401"},
		"another parameter":      {browser, connect(object{"queryStringParameters": object{"Token": key}}), "401"},
		"parameter twice":        {browser, connect(object{"queryStringParameters": object{"token": key}, "multiValueQueryStringParameters": object{"token": []any{key, key}}}), "401"},
		"header before query":    {browser, connect(object{"headers": bearer(key), "queryStringParameters": object{"token": "x"}}), "allowed"},
		"a bad header, no query": {browser, connect(object{"headers": bearer("x"), "queryStringParameters": object{"token": key}}), "401"},
	} {
		if got, answer := w.ask(t, test.api, test.event); got != test.want {
			t.Errorf("%s: %s, want %s, by %s", name, got, test.want, answer)
		}
	}
	if got, _ := w.ask(t, api, object{
		"authorizationToken": "Bearer " + key, "requestContext": object{"apiId": "a"},
	}); got != "allowed" {
		t.Errorf("AppSync with a scheme: %s", got)
	}
}

// The gateway's route decides where it tells, and not what the path looks like.
func TestRouteOfTheGateway(t *testing.T) {
	w := newWorld(t)
	reader := w.issue(t, func(d *apikey.Draft) { d.Grant = rules("read orders") }).FullKey.Reveal()
	almostAll := access.Grant{Rules: map[string]access.Method{access.EveryKind: access.All}, Except: []string{"secrets", "admin", "pets"}}
	anything := w.issue(t, func(d *apikey.Draft) { d.Grant = almostAll }).FullKey.Reveal()
	event := func(version, resource, path string) object {
		e := object{
			"type": "REQUEST", "methodArn": policytest.Stage + "/GET" + path, "resource": resource, "httpMethod": "GET", "headers": bearer(reader),
			"routeArn": policytest.Stage + "/GET" + path, "routeKey": "GET " + resource,
		}
		if version != "" {
			e["version"] = version
		}
		return e
	}
	bare := protected.API{Namespace: "acme.shop"}
	table := protected.API{Namespace: "acme.shop", Simple: true, Routes: map[string]protected.Right{
		"GET /orders/{id}": {}, "GET /orders/{id}/secrets": protected.To(access.Read, "secrets"),
		"ANY /admin": protected.To(access.Read, "admin"), "ANY /{section}/": protected.AnyKey(),
		"ANY /files/{path+}": protected.AnyKey(), "GET /files/secret/{path+}": protected.To(access.Read, "secrets"),
	}}
	for _, version := range []string{"", "1.0", "2.0"} {
		for name, test := range map[string]struct {
			api  protected.API
			asks object
			want bool
		}{
			"the kind is fixed":                {bare, event(version, "/orders/{id}", "/orders/5"), true},
			"behind a parameter":               {bare, event(version, "/{tenant}/orders", "/secrets/orders"), true},
			"not what the parameter says":      {bare, event(version, "/{tenant}/secrets", "/orders/secrets"), false},
			"nothing is fixed":                 {bare, event(version, "/{proxy+}", "/orders/5"), false},
			"a path like a template":           {bare, event(version, "/{kind}", "/orders"), false},
			"in the table":                     {table, event(version, "/orders/{id}", "/orders/5"), true},
			"in the table by other names":      {table, event(version, "/orders/{order}", "/orders/5"), true},
			"in the table by its path":         {table, event(version, "/{proxy+}", "/orders/5"), true},
			"not in the table":                 {table, event(version, "/{proxy+}", "/pets/5"), false},
			"greedy in both, and finer":        {table, event(version, "/files/{path+}", "/files/secret/5"), false},
			"greedy in both":                   {table, event(version, "/files/{path+}", "/files/5"), true},
			"forgotten":                        {table, event(version, "/orders/export", "/orders/export"), false},
			"forgotten, and greedy":            {table, event(version, "/orders/{rest+}", "/orders/5"), true},
			"forgotten, with a parameter":      {table, event(version, "/{kind}/{id}", "/orders/5"), false},
			"in the table, another right":      {table, event(version, "/{proxy+}", "/orders/5/secrets"), false},
			"in the table, by route, not path": {table, event(version, "/orders/{id}/secrets", "/orders/5"), false},
			"finer than the gateway's":         {table, event(version, "/{proxy+}", "/files/secret/5"), false},
			"as fine as the gateway's":         {table, event(version, "/{proxy+}", "/files/5"), true},
			"of any method":                    {table, event(version, "/admin", "/admin/"), false},
			"a slash that means nothing":       {table, event(version, "/orders/{id}", "/orders/5/"), true},
			"no route at all":                  {bare, event(version, "", "/orders/5"), false},
		} {
			for _, key := range []string{reader, anything} {
				test.asks["headers"] = bearer(key)
				if got, answer := w.ask(t, test.api, test.asks); (got == "allowed") != test.want {
					t.Errorf("%q, %s: %s by %s", version, name, got, answer)
				}
			}
		}
	}
}

// What a backend gets to know.
func TestContext(t *testing.T) {
	w := newWorld(t)
	key := w.issue(t)
	ofAccount, account := w.issueForAccount(t)
	api := protected.API{Namespace: "acme.shop", Right: protected.AnyKey(), CacheSeconds: 60}
	ask := func(credential string) string {
		_, answer := w.ask(t, api, object{"authorizationToken": credential, "requestContext": object{"apiId": "a"}})
		return answer
	}
	want := fmt.Sprintf(`{"isAuthorized":true,"resolverContext":{"namespace":"acme.shop","keyId":%q,"keyName":"robot",`+
		`"owner":"ann@acme.example","account":"","roles":"SYSTEM_ROLE_ADMIN,SYSTEM_ROLE_SYNC_ORG","expiresAt":"2026-05-07T12:00:00Z"},"ttlOverride":60}`,
		key.Key.Locator.ID)
	if diff := cmp.Diff(want, ask(key.FullKey.Reveal())); diff != "" {
		t.Error(diff)
	}
	want = fmt.Sprintf(`{"isAuthorized":true,"resolverContext":{"namespace":"acme.shop","keyId":%[1]q,"keyName":"robot",`+
		`"owner":%[2]q,"account":%[2]q,"roles":"","expiresAt":""},"ttlOverride":60}`, ofAccount.Key.Locator.ID, account.ID)
	if diff := cmp.Diff(want, ask(ofAccount.FullKey.Reveal())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`{"isAuthorized":false,"ttlOverride":60}`, ask("x")); diff != "" {
		t.Error(diff)
	}
	w.now = key.Key.ExpiresAt.Add(-1500 * time.Millisecond)
	if answer := ask(key.FullKey.Reveal()); !strings.HasSuffix(answer, `"ttlOverride":1}`) {
		t.Errorf("an answer is kept for longer than the key lives: %s", answer)
	}
}

// Only a REST API counts requests by usage plans, and only if it is to.
func TestUsageIdentifier(t *testing.T) {
	w := newWorld(t)
	key := w.issue(t)
	for _, counted := range []bool{true, false} {
		for _, from := range askers() {
			from.api.UsageIdentifier = counted
			_, answer := w.ask(t, from.api, from.event(key.FullKey.Reveal()))
			want := counted && strings.HasPrefix(from.name, "rest")
			if got := strings.Contains(answer, fmt.Sprintf(`"usageIdentifierKey":%q`, key.Key.Locator.ID)); got != want {
				t.Errorf("%s, %v: %s", from.name, counted, answer)
			}
		}
	}
}

// An event costs what a validation does: one read of one unit, and nothing for what is no
// key.
func TestCosts(t *testing.T) {
	w := newWorld(t)
	key := w.issue(t)
	ofAccount, _ := w.issueForAccount(t)
	wrong := apikey.FullKey{Locator: key.Key.Locator, Secret: ofAccount.FullKey.Secret}
	for _, from := range askers() {
		for name, test := range map[string]struct {
			credential string
			reads      int
		}{
			"good": {key.FullKey.Reveal(), 1}, "wrong": {wrong.Reveal(), 1}, "malformed": {"x", 0}, "mistyped": {mistyped(key.FullKey.Reveal()), 0},
			"of an account": {ofAccount.FullKey.Reveal(), 2},
		} {
			w.meter.Take()
			w.ask(t, from.api, from.event(test.credential))
			reads := 0
			for _, call := range w.meter.Take() {
				if call.Action == "GetItem" {
					reads++
				} else if test.reads < 2 {
					t.Errorf("%s, %s: %s", from.name, name, call.Action)
				}
				if call.Units != 1 {
					t.Errorf("%s, %s: %s takes %v units", from.name, name, call.Action, call.Units)
				}
			}
			if reads != test.reads {
				t.Errorf("%s, %s: %d reads, want %d", from.name, name, reads, test.reads)
			}
		}
	}
}

func FuzzAuthorize(f *testing.F) {
	for _, from := range askers() {
		payload, err := json.Marshal(from.event("x"))
		must(f, err)
		f.Add(payload)
	}
	a := protecting(f, protected.API{Routes: protected.Defaults("GET /orders/{id}"), QueryParameter: "token"})
	a.sessions = session.NewService(session.Config{Clock: time.Now})
	f.Fuzz(func(t *testing.T, payload []byte) {
		answer, err := a.Authorize(context.Background(), new(telemetry.Entry), payload)
		var event object
		if err != nil || json.Unmarshal(payload, &event) != nil {
			return
		}
		if outcome := outcomeFor(t, event, answer, nil); outcome == "allowed" {
			t.Errorf("%q is answered %s", payload, answer)
		}
	})
}
