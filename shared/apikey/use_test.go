package apikey_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
)

var discard = slog.DiscardHandler

// between does something before each request that it sends on.
func between(do func()) dynamotest.Fault {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		do()
		return next.RoundTrip(r)
	}
}

func (f *fixture) usedAt(t *testing.T, key apikey.FullKey) time.Time {
	t.Helper()
	got, err := f.Get(t.Context(), f.root, apikey.At(key.Locator))
	if err != nil {
		t.Fatal(err)
	}
	return got.UsedAt
}

var (
	readKey     = dynamotest.Call{Action: "GetItem", Units: 1}
	readAccount = dynamotest.Call{Action: "GetItem", Units: 1}
	writeUse    = dynamotest.Call{Action: "UpdateItem", Units: 1}
)

// What it takes to tell what an account's key is worth.
func TestVerificationOfAnAccountsKey(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	good, off, gone := f.issueFor(t, account, "good"), f.issueFor(t, account, "off"), f.issueFor(t, account, "gone")
	expiring, err := f.IssueFor(t.Context(), f.root, account, apikey.AccountKeyDraft{Name: "expiring", ExpiresAt: noon.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(t.Context(), f.root, account.Key(apikey.ByName("off")), apikey.Edit{Disabled: pointer(true)}); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), f.root, account.Key(apikey.ByName("gone"))); err != nil {
		t.Fatal(err)
	}
	disabled, removed := f.account(t, "demo", "disabled"), f.account(t, "demo", "removed")
	ofDisabled, ofRemoved := f.issueFor(t, disabled, "ci"), f.issueFor(t, removed, "ci")
	if disabled, err = f.UpdateAccount(t.Context(), f.root, disabled, apikey.AccountEdit{Disabled: pointer(true)}); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteAccount(t.Context(), f.root, removed); err != nil {
		t.Fatal(err)
	}
	plain := draft(t, "demo")
	plain.ExpiresAt = time.Time{}
	unowned := f.issue(t, plain)
	f.now = noon.Add(time.Hour)
	f.meter.Take()
	for _, test := range []struct {
		name  string
		key   apikey.FullKey
		want  apikey.Reason
		calls []dynamotest.Call
	}{
		{"valid", good.FullKey, apikey.Valid, []dynamotest.Call{readKey, readAccount, writeUse}},
		{"valid, again", good.FullKey, apikey.Valid, []dynamotest.Call{readKey, readAccount}},
		{"wrong secret", apikey.FullKey{Locator: good.FullKey.Locator, Secret: off.FullKey.Secret}, apikey.WrongSecret, []dynamotest.Call{readKey}},
		{"unknown", gone.FullKey, apikey.Unknown, []dynamotest.Call{readKey}},
		{"disabled", off.FullKey, apikey.Disabled, []dynamotest.Call{readKey}},
		{"expired", expiring.FullKey, apikey.Expired, []dynamotest.Call{readKey}},
		{"account disabled", ofDisabled.FullKey, apikey.AccountDisabled, []dynamotest.Call{readKey, readAccount}},
		{"account removed", ofRemoved.FullKey, apikey.AccountRemoved, []dynamotest.Call{readKey, readAccount}},
		{"without account", unowned.FullKey, apikey.Valid, []dynamotest.Call{readKey}},
	} {
		f.wantReason(t, test.name, test.key, test.want)
		if diff := cmp.Diff(test.calls, f.meter.Take()); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
		verdict, err := f.Check(t.Context(), test.key.Locator)
		if checked := test.want; err != nil || checked != apikey.WrongSecret && verdict.Reason != checked {
			t.Errorf("%s, proved before: %v, %v", test.name, verdict.Reason, err)
		}
		f.meter.Take()
		if verdict, err = f.Login(t.Context(), test.key); err != nil || verdict.Reason != test.want {
			t.Errorf("%s, to log in: %v, %v", test.name, verdict.Reason, err)
		}
		calls := test.calls
		if test.want == apikey.Valid && test.key.Locator != unowned.FullKey.Locator {
			calls = []dynamotest.Call{readKey, readAccount, writeUse}
		}
		if diff := cmp.Diff(calls, f.meter.Take()); diff != "" {
			t.Errorf("%s, to log in:\n%s", test.name, diff)
		}
	}
	if _, err := f.UpdateAccount(t.Context(), f.root, disabled, apikey.AccountEdit{Disabled: pointer(false)}); err != nil {
		t.Fatal(err)
	}
	f.wantReason(t, "account enabled again", ofDisabled.FullKey, apikey.Valid)
}

