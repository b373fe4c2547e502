package boot_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/bars"
	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
)

// Accounts is a deployment whose functions go on living between requests, with what they
// remember of the use of keys, and whose clock stands until it is moved.
type accounts struct {
	*deployment
	at   time.Time
	warm map[string]lambdaweb.Function
}

func newAccounts(t testing.TB, changes ...func(*dynamo.Config)) *accounts {
	t.Helper()
	a := &accounts{deployment: newDeployment(t, changes...), warm: map[string]lambdaweb.Function{}}
	a.at = time.Now().UTC().Truncate(time.Minute)
	a.config.Clock = func() time.Time { return a.at }
	return a
}

// restarted has processes that remember nothing, and the same clock.
func (a *accounts) restarted() *accounts {
	return &accounts{deployment: a.deployment, warm: map[string]lambdaweb.Function{}}
}

func (a *accounts) later(by time.Duration) { a.at = a.at.Add(by) }

// A zenRequest is what a client of ZenML sends.
type zenRequest struct {
	op           operation.Operation
	account, key string // in the path
	query, body  string
	credential   string // empty: the administrator's key
}

// An answer is what came of it, and what it took.
type zenAnswer struct {
	status int
	header map[string]string
	body   string
	calls  []dynamotest.Call
}

func (a *accounts) send(t testing.TB, r zenRequest) zenAnswer {
	t.Helper()
	if r.credential == "" {
		r.credential = a.root.FullKey
	}
	return a.sendHeader(t, r, map[string]string{"authorization": "Bearer " + r.credential})
}

func (a *accounts) sendHeader(t testing.TB, r zenRequest, header map[string]string) zenAnswer {
	t.Helper()
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		RawPath:        strings.NewReplacer("{account}", url.PathEscape(r.account), "{key}", url.PathEscape(r.key)).Replace(r.op.Path()),
		PathParameters: map[string]string{"account": r.account, "key": r.key},
		RawQueryString: r.query, Body: r.body, Headers: header,
	})
	if err != nil {
		t.Fatal(err)
	}
	function, isWarm := a.warm[r.op.Name]
	if !isWarm {
		function = a.function(t, r.op)
		a.warm[r.op.Name] = function
	}
	a.meter.Take()
	encoded, err := function.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(encoded, &response); err != nil {
		t.Fatal(err)
	}
	return zenAnswer{response.StatusCode, response.Headers, response.Body, a.meter.Take()}
}

// A zenEntity is an account, a key or a user, as far as tests look at it.
type zenEntity struct {
	ID, Name string
	Body     struct {
		Created, Updated string
		Active           bool
		Key              *string
		FullName         string  `json:"full_name"`
		AvatarURL        *string `json:"avatar_url"`
		IsServiceAccount *bool   `json:"is_service_account"`
		ServiceAccount   *zenEntity
	}
	Metadata *struct {
		Description   string
		RetainMinutes int64   `json:"retain_period_minutes"`
		LastLogin     *string `json:"last_login"`
		LastRotated   *string `json:"last_rotated"`
	}
}

// do wants a success.
func (a *accounts) do(t testing.TB, r zenRequest) (zenEntity, []dynamotest.Call) {
	t.Helper()
	answer := a.send(t, r)
	var entity zenEntity
	if err := json.Unmarshal([]byte(answer.body), &entity); err != nil || answer.status != 200 {
		t.Fatalf("%s: %d %.500s", r.op.Name, answer.status, answer.body)
	}
	return entity, answer.calls
}

func (a *accounts) makeAccount(t testing.TB, name string) zenEntity {
	t.Helper()
	a.later(time.Millisecond)
	made, _ := a.do(t, zenRequest{op: operation.CreateServiceAccount, body: fmt.Sprintf(`{"name":%q,"active":true}`, name)})
	return made
}

func (a *accounts) makeKey(t testing.TB, account zenEntity, name string) zenEntity {
	t.Helper()
	a.later(time.Millisecond)
	made, _ := a.do(t, zenRequest{op: operation.CreateAccountKey, account: account.ID, body: fmt.Sprintf(`{"name":%q}`, name)})
	return made
}

