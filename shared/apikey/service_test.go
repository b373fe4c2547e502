package apikey_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// A fixture is a service on a real store, with a clock that tests set.
type fixture struct {
	*apikey.Service
	store *dynamo.Store
	meter *dynamotest.Meter
	now   time.Time
	root  access.Caller
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	config := database.NewTable(t)
	f := &fixture{meter: dynamotest.Measure(&config), now: noon}
	f.store = dynamo.New(config)
	f.Service = apikey.NewService(apikey.Config{
		Store: f.store, Clock: func() time.Time { return f.now }, Random: rand.Reader,
	})
	issued, err := f.Bootstrap(t.Context(), parse(t, "demo"))
	if err != nil {
		t.Fatal(err)
	}
	f.root = f.authenticate(t, issued.FullKey)
	f.meter.Take()
	return f
}

func (f *fixture) authenticate(t *testing.T, key apikey.FullKey) access.Caller {
	t.Helper()
	caller, err := f.Authenticate(t.Context(), key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func (f *fixture) issue(t *testing.T, draft apikey.Draft) apikey.Issued {
	t.Helper()
	issued, err := f.Issue(t.Context(), f.root, draft)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (f *fixture) reason(t *testing.T, key apikey.FullKey) apikey.Reason {
	t.Helper()
	verdict, err := f.Verify(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if proved := verdict.Reason >= apikey.Disabled; proved != (verdict.Key.Name != "") {
		t.Errorf("the verdict %v shows the key %+v", verdict.Reason, verdict.Key)
	}
	return verdict.Reason
}

func draft(t *testing.T, path string) apikey.Draft {
	t.Helper()
	return apikey.Draft{
		Namespace: parse(t, path),
		Name:      "ci",
		Grant:     access.Grant{Roles: []access.Role{access.ReadOnly}},
		ExpiresAt: noon.Add(time.Hour),
	}
}

func TestLifeOfAKey(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo.app"))
	want := apikey.Key{
		Locator:   issued.FullKey.Locator,
		Name:      "ci",
		Grant:     access.Grant{Roles: []access.Role{access.ReadOnly}},
		ExpiresAt: noon.Add(time.Hour),
		CreatedAt: noon, CreatedBy: apikey.Actor{ID: f.root.ID, Name: "bootstrap@api-key"},
		UpdatedAt: noon, UpdatedBy: apikey.Actor{ID: f.root.ID, Name: "bootstrap@api-key"},
		Version: 1,
		Digest:  issued.FullKey.Secret.Digest(),
	}
	got, err := f.Get(t.Context(), f.root, issued.FullKey.Locator)
	sameNamespace := cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })
	if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if reason := f.reason(t, issued.FullKey); reason != apikey.Valid {
		t.Errorf("a new key is %v", reason)
	}
	if err := f.Delete(t.Context(), f.root, issued.FullKey.Locator); err != nil {
		t.Fatal(err)
	}
	if reason := f.reason(t, issued.FullKey); reason != apikey.Unknown {
		t.Errorf("a deleted key is %v", reason)
	}
}

func TestExpiryIsOfTheClock(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	never := draft(t, "demo")
	never.ExpiresAt = time.Time{}
	forever := f.issue(t, never)
	for _, step := range []struct {
		at   time.Time
		want apikey.Reason
	}{
		{noon, apikey.Valid},
		{noon.Add(time.Hour - 1), apikey.Valid},
		{noon.Add(time.Hour), apikey.Expired},
		{noon.Add(20 * 24 * time.Hour), apikey.Expired},
	} {
		f.now = step.at
		if got := f.reason(t, issued.FullKey); got != step.want {
			t.Errorf("at %v the key is %v, want %v", step.at, got, step.want)
		}
		if got := f.reason(t, forever.FullKey); got != apikey.Valid {
			t.Errorf("at %v the key without expiry is %v", step.at, got)
		}
	}
	page, err := f.List(t.Context(), f.root, apikey.Query{Namespace: parse(t, "demo"), Limit: 9})
	if err != nil || len(page.Keys) != 3 {
		t.Errorf("an expired key is not listed: %d keys, %v", len(page.Keys), err)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	other := f.issue(t, draft(t, "demo"))
	if got := f.reason(t, apikey.FullKey{Locator: issued.FullKey.Locator, Secret: other.FullKey.Secret}); got != apikey.WrongSecret {
		t.Errorf("another key's secret: %v", got)
	}
	elsewhere := issued.FullKey
	elsewhere.Locator.Namespace = parse(t, "demo.app")
	if got := f.reason(t, elsewhere); got != apikey.Unknown {
		t.Errorf("the same id and secret in another namespace: %v", got)
	}
	key, err := f.Get(t.Context(), f.root, issued.FullKey.Locator)
	if err != nil {
		t.Fatal(err)
	}
	key.Disabled, key.ExpiresAt = true, time.Time{}
	if err := f.store.Update(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if got := f.reason(t, issued.FullKey); got != apikey.Disabled {
		t.Errorf("a disabled key: %v", got)
	}
	f.now = noon.Add(time.Hour)
	for name, credential := range map[string]string{
		"disabled": issued.FullKey.Reveal(), "expired": other.FullKey.Reveal(), "unknown": elsewhere.Reveal(), "malformed": "lk_x", "empty": "",
	} {
		caller, err := f.Authenticate(t.Context(), credential)
		if !errors.Is(err, fault.Unauthenticated) || !cmp.Equal(caller, access.Caller{}, cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })) {
			t.Errorf("%s: %+v, %v", name, caller, err)
		} else if fault.Of(err).Message != "Invalid credential" {
			t.Errorf("%s: the client is told %q", name, fault.Of(err).Message)
		}
	}
}

// An outage is never a no and never a yes.
func TestOutageIsNoVerdict(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	config := database.NewTable(t)
	config.Endpoint = "http://127.0.0.1:1"
	down := apikey.NewService(apikey.Config{
		Store: dynamo.New(config), Clock: time.Now, Random: rand.Reader,
	})
	verdict, err := down.Verify(t.Context(), issued.FullKey)
	if !errors.Is(err, fault.Unavailable) || verdict.IsValid() {
		t.Errorf("Verify: %v, %v", verdict.Reason, err)
	}
	if _, err := down.Authenticate(t.Context(), issued.FullKey.Reveal()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("Authenticate: %v", err)
	}
	if (apikey.Verdict{}).IsValid() {
		t.Error("the zero verdict accepts")
	}
}

func TestVerificationReadsOnce(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	gone := f.issue(t, draft(t, "demo"))
	if err := f.Delete(t.Context(), f.root, gone.FullKey.Locator); err != nil {
		t.Fatal(err)
	}
	f.meter.Take()
	once := []dynamotest.Call{{Action: "GetItem", Units: 1}}
	for _, test := range []struct {
		name string
		key  apikey.FullKey
		now  time.Time
		want apikey.Reason
	}{
		{"valid", issued.FullKey, noon, apikey.Valid},
		{"unknown", gone.FullKey, noon, apikey.Unknown},
		{"wrong secret", apikey.FullKey{Locator: issued.FullKey.Locator, Secret: gone.FullKey.Secret}, noon, apikey.WrongSecret},
		{"expired", issued.FullKey, noon.Add(2 * time.Hour), apikey.Expired},
	} {
		f.now = test.now
		if got := f.reason(t, test.key); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		if diff := cmp.Diff(once, f.meter.Take()); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
	}
	f.Authenticate(t.Context(), "lk_"+strings.Repeat("0", 60))
	if calls := f.meter.Take(); calls != nil {
		t.Errorf("a malformed key: %v", calls)
	}
}

// Every method asks access before it reads or writes anything.
func TestAuthorizationComesFirst(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	at := issued.FullKey.Locator
	callers := map[string]access.Caller{
		"nobody":        {},
		"reader":        f.authenticate(t, issued.FullKey),
		"another place": withNamespace(f.root, parse(t, "demolition")),
		"below":         withNamespace(f.root, parse(t, "demo.app")),
	}
	f.meter.Take()
	for name, caller := range callers {
		tests := map[string]error{
			"issue":  second(f.Issue(t.Context(), caller, draft(t, "demo"))),
			"update": second(f.Update(t.Context(), caller, at, apikey.Edit{})),
			"delete": f.Delete(t.Context(), caller, at),
			"list below": second(f.List(t.Context(), caller,
				apikey.Query{Namespace: at.Namespace, Below: true, Limit: 1, Cursor: "nonsense"})),
		}
		if name != "reader" {
			tests["get"] = second(f.Get(t.Context(), caller, at))
			tests["list"] = second(f.List(t.Context(), caller, apikey.Query{Namespace: at.Namespace, Limit: 1}))
		}
		for method, err := range tests {
			if !errors.Is(err, fault.Forbidden) {
				t.Errorf("%s may %s: %v", name, method, err)
			}
		}
	}
	if calls := f.meter.Take(); calls != nil {
		t.Errorf("refused callers caused %v", calls)
	}
}

func TestNobodyGrantsWhatHeDoesNotHold(t *testing.T) {
	f := newFixture(t)
	maker := draft(t, "demo.app")
	maker.Grant = access.Grant{Rules: map[string]access.Method{access.APIKey: access.Create | access.Read}}
	holder := f.authenticate(t, f.issue(t, maker).FullKey)
	f.meter.Take()
	for name, change := range map[string]func(*apikey.Draft){
		"a role":        func(d *apikey.Draft) { d.Grant = access.Grant{Roles: []access.Role{access.ReadOnly}} },
		"another role":  func(d *apikey.Draft) { d.Grant = access.Grant{Roles: []access.Role{access.SyncOrg}} },
		"a method":      func(d *apikey.Draft) { d.Grant.Rules = map[string]access.Method{access.APIKey: access.All} },
		"another kind":  func(d *apikey.Draft) { d.Grant.Rules = map[string]access.Method{"Project": access.Read} },
		"every kind":    func(d *apikey.Draft) { d.Grant.Rules = map[string]access.Method{access.EveryKind: access.Read} },
		"propagate":     func(d *apikey.Draft) { d.Propagate = true },
		"the parent":    func(d *apikey.Draft) { d.Namespace = parse(t, "demo") },
		"a child":       func(d *apikey.Draft) { d.Namespace = parse(t, "demo.app.x") },
		"a look-alike":  func(d *apikey.Draft) { d.Namespace = parse(t, "demo.app2") },
		"another place": func(d *apikey.Draft) { d.Namespace = parse(t, "other") },
	} {
		d := maker
		change(&d)
		if _, err := f.Issue(t.Context(), holder, d); !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls := f.meter.Take(); calls != nil {
		t.Errorf("refused grants caused %v", calls)
	}
	if _, err := f.Issue(t.Context(), holder, maker); err != nil {
		t.Errorf("just what is held: %v", err)
	}
}

func TestDraftProblems(t *testing.T) {
	f := newFixture(t)
	for name, test := range map[string]struct {
		change func(*apikey.Draft)
		want   string
	}{
		"no name":              {func(d *apikey.Draft) { d.Name = "" }, "name"},
		"a name too long":      {func(d *apikey.Draft) { d.Name = strings.Repeat("é", 256) }, "name"},
		"an expiry that is":    {func(d *apikey.Draft) { d.ExpiresAt = noon }, "expires_at"},
		"an expiry too late":   {func(d *apikey.Draft) { d.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "expires_at"},
		"the longest name":     {func(d *apikey.Draft) { d.Name = strings.Repeat("é", 255) }, ""},
		"the last of all days": {func(d *apikey.Draft) { d.ExpiresAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, ""},
	} {
		d := draft(t, "demo")
		test.change(&d)
		issued, err := f.Issue(t.Context(), f.root, d)
		if test.want == "" {
			if err != nil || f.reason(t, issued.FullKey) != apikey.Valid {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		fields := fault.Of(err).Fields
		if !errors.Is(err, fault.Invalid) || len(fields) != 1 || fields[0].Name != test.want {
			t.Errorf("%s: %v, want the field %s", name, err, test.want)
		}
	}
}

func TestUpdate(t *testing.T) {
	f := newFixture(t)
	made := draft(t, "demo")
	made.Texts = apikey.Texts{Description: "old", Tags: []string{"old"}, Annotations: map[string]string{"old": "old"}}
	issued := f.issue(t, made)
	at := issued.FullKey.Locator
	f.now = noon.Add(time.Minute)
	name, description, tags := "renamed", "", []string{"new"}
	updated, err := f.Update(t.Context(), f.root, at, apikey.Edit{Name: &name, Description: &description, Tags: &tags})
	if err != nil {
		t.Fatal(err)
	}
	want := issued.Key
	want.Name, want.Texts.Description, want.Texts.Tags = "renamed", "", []string{"new"}
	want.UpdatedAt, want.Version = f.now, 2
	sameNamespace := cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })
	if diff := cmp.Diff(want, updated, sameNamespace); diff != "" {
		t.Error(diff)
	}
	got, err := f.Get(t.Context(), f.root, at)
	if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if reason := f.reason(t, issued.FullKey); reason != apikey.Valid {
		t.Errorf("an updated key is %v", reason)
	}
	empty := ""
	if _, err := f.Update(t.Context(), f.root, at, apikey.Edit{Name: &empty}); !errors.Is(err, fault.Invalid) {
		t.Errorf("an empty name: %v", err)
	}
	at.Namespace = parse(t, "demo.app")
	if _, err := f.Update(t.Context(), f.root, at, apikey.Edit{}); !errors.Is(err, fault.NotFound) {
		t.Errorf("a key of another namespace: %v", err)
	}
}

func TestForeignCursorShowsNothing(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"demo.a", "demo.b"} {
		for range 3 {
			f.issue(t, draft(t, path))
		}
	}
	mine := apikey.Query{Namespace: parse(t, "demo.a"), Limit: 1}
	theirs := apikey.Query{Namespace: parse(t, "demo.b"), Limit: 1}
	page, err := f.List(t.Context(), f.root, mine)
	if err != nil {
		t.Fatal(err)
	}
	position := page.Keys[0].Locator
	for name, cursor := range map[string]apikey.Cursor{
		"as it is":                                mine.CursorAfter(position),
		"encoded again for the other namespace":   theirs.CursorAfter(position),
		"encoded for one below the other's bound": theirs.CursorAfter(apikey.Locator{Namespace: parse(t, "demo.b-a"), ID: position.ID}),
	} {
		q := theirs
		q.Cursor = cursor
		if page, err := f.List(t.Context(), f.root, q); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %d keys, %v", name, len(page.Keys), err)
		}
	}
	q := theirs
	q.Cursor = apikey.Cursor(position.ID.String())
	page, err = f.List(t.Context(), f.root, q)
	for _, key := range page.Keys {
		if key.Locator.Namespace != theirs.Namespace {
			t.Errorf("a bare id of another namespace shows a key of %v", key.Locator.Namespace)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func TestSkipIsBounded(t *testing.T) {
	f := newFixture(t)
	q := apikey.Query{Namespace: parse(t, "demo"), Limit: 1, Skip: apikey.MaxSkip}
	if page, err := f.List(t.Context(), f.root, q); err != nil || len(page.Keys) != 0 {
		t.Errorf("the largest skip: %d keys, %v", len(page.Keys), err)
	}
	q.Skip++
	if _, err := f.List(t.Context(), f.root, q); !errors.Is(err, fault.Invalid) {
		t.Errorf("one more: %v", err)
	}
}

func TestNoRandomBits(t *testing.T) {
	f := newFixture(t)
	broken := apikey.NewService(apikey.Config{Store: f.store, Clock: time.Now, Random: strings.NewReader("too few bits")})
	if _, err := broken.Bootstrap(context.Background(), parse(t, "demo")); err == nil || f.meter.Take() != nil {
		t.Errorf("a key without random bits: %v", err)
	}
}

func withNamespace(caller access.Caller, ns namespace.Namespace) access.Caller {
	caller.Namespace = ns
	return caller
}

func second[A any](_ A, err error) error { return err }

func parse(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
