package boot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
)

// accountOperations are those that take a credential.
func accountOperations() []operation.Operation {
	var all []operation.Operation
	for _, op := range operation.All {
		if op.API == operation.ServiceAccounts && op.Caller == operation.KeyHolder {
			all = append(all, op)
		}
	}
	return all
}

// Who bears nothing is told so as the framework below ZenML does; who bears what is not
// good, so that its client logs in again. Neither costs anything.
func TestEveryAccountOperationAsksForACredential(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	deleted := a.makeKey(t, account, "k")
	a.send(t, zenRequest{op: operation.DeleteAccountKey, account: account.ID, key: "k"})
	if len(accountOperations()) != 12 {
		t.Errorf("there are %d operations", len(accountOperations()))
	}
	const (
		none   = `{"detail":"Not authenticated"}`
		notOne = `{"detail":["CredentialsNotValid","Authentication error: the credential is not valid"]}`
		realm  = `Bearer realm="latchkey"`
	)
	for _, op := range accountOperations() {
		for _, test := range []struct {
			header    map[string]string
			body      string
			challenge string
			calls     int
		}{
			{nil, none, realm, 0},
			{map[string]string{"cookie": "x=y"}, none, realm, 0},
			{map[string]string{"authorization": ""}, none, realm, 0},
			{map[string]string{"authorization": "Basic " + a.root.FullKey}, none, realm, 0},
			{map[string]string{"authorization": "Bearer"}, none, realm, 0},
			{map[string]string{"authorization": "Bearer planted"}, notOne, realm + `, error="invalid_token"`, 0},
			{map[string]string{"authorization": "Bearer a.b.c"}, notOne, realm + `, error="invalid_token"`, 0},
			{map[string]string{"authorization": "Bearer " + *deleted.Body.Key}, notOne, realm + `, error="invalid_token"`, 1},
		} {
			answer := a.sendHeader(t, zenRequest{op: op, account: "unknown", key: "unknown", query: "page=0", body: "{"}, test.header)
			if answer.status != 401 || answer.body != test.body || answer.header["WWW-Authenticate"] != test.challenge || len(answer.calls) != test.calls {
				t.Errorf("%s with %.30v: %d %s, %v, %v", op.Name, test.header, answer.status, answer.body, answer.header, answer.calls)
			}
		}
	}
}