func (a *accounts) getKey(t testing.TB, account, key zenEntity) zenEntity {
	t.Helper()
	got, _ := a.do(t, zenRequest{op: operation.GetAccountKey, account: account.ID, key: key.ID})
	return got
}

// login gives the token.
func (a *accounts) login(t testing.TB, fullKey string) (string, []dynamotest.Call) {
	t.Helper()
	answer := a.send(t, zenRequest{op: operation.Login, body: url.Values{"password": {fullKey}}.Encode()})
	var granted struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer.body), &granted); err != nil || answer.status != 200 {
		t.Fatalf("login: %d %s", answer.status, answer.body)
	}
	return granted.Token, answer.calls
}

// whoAmI gives the status of current-user.
func (a *accounts) whoAmI(t testing.TB, credential string) (int, []dynamotest.Call) {
	t.Helper()
	answer := a.send(t, zenRequest{op: operation.CurrentUser, credential: credential})
	return answer.status, answer.calls
}

// fillKeys adds keys to an account, which is not necessarily the demo namespace's.
func (a *accounts) fillKeys(t testing.TB, ns, account, prefix string, count int) []apikey.Key {
	t.Helper()
	keys := a.domain()
	id, _ := apikey.ParseID(account)
	root := access.Caller{Namespace: parse(t, ns), Grant: access.Grant{Roles: []access.Role{access.Admin}}}
	opened, err := keys.OpenAccount(t.Context(), root, access.Create, access.APIKey, apikey.AccountRef{
		Namespace: root.Namespace, Handle: apikey.ByID(id),
	})
	if err != nil {
		t.Fatal(err)
	}
	made := make([]apikey.Key, count)
	for i := range made {
		a.later(time.Millisecond)
		issued, err := keys.IssueFor(t.Context(), root, opened, apikey.AccountKeyDraft{Name: fmt.Sprint(prefix, i)})
		if err != nil {
			t.Fatal(err)
		}
		made[i] = issued.Key
	}
	return made
}