// An account that cannot be read is no verdict: neither a yes nor a no.
func TestOutageAtTheSecondRead(t *testing.T) {
	f := newFixture(t)
	issued := f.issueFor(t, f.account(t, "demo", "robot"), "ci")
	for name, fails := range map[string]dynamotest.Fault{"outage": dynamotest.ServerError, "refusal": dynamotest.AccessDenied} {
		config := f.config
		reads := 0
		dynamotest.Break(&config, "GetItem", func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if reads++; reads == 1 {
				return next.RoundTrip(r)
			}
			return fails(r, next)
		})
		service := f.serviceOn(dynamo.New(config), discard)
		for what, verify := range map[string]func() (apikey.Verdict, error){
			"Verify": func() (apikey.Verdict, error) { return service.Verify(t.Context(), issued.FullKey) },
			"Login":  func() (apikey.Verdict, error) { return service.Login(t.Context(), issued.FullKey) },
			"Check":  func() (apikey.Verdict, error) { return service.Check(t.Context(), issued.FullKey.Locator) },
		} {
			reads = 0
			verdict, err := verify()
			if err == nil || errors.Is(err, fault.NotFound) || verdict.IsValid() || !verdict.Key.Locator.ID.IsZero() {
				t.Errorf("%s, %s: %v, %v", name, what, verdict.Reason, err)
			}
			if unavailable := errors.Is(err, fault.Unavailable); unavailable != (name == "outage") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		reads = 0
		if _, err := service.Get(t.Context(), f.root, apikey.At(issued.FullKey.Locator)); err != nil {
			t.Errorf("%s: a key that one read tells of: %v", name, err) // its record comes by Query
		}
	}
	if used := f.usedAt(t, issued.FullKey); !used.IsZero() {
		t.Errorf("a use was noted that was none: %v", used)
	}
}

// Of uses without a login one in a minute is noted, by whatever process.
func TestUseIsNotedOnceAMinute(t *testing.T) {
	f := newFixture(t)
	issued := f.issueFor(t, f.account(t, "demo", "robot"), "ci")
	other := f.serviceOn(f.store, discard)
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	for _, step := range []struct {
		seconds int
		by      *apikey.Service
		login   bool
		want    int // when it was used, by what is stored
		writes  int // tried
	}{
		{0, f.Service, false, 0, 1},
		{1, f.Service, false, 0, 0},
		{59, f.Service, false, 0, 0},
		{59, other, false, 0, 1}, // another process asks, and it was noted within a minute
		{60, f.Service, false, 60, 1},
		{118, other, false, 60, 0},
		{119, other, false, 60, 1},
		{120, f.Service, false, 120, 1},
		{121, f.Service, true, 121, 1},
		{122, f.Service, true, 122, 1},
		{123, other, true, 123, 1},
		{180, f.Service, false, 123, 0},
		{182, f.Service, false, 123, 1},
		{242, f.Service, false, 242, 1},
		{242, f.Service, true, 242, 1},
		{200, other, true, 242, 1}, // a clock that is behind takes nothing back
	} {
		f.now = at(step.seconds)
		f.meter.Take()
		verify := step.by.Verify
		if step.login {
			verify = step.by.Login
		}
		if verdict, err := verify(t.Context(), issued.FullKey); err != nil || !verdict.IsValid() {
			t.Fatalf("%v, %v", verdict.Reason, err)
		}
		writes := 0
		for _, call := range f.meter.Take() {
			if call.Action == "UpdateItem" {
				writes++
			}
		}
		if used := f.usedAt(t, issued.FullKey); !used.Equal(at(step.want)) || writes != step.writes {
			t.Errorf("at %d s: used at %v by %d writes, want %v by %d", step.seconds, used, writes, at(step.want), step.writes)
		}
	}
	f.now = at(1000)
	if verdict, err := f.Check(t.Context(), issued.FullKey.Locator); err != nil || !verdict.IsValid() {
		t.Errorf("%v, %v", verdict.Reason, err)
	}
	if used := f.usedAt(t, issued.FullKey); !used.Equal(at(1000)) {
		t.Errorf("a token was used at %v", used)
	}
}