// What the log holds of accounts' lives is no secret and nothing that people wrote.
func TestLogOfAccountsHoldsNoSecret(t *testing.T) {
	a := newAccounts(t)
	var log bytes.Buffer
	a.config.Log = slog.New(slog.NewJSONHandler(&log, nil))
	account := a.makeAccount(t, "planted")
	key := a.makeKey(t, account, "planted-key")
	secrets := []string{*key.Body.Key}
	token, _ := a.login(t, *key.Body.Key)
	a.whoAmI(t, token)
	a.whoAmI(t, *key.Body.Key)
	rotated, _ := a.do(t, zenRequest{
		op: operation.RotateAccountKey, account: account.ID, key: "planted-key", body: `{"retain_period_minutes":1}`, credential: token,
	})
	secrets = append(secrets, *rotated.Body.Key, token, "planted", "ZENKEY_")
	for _, fullKey := range secrets[:2] {
		identifier, secret := pairOf(t, fullKey)
		secrets = append(secrets, secret, identifier)
	}
	lines := func() int { return strings.Count(log.String(), "\n") }
	for _, op := range append(accountOperations(), operation.Login) {
		for _, body := range []string{"{", `{"name":["planted"],"active":"planted"}`, "password=" + url.QueryEscape(*key.Body.Key), `"planted"`} {
			before := lines()
			a.send(t, zenRequest{op: op, account: "planted", key: "planted-key", query: "name=in:planted&hydrate=planted", body: body, credential: *rotated.Body.Key})
			a.send(t, zenRequest{op: op, account: account.ID, key: "planted-other", query: "name=in:planted", body: body})
			if lines() != before+2 {
				t.Errorf("%s: %d lines for two requests", op.Name, lines()-before)
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %.20s:\n%.2000s", secret, log.String())
		}
	}
	created, rest, _ := strings.Cut(log.String(), "\n")
	issued, rest, _ := strings.Cut(rest, "\n")
	loggedIn, rest, _ := strings.Cut(rest, "\n")
	for what, test := range map[string]struct{ line, note string }{
		"the account that is made":  {created, `"account":"` + account.ID + `"`},
		"whose key is made":         {issued, `"account":"` + account.ID + `"`},
		"which key is made":         {issued, `"key":"` + key.ID + `"`},
		"which key logs in":         {loggedIn, `"key":"` + key.ID + `"`},
		"which key bears its token": {rest, `"caller_key":"` + key.ID + `"`},
	} {
		if !strings.Contains(test.line, test.note) {
			t.Errorf("the log does not say %s: %.300s", what, test.line)
		}
	}
}

// The largest that each member may be is taken, in characters of four bytes.
func TestExtremesOfAccounts(t *testing.T) {
	a := newAccounts(t)
	of := func(count int) string { return strings.Repeat("😀", count) }
	name := of(255)
	account, _ := a.do(t, zenRequest{op: operation.CreateServiceAccount, body: fmt.Sprintf(
		`{"name":%q,"full_name":%[1]q,"active":true,"avatar_url":%q,"description":%q}`, name, of(32_768), of(31_500))})
	got, _ := a.do(t, zenRequest{op: operation.GetServiceAccount, account: name})
	if got.ID != account.ID || got.Name != name || got.Body.FullName != name || *got.Body.AvatarURL != of(32_768) || got.Metadata.Description != of(31_500) {
		t.Error("the account is another one than was made")
	}
	longest := (256<<10 - len(`{"description":""}`)) / 4
	updated, _ := a.do(t, zenRequest{op: operation.UpdateServiceAccount, account: account.ID, body: fmt.Sprintf(`{"description":%q}`, of(longest))})
	if updated.Metadata.Description != of(longest) || *updated.Body.AvatarURL != of(32_768) {
		t.Error("the largest description beside the largest avatar is not there")
	}
	made, _ := a.do(t, zenRequest{op: operation.CreateAccountKey, account: account.ID, body: fmt.Sprintf(`{"name":%q,"description":%q}`, name, of(64_000))})
	key, _ := a.do(t, zenRequest{op: operation.GetAccountKey, account: account.ID, key: name})
	if key.ID != made.ID || key.Name != name || key.Metadata.Description != of(64_000) {
		t.Error("the key is another one than was made")
	}
	page := a.listKeys(t, account, "hydrate=true&name="+url.QueryEscape(name))
	if len(page.Items) != 1 || page.Items[0].Metadata.Description != of(64_000) {
		t.Errorf("a list shows %d keys", len(page.Items))
	}
	a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: name, body: fmt.Sprintf(`{"name":%q}`, of(254)+"é")})
	if status, _ := a.whoAmI(t, *made.Body.Key); status != 200 {
		t.Errorf("current-user with the key: %d", status)
	}
	for _, asked := range []string{of(256), of(1000), strings.Repeat("x", 3000)} {
		byName := a.send(t, zenRequest{op: operation.GetServiceAccount, account: asked})
		keyByName := a.send(t, zenRequest{op: operation.GetAccountKey, account: account.ID, key: asked})
		if byName.status != 404 || keyByName.status != 404 || len(byName.body) > 600 || len(keyByName.body) > 600 {
			t.Errorf("a name of %d bytes: %d, %d", len(asked), byName.status, keyByName.status)
		}
	}
	wantTooLong := func(r zenRequest, body string) {
		t.Helper()
		if answer := a.send(t, r); answer.status != 422 || answer.body != body || len(answer.calls) > 2 {
			t.Errorf("%s %.40s: %d %s", r.op.Name, r.body, answer.status, answer.body)
		}
	}
	problem := func(names ...string) string {
		text := "1 validation error:"
		if len(names) > 1 {
			text = fmt.Sprintf("%d validation errors:", len(names))
		}
		for _, name := range names {
			member, limit, _ := strings.Cut(name, " ")
			text += `\n  body.` + member + ": String should have at most " + limit + " characters"
		}
		return `["ValueError","` + text + `"]`
	}
	long := fmt.Sprintf(`{"name":%q,"full_name":%[1]q,"active":true,"avatar_url":%q,"description":%q}`, of(256), strings.Repeat("x", 32_769), strings.Repeat("x", 65_536))
	inAll := problem("name 255", "full_name 255", "description 65535", "avatar_url 32768")
	wantTooLong(zenRequest{op: operation.CreateServiceAccount, body: long}, inAll)
	wantTooLong(zenRequest{op: operation.UpdateServiceAccount, account: account.ID, body: long}, inAll)
	wantTooLong(zenRequest{op: operation.CreateAccountKey, account: account.ID, body: long}, problem("name 255", "description 65535"))
}

