package apikey_test

import (
	"errors"
	"math"
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

var sameNamespace = cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })

func (f *fixture) rotate(t *testing.T, key apikey.FullKey, minutes int64) apikey.FullKey {
	t.Helper()
	issued, err := f.Rotate(t.Context(), f.root, apikey.At(key.Locator), minutes)
	if err != nil {
		t.Fatal(err)
	}
	return issued.FullKey
}

func (f *fixture) wantReason(t *testing.T, what string, key apikey.FullKey, want apikey.Reason) {
	t.Helper()
	if got := f.reason(t, key); got != want {
		t.Errorf("at %v, %s: %v, want %v", f.now, what, got, want)
	}
}

// kinds of keys that are rotated alike.
func (f *fixture) issueEach(t *testing.T) map[string]apikey.Issued {
	t.Helper()
	account := f.account(t, "demo", "robot")
	d := draft(t, "demo")
	d.Texts = apikey.Texts{Description: "described", Tags: []string{"tagged"}}
	owned, err := f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{
		Name: "ci", Description: "described", ExpiresAt: noon.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]apikey.Issued{"a namespace's key": f.issue(t, d), "an account's key": owned}
}

func TestRotationKeepsTheKey(t *testing.T) {
	f := newFixture(t)
	for name, issued := range f.issueEach(t) {
		f.now = noon.Add(10 * time.Minute)
		before := issued.Key
		rotated, err := f.Rotate(t.Context(), f.root, apikey.At(issued.Key.Locator), 5)
		if err != nil {
			t.Fatal(err)
		}
		want := before
		want.Digest, want.Previous = rotated.FullKey.Secret.Digest(), before.Digest
		want.RotatedAt, want.UpdatedAt, want.RetainMinutes, want.Version = f.now, f.now, 5, 2
		want.UpdatedBy = apikey.ActorOf(f.root)
		if diff := cmp.Diff(want, rotated.Key, sameNamespace); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		got, err := f.Get(t.Context(), f.root, apikey.At(issued.Key.Locator))
		if diff := cmp.Diff(want, got, sameNamespace); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if rotated.FullKey.Locator != issued.FullKey.Locator || want.Digest == want.Previous {
			t.Errorf("%s: the secret is the old one, or of another key", name)
		}
		f.now = noon.Add(time.Hour)
		f.wantReason(t, name+" that has expired", rotated.FullKey, apikey.Expired)
		f.now = noon
	}
}

func TestGenerationsOfSecrets(t *testing.T) {
	f := newFixture(t)
	for name, issued := range f.issueEach(t) {
		f.now = noon
		first := issued.FullKey
		second := f.rotate(t, first, 10)
		f.now = noon.Add(5 * time.Minute)
		f.wantReason(t, name+", previous", first, apikey.Valid)
		f.wantReason(t, name+", current", second, apikey.Valid)

		third := f.rotate(t, first, 10)
		f.wantReason(t, name+", the generation before the previous", first, apikey.WrongSecret)
		f.wantReason(t, name+", previous", second, apikey.Valid)
		f.wantReason(t, name+", current", third, apikey.Valid)
		f.now = noon.Add(15*time.Minute - 1)
		f.wantReason(t, name+", previous, at last", second, apikey.Valid)
		f.now = noon.Add(15 * time.Minute)
		f.wantReason(t, name+", previous, too late", second, apikey.WrongSecret)
		f.wantReason(t, name+", current", third, apikey.Valid)

		for _, minutes := range []int64{0, -1, math.MinInt64} {
			last := third
			third = f.rotate(t, first, minutes)
			f.wantReason(t, name+", previous, not retained", last, apikey.WrongSecret)
			f.now = f.now.Add(-2 * time.Minute) // another process's clock
			f.wantReason(t, name+", previous, not retained, by a clock that is behind", last, apikey.WrongSecret)
			f.wantReason(t, name+", current, by a clock that is behind", third, apikey.Valid)
			f.now = f.now.Add(2 * time.Minute)
		}
		last := third
		third = f.rotate(t, first, math.MaxInt64)
		f.now = noon.Add(time.Hour - 1)
		f.wantReason(t, name+", previous, forever", last, apikey.Valid)
		f.wantReason(t, name+", current", third, apikey.Valid)
		if verdict, err := f.Check(t.Context(), first.Locator); err != nil || !verdict.IsValid() {
			t.Errorf("%s: who has proved the first secret is %v, %v", name, verdict.Reason, err)
		}
	}
}