func (a *accounts) domain() *apikey.Service {
	return apikey.NewService(apikey.Config{
		Store: a.store, Clock: a.config.Clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
}

// accountIn makes an account in a namespace of its own.
func (a *accounts) accountIn(t testing.TB, ns, name string) apikey.Account {
	t.Helper()
	a.later(time.Millisecond)
	made, err := a.domain().CreateAccount(t.Context(), access.Caller{
		Namespace: parse(t, ns), Grant: access.Grant{Roles: []access.Role{access.Admin}},
	}, apikey.AccountDraft{Namespace: parse(t, ns), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// read is a call that reads, at what it costs.
func read(action string, units float64) dynamotest.Call {
	return dynamotest.Call{Action: action, Units: units}
}

// transaction is one of so many writes of up to 1 KB, and of checks, each of which costs
// two units, and of so many entries that are written in indexes, one unit each.
func transaction(parts, inIndexes float64) dynamotest.Call {
	return dynamotest.Call{Action: "TransactWriteItems", Units: 2*parts + inIndexes}
}

// What each operation on accounts and their keys costs an administrator.
func TestCostOfAccounts(t *testing.T) {
	a := newAccounts(t)
	var account, key zenEntity
	who, get, name := read("GetItem", 1), read("Query", 1), read("GetItem", 1)
	in := func(r zenRequest) func() zenRequest { return func() zenRequest { return r } }
	for _, test := range []struct {
		name    string
		request func() zenRequest
		keep    *zenEntity
		calls   []dynamotest.Call
	}{
		{"create", in(zenRequest{op: operation.CreateServiceAccount, body: `{"name":"ci","active":true}`}), &account,
			[]dynamotest.Call{transaction(2, 1)}},
		{"create, described", in(zenRequest{op: operation.CreateServiceAccount, body: `{"name":"cd","active":true,"description":"d"}`}), nil,
			[]dynamotest.Call{transaction(3, 1)}},
		{"get by id", func() zenRequest { return zenRequest{op: operation.GetServiceAccount, account: account.ID} }, nil,
			[]dynamotest.Call{get}},
		{"get by name", in(zenRequest{op: operation.GetServiceAccount, account: "ci"}), nil,
			[]dynamotest.Call{name, get}},
		{"update", func() zenRequest {
			return zenRequest{op: operation.UpdateServiceAccount, account: account.ID, body: `{"description":"d"}`}
		}, nil, []dynamotest.Call{get, read("TransactGetItems", 2*2), transaction(2, 1)}},
		{"update nothing", func() zenRequest {
			return zenRequest{op: operation.UpdateServiceAccount, account: account.ID, body: `{"name":"ci"}`}
		}, nil, []dynamotest.Call{get, transaction(1, 1)}},
		{"rename", in(zenRequest{op: operation.UpdateServiceAccount, account: "ci", body: `{"name":"ci2"}`}), nil,
			[]dynamotest.Call{name, get, transaction(3, 1)}},

		{"create a key", func() zenRequest {
			return zenRequest{op: operation.CreateAccountKey, account: account.ID, body: `{"name":"k"}`}
		}, &key, []dynamotest.Call{get, transaction(4, 2)}},
		{"create a described key", func() zenRequest {
			return zenRequest{op: operation.CreateAccountKey, account: account.ID, body: `{"name":"l","description":"d"}`}
		}, nil, []dynamotest.Call{get, transaction(5, 2)}},
		{"get a key by id", func() zenRequest { return zenRequest{op: operation.GetAccountKey, account: account.ID, key: key.ID} }, nil,
			[]dynamotest.Call{get, get}},
		{"get a key by name", func() zenRequest { return zenRequest{op: operation.GetAccountKey, account: account.ID, key: "k"} }, nil,
			[]dynamotest.Call{get, name, get}},
		{"switch a key", func() zenRequest {
			return zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: key.ID, body: `{"active":true}`}
		}, nil, []dynamotest.Call{get, get, transaction(1, 2)}},
		{"update a key", func() zenRequest {
			return zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: key.ID, body: `{}`}
		}, nil, []dynamotest.Call{get, get, transaction(1, 2)}},
		{"rename a key", func() zenRequest {
			return zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: key.ID, body: `{"name":"k2"}`}
		}, nil, []dynamotest.Call{get, get, transaction(4, 2)}},
		{"rotate a key", func() zenRequest {
			return zenRequest{op: operation.RotateAccountKey, account: account.ID, key: "k2", body: `{}`}
		}, nil, []dynamotest.Call{get, name, get, transaction(1, 2)}},
		{"delete a key", func() zenRequest {
			return zenRequest{op: operation.DeleteAccountKey, account: account.ID, key: key.ID}
		}, nil, []dynamotest.Call{get, read("GetItem", 1), transaction(4, 2)}},
		{"delete", func() zenRequest { return zenRequest{op: operation.DeleteServiceAccount, account: account.ID} }, nil,
			[]dynamotest.Call{get, transaction(2, 1)}},

		{"current-user", in(zenRequest{op: operation.CurrentUser}), nil, nil},
	} {
		a.later(time.Second)
		got, calls := a.do(t, test.request())
		if test.keep != nil {
			*test.keep = got
		}
		if diff := cmp.Diff(append([]dynamotest.Call{who}, test.calls...), calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// pairOf gives a key's halves, of which the namespaces API knows.
func pairOf(t testing.TB, fullKey string) (identifier, secret string) {
	t.Helper()
	full, err := apikey.ParseFullKey(fullKey)
	if err != nil {
		t.Fatal(err)
	}
	return full.RevealPair()
}

// validated sends a key to the namespaces API, whose operation asks for no credential.
func (a *accounts) validated(t testing.TB, fullKey string) (valid bool, calls []dynamotest.Call) {
	t.Helper()
	identifier, secret := pairOf(t, fullKey)
	answer := a.send(t, zenRequest{op: operation.ValidateAPIKey, body: fmt.Sprintf(`{"key":%q,"secret":%q}`, identifier, secret)})
	var verdict struct{ Valid *bool }
	if err := json.Unmarshal([]byte(answer.body), &verdict); err != nil || verdict.Valid == nil {
		t.Fatalf("validate: %d %s", answer.status, answer.body)
	}
	return *verdict.Valid, answer.calls
}

// A use is an UpdateItem, which DynamoDB refuses where there was one within the minute. A
// refusal does not say what it costs.
var (
	noted      = dynamotest.Call{Action: "UpdateItem", Units: 1}
	notedSince = dynamotest.Call{Action: "UpdateItem", Units: -1}
)

func wantCost(t *testing.T, what string, got []dynamotest.Call, want ...dynamotest.Call) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Whoever bears an account's key costs two reads, and at most once a minute a write.
func TestCostOfUse(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	key := a.makeKey(t, account, "k")
	full := *key.Body.Key
	one, whole := read("GetItem", 1), read("Query", 1)

	token, calls := a.login(t, full)
	wantCost(t, "login", calls, one, one, noted)
	_, calls = a.login(t, full)
	wantCost(t, "login at the same instant", calls, one, one, noted)
	_, calls = a.whoAmI(t, token)
	wantCost(t, "current-user by token, within the minute", calls, one, one, notedSince, whole)
	_, calls = a.whoAmI(t, full)
	wantCost(t, "current-user by key, in a process that knows", calls, one, one, whole)

	a.later(time.Minute - time.Nanosecond)
	_, calls = a.whoAmI(t, token)
	wantCost(t, "current-user before the minute is over", calls, one, one, whole)
	a.later(time.Nanosecond)
	_, calls = a.whoAmI(t, token)
	wantCost(t, "current-user when the minute is over", calls, one, one, noted, whole)
	_, calls = a.whoAmI(t, token)
	wantCost(t, "current-user in the next minute", calls, one, one, whole)

	a.later(time.Minute)
	_, calls = a.validated(t, full)
	bars.Hold(t, "calls/account-first", callsOf(calls))
	_, calls = a.validated(t, full)
	bars.Hold(t, "calls/account", callsOf(calls))
	_, calls = a.restarted().validated(t, full)
	wantCost(t, "validation in another process", calls, one, one, notedSince)
}

// What is refused is no use.
func TestCostOfRefusal(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	key := a.makeKey(t, account, "k")
	full, one := *key.Body.Key, read("GetItem", 1)
	refused := func(what string, want ...dynamotest.Call) {
		t.Helper()
		valid, calls := a.validated(t, full)
		wantCost(t, "validation with "+what, calls, want...)
		answer := a.send(t, zenRequest{op: operation.Login, body: url.Values{"password": {full}}.Encode()})
		wantCost(t, "login with "+what, answer.calls, want...)
		status, calls := a.whoAmI(t, full)
		wantCost(t, "current-user with "+what, calls, want...)
		if valid || answer.status != 401 || status != 401 {
			t.Errorf("%s: valid %v, login %d, current-user %d", what, valid, answer.status, status)
		}
	}
	a.do(t, zenRequest{op: operation.UpdateServiceAccount, account: "ci", body: `{"active":false}`})
	refused("an account that is switched off", one, one)
	a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: "k", body: `{"active":false}`})
	refused("a key that is switched off too", one)
	a.do(t, zenRequest{op: operation.UpdateServiceAccount, account: "ci", body: `{"active":true}`})
	refused("a key that is switched off", one)
	a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: "k", body: `{"active":true}`})
	a.do(t, zenRequest{op: operation.RotateAccountKey, account: account.ID, key: "k", body: `{}`})
	refused("a secret that is no more", one)
	if used := a.getKey(t, account, key).Metadata.LastLogin; used != nil {
		t.Errorf("it was used at %s", *used)
	}
	a.do(t, zenRequest{op: operation.DeleteServiceAccount, account: "ci"})
	refused("an account that is deleted", one)
}

// A key that belongs to no account costs what it did before there were any.
func TestCostOfOtherKeys(t *testing.T) {
	a := newAccounts(t)
	one := read("GetItem", 1)
	for range 2 {
		_, calls := a.validated(t, a.root.FullKey)
		wantCost(t, "validation", calls, one)
		token, calls := a.login(t, a.root.FullKey)
		wantCost(t, "login", calls, one)
		_, calls = a.whoAmI(t, token)
		wantCost(t, "current-user", calls, one)
		a.later(2 * time.Minute)
	}
}

// A process remembers one minute, a store another: however many processes there are, a
// key is used once a minute, and at each login.
func TestLastLogin(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	key := a.makeKey(t, account, "k")
	start := a.at
	wantUsed := func(what string, want time.Time) {
		t.Helper()
		got := a.getKey(t, account, key)
		text := naive(want)
		if got.Metadata.LastLogin == nil || *got.Metadata.LastLogin != text || got.Body.Updated != text {
			t.Errorf("%s: last_login %v, updated %s, want %s", what, deref(got.Metadata.LastLogin), got.Body.Updated, text)
		}
		page := a.listKeys(t, account, "last_login="+url.QueryEscape(text)+"&updated="+url.QueryEscape(text))
		if len(page.Items) != 1 || page.Items[0].Body.Updated != text {
			t.Errorf("%s: a list shows %+v", what, page.Items)
		}
	}
	if got := a.getKey(t, account, key); got.Metadata.LastLogin != nil || got.Body.Updated != got.Body.Created {
		t.Errorf("a new key was used at %v, updated %s", deref(got.Metadata.LastLogin), got.Body.Updated)
	}
	a.later(time.Second)
	first := a.at
	a.validated(t, *key.Body.Key)
	wantUsed("first use", first)
	for range 3 {
		a.later(20*time.Second - time.Nanosecond)
		a.restarted().validated(t, *key.Body.Key)
		a.whoAmI(t, *key.Body.Key)
		wantUsed("within the minute", first)
	}
	a.at = first.Add(time.Minute)
	a.validated(t, *key.Body.Key)
	wantUsed("a minute later", a.at)
	a.later(time.Microsecond)
	token, _ := a.login(t, *key.Body.Key)
	loggedIn := a.at
	wantUsed("login", loggedIn)
	a.later(59 * time.Second)
	a.restarted().whoAmI(t, token)
	wantUsed("token within the minute of its login", loggedIn)
	a.later(time.Second)
	a.restarted().whoAmI(t, token)
	wantUsed("token a minute after", loggedIn.Add(time.Minute))
	a.at = start
	a.restarted().login(t, *key.Body.Key)
	wantUsed("a clock that is behind", loggedIn.Add(time.Minute))

	a.at = loggedIn.Add(time.Hour)
	a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: key.ID, body: `{}`})
	got := a.getKey(t, account, key)
	if *got.Metadata.LastLogin != naive(loggedIn.Add(time.Minute)) || got.Body.Updated != naive(a.at) {
		t.Errorf("after an update: last_login %s, updated %s", *got.Metadata.LastLogin, got.Body.Updated)
	}
}

