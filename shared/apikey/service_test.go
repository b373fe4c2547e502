package apikey_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
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
	config dynamo.Config // that leads to its table
	store  *dynamo.Store
	meter  *dynamotest.Meter
	now    time.Time
	root   access.Caller
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{config: database.NewTable(t), now: noon}
	measured := f.config
	f.meter = dynamotest.Measure(&measured)
	f.store = dynamo.New(measured)
	f.Service = f.serviceOn(f.store, slog.DiscardHandler)
	issued, err := f.Bootstrap(t.Context(), parse(t, "demo"))
	if err != nil {
		t.Fatal(err)
	}
	f.root = f.authenticate(t, issued.FullKey)
	f.meter.Take()
	return f
}

// serviceOn is another process on the same clock.
func (f *fixture) serviceOn(store *dynamo.Store, log slog.Handler) *apikey.Service {
	return apikey.NewService(apikey.Config{
		Store: store, Clock: func() time.Time { return f.now }, Random: rand.Reader, Log: slog.New(log),
	})
}

func (f *fixture) authenticate(t *testing.T, key apikey.FullKey) access.Caller {
	t.Helper()
	verdict, err := f.Verify(t.Context(), key)
	if err != nil || !verdict.IsValid() {
		t.Fatalf("%v, %v", verdict.Reason, err)
	}
	return verdict.Key.Caller()
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
	if proved := verdict.Reason >= apikey.Disabled; proved == verdict.Key.Locator.ID.IsZero() {
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
	got, err := f.Get(t.Context(), f.root, apikey.At(issued.FullKey.Locator))
	sameNamespace := cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })
	if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if reason := f.reason(t, issued.FullKey); reason != apikey.Valid {
		t.Errorf("a new key is %v", reason)
	}
	if err := f.Delete(t.Context(), f.root, apikey.At(issued.FullKey.Locator)); err != nil {
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
	page, err := f.List(t.Context(), f.root, apikey.Selection{Namespace: parse(t, "demo"), Limit: 9})
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
	key, err := f.Get(t.Context(), f.root, apikey.At(issued.FullKey.Locator))
	if err != nil {
		t.Fatal(err)
	}
	key.Disabled, key.ExpiresAt = true, time.Time{}
	if err := f.store.Update(t.Context(), key, key); err != nil {
		t.Fatal(err)
	}
	if got := f.reason(t, issued.FullKey); got != apikey.Disabled {
		t.Errorf("a disabled key: %v", got)
	}
	for _, at := range []apikey.Locator{issued.FullKey.Locator, elsewhere.Locator} {
		proved, err := f.Check(t.Context(), at)
		if err != nil || proved.IsValid() {
			t.Errorf("%v, whose secret was proved before: %v, %v", at, proved.Reason, err)
		}
	}
	if proved, err := f.Check(t.Context(), other.FullKey.Locator); err != nil || !proved.IsValid() {
		t.Errorf("a good key whose secret was proved before: %v, %v", proved.Reason, err)
	}
}