// A body may have 256 KiB, and not a byte more.
func TestLargestBodyOfAccounts(t *testing.T) {
	a := newAccounts(t)
	for size, want := range map[int]int{256 << 10: 200, 256<<10 + 1: 413} {
		body := fmt.Sprintf(`{"name":"n%d","active":true,"unknown":""}`, size)
		body = strings.Replace(body, `"unknown":"`, `"unknown":"`+strings.Repeat("x", size-len(body)), 1)
		answer := a.send(t, zenRequest{op: operation.CreateServiceAccount, body: body})
		if answer.status != want || want == 413 && !strings.HasPrefix(answer.body, `{"detail":["ValueError","`) {
			t.Errorf("a body of %d bytes: %d %.200s", size, answer.status, answer.body)
		}
	}
}

// Of what is wrong with a request the first in this order is told: who asks, what he may
// do, the account, and then the rest.
func TestOrderOfChecks(t *testing.T) {
	a := newAccounts(t)
	account, other := a.makeAccount(t, "ci"), a.makeAccount(t, "other")
	key := a.makeKey(t, account, "k")
	reader := a.create(t, keyBody(a.at.Add(24*3600e9), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	readerKey := reader.Key + "_" + reader.Secret
	stranger := a.create(t, keyBody(a.at.Add(24*3600e9), `{"rules":{"finding":{"methods":["METHOD_ALL"]}}}`))
	strangerKey := stranger.Key + "_" + stranger.Secret
	const (
		forbidden = `{"detail":["IllegalOperationError","`
		unknown   = `{"detail":["KeyError","\"No service account '`
		noKey     = `{"detail":["KeyError","\"No API key '`
		bare      = `["ValueError","`
		detailed  = `{"detail":["ValueError","`
		uuid      = "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	)
	for _, test := range []struct {
		request zenRequest
		status  int
		body    string
	}{
		{zenRequest{op: operation.CreateServiceAccount, body: "{", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.CreateServiceAccount, body: "{", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.CreateServiceAccount, body: "{"}, 422, bare},
		{zenRequest{op: operation.CreateServiceAccount, body: `{"name":"ci","active":true}`}, 409, `{"detail":["EntityExistsError","`},
		{zenRequest{op: operation.UpdateServiceAccount, account: "nobody", body: "{", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.UpdateServiceAccount, account: "nobody", body: "{"}, 404, unknown},
		{zenRequest{op: operation.UpdateServiceAccount, account: other.ID, body: "{", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.UpdateServiceAccount, account: uuid, body: "{", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.UpdateServiceAccount, account: "other", body: "{", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.UpdateServiceAccount, account: "ci", body: "{", credential: *key.Body.Key}, 422, bare},
		{zenRequest{op: operation.DeleteServiceAccount, account: "ci", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.GetServiceAccount, account: "nobody", query: "hydrate=maybe"}, 404, unknown},
		{zenRequest{op: operation.GetServiceAccount, account: "ci", query: "hydrate=maybe"}, 422, bare},
		{zenRequest{op: operation.ListServiceAccounts, query: "hydrate=maybe&sort_by=x&page=0"}, 422, bare},
		{zenRequest{op: operation.ListServiceAccounts, query: "name=in:x&description=gt:x"}, 422, detailed},
		{zenRequest{op: operation.ListServiceAccounts, query: "description=gt:x"}, 400, detailed},

		{zenRequest{op: operation.ListServiceAccounts, query: "page=0", credential: strangerKey}, 403, forbidden},
		{zenRequest{op: operation.ListServiceAccounts, credential: strangerKey}, 403, forbidden},
		{zenRequest{op: operation.GetServiceAccount, account: "nobody", credential: strangerKey}, 403, forbidden},
		{zenRequest{op: operation.ListAccountKeys, account: uuid, query: "page=0", credential: strangerKey}, 403, forbidden},
		{zenRequest{op: operation.GetAccountKey, account: account.ID, key: "k", credential: strangerKey}, 403, forbidden},
		{zenRequest{op: operation.CurrentUser, credential: strangerKey}, 200, "{"},

		{zenRequest{op: operation.ListAccountKeys, account: "ci", query: "page=0"}, 422, bare + "1 validation error:\\n  path.service_account_id"},
		{zenRequest{op: operation.ListAccountKeys, account: uuid, query: "page=0"}, 404, unknown + uuid},
		{zenRequest{op: operation.ListAccountKeys, account: account.ID, query: "page=0&sort_by=x"}, 422, bare},
		{zenRequest{op: operation.ListAccountKeys, account: account.ID, query: "sort_by=x"}, 422, detailed},
		{zenRequest{op: operation.CreateAccountKey, account: "ci", body: "{", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.CreateAccountKey, account: "ci", body: "{"}, 422, bare + "1 validation error:\\n  path.service_account_id"},
		{zenRequest{op: operation.CreateAccountKey, account: uuid, body: "{"}, 404, unknown},
		{zenRequest{op: operation.CreateAccountKey, account: other.ID, body: "{", credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.CreateAccountKey, account: account.ID, body: `{"name":"k"}`, credential: *key.Body.Key}, 409, `{"detail":["EntityExistsError","`},
		{zenRequest{op: operation.GetAccountKey, account: account.ID, key: "nothing", query: "hydrate=maybe"}, 422, bare},
		{zenRequest{op: operation.GetAccountKey, account: account.ID, key: "nothing"}, 404, noKey + "nothing"},
		{zenRequest{op: operation.GetAccountKey, account: other.ID, key: key.ID}, 404, noKey + key.ID},
		{zenRequest{op: operation.GetAccountKey, account: other.ID, key: "k"}, 404, noKey + "k"},
		{zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: "nothing", body: "{"}, 422, bare},
		{zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: "nothing", body: "{}"}, 404, noKey + "nothing"},
		{zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: "k", body: "{}", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.UpdateAccountKey, account: uuid, key: "k", body: "{", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.RotateAccountKey, account: uuid, key: "k", body: "{", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.DeleteAccountKey, account: uuid, key: "k", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.DeleteAccountKey, account: "ci", key: "k", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.DeleteServiceAccount, account: "nobody", credential: readerKey}, 403, forbidden},
		{zenRequest{op: operation.GetAccountKey, account: account.ID, key: "k", credential: readerKey}, 200, "{"},
		{zenRequest{op: operation.RotateAccountKey, account: account.ID, key: "nothing", body: `{"retain_period_minutes":null}`}, 422, bare},
		{zenRequest{op: operation.RotateAccountKey, account: account.ID, key: "nothing", body: `{}`}, 404, noKey + "nothing"},
		{zenRequest{op: operation.RotateAccountKey, account: other.ID, key: key.ID, body: `{}`, credential: *key.Body.Key}, 403, forbidden},
		{zenRequest{op: operation.DeleteAccountKey, account: other.ID, key: key.ID}, 404, noKey + key.ID},
		{zenRequest{op: operation.DeleteAccountKey, account: account.ID, key: strings.ToUpper(key.ID), credential: *key.Body.Key}, 200, "null"},
		{zenRequest{op: operation.DeleteAccountKey, account: account.ID, key: key.ID}, 404, noKey + key.ID},
		{zenRequest{op: operation.DeleteServiceAccount, account: "ci"}, 200, "null"},
		{zenRequest{op: operation.DeleteServiceAccount, account: "ci"}, 404, unknown + "ci"},
	} {
		if answer := a.send(t, test.request); answer.status != test.status || !strings.HasPrefix(answer.body, test.body) {
			t.Errorf("%s %s/%s %s %s: %d %.300s, want %d %s", test.request.op.Name, test.request.account, test.request.key,
				test.request.query, test.request.body, answer.status, answer.body, test.status, test.body)
		}
	}
}

