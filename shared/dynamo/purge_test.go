package dynamo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
)

// settle makes an account with keys of all sorts, and beside it what a purge must spare:
// items of this many.
func settle(t *testing.T, config dynamo.Config, keys int) (apikey.Account, []apikey.Key, int) {
	t.Helper()
	store := dynamo.New(config)
	account, sibling := withAccountTexts(newAccount("demo", "x")), withAccountTexts(newAccount("demo", "y"))
	createAccount(t, store, account)
	createAccount(t, store, sibling)
	create(t, store, withTexts(keyOf(sibling, "ci")))
	create(t, store, withTexts(newKey("demo")))
	made := make([]apikey.Key, keys)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := worker; i < keys; i += 8 {
				made[i] = settleKey(t, store, account, i)
			}
		})
	}
	group.Wait()
	return account, made, 3 + 4 + 2
}

// settleKey makes a key that may have texts, be used, renamed, rotated, expired.
func settleKey(t *testing.T, store *dynamo.Store, account apikey.Account, i int) apikey.Key {
	t.Helper()
	key := keyOf(account, fmt.Sprint(i))
	if i%2 == 0 {
		key = withTexts(key)
	}
	if i%7 == 0 {
		key.ExpiresAt = noon.Add(time.Hour)
	}
	if err := store.Create(t.Context(), key); err != nil {
		t.Error(err)
	}
	changed := key
	switch {
	case i%3 == 0:
		changed.Name = "renamed " + key.Name
	case i%5 == 0:
		changed.Previous, changed.RotatedAt, changed.RetainMinutes = key.Digest, noon, 5
	}
	if err := store.Update(t.Context(), key, changed); err != nil {
		t.Error(err)
	}
	changed.Version++
	if i%4 < 2 {
		if err := store.NoteUse(t.Context(), key.Locator, noon, noon); err != nil {
			t.Error(err)
		}
	}
	return changed
}

func mark(t *testing.T, store *dynamo.Store, account apikey.Account) {
	t.Helper()
	if err := store.MarkAccount(t.Context(), account, noon); err != nil {
		t.Fatal(err)
	}
}

func TestPurgeLeavesNothing(t *testing.T) {
	config := database.NewTable(t)
	account, _, others := settle(t, config, 130)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	mark(t, store, account)
	meter.Take()
	if err := store.PurgeAccount(t.Context(), account.Locator()); err != nil {
		t.Fatal(err)
	}
	round := []string{"Query", "BatchWriteItem", "BatchWriteItem", "BatchWriteItem", "BatchWriteItem"}
	want := append(append([]string{"Query"}, slices.Repeat(round, 6)...), "Query", "BatchWriteItem", "TransactWriteItems", "BatchWriteItem")
	wantActions(t, "purging 130 keys", meter, want...)
	wantNothingOf(t, config, account.Locator())
	wantItems(t, "purged", config, others)
	wantWhole(t, config)

	if err := store.PurgeAccount(t.Context(), account.Locator()); err != nil {
		t.Errorf("again: %v", err)
	}
	wantActions(t, "purging again", meter, "Query")
	if err := store.PurgeAccount(t.Context(), newAccount("demo", "x").Locator()); err != nil {
		t.Errorf("an account that never was: %v", err)
	}
}

func TestAccountThatIsNotMarkedIsNotPurged(t *testing.T) {
	config := database.NewTable(t)
	account, _, _ := settle(t, config, 3)
	before := everything(t, config)
	wantFault(t, "an account that lives", dynamo.New(config).PurgeAccount(t.Context(), account.Locator()), fault.Conflict)
	if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

// A purge may end anywhere: before a request, behind one whose answer is lost, or by one
// refusal among many. What it leaves is such that a second one finds all of it.
func TestPurgeThatWasKilledIsDoneAgain(t *testing.T) {
	forever := func(f dynamotest.Fault) []dynamotest.Fault { return slices.Repeat([]dynamotest.Fault{f}, 1000) }
	for name, kill := range map[string][]dynamotest.Fault{
		"before the request":   forever(dynamotest.AccessDenied),
		"behind the request":   append([]dynamotest.Fault{dynamotest.LoseAnswer}, forever(dynamotest.AccessDenied)...),
		"at this request only": {dynamotest.AccessDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killed := 0
			for n := 0; ; n++ {
				faults := slices.Concat(slices.Repeat([]dynamotest.Fault{dynamotest.Pass}, n), kill)
				if !killAndPurge(t, fmt.Sprintf("killed behind %d requests", n), faults) {
					break
				}
				killed++
			}
			if killed < 14 {
				t.Errorf("a purge has only %d requests", killed)
			}
		})
	}
}