// Each key's uses are its own.
func TestUsesOfKeysAreApart(t *testing.T) {
	f := newFixture(t)
	account := f.account(t, "demo", "robot")
	first, second, never := f.issueFor(t, account, "1"), f.issueFor(t, account, "2"), f.issueFor(t, account, "3")
	f.wantReason(t, "first", first.FullKey, apikey.Valid)
	f.now = noon.Add(time.Second)
	f.wantReason(t, "second", second.FullKey, apikey.Valid)
	keys := []apikey.Key{never.Key, second.Key, first.Key}
	if err := f.AddUses(t.Context(), f.root, keys); err != nil {
		t.Fatal(err)
	}
	var used []time.Time
	for _, key := range keys {
		used = append(used, key.UsedAt)
	}
	if diff := cmp.Diff([]time.Time{{}, noon.Add(time.Second), noon}, used); diff != "" {
		t.Error(diff)
	}
}

// That a use cannot be noted is a line in the log, without anything secret, and changes
// nothing for who uses the key. The store is left alone for a minute.
func TestUseThatCannotBeNoted(t *testing.T) {
	f := newFixture(t)
	issued := f.issueFor(t, f.account(t, "demo", "robot"), "ci")
	// Without a limit a hanging store would take three tries of two seconds.
	for name, test := range map[string]struct {
		fault dynamotest.Fault
		atMin time.Duration
		atMax time.Duration
	}{
		"throttling": {dynamotest.Throttle, 0, 4 * time.Second},
		"refusal":    {dynamotest.AccessDenied, 0, 4 * time.Second},
		"hanging":    {dynamotest.Hang(t), 900 * time.Millisecond, 4 * time.Second},
	} {
		config := f.config
		writes := 0
		dynamotest.Break(&config, "UpdateItem", func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			writes++
			return test.fault(r, next)
		})
		var log bytes.Buffer
		service := f.serviceOn(dynamo.New(config), slog.NewJSONHandler(&log, nil))
		start := time.Now()
		verdict, err := service.Verify(t.Context(), issued.FullKey)
		if took := time.Since(start); err != nil || !verdict.IsValid() || took < test.atMin || took > test.atMax {
			t.Errorf("%s: %v, %v, after %v", name, verdict.Reason, err, took)
		}
		identifier, secretPart := issued.FullKey.RevealPair()
		line := log.String()
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, issued.Key.Locator.ID.String()) {
			t.Errorf("%s: the log says %q", name, line)
		}
		if strings.Contains(line, secretPart) || strings.Contains(line, identifier) {
			t.Errorf("%s: the log shows the key: %q", name, line)
		}
		before := writes
		if verdict, err := service.Verify(t.Context(), issued.FullKey); err != nil || !verdict.IsValid() || writes != before {
			t.Errorf("%s, again: %v, %v, after %d writes more", name, verdict.Reason, err, writes-before)
		}
	}
	if used := f.usedAt(t, issued.FullKey); !used.IsZero() {
		t.Errorf("used at %v", used)
	}
}