func deref(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

// naive is a time as Python writes one without a zone.
func naive(at time.Time) string {
	return strings.TrimSuffix(at.UTC().Format("2006-01-02T15:04:05.000000"), ".000000")
}

// A secret is good until the minutes that it is retained for are over, not longer, and
// one rotation back.
func TestRetention(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	key := a.makeKey(t, account, "k")
	a.later(123456789 * time.Nanosecond)
	rotate := func(body string) string {
		t.Helper()
		rotated, _ := a.do(t, zenRequest{op: operation.RotateAccountKey, account: account.ID, key: key.ID, body: body})
		if rotated.Metadata != nil {
			t.Errorf("a rotation shows %+v", rotated.Metadata)
		}
		if got := a.getKey(t, account, key); got.Metadata.LastRotated == nil || *got.Metadata.LastRotated != naive(a.at) || got.Body.Key != nil {
			t.Errorf("rotated at %s: %+v", naive(a.at), got)
		}
		return *rotated.Body.Key
	}
	wantGood := func(what, fullKey string, want bool) {
		t.Helper()
		valid, _ := a.validated(t, fullKey)
		login := a.send(t, zenRequest{op: operation.Login, body: url.Values{"password": {fullKey}}.Encode()})
		status, _ := a.whoAmI(t, fullKey)
		if valid != want || (login.status == 200) != want || (status == 200) != want {
			t.Errorf("%s: valid %v, login %d, current-user %d, want %v", what, valid, login.status, status, want)
		}
	}
	first := *key.Body.Key
	token, _ := a.login(t, first)
	second := rotate(`{"retain_period_minutes":5}`)
	rotated := a.at
	for after, want := range map[time.Duration]bool{0: true, 5*time.Minute - 1: true, 5 * time.Minute: false, time.Hour: false} {
		a.at = rotated.Add(after)
		wantGood(fmt.Sprint("the secret before, after ", after), first, want)
		wantGood(fmt.Sprint("the secret, after ", after), second, true)
	}
	a.at = rotated.Add(time.Minute)
	third := rotate(`{"retain_period_minutes":"7.0"}`)
	wantGood("two rotations back, within its time", first, false)
	wantGood("one rotation back", second, true)
	fourth := rotate(`{"retain_period_minutes":-1}`)
	wantGood("retained for less than nothing", third, false)
	fifth := rotate(`{}`)
	wantGood("retained for nothing", fourth, false)
	rotate(`{"retain_period_minutes":9223372036854775807}`)
	a.later(100 * 365 * 24 * time.Hour)
	wantGood("retained for ever", fifth, true)
	a.at = rotated.Add(10 * time.Minute)
	if status, _ := a.whoAmI(t, token); status != 200 {
		t.Errorf("a token of before the rotations: %d", status)
	}
}

type zenPage struct {
	Index      int
	MaxSize    int `json:"max_size"`
	TotalPages int `json:"total_pages"`
	Total      int
	Items      []zenEntity
}

func (a *accounts) listKeys(t testing.TB, account zenEntity, query string) zenPage {
	t.Helper()
	return a.page(t, zenRequest{op: operation.ListAccountKeys, account: account.ID, query: query})
}

func (a *accounts) page(t testing.TB, r zenRequest) zenPage {
	t.Helper()
	answer := a.send(t, r)
	var page zenPage
	if err := json.Unmarshal([]byte(answer.body), &page); err != nil || answer.status != 200 {
		t.Fatalf("%s %q: %d %.500s", r.op.Name, r.query, answer.status, answer.body)
	}
	return page
}

// wantListCost wants a list's cost behind who asks for it.
func (a *accounts) wantListCost(t *testing.T, r zenRequest, want ...dynamotest.Call) {
	t.Helper()
	answer := a.send(t, r)
	if answer.status != 200 {
		t.Fatalf("%q: %d %.500s", r.query, answer.status, answer.body)
	}
	wantCost(t, fmt.Sprintf("%s %q", r.op.Name, r.query), answer.calls, append([]dynamotest.Call{read("GetItem", 1)}, want...)...)
}

// batch is one of so many uses, or of so many small texts.
func batch(count float64) dynamotest.Call { return read("BatchGetItem", count/2) }

// A list reads the uses of what it shows, texts for who sees them, and of all only what
// decides.
func TestCostOfAccountKeyLists(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	a.fillKeys(t, "demo", account.ID, "k", 5)
	for _, name := range []string{"k1", "k3"} {
		a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: name, body: `{"description":"d"}`})
	}
	whole, index := read("Query", 1), read("Query", 0.5)
	for query, batches := range map[string][]dynamotest.Call{
		"":                           {batch(5)},
		"size=2&page=2":              {batch(2)},
		"hydrate=true":               {batch(5), batch(2)},
		"hydrate=true&size=1":        {batch(1)},
		"hydrate=true&size=1&page=2": {batch(1), batch(1)},
		"name=k1":                    {batch(1)},
		"name=k1&hydrate=1":          {batch(1), batch(1)},
		"name=k0&hydrate=1":          {batch(1)},
		"name=other":                 nil,
		"sort_by=desc:name&size=2":   {batch(2)},
		"sort_by=last_rotated&active=true&size=3": {batch(3)},
		"created=gt:2000-01-01+00:00:00&size=1":   {batch(1)},
		"sort_by=last_login&size=1":               {batch(5)},
		"sort_by=updated&size=1":                  {batch(5)},
		"last_login=isempty:&size=1":              {batch(5)},
		"last_login=gt:2000-01-01+00:00:00":       {batch(5)},
		"updated=lt:2000-01-01+00:00:00":          {batch(5)},
		"description=d":                           {batch(2), batch(2)},
		"description=d&hydrate=true&size=1":       {batch(2), batch(1), batch(1)},
		"sort_by=description&size=1":              {batch(2), batch(1)},
		"sort_by=description&last_login=isempty:": {batch(5), batch(2)},
	} {
		a.wantListCost(t, zenRequest{op: operation.ListAccountKeys, account: account.ID, query: query},
			append([]dynamotest.Call{whole, index}, batches...)...)
	}
}