// killAndPurge reports whether the faults struck.
func killAndPurge(t *testing.T, what string, faults []dynamotest.Fault) bool {
	t.Helper()
	config := database.NewTable(t)
	account, keys, others := settle(t, config, 26)
	mark(t, dynamo.New(config), account)
	broken := config
	dynamotest.Fail(&broken).Faults = faults
	err := dynamo.New(broken).PurgeAccount(t.Context(), account.Locator())

	items := everything(t, config)
	for _, key := range keys {
		if items[placeOf(key)] != nil && items[namePlace(key)] == nil {
			t.Errorf("%s: a key is left without its name", what)
		}
	}
	if items[accountNamePlace(account)] != nil {
		t.Errorf("%s: the account's name is not free", what)
	}
	if err := dynamo.New(config).PurgeAccount(t.Context(), account.Locator()); err != nil {
		t.Errorf("%s: again: %v", what, err)
	}
	wantItems(t, what, config, others)
	wantWhole(t, config)
	return err != nil
}

func TestPassingFaultsDoNotStopAPurge(t *testing.T) {
	for name, injected := range passingFaults {
		config := database.NewTable(t)
		account, _, others := settle(t, config, 3)
		mark(t, dynamo.New(config), account)
		broken := config
		dynamotest.Fail(&broken).Faults = slices.Repeat([]dynamotest.Fault{injected, injected, dynamotest.Pass}, 20)
		if err := dynamo.New(broken).PurgeAccount(t.Context(), account.Locator()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantItems(t, name, config, others)
	}
}

// DynamoDB may leave deletions of a batch unprocessed. They are sent again, and where it
// leaves them for good the purge says so and leaves their names.
func TestUnprocessedDeletionsAreRepeated(t *testing.T) {
	config := database.NewTable(t)
	account, _, others := settle(t, config, 30)
	mark(t, dynamo.New(config), account)
	lazy, idle := config, config
	lazy.Wrap = func(next http.RoundTripper) http.RoundTripper { return &reluctant{next: next, most: 9} }
	idle.Wrap = func(next http.RoundTripper) http.RoundTripper { return &reluctant{next: next} }

	before := everything(t, config)
	wantFault(t, "nothing is ever processed", dynamo.New(idle).PurgeAccount(t.Context(), account.Locator()), fault.Unavailable)
	if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
		t.Error(diff)
	}
	if err := dynamo.New(lazy).PurgeAccount(t.Context(), account.Locator()); err != nil {
		t.Error(err)
	}
	wantItems(t, "nine at a time", config, others)
	wantWhole(t, config)
}

// A reluctant transport processes so many writes of a batch and leaves the others.
type reluctant struct {
	next http.RoundTripper
	most int
}

func (l *reluctant) RoundTrip(r *http.Request) (*http.Response, error) {
	if dynamotest.ActionOf(r.Header) != "BatchWriteItem" {
		return l.next.RoundTrip(r)
	}
	var request struct {
		RequestItems map[string][]json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	left := map[string][]json.RawMessage{}
	for table, writes := range request.RequestItems {
		most := min(l.most, len(writes))
		request.RequestItems[table] = writes[:most]
		if most < len(writes) {
			left[table] = writes[most:]
		}
	}
	if l.most > 0 {
		if err := l.send(r, request); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(map[string]any{"UnprocessedItems": left})
	if err != nil {
		return nil, err
	}
	return dynamotest.Refuse(http.StatusOK, string(body))(r, l.next)
}

func (l *reluctant) send(r *http.Request, request any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response, err := l.next.RoundTrip(changed)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the batch was refused with %d", response.StatusCode)
	}
	return nil
}

// Whatever is still going on with an account's keys while it is purged leaves nothing.
func TestPurgeMeetsWhatIsGoingOn(t *testing.T) {
	config := database.NewTable(t)
	account, keys, others := settle(t, config, 130)
	store := dynamo.New(config)
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var renamed, rotated, used, made atomic.Int64
	goOn := func(count *atomic.Int64, do func(key apikey.Key, i int) error) {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key, err := store.Get(ctx, keys[len(keys)-1-i%len(keys)].Locator)
				if err == nil && do(key, i) == nil {
					count.Add(1)
				}
			}
		})
	}
	goOn(&renamed, func(key apikey.Key, i int) error {
		// To and fro over all that the purge has read and not read.
		return second(tryRenameKey(ctx, store, key, strings.Repeat("z", i%2)+fmt.Sprint(i)))
	})
	goOn(&rotated, func(key apikey.Key, i int) error {
		changed := withTexts(key)
		changed.Previous, changed.Digest, changed.RotatedAt = key.Digest, apikey.Digest{byte(i), 1}, noon
		return store.Update(ctx, key, changed)
	})
	goOn(&used, func(key apikey.Key, i int) error {
		return store.NoteUse(ctx, key.Locator, noon.Add(time.Duration(i)*time.Second), noon.Add(time.Hour))
	})
	group.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if store.Create(ctx, keyOf(account, fmt.Sprintf("new %d", i))) == nil {
				made.Add(1)
			}
		}
	})
	for renamed.Load() == 0 || rotated.Load() == 0 || used.Load() == 0 || made.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	mark(t, store, account)
	err := store.PurgeAccount(t.Context(), account.Locator())
	stop()
	group.Wait()
	if err != nil {
		t.Error(err)
	}
	wantItems(t, "purged", config, others)
	wantWhole(t, config)
}