func TestInactiveKeyIsRotatedAndStaysInactive(t *testing.T) {
	f := newFixture(t)
	off, on := true, false
	for name, issued := range f.issueEach(t) {
		at := apikey.At(issued.FullKey.Locator)
		if _, err := f.Update(t.Context(), f.root, at, apikey.Edit{Disabled: &off}); err != nil {
			t.Fatal(err)
		}
		rotated := f.rotate(t, issued.FullKey, 5)
		f.wantReason(t, name+", current", rotated, apikey.Disabled)
		f.wantReason(t, name+", previous", issued.FullKey, apikey.Disabled)
		if _, err := f.Update(t.Context(), f.root, at, apikey.Edit{Disabled: &on}); err != nil {
			t.Fatal(err)
		}
		f.wantReason(t, name+", current, on again", rotated, apikey.Valid)
		f.wantReason(t, name+", previous, on again", issued.FullKey, apikey.Valid)
	}
}

// Who rotates a key has it: he must hold all that it does.
func TestRightsToRotate(t *testing.T) {
	f := newFixture(t)
	wide := draft(t, "demo.app")
	wide.Propagate = true
	narrow := draft(t, "demo.app")
	narrow.Grant = access.Grant{Rules: map[string]access.Method{access.APIKey: access.Read}}
	robot, other := f.account(t, "demo.app", "robot"), f.account(t, "demo.app", "other")
	keys := map[string]apikey.Locator{
		"wide":   f.issue(t, wide).FullKey.Locator,
		"reader": f.issue(t, draft(t, "demo.app")).FullKey.Locator,
		"narrow": f.issue(t, narrow).FullKey.Locator,
		"robot":  f.issueFor(t, robot, "ci").FullKey.Locator,
		"other":  f.issueFor(t, other, "ci").FullKey.Locator,
	}
	accounts := map[string]apikey.Account{"robot": robot, "other": other}
	in := func(path string, propagate bool, grant access.Grant) access.Caller {
		return access.Caller{ID: "x", Namespace: parse(t, path), Propagate: propagate, Grant: grant}
	}
	admin := access.Grant{Roles: []access.Role{access.Admin}}
	rules := func(key, account access.Method) access.Grant {
		return access.Grant{Rules: map[string]access.Method{access.APIKey: key, access.ServiceAccount: account}}
	}
	reader := access.Grant{Roles: []access.Role{access.ReadOnly}, Rules: map[string]access.Method{access.APIKey: access.Update}}
	for name, test := range map[string]struct {
		caller access.Caller
		may    []string
	}{
		"an administrator above":              {f.root, []string{"wide", "reader", "narrow", "robot", "other"}},
		"an administrator there, below too":   {in("demo.app", true, admin), []string{"wide", "reader", "narrow", "robot", "other"}},
		"an administrator there alone":        {in("demo.app", false, admin), []string{"reader", "narrow", "robot", "other"}},
		"an administrator above alone":        {in("demo", false, admin), nil},
		"an administrator beside":             {in("demo.apps", true, admin), nil},
		"a reader":                            {in("demo.app", true, access.Grant{Roles: []access.Role{access.ReadOnly}}), nil},
		"a reader who may update keys":        {in("demo.app", true, reader), []string{"wide", "reader", "narrow"}},
		"a reader who may update keys, there": {in("demo.app", false, reader), []string{"reader", "narrow"}},
		"rules on both kinds":                 {in("demo.app", true, rules(access.All, access.All)), []string{"narrow", "robot", "other"}},
		"rules on keys":                       {in("demo.app", true, rules(access.All, access.Read)), []string{"narrow"}},
		"rules on keys but updating":          {in("demo.app", true, rules(access.All&^access.Update, access.All)), nil},
		"rules that only update keys":         {in("demo.app", true, rules(access.Update, access.All)), nil},
		"a key of the account":                {f.authenticate(t, f.issueFor(t, robot, "mine").FullKey), []string{"robot"}},
		"a key of another account":            {f.authenticate(t, f.issueFor(t, other, "mine").FullKey), []string{"other"}},
		"nobody":                              {access.Caller{}, nil},
	} {
		for key, at := range keys {
			allowed := false
			for _, one := range test.may {
				allowed = allowed || one == key
			}
			before, err := f.store.Get(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			ref := apikey.At(at)
			if account, ok := accounts[key]; ok {
				ref = account.Key(apikey.ByID(at.ID))
			}
			_, err = f.Rotate(t.Context(), test.caller, ref, 0)
			if allowed != (err == nil) || err != nil && !errors.Is(err, fault.Forbidden) {
				t.Errorf("%s rotates %s: %v, want allowed %v", name, key, err, allowed)
			}
			if after, err := f.store.Get(t.Context(), at); err != nil || (after.Digest == before.Digest) == allowed {
				t.Errorf("%s rotates %s: the secret changed %v, %v", name, key, !allowed, err)
			}
		}
	}
}

// Of rotations at once one wins, and its secret is the one that works.
func TestRacingRotations(t *testing.T) {
	f := newFixture(t)
	for name, issued := range f.issueEach(t) {
		const racers = 16
		type result struct {
			key apikey.FullKey
			err error
		}
		results := make(chan result)
		start := make(chan struct{})
		for range racers {
			go func() {
				<-start
				rotated, err := f.Rotate(t.Context(), f.root, apikey.At(issued.FullKey.Locator), 5)
				results <- result{rotated.FullKey, err}
			}()
		}
		close(start)
		last, wins := issued.FullKey, int64(0)
		versions := map[int64]apikey.FullKey{}
		for range racers {
			r := <-results
			if r.err != nil {
				if !errors.Is(r.err, fault.Conflict) {
					t.Errorf("%s: %v", name, r.err)
				}
				continue
			}
			wins++
			if f.reason(t, r.key) == apikey.Valid {
				versions[wins], last = r.key, r.key
			}
		}
		key, err := f.Get(t.Context(), f.root, apikey.At(issued.FullKey.Locator))
		if err != nil || wins == 0 || key.Version != wins+1 {
			t.Errorf("%s: %d rotations won, the version is %d, %v", name, wins, key.Version, err)
		}
		good := 0
		for _, full := range versions {
			if f.reason(t, full) == apikey.Valid {
				good++
			}
		}
		if good == 0 || good > 2 || last.Locator != issued.FullKey.Locator {
			t.Errorf("%s: %d of the winners' secrets work, want the current and perhaps the previous one", name, good)
		}
	}
}

// A rotation that another one comes before is told so, and has changed nothing: the
// other's secret is the one that works.
func TestRotationThatComesTooLate(t *testing.T) {
	f := newFixture(t)
	for name, issued := range f.issueEach(t) {
		var winner apikey.FullKey
		config := f.config
		dynamotest.Break(&config, "TransactWriteItems", between(func() { winner = f.rotate(t, issued.FullKey, 5) }))
		_, err := f.serviceOn(dynamo.New(config), discard).Rotate(t.Context(), f.root, apikey.At(issued.FullKey.Locator), 0)
		if !errors.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
		f.wantReason(t, name+", the winner's secret", winner, apikey.Valid)
		f.wantReason(t, name+", the one that the winner retained", issued.FullKey, apikey.Valid)
	}
}

func TestRotationOfWhatIsNotThere(t *testing.T) {
	f := newFixture(t)
	issued := f.issue(t, draft(t, "demo"))
	at := issued.FullKey.Locator
	at.Namespace = parse(t, "demo.app")
	if _, err := f.Rotate(t.Context(), f.root, apikey.At(at), 0); !errors.Is(err, fault.NotFound) {
		t.Errorf("a key of another namespace: %v", err)
	}
	if err := f.Delete(t.Context(), f.root, apikey.At(issued.FullKey.Locator)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Rotate(t.Context(), f.root, apikey.At(issued.FullKey.Locator), 0); !errors.Is(err, fault.NotFound) {
		t.Errorf("a deleted key: %v", err)
	}
}
