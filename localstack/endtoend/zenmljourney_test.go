package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/localstack/emulator"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/localtest"
	"latchkey/localstack/stack"
	"latchkey/localstack/table"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// A zenmlWorld is a world and an administrator of its namespace.
type zenmlWorld struct {
	*world
	admin *zenmlClient
}

func (w *world) zenml(key string) *zenmlClient { return &zenmlClient{base: w.stack.URL(), key: key} }

// newZenMLWorld is a world without a recorder, and counts the processes of each function.
func newZenMLWorld(t *testing.T) (z *zenmlWorld, processes *sync.Map) {
	t.Helper()
	processes = &sync.Map{}
	s := restart(t, stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", Environment: func(op operation.Operation) map[string]string {
		count, _ := processes.LoadOrStore(op.Name, &atomic.Int64{})
		count.(*atomic.Int64).Add(1)
		return nil
	}})
	return zenmlWorldOn(t, s), processes
}

func zenmlWorldOn(t *testing.T, s *stack.Stack) *zenmlWorld {
	t.Helper()
	w := &world{stack: s, root: must(apikey.ParseFullKey(s.FirstKey()))(t)}
	return &zenmlWorld{w, w.zenml(w.root.Reveal())}
}

func (z *zenmlWorld) makeAccount(t *testing.T, name string) zenmlAccount {
	t.Helper()
	return must(zenmlCreate[zenmlAccount](t.Context(), z.admin, zenmlAccounts, newZenMLAccount(name)))(t)
}

// makeKey gives a client for the key too.
func (z *zenmlWorld) makeKey(t *testing.T, account, name string) (zenmlKey, *zenmlClient) {
	t.Helper()
	key := must(zenmlCreate[zenmlKey](t.Context(), z.admin, zenmlKeys(account), newZenMLKey(name)))(t)
	return key, z.zenml(*key.Body.Key)
}