// An outage is never a no and never a yes.
func TestOutageIsNoVerdict(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	config := database.NewTable(t)
	config.Endpoint = "http://127.0.0.1:1"
	down := apikey.NewService(apikey.Config{
		Store: dynamo.New(config), Clock: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	verdict, err := down.Verify(t.Context(), issued.FullKey)
	if !errors.Is(err, fault.Unavailable) || verdict.IsValid() {
		t.Errorf("Verify: %v, %v", verdict.Reason, err)
	}
	verdict, err = down.Check(t.Context(), issued.FullKey.Locator)
	if !errors.Is(err, fault.Unavailable) || verdict.IsValid() {
		t.Errorf("Check: %v, %v", verdict.Reason, err)
	}
	if (apikey.Verdict{}).IsValid() {
		t.Error("the zero verdict accepts")
	}
}

func TestVerificationReadsOnce(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	gone := f.issue(t, draft(t, "demo"))
	if err := f.Delete(t.Context(), f.root, apikey.At(gone.FullKey.Locator)); err != nil {
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
	if verdict, err := f.Check(t.Context(), issued.FullKey.Locator); err != nil || verdict.Reason != apikey.Expired {
		t.Errorf("proved before: %v, %v", verdict.Reason, err)
	}
	if diff := cmp.Diff(once, f.meter.Take()); diff != "" {
		t.Errorf("proved before:\n%s", diff)
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
			"update": second(f.Update(t.Context(), caller, apikey.At(at), apikey.Edit{})),
			"delete": f.Delete(t.Context(), caller, apikey.At(at)),
			"list below": second(f.List(t.Context(), caller,
				apikey.Selection{Namespace: at.Namespace, Below: true, Limit: 1, Skip: apikey.MaxSkip + 1})),
			"namespaces": second(f.Namespaces(t.Context(), caller, apikey.NamespaceSelection{Parent: at.Namespace, Limit: 1, Queries: apikey.MaxNamespaces})),
			"add texts":  second(f.AddTexts(t.Context(), caller, []apikey.Key{{Locator: apikey.Locator{Namespace: parse(t, "other")}}})),
		}
		if name != "reader" {
			tests["get"] = second(f.Get(t.Context(), caller, apikey.At(at)))
			tests["list"] = second(f.List(t.Context(), caller, apikey.Selection{Namespace: at.Namespace, Limit: 1}))
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
	updated, err := f.Update(t.Context(), f.root, apikey.At(at), apikey.Edit{Name: &name, Description: &description, Tags: &tags})
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
	got, err := f.Get(t.Context(), f.root, apikey.At(at))
	if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if reason := f.reason(t, issued.FullKey); reason != apikey.Valid {
		t.Errorf("an updated key is %v", reason)
	}
	empty := ""
	if _, err := f.Update(t.Context(), f.root, apikey.At(at), apikey.Edit{Name: &empty}); !errors.Is(err, fault.Invalid) {
		t.Errorf("an empty name: %v", err)
	}
	at.Namespace = parse(t, "demo.app")
	if _, err := f.Update(t.Context(), f.root, apikey.At(at), apikey.Edit{}); !errors.Is(err, fault.NotFound) {
		t.Errorf("a key of another namespace: %v", err)
	}
}

// A position leads to nothing outside of what is listed.
func TestForeignPositionShowsNothing(t *testing.T) {
	f := newFixture(t)
	key := f.issue(t, draft(t, "demo.b")).FullKey.Locator
	f.issue(t, draft(t, "demo.c"))
	for _, test := range []struct {
		at    string
		below bool
		want  bool
	}{
		{"demo.b", false, true},
		{"demo.b", true, true},
		{"demo.b.c", true, true},
		{"demo.b.c", false, false},
		{"demo.a", true, false},
		{"demo.b-c", true, false},
		{"demo.bc", true, false},
		{"demo", true, false},
	} {
		position := apikey.Locator{Namespace: parse(t, test.at), ID: key.ID}
		_, err := f.List(t.Context(), f.root, apikey.Selection{
			Namespace: parse(t, "demo.b"), Below: test.below, After: &position, Limit: 9,
		})
		if (err == nil) != test.want || err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%s, below %v: %v", test.at, test.below, err)
		}
		_, err = f.Namespaces(t.Context(), f.root, apikey.NamespaceSelection{
			Parent: parse(t, "demo.b"), After: position.Namespace, Limit: 9, Queries: apikey.MaxNamespaces,
		})
		if below := test.at == "demo.b.c"; (err == nil) != below || err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("namespaces behind %s: %v", test.at, err)
		}
	}
}

func TestSkipIsBounded(t *testing.T) {
	f := newFixture(t)
	q := apikey.Selection{Namespace: parse(t, "demo"), Limit: 1, Skip: apikey.MaxSkip}
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
	broken := apikey.NewService(apikey.Config{Store: f.store, Clock: time.Now, Random: strings.NewReader("too few bits"), Log: slog.New(slog.DiscardHandler)})
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