// An avatar is shown with or without metadata, a description with it only.
func TestCostOfAccountLists(t *testing.T) {
	a := newAccounts(t)
	for _, about := range []string{"", `,"description":"d"`, `,"avatar_url":"u"`, `,"description":"d","avatar_url":"u"`} {
		a.later(time.Millisecond)
		a.do(t, zenRequest{op: operation.CreateServiceAccount, body: fmt.Sprintf(`{"name":"a%d","active":true%s}`, len(about), about)})
	}
	for i := range 3 {
		a.accountIn(t, "demo.below", fmt.Sprint("b", i))
		a.accountIn(t, "demo-a", fmt.Sprint("c", i))
	}
	index := read("Query", 0.5)
	for query, batches := range map[string][]dynamotest.Call{
		"":                          {batch(2)},
		"hydrate=true":              {batch(3)},
		"size=2":                    nil,
		"size=2&hydrate=true":       {batch(1)},
		"name=a16":                  nil,
		"sort_by=updated&size=1":    nil,
		"description=d&size=1":      {batch(3)},
		"description=d":             {batch(3), batch(1)},
		"sort_by=description":       {batch(3), batch(2)},
		"external_user_id=isempty:": {batch(2)},
	} {
		a.wantListCost(t, zenRequest{op: operation.ListServiceAccounts, query: query}, append([]dynamotest.Call{index}, batches...)...)
	}
	alone := a.send(t, zenRequest{op: operation.ListServiceAccounts, query: "sort_by=name"})
	for i := range 50 {
		for _, ns := range []string{"dem", "demo.below", "demo-a"} {
			a.accountIn(t, ns, fmt.Sprint(strings.Repeat("long", 50), i))
		}
	}
	among := a.send(t, zenRequest{op: operation.ListServiceAccounts, query: "sort_by=name"})
	wantCost(t, "the list among many", among.calls, alone.calls...)
	if page := a.page(t, zenRequest{op: operation.ListServiceAccounts}); page.Total != 4 || len(page.Items) != 4 {
		t.Errorf("a list shows %d of %d accounts", len(page.Items), page.Total)
	}
}

// A list of one account's keys costs what it would if there were no others.
func TestCostOfAccountKeysAmongMany(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	a.fillKeys(t, "demo", account.ID, "k", 5)
	request := zenRequest{op: operation.ListAccountKeys, account: account.ID, query: "sort_by=name&hydrate=true"}
	alone := a.send(t, request)
	sibling := a.makeAccount(t, "sibling")
	a.cloneKeys(t, sibling, 2000)
	for _, ns := range []string{"demo.below", "demo-a", "other"} {
		a.fillKeys(t, ns, a.accountIn(t, ns, "ci").ID.String(), "k", 20)
	}
	fill(t, a.deployment, 50)
	among := a.send(t, request)
	wantCost(t, "the list among many", among.calls, alone.calls...)
	if among.body != alone.body || alone.status != 200 {
		t.Errorf("alone %d %.300s\namong many %d %.300s", alone.status, alone.body, among.status, among.body)
	}
	if total := a.listKeys(t, sibling, "size=1").Total; total != 2001 {
		t.Errorf("the sibling has %d keys", total)
	}
}
