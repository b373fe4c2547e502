package apikey_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/table"
	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

func (f *fixture) account(t *testing.T, path, name string) apikey.Account {
	t.Helper()
	account, err := f.CreateAccount(t.Context(), f.root, apikey.AccountDraft{Namespace: parse(t, path), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func (f *fixture) issueFor(t *testing.T, account apikey.Account, name string) apikey.Issued {
	t.Helper()
	issued, err := f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (f *fixture) open(t *testing.T, account apikey.Account) apikey.Account {
	t.Helper()
	ref := apikey.AccountRef{Namespace: account.Namespace, Handle: apikey.ByID(account.ID)}
	opened, err := f.OpenAccount(t.Context(), f.root, access.Read, access.ServiceAccount, ref)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func named(t *testing.T, path, name string) apikey.AccountRef {
	t.Helper()
	return apikey.AccountRef{Namespace: parse(t, path), Handle: apikey.ByName(name)}
}

func errorIn[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		return err
	}
	return nil
}

func TestLifeOfAnAccount(t *testing.T) {
	f := newFixture(t)
	account, err := f.CreateAccount(t.Context(), f.root, apikey.AccountDraft{
		Namespace: parse(t, "demo.app"), Name: "robot", FullName: "The Robot", Disabled: true,
		Texts: apikey.AccountTexts{Description: "described", AvatarURL: "a.png"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := apikey.Account{
		Namespace: parse(t, "demo.app"), ID: account.ID, Name: "robot", FullName: "The Robot", Disabled: true,
		Texts:     apikey.AccountTexts{Description: "described", AvatarURL: "a.png"},
		CreatedAt: noon, UpdatedAt: noon, Version: 1, HasTexts: true, HasAvatar: true,
	}
	if diff := cmp.Diff(want, account, sameNamespace); diff != "" {
		t.Error(diff)
	}
	for _, handle := range []apikey.Handle{apikey.ByID(account.ID), apikey.ByName("robot")} {
		ref := apikey.AccountRef{Namespace: parse(t, "demo.app"), Handle: handle}
		got, err := f.OpenAccount(t.Context(), f.root, access.Read, access.ServiceAccount, ref)
		if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}

	f.now = noon.Add(time.Minute)
	unchanged, err := f.UpdateAccount(t.Context(), f.root, want, apikey.AccountEdit{})
	want.UpdatedAt, want.Version = f.now, 2
	if diff := cmp.Diff(want, unchanged, sameNamespace); err != nil || diff != "" {
		t.Errorf("an update of nothing: %v\n%s", err, diff)
	}
	if diff := cmp.Diff(want, f.open(t, account), sameNamespace); diff != "" {
		t.Errorf("an update of nothing, as stored:\n%s", diff)
	}

	f.now = noon.Add(2 * time.Minute)
	name, full, empty, off := "r2", "R Two", "", false
	changed, err := f.UpdateAccount(t.Context(), f.root, unchanged, apikey.AccountEdit{
		Name: &name, FullName: &full, Description: &empty, AvatarURL: &empty, Disabled: &off,
	})
	want.Name, want.FullName, want.Texts, want.Disabled = "r2", "R Two", apikey.AccountTexts{}, false
	want.UpdatedAt, want.Version = f.now, 3
	if err != nil || changed.Version != 3 || changed.Name != "r2" || changed.Texts != want.Texts {
		t.Errorf("%+v, %v", changed, err)
	}
	want.HasTexts, want.HasAvatar = false, false
	if diff := cmp.Diff(want, f.open(t, account), sameNamespace); diff != "" {
		t.Errorf("as stored:\n%s", diff)
	}
	late, err := f.UpdateAccount(t.Context(), f.root, unchanged, apikey.AccountEdit{FullName: &empty})
	if err != nil || late.Version != 4 || late.Name != "r2" || late.FullName != "" || late.Texts != want.Texts {
		t.Errorf("a change of what was read before leaves what others have changed: %+v, %v", late, err)
	}

	if err := f.DeleteAccount(t.Context(), f.root, unchanged); err != nil {
		t.Errorf("a deletion of what was read before: %v", err)
	}
	if err := f.DeleteAccount(t.Context(), f.root, changed); !errors.Is(err, fault.NotFound) {
		t.Errorf("a second deletion: %v", err)
	}
	f.account(t, "demo.app", "r2")
}

func TestAccountProblems(t *testing.T) {
	f := newFixture(t)
	long, longest := strings.Repeat("😀", 256), strings.Repeat("😀", 255)
	account := f.account(t, "demo", "robot")
	f.meter.Take()
	for _, draft := range []apikey.AccountDraft{{Name: long}, {FullName: long}} {
		draft.Namespace = account.Namespace
		want := "full_name"
		if draft.Name != "" {
			want = "name"
		}
		wantField(t, "creating", second(f.CreateAccount(t.Context(), f.root, draft)), want)
		edit := apikey.AccountEdit{}
		if draft.Name != "" {
			edit.Name = &long
		} else {
			edit.FullName = &long
		}
		wantField(t, "updating", second(f.UpdateAccount(t.Context(), f.root, account, edit)), want)
	}
	wantField(t, "a key", second(f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{Name: long})), "name")
	wantField(t, "a key", second(f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{ExpiresAt: noon})), "expires_at")
	if calls := f.meter.Take(); calls != nil {
		t.Errorf("what is wrong caused %v", calls)
	}
	for _, name := range []string{"", longest} {
		if _, err := f.CreateAccount(t.Context(), f.root, apikey.AccountDraft{Namespace: parse(t, "demo"), Name: name, FullName: longest}); err != nil {
			t.Errorf("an account named %q: %v", name, err)
		}
		issued := f.issueFor(t, account, name)
		if _, err := f.Update(t.Context(), f.root, account.Key(apikey.ByName(name)), apikey.Edit{Name: &name}); err != nil {
			t.Errorf("a key named %q: %v", name, err)
		}
		_, err := f.Update(t.Context(), f.root, account.Key(apikey.ByName(name)), apikey.Edit{Name: &long})
		wantField(t, "renaming a key", err, "name")
		f.wantReason(t, "a key of an odd name", issued.FullKey, apikey.Valid)
	}
}

func wantField(t *testing.T, what string, err error, field string) {
	t.Helper()
	if fields := fault.Of(err).Fields; !errors.Is(err, fault.Invalid) || len(fields) != 1 || fields[0].Name != field {
		t.Errorf("%s: %v, want the field %s", what, err, field)
	}
}

func TestAccountOfAnotherNamespaceIsNotFound(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo.app", "robot")
	key := f.issueFor(t, account, "ci")
	for _, path := range []string{"demo", "demo.ap", "demo.app.x", "demo.app-x"} {
		for _, handle := range []apikey.Handle{apikey.ByID(account.ID), apikey.ByName("robot"), apikey.ByID(apikey.ID{}), apikey.ByName("")} {
			ref := apikey.AccountRef{Namespace: parse(t, path), Handle: handle}
			if _, err := f.OpenAccount(t.Context(), f.root, access.Read, access.ServiceAccount, ref); !errors.Is(err, fault.NotFound) {
				t.Errorf("from %s: %v", path, err)
			}
		}
		elsewhere := account
		elsewhere.Namespace = parse(t, path)
		for _, err := range []error{
			second(f.UpdateAccount(t.Context(), f.root, elsewhere, apikey.AccountEdit{})),
			f.DeleteAccount(t.Context(), f.root, elsewhere),
			second(f.IssueFor(t.Context(), f.root, elsewhere, apikey.AccountKeyDraft{Name: "ci"})),
			second(f.Get(t.Context(), f.root, elsewhere.Key(apikey.ByName("ci")))),
			second(f.Get(t.Context(), f.root, elsewhere.Key(apikey.ByID(key.Key.Locator.ID)))),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("in %s: %v", path, err)
			}
		}
	}
	f.open(t, account)
}

// A key is found by its id or its name, and only of its own account.
func TestKeysOfAnAccount(t *testing.T) {
	f := newFixture(t)
	account, other := f.account(t, "demo", "x"), f.account(t, "demo", "y")
	mine, theirs := f.issueFor(t, account, "ci"), f.issueFor(t, other, "cd")
	plain := f.issue(t, draft(t, "demo"))
	for _, test := range []struct {
		name string
		of   apikey.Account
		by   apikey.Handle
		want apikey.Issued
	}{
		{"by its id", account, apikey.ByID(mine.Key.Locator.ID), mine},
		{"by its name", account, apikey.ByName("ci"), mine},
		{"another's id", account, apikey.ByID(theirs.Key.Locator.ID), apikey.Issued{}},
		{"another's name", account, apikey.ByName("cd"), apikey.Issued{}},
		{"an id without account", account, apikey.ByID(plain.Key.Locator.ID), apikey.Issued{}},
		{"no id", account, apikey.ByID(apikey.ID{}), apikey.Issued{}},
		{"its id as a name", account, apikey.ByName(mine.Key.Locator.ID.String()), apikey.Issued{}},
	} {
		got, err := f.Get(t.Context(), f.root, test.of.Key(test.by))
		if test.want.Key.Locator.ID.IsZero() {
			refusals := []error{
				err,
				second(f.Update(t.Context(), f.root, test.of.Key(test.by), apikey.Edit{})),
				second(f.Rotate(t.Context(), f.root, test.of.Key(test.by), 0)),
				f.Delete(t.Context(), f.root, test.of.Key(test.by)),
			}
			if slices.ContainsFunc(refusals, func(err error) bool { return !errors.Is(err, fault.NotFound) }) {
				t.Errorf("%s: %v", test.name, refusals)
			}
			continue
		}
		if diff := cmp.Diff(test.want.Key, got, sameNamespace); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", test.name, err, diff)
		}
	}
	if mine.Key.Account != account.ID || !mine.Key.Grant.IsReadOnly() || mine.Key.Propagate {
		t.Errorf("an account's key is %+v", mine.Key)
	}
	caller := f.authenticate(t, mine.FullKey)
	want := access.Caller{ID: mine.Key.Locator.ID.String(), Name: "ci", Account: account.ID.String(), Namespace: parse(t, "demo")}
	if diff := cmp.Diff(want, caller, sameNamespace); diff != "" {
		t.Errorf("its caller:\n%s", diff)
	}
	if _, err := f.Update(t.Context(), f.root, account.Key(apikey.ByName("ci")), apikey.Edit{Name: pointer("cd")}); err != nil {
		t.Errorf("a name that only another account's key has: %v", err)
	}
	f.issueFor(t, account, "ci")
	if _, err := f.Update(t.Context(), f.root, account.Key(apikey.ByName("cd")), apikey.Edit{Name: pointer("ci")}); !errors.Is(err, fault.Exists) {
		t.Errorf("a name that another key has: %v", err)
	}
	if _, err := f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{Name: "ci"}); !errors.Is(err, fault.Exists) {
		t.Errorf("a new key of a name that another has: %v", err)
	}
	for range 2 {
		if err := f.Delete(t.Context(), f.root, account.Key(apikey.ByName("ci"))); err != nil {
			t.Error(err)
		}
		if err := f.Delete(t.Context(), f.root, account.Key(apikey.ByName("ci"))); !errors.Is(err, fault.NotFound) {
			t.Errorf("a second deletion: %v", err)
		}
		f.issueFor(t, account, "ci")
	}
}

func pointer[T any](value T) *T { return &value }

// An update is what is to be changed, not what there should be: it begins again when
// somebody else's comes before it, and leaves what that has changed.
func TestUpdateMeetsChanges(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "x")
	issued := f.issueFor(t, account, "ci")
	left := 9
	config := f.config
	dynamotest.Break(&config, "TransactWriteItems", between(func() {
		if left--; left >= 0 {
			f.rotate(t, issued.FullKey, 5)
			if _, err := f.UpdateAccount(t.Context(), f.root, f.open(t, account), apikey.AccountEdit{FullName: pointer(fmt.Sprint(left))}); err != nil {
				t.Error(err)
			}
		}
	}))
	late := f.serviceOn(dynamo.New(config), discard)
	key, err := late.Update(t.Context(), f.root, account.Key(apikey.ByName("ci")), apikey.Edit{Description: pointer("d")})
	if err != nil || key.Texts.Description != "d" || key.RotatedAt.IsZero() {
		t.Errorf("a key behind 9 changes: %+v, %v", key, err)
	}
	left = 9
	account, err = late.UpdateAccount(t.Context(), f.root, account, apikey.AccountEdit{Description: pointer("d")})
	if err != nil || account.Texts.Description != "d" || account.FullName != "0" {
		t.Errorf("an account behind 9 changes: %+v, %v", account, err)
	}
}

// A query is no snapshot: it may show old texts beside a new record. What changes texts
// goes by those that belong to the record.
func TestTornReadLosesNothing(t *testing.T) {
	f := newFixture(t)
	account, err := f.CreateAccount(t.Context(), f.root, apikey.AccountDraft{
		Namespace: parse(t, "demo"), Name: "robot", Texts: apikey.AccountTexts{Description: "old", AvatarURL: "old"},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, "demo")
	d.Texts = apikey.Texts{Description: "old", Tags: []string{"old"}}
	at := apikey.At(f.issue(t, d).FullKey.Locator)
	stale := f.open(t, account)
	if _, err := f.Update(t.Context(), f.root, at, apikey.Edit{Description: pointer("new"), Tags: &[]string{"new"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateAccount(t.Context(), f.root, stale, apikey.AccountEdit{Description: pointer("new"), AvatarURL: pointer("new")}); err != nil {
		t.Fatal(err)
	}
	config := f.config
	dynamotest.Break(&config, "Query", between(func() { t.Error("texts that are changed are read by a query") }))
	late := f.serviceOn(dynamo.New(config), discard)
	key, err := late.Update(t.Context(), f.root, at, apikey.Edit{Description: pointer("old")})
	if err != nil || key.Texts.Description != "old" || key.Texts.Tags[0] != "new" {
		t.Errorf("%+v, %v", key.Texts, err)
	}
	torn := stale
	torn.Version = 2
	changed, err := late.UpdateAccount(t.Context(), f.root, torn, apikey.AccountEdit{Description: pointer("old")})
	if err != nil || changed.Texts != (apikey.AccountTexts{Description: "old", AvatarURL: "new"}) {
		t.Errorf("%+v, %v", changed.Texts, err)
	}
}

// Whoever may change a key and its account, as the account's own keys may, cannot hold off
// that they are switched off or deleted by changing them all the time.
func TestRevocationIsNotHeldOff(t *testing.T) {
	for name, revoke := range map[string]func(*fixture, *apikey.Service, apikey.Account, apikey.FullKey) error{
		"key off": func(f *fixture, s *apikey.Service, account apikey.Account, key apikey.FullKey) error {
			return second(s.Update(t.Context(), f.root, account.Key(apikey.ByID(key.Locator.ID)), apikey.Edit{Disabled: pointer(true)}))
		},
		"key off, with the rest as it is": func(f *fixture, s *apikey.Service, account apikey.Account, key apikey.FullKey) error {
			return second(s.Update(t.Context(), f.root, account.Key(apikey.ByName("ci")), apikey.Edit{
				Name: pointer("ci"), Description: pointer(""), Disabled: pointer(true),
			}))
		},
		"account off, with the rest as it is": func(f *fixture, s *apikey.Service, account apikey.Account, _ apikey.FullKey) error {
			return second(s.UpdateAccount(t.Context(), f.root, account, apikey.AccountEdit{
				Name: pointer("robot"), FullName: pointer(""), Disabled: pointer(true),
			}))
		},
		"account off": func(f *fixture, s *apikey.Service, account apikey.Account, _ apikey.FullKey) error {
			return second(s.UpdateAccount(t.Context(), f.root, account, apikey.AccountEdit{Disabled: pointer(true)}))
		},
		"key deleted": func(f *fixture, s *apikey.Service, account apikey.Account, key apikey.FullKey) error {
			return s.Delete(t.Context(), f.root, account.Key(apikey.ByID(key.Locator.ID)))
		},
		"account deleted": func(f *fixture, s *apikey.Service, account apikey.Account, _ apikey.FullKey) error {
			return s.DeleteAccount(t.Context(), f.root, account)
		},
	} {
		f := newFixture(t)
		account := f.account(t, "demo", "robot")
		issued := f.issueFor(t, account, "ci")
		changes := 0
		config := f.config
		change := between(func() {
			changes++
			renamed := pointer(fmt.Sprint(changes))
			f.rename(t, account, issued.FullKey, renamed)
		})
		for _, action := range []string{"TransactWriteItems", "UpdateItem"} {
			dynamotest.Break(&config, action, change)
		}
		if err := revoke(f, f.serviceOn(dynamo.New(config), discard), account, issued.FullKey); err != nil || changes == 0 {
			t.Errorf("%s behind %d changes: %v", name, changes, err)
		}
		if reason := f.reason(t, issued.FullKey); reason == apikey.Valid {
			t.Errorf("%s behind %d changes: the key is good", name, changes)
		}
		if strings.HasPrefix(name, "account d") {
			if err := f.PurgeAccount(t.Context(), account.Locator()); err != nil {
				t.Error(err)
			}
			f.account(t, "demo", fmt.Sprint(changes)) // the name that it had in the end
		}
	}
}

// rename gives an account and its key another name.
func (f *fixture) rename(t *testing.T, account apikey.Account, key apikey.FullKey, name *string) {
	t.Helper()
	if _, err := f.Update(t.Context(), f.root, apikey.At(key.Locator), apikey.Edit{Name: name}); err != nil {
		t.Error(err)
	}
	if _, err := f.UpdateAccount(t.Context(), f.root, f.open(t, account), apikey.AccountEdit{Name: name}); err != nil {
		t.Error(err)
	}
}

// From the return of its deletion an account and its keys are gone for everybody.
func TestDeletedAccountIsGone(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	issued := f.issueFor(t, account, "ci")
	caller := f.authenticate(t, issued.FullKey)
	at := issued.FullKey.Locator
	if err := f.DeleteAccount(t.Context(), f.root, account); err != nil {
		t.Fatal(err)
	}
	for _, purged := range []bool{false, true} {
		if purged {
			if err := f.PurgeAccount(t.Context(), account.Locator()); err != nil {
				t.Fatal(err)
			}
		}
		tests := map[string]error{
			"get":                  second(f.Get(t.Context(), f.root, apikey.At(at))),
			"get by its own key":   second(f.Get(t.Context(), caller, apikey.At(at))),
			"update":               second(f.Update(t.Context(), f.root, apikey.At(at), apikey.Edit{})),
			"rotate":               second(f.Rotate(t.Context(), f.root, apikey.At(at), 5)),
			"delete":               f.Delete(t.Context(), f.root, apikey.At(at)),
			"update the account":   second(f.UpdateAccount(t.Context(), f.root, account, apikey.AccountEdit{Name: pointer("other")})),
			"by its own key":       second(f.UpdateAccount(t.Context(), caller, account, apikey.AccountEdit{})),
			"delete the account":   f.DeleteAccount(t.Context(), f.root, account),
			"issue":                second(f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{Name: "cd"})),
			"issue by its own key": second(f.IssueFor(t.Context(), caller, account, apikey.AccountKeyDraft{Name: "cd"})),
		}
		for _, method := range []access.Method{access.Read, access.Create, access.Update, access.Delete} {
			for _, kind := range []string{access.ServiceAccount, access.APIKey} {
				for _, handle := range []apikey.Handle{apikey.ByID(account.ID), apikey.ByName("robot")} {
					ref := apikey.AccountRef{Namespace: account.Namespace, Handle: handle}
					tests[fmt.Sprint("open ", method, kind, handle)] = second(f.OpenAccount(t.Context(), f.root, method, kind, ref))
				}
			}
		}
		for what, err := range tests {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("purged %v, %s: %v", purged, what, err)
			}
		}
		want := apikey.AccountRemoved
		if purged {
			want = apikey.Unknown
		}
		f.wantReason(t, "its key", issued.FullKey, want)
		if verdict, err := f.Login(t.Context(), issued.FullKey); err != nil || verdict.Reason != want {
			t.Errorf("Login: %v, %v", verdict.Reason, err)
		}
		if verdict, err := f.Check(t.Context(), at); err != nil || verdict.Reason != want {
			t.Errorf("Check: %v, %v", verdict.Reason, err)
		}
		for account, err := range f.Accounts(t.Context(), f.root, account.Namespace) {
			t.Errorf("listed: %+v, %v", account, err)
		}
	}
	again := f.account(t, "demo", "robot")
	f.issueFor(t, again, "ci")
	f.wantReason(t, "the key of an account that was deleted", issued.FullKey, apikey.Unknown)
}

func TestAccountThatIsThereIsNotPurged(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	issued := f.issueFor(t, account, "ci")
	if err := f.PurgeAccount(t.Context(), account.Locator()); !errors.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	f.wantReason(t, "its key", issued.FullKey, apikey.Valid)
}

// Who may do what with accounts and their keys, by each method: access is asked first,
// and nothing is read for whom the caller and the place alone refuse.
func TestRightsOnAccounts(t *testing.T) {
	f := newFixture(t)
	own, other := f.account(t, "demo", "own"), f.account(t, "demo", "other")
	elsewhere := f.account(t, "demo.app", "own")
	plain := draft(t, "demo")
	theirs := f.issueFor(t, other, "ci").FullKey.Locator
	nobodys := f.issue(t, plain).FullKey.Locator
	callers := map[string]access.Caller{
		"reader":    f.authenticate(t, f.issue(t, plain).FullKey),
		"own":       f.authenticate(t, f.issueFor(t, own, "key").FullKey),
		"elsewhere": f.authenticate(t, f.issueFor(t, elsewhere, "key").FullKey),
		"nobody":    {},
		"keys alone": {
			Namespace: own.Namespace, Grant: access.Grant{Rules: map[string]access.Method{access.APIKey: access.All}},
		},
	}
	methods := map[string]func(access.Caller) error{
		"create account": func(c access.Caller) error {
			return second(f.CreateAccount(t.Context(), c, apikey.AccountDraft{Namespace: own.Namespace, Name: "new"}))
		},
		"accounts": func(c access.Caller) error { return errorIn(f.Accounts(t.Context(), c, own.Namespace)) },
		"account texts": func(c access.Caller) error {
			return second(f.AddAccountTexts(t.Context(), c, []apikey.Account{other}))
		},
		"account keys": func(c access.Caller) error { return errorIn(f.AccountKeys(t.Context(), c, other)) },
		"uses":         func(c access.Caller) error { return f.AddUses(t.Context(), c, []apikey.Key{{Locator: theirs}}) },
		"issue for own": func(c access.Caller) error {
			return second(f.IssueFor(t.Context(), c, own, apikey.AccountKeyDraft{Name: fmt.Sprint(time.Now())}))
		},
		"issue for other": func(c access.Caller) error {
			return second(f.IssueFor(t.Context(), c, other, apikey.AccountKeyDraft{Name: fmt.Sprint(time.Now())}))
		},
		"issue": func(c access.Caller) error { return second(f.Issue(t.Context(), c, plain)) },
		"update own": func(c access.Caller) error {
			return second(f.UpdateAccount(t.Context(), c, f.open(t, own), apikey.AccountEdit{}))
		},
		"update other": func(c access.Caller) error {
			return second(f.UpdateAccount(t.Context(), c, other, apikey.AccountEdit{}))
		},
		"delete own":   func(c access.Caller) error { return f.DeleteAccount(t.Context(), c, own) },
		"delete other": func(c access.Caller) error { return f.DeleteAccount(t.Context(), c, other) },
		"open to read": func(c access.Caller) error {
			return second(f.OpenAccount(t.Context(), c, access.Read, access.ServiceAccount, named(t, "demo", "other")))
		},
		"open own to update": func(c access.Caller) error {
			return second(f.OpenAccount(t.Context(), c, access.Update, access.ServiceAccount, named(t, "demo", "own")))
		},
		"open other to update": func(c access.Caller) error {
			return second(f.OpenAccount(t.Context(), c, access.Update, access.ServiceAccount, named(t, "demo", "other")))
		},
		"open other for a new key": func(c access.Caller) error {
			ref := apikey.AccountRef{Namespace: own.Namespace, Handle: apikey.ByID(other.ID)}
			return second(f.OpenAccount(t.Context(), c, access.Create, access.APIKey, ref))
		},
		"get a key":            func(c access.Caller) error { return second(f.Get(t.Context(), c, apikey.At(theirs))) },
		"get nobody's key":     func(c access.Caller) error { return second(f.Get(t.Context(), c, apikey.At(nobodys))) },
		"update another's key": func(c access.Caller) error { return second(f.Update(t.Context(), c, apikey.At(theirs), apikey.Edit{})) },
		"update it by its name": func(c access.Caller) error {
			return second(f.Update(t.Context(), c, other.Key(apikey.ByName("ci")), apikey.Edit{}))
		},
		"update nobody's key": func(c access.Caller) error {
			return second(f.Update(t.Context(), c, apikey.At(nobodys), apikey.Edit{}))
		},
		"update one's own key": func(c access.Caller) error {
			return second(f.Update(t.Context(), c, own.Key(apikey.ByName("key")), apikey.Edit{}))
		},
		"rotate one's own key": func(c access.Caller) error { return second(f.Rotate(t.Context(), c, own.Key(apikey.ByName("key")), 9)) },
		"rotate another's key": func(c access.Caller) error { return second(f.Rotate(t.Context(), c, apikey.At(theirs), 9)) },
		"rotate nobody's key":  func(c access.Caller) error { return second(f.Rotate(t.Context(), c, apikey.At(nobodys), 9)) },
		"delete another's key": func(c access.Caller) error { return f.Delete(t.Context(), c, apikey.At(theirs)) },
		"delete nobody's key":  func(c access.Caller) error { return f.Delete(t.Context(), c, apikey.At(nobodys)) },
		"list keys": func(c access.Caller) error {
			return second(f.List(t.Context(), c, apikey.Selection{Namespace: own.Namespace, Limit: 1}))
		},
		"list keys and all below": func(c access.Caller) error {
			return second(f.List(t.Context(), c, apikey.Selection{Namespace: own.Namespace, Below: true, Limit: 1}))
		},
	}
	reads := []string{"accounts", "account texts", "account keys", "uses", "open to read", "get a key", "get nobody's key", "list keys"}
	may := map[string][]string{
		"reader":    reads,
		"own":       append([]string{"issue for own", "update own", "open own to update", "update one's own key", "rotate one's own key"}, reads...),
		"elsewhere": nil,
		"nobody":    nil,
		"keys alone": {
			"account keys", "uses", "get a key", "get nobody's key", "update another's key", "update it by its name", "update nobody's key",
			"update one's own key", "list keys", "open other for a new key",
		},
	}
	for who, caller := range callers {
		for what, do := range methods {
			if who == "keys alone" && (what == "delete another's key" || what == "delete nobody's key" || what == "rotate nobody's key" || what == "issue") {
				continue // which would be gone for the others; access has its own table
			}
			f.meter.Take()
			err := do(caller)
			allowed := slices.Contains(may[who], what)
			if allowed != (err == nil) || err != nil && !errors.Is(err, fault.Forbidden) {
				t.Errorf("%s, %s: %v, want allowed %v", who, what, err, allowed)
			}
			if calls := f.meter.Take(); !allowed && (who == "nobody" || who == "elsewhere") && what != "update own" && calls != nil {
				t.Errorf("%s, %s: refused at first sight, and yet it caused %v", who, what, calls)
			}
		}
	}
}

// A change of an account that the store does not answer is not known to have failed or
// not: it is said to be unavailable.
func TestOutageOfAccounts(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	down := f.config
	down.Endpoint = "http://127.0.0.1:1"
	service := f.serviceOn(dynamo.New(down), discard)
	for what, err := range map[string]error{
		"create":   second(service.CreateAccount(t.Context(), f.root, apikey.AccountDraft{Namespace: account.Namespace})),
		"open":     second(service.OpenAccount(t.Context(), f.root, access.Read, access.ServiceAccount, named(t, "demo", "robot"))),
		"update":   second(service.UpdateAccount(t.Context(), f.root, account, apikey.AccountEdit{})),
		"delete":   service.DeleteAccount(t.Context(), f.root, account),
		"purge":    service.PurgeAccount(t.Context(), account.Locator()),
		"issue":    second(service.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{})),
		"accounts": errorIn(service.Accounts(t.Context(), f.root, account.Namespace)),
		"keys":     errorIn(service.AccountKeys(t.Context(), f.root, account)),
		"get":      second(service.Get(t.Context(), f.root, account.Key(apikey.ByName("ci")))),
	} {
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A name is what the record says, whatever a reservation says that was read before a
// renaming.
func TestStaleNameLeadsNowhere(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	f.issueFor(t, account, "ci")
	reserve(t, f, schema.AccountNamePartition("demo", "stale"), schema.AccountNameItem, account.ID)
	key, err := f.Get(t.Context(), f.root, account.Key(apikey.ByName("ci")))
	if err != nil {
		t.Fatal(err)
	}
	reserve(t, f, schema.AccountPartition("demo", account.ID.String()), schema.KeyNameItem("stale"), key.Locator.ID)
	if _, err := f.OpenAccount(t.Context(), f.root, access.Read, access.ServiceAccount, named(t, "demo", "stale")); !errors.Is(err, fault.NotFound) {
		t.Errorf("an account by a name that it has not: %v", err)
	}
	if _, err := f.Get(t.Context(), f.root, account.Key(apikey.ByName("stale"))); !errors.Is(err, fault.NotFound) {
		t.Errorf("a key by a name that it has not: %v", err)
	}
}

func reserve(t *testing.T, f *fixture, partition, sort string, holder apikey.ID) {
	t.Helper()
	_, err := table.Client(f.config.Endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &f.config.Table,
		Item: map[string]types.AttributeValue{
			schema.PartitionKey: &types.AttributeValueMemberS{Value: partition},
			schema.SortKey:      &types.AttributeValueMemberS{Value: sort},
			schema.Holder:       &types.AttributeValueMemberS{Value: holder.String()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}