// All that is wrong with a body is told at once.
func TestBodiesThatAreWrong(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	a.makeKey(t, account, "k")
	const wrong = `["ValueError","%d validation error%s:%s"]`
	for _, test := range []struct {
		request  zenRequest
		problems []string
	}{
		{zenRequest{op: operation.CreateServiceAccount, body: `{}`}, []string{"name: Field required", "active: Field required"}},
		{zenRequest{op: operation.CreateServiceAccount, body: `{"name":null,"active":null,"full_name":null,"description":null,"avatar_url":null}`},
			[]string{"name: Input should not be null", "full_name: Input should not be null", "active: Input should not be null"}},
		{zenRequest{op: operation.CreateServiceAccount, body: `{"name":5,"active":2,"full_name":[],"description":{},"avatar_url":true}`},
			[]string{"name: Input should be a valid string", "full_name: Input should be a valid string", "active: Input should be a valid boolean",
				"description: Input should be a valid string", "avatar_url: Input should be a valid string"}},
		{zenRequest{op: operation.UpdateServiceAccount, body: `{"name":5,"active":"maybe"}`},
			[]string{"name: Input should be a valid string", "active: Input should be a valid boolean"}},
		{zenRequest{op: operation.CreateAccountKey, body: `{"description":5}`}, []string{"name: Field required", "description: Input should be a valid string"}},
		{zenRequest{op: operation.UpdateAccountKey, body: `{"description":5,"active":[]}`},
			[]string{"description: Input should be a valid string", "active: Input should be a valid boolean"}},
		{zenRequest{op: operation.RotateAccountKey, body: `{"retain_period_minutes":1.5}`}, []string{"retain_period_minutes: Input should be a valid integer"}},
		{zenRequest{op: operation.RotateAccountKey, body: `{"retain_period_minutes":null}`}, []string{"retain_period_minutes: Input should not be null"}},
	} {
		test.request.account, test.request.key = account.ID, "k"
		plural, lines := "s", ""
		if len(test.problems) == 1 {
			plural = ""
		}
		for _, problem := range test.problems {
			lines += `\n  body.` + problem
		}
		want := fmt.Sprintf(wrong, len(test.problems), plural, lines)
		if answer := a.send(t, test.request); answer.status != 422 || answer.body != want {
			t.Errorf("%s %s: %d %s, want %s", test.request.op.Name, test.request.body, answer.status, answer.body, want)
		}
	}
}