func wantDone(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// wantEverywhere wants an entity by name, by id and in a list, with and without metadata.
func wantEverywhere[B zenmlBody, M any](t *testing.T, z *zenmlWorld, path string, want zenmlEntity[B, M]) {
	t.Helper()
	type entity = zenmlEntity[B, M]
	for _, hydrate := range []bool{true, false} {
		if !hydrate {
			want.Metadata = nil
		}
		for _, nameOrID := range []string{want.Name, want.ID} {
			wantEqual(t, "got by "+nameOrID, must(zenmlGet[entity](t.Context(), z.admin, zenmlItem(path, nameOrID), hydrate))(t), want)
		}
		page := must(zenmlList[entity](t.Context(), z.admin, path, zenmlFilter{"name": want.Name, "hydrate": zenmlBool(hydrate)}))(t)
		wantEqual(t, "in a list", page.Items, []entity{want})
	}
}

// wantKeys wants keys to be good, or refused, as a bearer and as a password.
func (z *zenmlWorld) wantKeys(t *testing.T, good, refused []string) {
	t.Helper()
	for i, key := range slices.Concat(good, refused) {
		for _, err := range []error{errorOf(z.admin.userOf(t.Context(), key)), z.zenml(key).authenticate(t.Context())} {
			if i >= len(good) {
				wantZenML(t, err, zenmlNotValid)
			} else if err != nil {
				t.Errorf("good key %d: %v", i, err)
			}
		}
	}
}

func TestZenMLJourneys(t *testing.T) {
	w := newWorld(t)
	z := &zenmlWorld{w, w.zenml(w.root.Reveal())}
	for _, journey := range []step{
		{"life", z.life},
		{"logins", z.logins},
		{"names", z.names},
		{"deactivation", z.deactivation},
		{"rotation", z.rotation},
		{"recreation", z.recreation},
		{"rights", z.rights},
		{"namespaces", z.namespaces},
	} {
		t.Run(journey.name, journey.take)
	}
	if strings.Contains(w.log.String(), zenmlKeyPrefix) {
		t.Error("the log holds a key in its outer form")
	}
}

func (z *zenmlWorld) life(t *testing.T) {
	ctx, asked, path := t.Context(), newZenMLAccount("life"), zenmlItem(zenmlAccounts, "life")
	asked["description"] = "runs pipelines"
	account := must(zenmlCreate[zenmlAccount](ctx, z.admin, zenmlAccounts, asked))(t)
	at := account.Body.Created
	wantEqual(t, "account", account, zenmlAccount{
		Body: zenmlAccountBody{Created: at, Updated: at, Active: true}, Metadata: &zenmlAccountMetadata{Description: "runs pipelines"}, ID: account.ID, Name: "life",
	})
	wantEverywhere(t, z, zenmlAccounts, account)
	updated := must(zenmlUpdate[zenmlAccount](ctx, z.admin, path, zenmlFields{"full_name": "Life", "description": "none"}))(t)
	wantEqual(t, "updated", []string{updated.Body.FullName, updated.Metadata.Description, updated.ID}, []string{"Life", "none", account.ID})
	same := must(zenmlUpdate[zenmlAccount](ctx, z.admin, path, zenmlFields{"name": nil, "description": nil, "active": nil}))(t)
	if same.Body.Updated < updated.Body.Updated || updated.Body.Updated < at {
		t.Errorf("updated goes back: %s, %s, %s", at, updated.Body.Updated, same.Body.Updated)
	}
	updated.Body.Updated = same.Body.Updated
	wantEqual(t, "after nulls", same, updated)
	wantEverywhere(t, z, zenmlAccounts, updated)

	key, client := z.makeKey(t, account.ID, "key")
	keys, bare := zenmlKeys(account.ID), updated
	bare.Metadata = nil
	wantEqual(t, "key", key, zenmlKey{
		Body:     zenmlKeyBody{Created: key.Body.Created, Updated: key.Body.Created, Key: key.Body.Key, Active: true, ServiceAccount: bare},
		Metadata: &zenmlKeyMetadata{}, ID: key.ID, Name: "key",
	})
	key.Body.Key = nil
	wantEverywhere(t, z, keys, key)
	user := must(client.user(ctx))(t)
	wantEqual(t, "user", []any{user.ID, user.Name, user.Body.FullName, user.Body.IsServiceAccount, user.Body.IsAdmin}, []any{account.ID, "life", "Life", true, false})
	used := must(zenmlGet[zenmlKey](ctx, z.admin, zenmlItem(keys, "key"), true))(t)
	if login := used.Metadata.LastLogin; login == nil || *login < key.Body.Created || used.Body.Updated != *login {
		t.Errorf("after a login last_login is %v, updated %s", login, used.Body.Updated)
	}
	wantEverywhere(t, z, keys, used)

	wantDone(t, z.admin.delete(ctx, zenmlItem(keys, "key")))
	z.wantKeys(t, nil, []string{client.key})
	wantZenML(t, errorOf(client.userOf(ctx, client.token)), zenmlNotValid)
	wantZenML(t, errorOf(client.user(ctx)), zenmlNotValid)
	wantZenML(t, z.admin.delete(ctx, zenmlItem(keys, "key")), zenmlAbsent)
	wantZenML(t, z.admin.delete(ctx, zenmlItem(keys, key.ID)), zenmlAbsent)
	wantDone(t, z.admin.delete(ctx, path))
	wantZenML(t, z.admin.delete(ctx, path), zenmlAbsent)
	wantZenML(t, errorOf(zenmlList[zenmlKey](ctx, z.admin, keys, nil)), zenmlAbsent)
}

// What a login takes, and what it refuses.
func (z *zenmlWorld) logins(t *testing.T) {
	account := z.makeAccount(t, "logins").ID
	key, client := z.makeKey(t, account, "key")
	other, _ := z.makeKey(t, account, "other")
	inner, password := must(innerZenMLKey(client.key))(t), url.QueryEscape(client.key)
	for _, test := range []struct {
		form   string
		status int
		told   string
	}{
		{"grant_type=zenml-api-key&password=" + password, 200, ""},
		{"password=" + password, 200, ""},
		{"grant_type=&username=&client_id=&device_code=&password=" + password, 200, ""},
		{"password=" + strings.TrimPrefix(password, zenmlKeyPrefix), 200, ""},
		{"password=" + inner, 200, ""},
		{"password=" + url.QueryEscape(outerZenMLKey(other.ID, inner)), 401, "CredentialsNotValid"},
		{"password=" + url.QueryEscape(outerZenMLKey(key.ID, "")), 401, "CredentialsNotValid"},
		{"password=" + password[:len(password)-12], 401, "CredentialsNotValid"},
		{"username=logins&password=" + password, 401, "CredentialsNotValid"},
		{"grant_type=zenml-api-key", 400, ""},
		{"grant_type=zenml-external&password=" + password, 400, ""},
	} {
		token, err := client.login(t.Context(), must(url.ParseQuery(test.form))(t))
		if failure, _ := err.(*zenmlException); failure != nil {
			wantEqual(t, test.form, fmt.Sprint(failure.Status, failure.Told), fmt.Sprint(test.status, test.told))
		} else if err != nil || test.status != http.StatusOK {
			t.Errorf("%s: %v, want HTTP %d", test.form, err, test.status)
		} else {
			wantEqual(t, test.form, must(client.userOf(t.Context(), token.AccessToken))(t).ID, account)
		}
	}
	must(client.user(t.Context()))(t)
	client.token = corrupted(client.token)
	must(client.user(t.Context()))(t)
	wantEqual(t, "logins, the second because a token was refused", client.logins, 2)
}

func (z *zenmlWorld) names(t *testing.T) {
	home := z.makeAccount(t, "names").ID
	t.Run("accounts", func(t *testing.T) { rename[zenmlAccount](t, z.admin, zenmlAccounts, newZenMLAccount) })
	t.Run("keys", func(t *testing.T) { rename[zenmlKey](t, z.admin, zenmlKeys(home), newZenMLKey) })
}

// rename renames an entity, and others to and from its names.
func rename[T zenmlKind](t *testing.T, c *zenmlClient, path string, body func(string) zenmlFields) {
	const before, after = "before", "after: 100 % é+&#"
	ctx := t.Context()
	create := func(name string) (T, error) { return zenmlCreate[T](ctx, c, path, body(name)) }
	get := func(nameOrID string) (T, error) { return zenmlGet[T](ctx, c, zenmlItem(path, nameOrID), true) }
	named := func(name string) int { return must(zenmlList[T](ctx, c, path, zenmlFilter{"name": name}))(t).Total }
	update := func(nameOrID, name string) error {
		return errorOf(zenmlUpdate[T](ctx, c, zenmlItem(path, nameOrID), zenmlFields{"name": name, "description": "d"}))
	}
	first := must(create(before))(t).id()
	wantZenML(t, errorOf(create(before)), zenmlTaken)
	wantDone(t, update(before, after))
	wantZenML(t, errorOf(create(after)), zenmlTaken)
	wantZenML(t, errorOf(get(before)), zenmlAbsent)
	wantEqual(t, "by its new name", must(get(after))(t).id(), first)
	wantEqual(t, "listed under the old and the new name", []int{named(before), named(after)}, []int{0, 1})
	wantDone(t, update(first, after)) // its own

	second := must(create(before))(t).id()
	unchanged := []T{must(get(first))(t), must(get(second))(t)}
	wantZenML(t, update(first, before), zenmlTaken)
	wantZenML(t, update(second, after), zenmlTaken)
	wantEqual(t, "both after the clashes", []T{must(get(after))(t), must(get(before))(t)}, unchanged)
	wantDone(t, c.delete(ctx, zenmlItem(path, before)))
	wantDone(t, update(after, before))
	wantEqual(t, "back under its first name", must(get(before))(t).id(), first)
}

func (z *zenmlWorld) deactivation(t *testing.T) {
	ctx, account := t.Context(), z.makeAccount(t, "deactivation")
	key, client := z.makeKey(t, account.ID, "key")
	keyPath := zenmlItem(zenmlKeys(account.ID), key.ID)
	must(client.user(ctx))(t)
	for _, path := range []string{keyPath, zenmlItem(zenmlAccounts, account.ID)} {
		set := func(active bool) {
			t.Helper()
			wantDone(t, z.admin.do(ctx, zenmlRequest{method: http.MethodPut, path: path, body: zenmlFields{"active": active}}, new(json.RawMessage)))
		}
		set(false)
		z.wantKeys(t, nil, []string{client.key})
		wantZenML(t, errorOf(client.userOf(ctx, client.token)), zenmlNotValid)
		key = must(zenmlGet[zenmlKey](ctx, z.admin, keyPath, false))(t)
		wantEqual(t, "key and account are active", []bool{key.Body.Active, key.Body.ServiceAccount.Body.Active}, []bool{path != keyPath, path == keyPath})
		set(true)
		must(client.userOf(ctx, client.token))(t)
		z.wantKeys(t, []string{client.key}, nil)
	}
}

func (z *zenmlWorld) rotation(t *testing.T) {
	ctx, account := t.Context(), z.makeAccount(t, "rotation")
	key, client := z.makeKey(t, account.ID, "key")
	must(client.user(ctx))(t)
	paths := []string{zenmlItem(zenmlKeys(account.ID), "key"), zenmlItem(zenmlKeys(account.ID), key.ID)}
	keys := []string{client.key}
	for i, rotation := range []struct{ retain, good int }{{60, 2}, {60, 2}, {0, 1}, {60, 2}, {-5, 1}} {
		want := must(zenmlGet[zenmlKey](ctx, z.admin, paths[0], true))(t)
		answer := must(z.admin.rotate(ctx, paths[i%2], rotation.retain))(t)
		got := must(zenmlGet[zenmlKey](ctx, z.admin, paths[1], true))(t)
		if at := got.Metadata.LastRotated; at == nil || *at != answer.Body.Updated || *at < want.Body.Updated {
			t.Errorf("last_rotated is %v, updated was %s", at, answer.Body.Updated)
		}
		want.Body.Updated, want.Metadata.LastRotated = answer.Body.Updated, got.Metadata.LastRotated
		if want.Metadata.RetainPeriodMinutes = rotation.retain; rotation.retain < 0 {
			want.Metadata.RetainPeriodMinutes = got.Metadata.RetainPeriodMinutes // nobody says as what it is kept
		}
		wantEqual(t, "rotated", got, want)
		keys = append(keys, *answer.Body.Key)
		want.Metadata, want.Body.Key = nil, answer.Body.Key
		wantEqual(t, "answer", answer, want)
		from := len(keys) - rotation.good
		z.wantKeys(t, keys[from:], keys[:from])
		must(client.userOf(ctx, client.token))(t)
	}
	slices.Sort(keys)
	wantEqual(t, "distinct keys", len(slices.Compact(keys)), 6)
}

// What takes the name of something deleted has nothing else of it.
func (z *zenmlWorld) recreation(t *testing.T) {
	ctx, account := t.Context(), z.makeAccount(t, "recreation").ID
	key, old := z.makeKey(t, account, "key")
	for _, path := range []string{zenmlItem(zenmlKeys(account), "key"), zenmlItem(zenmlAccounts, "recreation")} {
		must(old.user(ctx))(t)
		wantDone(t, z.admin.delete(ctx, path))
		if path == zenmlItem(zenmlAccounts, "recreation") {
			account = z.makeAccount(t, "recreation").ID
		}
		again, client := z.makeKey(t, account, "key")
		wantZenML(t, errorOf(old.userOf(ctx, old.token)), zenmlNotValid)
		z.wantKeys(t, []string{client.key}, []string{old.key})
		wantEqual(t, "user of the new key", must(client.user(ctx))(t).ID, account)
		wantZenML(t, errorOf(zenmlGet[zenmlKey](ctx, z.admin, zenmlItem(zenmlKeys(account), key.ID), true)), zenmlAbsent)
		key, old = again, client
	}
}

// What may be asked of an account and one of its keys.

func zenmlReads(account zenmlAccount, key zenmlKey) []zenmlRequest {
	return []zenmlRequest{
		{method: http.MethodGet, path: zenmlItem(zenmlAccounts, account.ID)},
		{method: http.MethodGet, path: zenmlItem(zenmlAccounts, account.Name)},
		{method: http.MethodGet, path: zenmlKeys(account.ID)},
		{method: http.MethodGet, path: zenmlItem(zenmlKeys(account.ID), key.Name)},
	}
}

// zenmlOwn are the changes that an account's key may make to its own account.
func zenmlOwn(account zenmlAccount, key zenmlKey) []zenmlRequest {
	set, path := zenmlFields{"description": "set"}, zenmlItem(zenmlKeys(account.ID), key.ID)
	return []zenmlRequest{
		{method: http.MethodPut, path: zenmlItem(zenmlAccounts, account.ID), body: set},
		{method: http.MethodPut, path: zenmlItem(zenmlAccounts, account.Name), body: set},
		{method: http.MethodPost, path: zenmlKeys(account.ID), body: newZenMLKey("new")},
		{method: http.MethodPut, path: path, body: set},
		{method: http.MethodPut, path: path + "/rotate", body: zenmlFields{}},
		{method: http.MethodDelete, path: path},
	}
}

func zenmlDeletions(account zenmlAccount) []zenmlRequest {
	return []zenmlRequest{
		{method: http.MethodDelete, path: zenmlItem(zenmlAccounts, account.ID)},
		{method: http.MethodDelete, path: zenmlItem(zenmlAccounts, account.Name)},
	}
}

// wantZenMLAll wants one answer to requests; the zero exception is none.
func wantZenMLAll(t *testing.T, c *zenmlClient, requests []zenmlRequest, want zenmlException) {
	for _, r := range requests {
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			err := c.do(t.Context(), r, new(json.RawMessage))
			if want != (zenmlException{}) {
				wantZenML(t, err, want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func (z *zenmlWorld) rights(t *testing.T) {
	own, other := z.makeAccount(t, "rights"), z.makeAccount(t, "rights of another")
	ownKey, _ := z.makeKey(t, own.ID, "victim")
	otherKey, _ := z.makeKey(t, other.ID, "victim")
	_, holder := z.makeKey(t, own.ID, "holder")
	reader := z.zenmlOf(t, "demo", "SYSTEM_ROLE_READ_ONLY")
	accounts := []zenmlRequest{{method: http.MethodGet, path: zenmlAccounts}}
	creation := []zenmlRequest{{method: http.MethodPost, path: zenmlAccounts, body: newZenMLAccount("more")}}
	for _, test := range []struct {
		name     string
		client   *zenmlClient
		requests []zenmlRequest
		want     zenmlException
	}{
		{"reader reads", reader, slices.Concat(accounts, zenmlReads(own, ownKey)), zenmlException{}},
		{"reader writes", reader, slices.Concat(creation, zenmlOwn(own, ownKey), zenmlDeletions(own)), zenmlIllegal},
		{"account's key reads", holder, slices.Concat(accounts, zenmlReads(own, ownKey), zenmlReads(other, otherKey)), zenmlException{}},
		{"account's key elsewhere", holder, slices.Concat(creation, zenmlOwn(other, otherKey), zenmlDeletions(other)), zenmlIllegal},
		{"account's key deletes its account", holder, zenmlDeletions(own), zenmlIllegal},
		{"account's key at home", holder, zenmlOwn(own, ownKey), zenmlException{}},
	} {
		t.Run(test.name, func(t *testing.T) { wantZenMLAll(t, test.client, test.requests, test.want) })
	}
	wantEverywhere(t, z, zenmlAccounts, other)
	otherKey.Body.Key = nil
	wantEverywhere(t, z, zenmlKeys(other.ID), otherKey)
}

// zenmlOf makes a key through the namespaces API.
func (z *zenmlWorld) zenmlOf(t *testing.T, namespace string, role endorRole) *zenmlClient {
	t.Helper()
	key := must(z.endorRoot().createAPIKey(t.Context(), namespace, keyNamed("made elsewhere", 30, roles(role))))(t)
	return z.zenml(key.Spec.Key + "_" + key.Spec.Secret)
}

// Accounts of another namespace are not there, be it beside or below.
func (z *zenmlWorld) namespaces(t *testing.T) {
	ctx, account := t.Context(), z.makeAccount(t, "namespaces")
	key, holder := z.makeKey(t, account.ID, "key")
	var beside struct {
		FullKey string `json:"full_key"`
	}
	wantDone(t, json.Unmarshal(must(z.stack.Invoke(ctx, operation.Bootstrap, []byte(`{"namespace":"zenml"}`)))(t), &beside))
	for name, there := range map[string]*zenmlClient{"beside": z.zenml(beside.FullKey), "below": z.zenmlOf(t, "demo.zenml", "SYSTEM_ROLE_ADMIN")} {
		t.Run(name, func(t *testing.T) {
			wantZenMLAll(t, there, slices.Concat(zenmlReads(account, key), zenmlOwn(account, key), zenmlDeletions(account)), zenmlAbsent)
			wantEqual(t, "accounts", must(zenmlList[zenmlAccount](ctx, there, zenmlAccounts, nil))(t).Total, 0)
			same := must(zenmlCreate[zenmlAccount](ctx, there, zenmlAccounts, newZenMLAccount("namespaces")))(t)
			wantEqual(t, "account", must(zenmlList[zenmlAccount](ctx, there, zenmlAccounts, nil))(t).Items[0].ID, same.ID)
			for _, client := range []*zenmlClient{z.admin, holder} {
				wantZenML(t, errorOf(zenmlGet[zenmlAccount](ctx, client, zenmlItem(zenmlAccounts, same.ID), true)), zenmlAbsent)
				wantZenML(t, errorOf(zenmlList[zenmlKey](ctx, client, zenmlKeys(same.ID), nil)), zenmlAbsent)
			}
		})
	}
	wantEverywhere(t, z, zenmlAccounts, account)
}

const zenmlCrowd = 100

// Of a hundred that want one name at once, in as many processes as there may be, one gets
// it, and the others leave nothing behind.
func TestZenMLCrowd(t *testing.T) {
	z, processes := newZenMLWorld(t)
	home := zenmlKeys(z.makeAccount(t, "home").ID)
	t.Run("accounts", func(t *testing.T) { crowd[zenmlAccount](t, z, processes, zenmlAccounts, newZenMLAccount) })
	t.Run("keys", func(t *testing.T) { crowd[zenmlKey](t, z, processes, home, newZenMLKey) })
}

func crowd[T zenmlKind](t *testing.T, z *zenmlWorld, processes *sync.Map, path string, body func(string) zenmlFields) {
	items := func() int { return strings.Count(z.contents(t), "\n") }
	before := items()
	must(zenmlCreate[T](t.Context(), z.admin, path, body("quiet")))(t)
	quiet := items() - before

	var all sync.WaitGroup
	made, errs, begin := make([]T, zenmlCrowd), make([]error, zenmlCrowd), make(chan struct{})
	for i := range zenmlCrowd {
		client := *z.admin
		all.Go(func() {
			<-begin
			made[i], errs[i] = zenmlCreate[T](t.Context(), &client, path, body("crowded"))
		})
	}
	close(begin)
	all.Wait()
	var winners []string
	for i, err := range errs {
		if err == nil {
			winners = append(winners, made[i].id())
		} else {
			wantZenML(t, err, zenmlTaken)
		}
	}
	listed := must(zenmlList[T](t.Context(), z.admin, path, zenmlFilter{"name": "crowded"}))(t)
	if len(winners) != 1 || len(listed.Items) != 1 || listed.Items[0].id() != winners[0] {
		t.Errorf("%d were told that they made it, %d are listed", len(winners), listed.Total)
	}
	wantEqual(t, "items of two", items()-before, 2*quiet)

	i := slices.IndexFunc(operation.All, func(op operation.Operation) bool {
		return op.Method() == http.MethodPost && op.HasPath("/api/v1"+path)
	})
	count, _ := processes.Load(operation.All[i].Name)
	if n := count.(*atomic.Int64).Load(); n < lambdahost.DefaultMaxProcesses {
		t.Errorf("%d processes of %s took part", n, operation.All[i].Name)
	}
}

const (
	zenmlEarly = 2000 // of the keys are made in an earlier second than the others
	zenmlMany  = 5000
	zenmlSize  = 1000
	zenmlUsers = 6
)

// A zenmlHoard is an account with many keys.
type zenmlHoard struct {
	*zenmlWorld
	account zenmlAccount
	path    string
	late    time.Time // when the later keys began to be made
	ids     []string
	keys    []string
}

// The stream is there only once it has something to say: an emulator's writes slow down
// with every record of it.
func TestZenMLManyKeys(t *testing.T) {
	database := must(emulator.Start(t.Context(), emulator.Config{}))(t)
	t.Cleanup(func() { database.Close() })
	config := stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", DynamoDBEndpoint: database.Endpoint(), WithoutStream: true}
	z := zenmlWorldOn(t, restart(t, config))
	account := z.makeAccount(t, "hoard")
	h := &zenmlHoard{zenmlWorld: z, account: account, path: zenmlKeys(account.ID), ids: make([]string, zenmlMany), keys: make([]string, zenmlMany)}
	take(t, []step{
		{"create", h.create},
		{"list", h.list},
		{"stream", func(*testing.T) { // the new stack outlives this step
			enableStream(t, h.stack)
			wantDone(t, h.stack.Close())
			config.WithoutStream = false
			h.zenmlWorld = zenmlWorldOn(t, restart(t, config))
		}},
		{"delete while they are used", h.deleteInUse},
		{"nothing is left", h.wantNothing},
	})
}

func enableStream(t *testing.T, s *stack.Stack) {
	t.Helper()
	must(table.Client(s.DynamoDBEndpoint()).UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String(s.Table()),
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(schema.Table.StreamView),
		},
	}))(t)
}

func zenmlName(i int) string { return fmt.Sprintf("key-%04d", i) }

func (h *zenmlHoard) create(t *testing.T) {
	h.createSome(t, 0, zenmlEarly)
	// Filters name whole seconds, and the functions' clock is the machine's: nothing but
	// waiting puts the two parts into different ones.
	h.late = time.Now().UTC().Truncate(time.Second).Add(time.Second)
	time.Sleep(time.Until(h.late))
	h.createSome(t, zenmlEarly, zenmlMany)
}

// createSome makes the keys of these numbers, the last one excepted.
func (h *zenmlHoard) createSome(t *testing.T, from, to int) {
	var workers sync.WaitGroup
	for worker := range lambdahost.DefaultMaxProcesses {
		client := *h.admin
		workers.Go(func() {
			for i := from + worker; i < to && !t.Failed(); i += lambdahost.DefaultMaxProcesses {
				key, err := zenmlCreate[zenmlKey](t.Context(), &client, h.path, newZenMLKey(zenmlName(i)))
				if err != nil {
					t.Error(err)
					return
				}
				h.ids[i], h.keys[i] = key.ID, *key.Body.Key
			}
		})
	}
	workers.Wait()
}

func (h *zenmlHoard) list(t *testing.T) {
	late := h.late.Format(time.DateTime)
	for _, test := range []struct {
		filter      zenmlFilter
		first, last int
	}{
		{zenmlFilter{"size": zenmlSize}, 0, zenmlMany - 1},
		{zenmlFilter{"size": 300, "name": "startswith:key-3"}, 3000, 3999},
		{zenmlFilter{"size": zenmlSize, "created": "gte:" + late}, zenmlEarly, zenmlMany - 1},
		{zenmlFilter{"size": zenmlSize, "created": "lt:" + late}, 0, zenmlEarly - 1},
		{zenmlFilter{"size": 20, "name": "startswith:key-204", "created": "gte:" + late}, 2040, 2049},
	} {
		t.Run(fmt.Sprint(test.filter), func(t *testing.T) { h.walk(t, test.filter, test.first, test.last) })
	}
}

// walk wants the keys from the last number down to the first one over all pages, and no
// page after them.
func (h *zenmlHoard) walk(t *testing.T, filter zenmlFilter, first, last int) {
	filter = filter.with("sort_by", "desc:name").with("service_account", h.account.ID) // as the client does
	total, pages := last-first+1, 0
	keys := must(zenmlWalk(filter, func(filter zenmlFilter) (zenmlPage[zenmlKey], error) {
		page, err := zenmlList[zenmlKey](t.Context(), h.admin, h.path, filter)
		pages = page.TotalPages
		if err == nil && page.Total != total {
			err = fmt.Errorf("page %d says that there are %d keys, want %d", page.Index, page.Total, total)
		}
		return page, err
	}))(t)
	for i, key := range keys {
		if key.Name != zenmlName(last-i) || key.ID != h.ids[last-i] {
			t.Fatalf("key %d is %s, %s, want %s", i, key.Name, key.ID, zenmlName(last-i))
		}
	}
	wantEqual(t, "keys", len(keys), total)
	wantZenML(t, errorOf(zenmlList[zenmlKey](t.Context(), h.admin, h.path, filter.with("page", pages+1))), zenmlNoPage)
}

// From the answer of the deletion on every request is refused; until then each is
// answered or refused.
func (h *zenmlHoard) deleteInUse(t *testing.T) {
	if n := h.left(t); n < 1+zenmlMany {
		t.Fatalf("only %d items are found", n)
	}
	deleted := make(chan struct{})
	var answered atomic.Int64
	var users sync.WaitGroup
	for user := range zenmlUsers {
		client := h.zenml(h.keys[user*zenmlMany/zenmlUsers])
		wantDone(t, client.authenticate(t.Context()))
		users.Go(func() { client.useUntil(t, deleted, &answered) })
	}
	localtest.WaitUntil(t, func() bool { return t.Failed() || answered.Load() > 10*zenmlUsers })
	begun := time.Now()
	err := h.admin.delete(t.Context(), zenmlItem(zenmlAccounts, h.account.ID))
	close(deleted)
	users.Wait()
	wantDone(t, err)
	t.Log("answered before the end", answered.Load(), "all done after", time.Since(begun))
	last := zenmlKey{ID: h.ids[zenmlMany-1], Name: zenmlName(zenmlMany - 1)}
	wantZenMLAll(t, h.admin, slices.Concat(zenmlReads(h.account, last), zenmlOwn(h.account, last), zenmlDeletions(h.account)), zenmlAbsent)
	wantEqual(t, "accounts", must(zenmlList[zenmlAccount](t.Context(), h.admin, zenmlAccounts, nil))(t).Total, 0)
}

// useUntil uses a key in every way, some times more when its account is deleted.
func (c *zenmlClient) useUntil(t *testing.T, deleted <-chan struct{}, answered *atomic.Int64) {
	ways := []func(context.Context) error{
		func(ctx context.Context) error { return errorOf(c.userOf(ctx, c.token)) },
		func(ctx context.Context) error { return errorOf(c.userOf(ctx, c.key)) },
		func(ctx context.Context) error { return errorOf(c.login(ctx, url.Values{"password": {c.key}})) },
	}
	for way, more := 0, 12; more > 0; way++ {
		isDeleted := false
		select {
		case <-deleted:
			isDeleted = true
			more--
		default:
		}
		err := ways[way%len(ways)](t.Context())
		if err == nil && !isDeleted {
			answered.Add(1)
		} else {
			wantZenML(t, err, zenmlNotValid)
		}
	}
}

// left is how many items know the account or a key of it.
func (h *zenmlHoard) left(t *testing.T) (items int) {
	old := map[string]bool{h.account.ID: true}
	for _, id := range h.ids {
		old[id] = true
	}
	for item := range strings.SplitSeq(h.contents(t), "\n") {
		if slices.ContainsFunc(zenmlUUID.FindAllString(item, -1), func(id string) bool { return old[id] }) {
			items++
		}
	}
	return items
}

// Of the old account nothing stays; the one that has taken its name does.
func (h *zenmlHoard) wantNothing(t *testing.T) {
	account := h.makeAccount(t, "hoard").ID
	_, client := h.makeKey(t, account, zenmlName(0))
	waitForRemoval(t, func() int { return itemsOfAccount(t, h.world, h.account.ID) })
	wantEqual(t, "items left", h.left(t), 0)
	wantEqual(t, "user", must(client.user(t.Context()))(t).ID, account)
	wantEqual(t, "keys", must(zenmlList[zenmlKey](t.Context(), h.admin, zenmlKeys(account), nil))(t).Total, 1)
}