// An update changes what it names, null and silence nothing, and a creation takes every
// form of a flag.
func TestEdits(t *testing.T) {
	a := newAccounts(t)
	account, _ := a.do(t, zenRequest{op: operation.CreateServiceAccount,
		body: `{"name":"ci","full_name":"CI","description":"d","active":"off","avatar_url":"u","unknown":1}`})
	if account.Body.Active || account.Metadata.Description != "d" || account.Body.Created != account.Body.Updated {
		t.Errorf("made %+v", account)
	}
	key := a.makeKey(t, account, "k")
	if read := a.getKey(t, account, key); key.Metadata == nil || *key.Metadata != *read.Metadata || !key.Body.Active || key.Body.Created != key.Body.Updated {
		t.Errorf("made %+v, read %+v", key, read)
	}
	inactive := a.makeAccount(t, "plain")
	if inactive.Metadata == nil || inactive.Metadata.Description != "" || inactive.Body.AvatarURL != nil || !inactive.Body.Active {
		t.Errorf("made %+v", inactive)
	}
	accountForm := func(e zenEntity) string {
		return fmt.Sprint(e.Name, "/", e.Body.FullName, "/", e.Metadata.Description, "/", e.Body.Active, "/", deref(e.Body.AvatarURL))
	}
	for _, test := range []struct{ body, want string }{
		{`{}`, "ci/CI/d/false/u"},
		{`{"name":null,"full_name":null,"description":null,"active":null,"avatar_url":null}`, "ci/CI/d/false/u"},
		{`{"full_name":"","description":""}`, "ci///false/u"},
		{`{"active":1}`, "ci///true/u"},
		{`{"avatar_url":"","name":"cj"}`, "cj///true/null"},
	} {
		a.later(1e9)
		got, _ := a.do(t, zenRequest{op: operation.UpdateServiceAccount, account: account.ID, body: test.body})
		read, _ := a.do(t, zenRequest{op: operation.GetServiceAccount, account: account.ID})
		if accountForm(got) != test.want || accountForm(read) != test.want || got.Body.Updated != naive(a.at) || got.Body.Created != account.Body.Created {
			t.Errorf("%s: %s, read %s, want %s, updated %s", test.body, accountForm(got), accountForm(read), test.want, got.Body.Updated)
		}
	}
	keyForm := func(e zenEntity) string {
		return fmt.Sprint(e.Name, "/", e.Metadata.Description, "/", e.Body.Active, "/", deref(e.Body.Key))
	}
	for _, test := range []struct{ body, want string }{
		{`{"description":"d","active":"no"}`, "k/d/false/null"},
		{`{"name":null,"description":null,"active":null,"key":"x","retain_period_minutes":9}`, "k/d/false/null"},
		{`{}`, "k/d/false/null"},
		{`{"name":"","description":""}`, "//false/null"},
		{`{"active":true}`, "//true/null"},
	} {
		a.later(1e9)
		got, _ := a.do(t, zenRequest{op: operation.UpdateAccountKey, account: account.ID, key: key.ID, body: test.body})
		read := a.getKey(t, account, key)
		if keyForm(got) != test.want || keyForm(read) != test.want || got.Body.Updated != naive(a.at) || read.Metadata.RetainMinutes != 0 {
			t.Errorf("%s: %s, read %s, want %s", test.body, keyForm(got), keyForm(read), test.want)
		}
	}
	plain := a.send(t, zenRequest{op: operation.GetAccountKey, account: account.ID, key: key.ID, query: "hydrate=true&hydrate=0"})
	whole := a.send(t, zenRequest{op: operation.GetServiceAccount, account: account.ID, query: "hydrate=0&hydrate=yes"})
	if !strings.Contains(plain.body, `"metadata":null,"resources":null,"id":"`+key.ID) || !strings.Contains(whole.body, `"metadata":{`) {
		t.Errorf("hydrate: %s, %s", plain.body, whole.body)
	}
}

// A use of a reading key shows who it is, of an account's key whose it is.
func TestCurrentUser(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	key := a.makeKey(t, account, "k")
	reader := a.create(t, keyBody(a.at.Add(24*3600e9), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	token, _ := a.login(t, *key.Body.Key)
	for credential, want := range map[string]string{
		a.root.FullKey: a.root.UUID + " false true", reader.Key + "_" + reader.Secret: reader.UUID + " false false",
		*key.Body.Key: account.ID + " true false", token: account.ID + " true false",
	} {
		answer := a.send(t, zenRequest{op: operation.CurrentUser, credential: credential})
		var user struct {
			ID   string
			Body struct {
				IsServiceAccount bool `json:"is_service_account"`
				IsAdmin          bool `json:"is_admin"`
			}
		}
		if err := json.Unmarshal([]byte(answer.body), &user); err != nil || answer.status != 200 {
			t.Fatalf("%d %s", answer.status, answer.body)
		}
		if got := fmt.Sprint(user.ID, " ", user.Body.IsServiceAccount, " ", user.Body.IsAdmin); got != want {
			t.Errorf("current-user is %s, want %s", got, want)
		}
	}
}

// Accounts and keys of another namespace, those below included, are not there.
func TestAccountsOfOtherNamespaces(t *testing.T) {
	a := newAccounts(t)
	for _, ns := range []string{"demo.below", "demo-a", "other"} {
		foreign := a.accountIn(t, ns, "ci")
		key := a.fillKeys(t, ns, foreign.ID.String(), "k", 1)[0]
		for _, r := range []zenRequest{
			{op: operation.GetServiceAccount, account: foreign.ID.String()},
			{op: operation.GetServiceAccount, account: "ci"},
			{op: operation.UpdateServiceAccount, account: foreign.ID.String(), body: "{}"},
			{op: operation.DeleteServiceAccount, account: foreign.ID.String()},
			{op: operation.ListAccountKeys, account: foreign.ID.String()},
			{op: operation.CreateAccountKey, account: foreign.ID.String(), body: `{"name":"x"}`},
			{op: operation.GetAccountKey, account: foreign.ID.String(), key: key.Locator.ID.String()},
			{op: operation.RotateAccountKey, account: foreign.ID.String(), key: key.Locator.ID.String(), body: "{}"},
			{op: operation.DeleteAccountKey, account: foreign.ID.String(), key: key.Locator.ID.String()},
		} {
			if answer := a.send(t, r); answer.status != 404 || !strings.HasPrefix(answer.body, `{"detail":["KeyError","\"No service account '`) {
				t.Errorf("%s in %s: %d %s", r.op.Name, ns, answer.status, answer.body)
			}
		}
		own := access.Caller{Namespace: parse(t, ns), Grant: access.Grant{Roles: []access.Role{access.Admin}}}
		count := 0
		for _, err := range a.domain().AccountKeys(t.Context(), own, foreign) {
			if err != nil {
				t.Fatal(err)
			}
			count++
		}
		if count != 1 {
			t.Errorf("the account in %s has %d keys", ns, count)
		}
	}
	mine := a.makeAccount(t, "ci")
	if page := a.page(t, zenRequest{op: operation.ListServiceAccounts, query: "name=ci"}); page.Total != 1 || page.Items[0].ID != mine.ID {
		t.Errorf("a list shows %+v", page)
	}
}

// Overtaken is the store, where somebody else is faster: what is read is deleted before
// it is written.
type overtaken struct {
	apikey.Store
	account, key zenRequest // that delete
	by           *accounts
	t            *testing.T
}

func (o overtaken) Create(ctx context.Context, key apikey.Key) error {
	o.by.do(o.t, o.account)
	return o.Store.Create(ctx, key)
}

func (o overtaken) UpdateAccount(ctx context.Context, read, changed apikey.Account) error {
	o.by.do(o.t, o.account)
	return o.Store.UpdateAccount(ctx, read, changed)
}

func (o overtaken) MarkAccount(ctx context.Context, read apikey.Account, at time.Time) error {
	o.by.do(o.t, o.account)
	return o.Store.MarkAccount(ctx, read, at)
}

func (o overtaken) Update(ctx context.Context, read, changed apikey.Key) error {
	o.by.do(o.t, o.key)
	return o.Store.Update(ctx, read, changed)
}

func (o overtaken) Delete(ctx context.Context, read apikey.Key) error {
	o.by.do(o.t, o.key)
	return o.Store.Delete(ctx, read)
}

// What somebody else deletes between reading and writing is not there, in ZenML's form.
func TestAccountsThatAreDeletedMeanwhile(t *testing.T) {
	for _, op := range accountOperations() {
		want, writes := map[string]string{
			operation.UpdateServiceAccount.Name: "service account 'ci'",
			operation.DeleteServiceAccount.Name: "service account 'ci'",
			operation.CreateAccountKey.Name:     "service account '",
			operation.UpdateAccountKey.Name:     "API key 'k'",
			operation.RotateAccountKey.Name:     "API key 'k'",
			operation.DeleteAccountKey.Name:     "API key 'k'",
		}[op.Name]
		if !writes {
			continue
		}
		a := newAccounts(t)
		account := a.makeAccount(t, "ci")
		a.makeKey(t, account, "k")
		slow := &accounts{deployment: &deployment{config: a.config, meter: a.meter, root: a.root}, warm: map[string]lambdaweb.Function{}}
		slow.config.Store = overtaken{a.store,
			zenRequest{op: operation.DeleteServiceAccount, account: "ci"},
			zenRequest{op: operation.DeleteAccountKey, account: account.ID, key: "k"}, a, t}
		request := zenRequest{op: op, account: account.ID, key: "k", body: `{"name":"new"}`}
		if strings.HasPrefix(want, "service account 'ci") {
			request.account = "ci"
		}
		answer := slow.send(t, request)
		if answer.status != 404 || !strings.HasPrefix(answer.body, `{"detail":["KeyError","\"No `+want) {
			t.Errorf("%s: %d %s", op.Name, answer.status, answer.body)
		}
	}
}

// What a login refuses, and how.
func TestLoginRefusals(t *testing.T) {
	a := newAccounts(t)
	const notValid = `{"detail":["CredentialsNotValid","Authentication error: the credential is not valid"]}`
	for form, want := range map[string]string{
		"":                                       `400 {"detail":"Invalid request: username is required."}`,
		"grant_type=password":                    `400 {"detail":"Invalid request: username is required."}`,
		"grant_type=zenml-api-key":               `400 {"detail":"API key is required."}`,
		"grant_type=zenml-api-key&username=u":    `400 {"detail":"API key is required."}`,
		"grant_type=zenml-external":              `400 {"detail":"Unsupported grant type: zenml-external"}`,
		"grant_type=" + strings.Repeat("x", 999): `400 {"detail":"Unsupported grant type: ` + strings.Repeat("x", 100) + `"}`,
		"device_code=d":                          `400 {"detail":"Invalid request: no device can be authorized here."}`,
		"password=planted":                       "401 " + notValid,
		"grant_type=zenml-api-key&password=p":    "401 " + notValid,
		"password=" + withTypo(a.root.FullKey):   "401 " + notValid,
		"password=%zz":                           `400 {"detail":"Invalid request: the body is no form."}`,
	} {
		answer := a.send(t, zenRequest{op: operation.Login, body: form})
		if got := fmt.Sprint(answer.status, " ", answer.body); got != want || len(answer.calls) > 0 {
			t.Errorf("%.50q: %s, %v, want %s", form, got, answer.calls, want)
		}
	}
	for _, form := range []string{"username=u&password=p", "grant_type=password&username=u"} {
		answer := a.send(t, zenRequest{op: operation.Login, body: form})
		if answer.status != 401 || !strings.HasPrefix(answer.body, `{"detail":["CredentialsNotValid","`) {
			t.Errorf("%q: %d %s", form, answer.status, answer.body)
		}
	}
	granted := a.send(t, zenRequest{op: operation.Login, body: "grant_type=zenml-api-key&password=" + url.QueryEscape(a.root.FullKey)})
	_, rest, _ := strings.Cut(granted.body, `"token_type"`)
	want := `:"bearer","expires_in":3600,"refresh_token":null,"scope":null,"cookie_name":null,"device_id":null,"device_metadata":null,"csrf_token":null}`
	if granted.status != 200 || rest != want || !strings.HasPrefix(granted.body, `{"access_token":"`) {
		t.Errorf("%d %s", granted.status, rest)
	}
}
