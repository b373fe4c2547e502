package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// plenty is more than any test has.
const plenty = 10_000

// serviceOn is a service whose clock stands still.
func serviceOn(config dynamo.Config) *apikey.Service {
	return serviceAt(config, func() time.Time { return noon })
}

func serviceAt(config dynamo.Config, clock func() time.Time) *apikey.Service {
	return apikey.NewService(apikey.Config{
		Store: dynamo.New(config), Clock: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
}

// deleteNamespace deletes a namespace until that is complete, and gives what each call did.
func deleteNamespace(t *testing.T, config dynamo.Config, space string, most int) []apikey.Deletion {
	t.Helper()
	var calls []apikey.Deletion
	for len(calls) < plenty {
		done, err := serviceOn(config).DeleteNamespace(t.Context(), parse(space), most)
		if err != nil {
			t.Fatal(err)
		}
		if calls = append(calls, done); done.Complete {
			return calls
		}
	}
	t.Fatalf("the deletion of %s is never complete", space)
	return nil
}

// populate fills a namespace with everything that can be in one: an administrator's key,
// one with texts, one that has expired, and an account with keys of all sorts. It gives the
// keys that are good.
func populate(t *testing.T, config dynamo.Config, space string) []apikey.FullKey {
	t.Helper()
	store, service := dynamo.New(config), serviceOn(config)
	issued, err := service.Bootstrap(t.Context(), parse(space))
	if err != nil {
		t.Fatal(err)
	}
	root := issued.Key.Caller()
	good := []apikey.FullKey{issued.FullKey}
	described, err := service.Issue(t.Context(), root, apikey.Draft{
		Namespace: parse(space), Name: "ci", Texts: apikey.Texts{Description: "described"}, ExpiresAt: noon.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	expired := withTexts(newKey(space))
	expired.ExpiresAt = noon.Add(-time.Hour)
	create(t, store, expired)
	account := withAccountTexts(newAccount(space, "account"))
	createAccount(t, store, account)
	owned, err := service.IssueFor(t.Context(), root, account, apikey.AccountKeyDraft{Name: "owned"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		settleKey(t, store, account, i)
	}
	return append(good, described.FullKey, owned.FullKey)
}

// Of what populate makes.
const (
	populatedKeys     = 3 + 9
	populatedAccounts = 1
)

// lies tells whether an item is of a namespace or of one below it.
func lies(at place, space string) bool {
	ns, _, _ := strings.Cut(at.partition, "#")
	return ns == space || strings.HasPrefix(ns, space+".")
}

// left are the items of a namespace and of all below it.
func left(t *testing.T, config dynamo.Config, space string) map[place]item {
	t.Helper()
	items := everything(t, config)
	for at := range items {
		if !lies(at, space) {
			delete(items, at)
		}
	}
	return items
}

func wantNothingLeft(t *testing.T, what string, config dynamo.Config, space string) {
	t.Helper()
	for at := range left(t, config, space) {
		t.Errorf("%s: %v is left", what, at)
	}
}

func wantReason(t *testing.T, config dynamo.Config, want apikey.Reason, keys ...apikey.FullKey) {
	t.Helper()
	for _, key := range keys {
		verdict, err := serviceOn(config).Verify(t.Context(), key)
		if err != nil || verdict.Reason != want {
			t.Errorf("a key of %s: %v, %v, want %v", key.Locator.Namespace, verdict.Reason, err, want)
		}
	}
}

// All of the namespace and of what lies below it goes; what lies above it, beside it or
// looks like it stays as it is.
func TestNamespaceIsDeletedAndNoOther(t *testing.T) {
	config := database.NewTable(t)
	keys := map[string][]apikey.FullKey{}
	for _, space := range []string{"a", "a.b", "a.b-c", "a.b.c", "a.b.c.d", "a.b0", "a.bc", "a.b_c", "ab", "A.b"} {
		keys[space] = populate(t, config, space)
	}
	for _, test := range []struct {
		space string
		has   int // namespaces with keys
	}{{"a.b", 3}, {"a", 5}, {"a.b", 0}, {"never", 0}} {
		before := everything(t, config)
		calls := deleteNamespace(t, config, test.space, plenty)
		first := apikey.Deletion{Keys: test.has * populatedKeys, Accounts: test.has * populatedAccounts, Complete: test.has == 0}
		want := []apikey.Deletion{first, {Complete: true}}[:min(test.has, 1)+1]
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("calls for %s:\n%s", test.space, diff)
		}
		for at := range before {
			if lies(at, test.space) {
				delete(before, at)
			}
		}
		if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
			t.Errorf("after the deletion of %s:\n%s", test.space, diff)
		}
	}
	for space, of := range keys {
		want := apikey.Unknown
		if space == "ab" || space == "A.b" {
			want = apikey.Valid
		}
		wantReason(t, config, want, of...)
	}
}

// A key costs one call, whatever belongs to it; an account without keys six; and each of
// the listings at least one.
func TestCallsOfADeletion(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := withAccountTexts(newAccount("demo", "x"))
	createAccount(t, store, account)
	createAccount(t, store, newAccount("demo.y", "x"))
	const owned, others = 30, 70
	inParallel(t, owned, func(i int) error { return store.Create(t.Context(), withTexts(keyOf(account, fmt.Sprint(i)))) })
	inParallel(t, others, func(int) error { return store.Create(t.Context(), newKey("demo")) })
	measured := config
	meter := dynamotest.Measure(&measured)
	service := serviceOn(measured)
	del := func() {
		if _, err := service.DeleteNamespace(t.Context(), parse("demo"), plenty); err != nil {
			t.Fatal(err)
		}
	}
	of := func(action string, times int) []string { return slices.Repeat([]string{action}, times) }
	perAccount := []string{"TransactWriteItems", "Query", "Query", "BatchWriteItem", "TransactWriteItems", "BatchWriteItem"}
	del()
	wantActions(t, "deleting 100 keys and two accounts", meter,
		slices.Concat(of("Query", 1), of("TransactWriteItems", owned+others), of("Query", 1), slices.Repeat(perAccount, 2))...)
	del()
	wantActions(t, "finding nothing", meter, of("Query", 2)...)
	wantItems(t, "deleted", config, 0)
}

// Each call does no more than it is allowed to, keys before accounts, and only one that
// found nothing is complete.
func TestDeletionInParts(t *testing.T) {
	config := database.NewTable(t)
	populate(t, config, "demo")
	populate(t, config, "demo.x")
	calls := deleteNamespace(t, config, "demo", 5)
	want := append(slices.Repeat([]apikey.Deletion{{Keys: 5}}, 4), apikey.Deletion{Keys: 4, Accounts: 1}, apikey.Deletion{Accounts: 1}, apikey.Deletion{Complete: true})
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	wantNothingLeft(t, "in parts", config, "demo")
}

// What is too near to its deadline begins nothing, and says that it is not complete: it
// has not looked.
func TestDeletionEndsBeforeItsDeadline(t *testing.T) {
	config := database.NewTable(t)
	before := everything(t, config)
	populate(t, config, "demo.other")
	for _, space := range []string{"demo", "empty"} {
		measured := config
		meter := dynamotest.Measure(&measured)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		done, err := serviceOn(measured).DeleteNamespace(ctx, parse(space), plenty)
		cancel()
		if err != nil || done != (apikey.Deletion{}) {
			t.Errorf("near its deadline: %+v, %v", done, err)
		}
		wantActions(t, "near its deadline", meter)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if done, err := serviceOn(config).DeleteNamespace(ctx, parse("demo"), plenty); err != nil || done.Keys != populatedKeys {
		t.Errorf("long before its deadline: %+v, %v", done, err)
	}
	if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

// A call may end anywhere: before a request, behind one whose answer is lost, or by one
// refusal among many. The next ones find the rest, but for what the table's stream tells to
// those who purge deleted accounts.
func TestDeletionThatWasKilledIsGoneOnWith(t *testing.T) {
	forever := slices.Repeat([]dynamotest.Fault{dynamotest.AccessDenied}, 1000)
	for name, kill := range map[string][]dynamotest.Fault{
		"before the request":   forever,
		"behind the request":   append([]dynamotest.Fault{dynamotest.LoseAnswer}, forever...),
		"at this request only": forever[:1],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killed := 0
			for n := 0; killAndDelete(t, n, kill); n++ {
				killed++
			}
			if want := 1 + populatedKeys + 1 + 6; killed < want {
				t.Errorf("a deletion has only %d requests, want %d", killed, want)
			}
		})
	}
}

// killAndDelete reports whether the faults struck, which they do behind n requests.
func killAndDelete(t *testing.T, n int, kill []dynamotest.Fault) bool {
	t.Helper()
	what := fmt.Sprintf("killed behind %d requests", n)
	config := database.NewTable(t)
	keys := populate(t, config, "demo")
	others := populate(t, config, "demo-b")
	broken := config
	dynamotest.Fail(&broken).Faults = append(slices.Repeat([]dynamotest.Fault{dynamotest.Pass}, n), kill...)
	done, err := serviceOn(broken).DeleteNamespace(t.Context(), parse("demo"), plenty)
	if err != nil && done.Complete {
		t.Errorf("%s: it is called complete", what)
	}
	if err != nil {
		wantFault(t, what, err, fault.Internal)
	}
	deleteNamespace(t, config, "demo", plenty)
	wantReason(t, config, apikey.Unknown, keys...)
	purgeMarked(t, config)
	wantNothingLeft(t, what, config, "demo")
	wantReason(t, config, apikey.Valid, others...)
	wantWhole(t, config)
	return err != nil
}

// purgeMarked does what the function does that the table's stream tells of marked accounts.
func purgeMarked(t *testing.T, config dynamo.Config) {
	t.Helper()
	for at, it := range everything(t, config) {
		if it[schema.RemovedAt] == nil {
			continue
		}
		account, err := stored.AccountIn(at.partition)
		if err != nil {
			t.Fatal(err)
		}
		if err := serviceOn(config).PurgeAccount(t.Context(), account); err != nil {
			t.Error(err)
		}
	}
}

func TestOutageDuringADeletion(t *testing.T) {
	for _, action := range []string{"Query", "TransactWriteItems", "BatchWriteItem"} {
		config := database.NewTable(t)
		populate(t, config, "demo")
		broken := config
		dynamotest.Break(&broken, action, dynamotest.ServerError)
		done, err := serviceOn(broken).DeleteNamespace(t.Context(), parse("demo"), plenty)
		wantFault(t, action, err, fault.Unavailable)
		if done.Complete {
			t.Errorf("%s: it is called complete", action)
		}
	}
}

// The index may still show what is gone by now, and others may be faster: that is nothing
// to delete.
func TestDeletionMeetsOtherDeletions(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	key, account := newKey("demo"), newAccount("demo", "x")
	create(t, store, key)
	createAccount(t, store, account)
	deleteKey := func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		remove(t, config, placeOf(key))
		return next.RoundTrip(r)
	}
	markAccount := func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		mark(t, store, account)
		return next.RoundTrip(r)
	}
	overtaken := config
	dynamotest.Fail(&overtaken).Faults = []dynamotest.Fault{dynamotest.Pass, deleteKey, dynamotest.Pass, markAccount}
	done, err := serviceOn(overtaken).DeleteNamespace(t.Context(), parse("demo"), plenty)
	if err != nil || done != (apikey.Deletion{Complete: true}) {
		t.Errorf("%+v, %v", done, err)
	}
	purgeMarked(t, config)
	wantItems(t, "deleted by others", config, 0)
}

// Whoever makes keys and accounts all the while can do so until his own key is gone. When
// the deletion is complete, nothing that he has made is left.
func TestDeletionMeetsItsAdministrators(t *testing.T) {
	config := database.NewTable(t)
	populate(t, config, "demo.first")
	// Keys sort by their creation: a maker's comes before those that he makes.
	service := serviceAt(config, time.Now)
	admin, err := service.Bootstrap(t.Context(), parse("demo.later"))
	if err != nil {
		t.Fatal(err)
	}
	var made [4][]apikey.FullKey // by each worker
	var count atomic.Int64
	var group sync.WaitGroup
	for worker := range made {
		group.Go(func() {
			for goesOn := true; goesOn; count.Add(1) {
				var key apikey.FullKey
				key, goesOn = makeMore(t.Context(), service, admin.FullKey, fmt.Sprintf("%d-%d", worker, len(made[worker])))
				made[worker] = append(made[worker], key)
			}
		})
	}
	for count.Load() < 20 {
		time.Sleep(time.Millisecond)
	}
	deleteNamespace(t, config, "demo", 7)
	group.Wait()
	// What was already under way when the last key was deleted is made after all.
	deleteNamespace(t, config, "demo", plenty)
	for _, keys := range made {
		wantReason(t, config, apikey.Unknown, keys...)
	}
	wantItems(t, "deleted", config, 0)
}

// Whoever makes the next key with the newest one, each time after the listing in which that
// one is shown, stays ahead of the deletion, which is not complete as long as he does. He
// comes to an end as soon as a listing shows his newest key before it has made another.
func TestDeletionMeetsAChainOfKeys(t *testing.T) {
	config := database.NewTable(t)
	service := serviceAt(config, time.Now)
	issued, err := service.Bootstrap(t.Context(), parse("demo"))
	if err != nil {
		t.Fatal(err)
	}
	newest, names := issued.FullKey, 0
	makeNext := func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		listed, err := next.RoundTrip(r)
		names++
		newest, _ = makeMore(t.Context(), service, newest, fmt.Sprint(names))
		return listed, err
	}
	del := func(faults ...dynamotest.Fault) {
		met := config
		dynamotest.Fail(&met).Faults = faults
		done, err := serviceOn(met).DeleteNamespace(t.Context(), parse("demo"), plenty)
		if err != nil || done.Complete {
			t.Fatalf("with %d keys made, %+v, %v", names, done, err)
		}
	}
	for range 5 {
		del(makeNext)
		wantReason(t, config, apikey.Valid, newest)
	}
	del()
	if _, goesOn := makeMore(t.Context(), service, newest, "last"); goesOn {
		t.Error("a key that is to be gone makes others")
	}
	deleteNamespace(t, config, "demo", plenty)
	wantItems(t, "deleted", config, 0)
}

// makeMore makes an administrator's key and an account with a key, as long as its maker's
// key is good.
func makeMore(ctx context.Context, service *apikey.Service, maker apikey.FullKey, name string) (apikey.FullKey, bool) {
	verdict, err := service.Verify(ctx, maker)
	if err != nil || !verdict.IsValid() {
		return apikey.FullKey{}, false
	}
	caller := verdict.Key.Caller()
	issued, err := service.Issue(ctx, caller, apikey.Draft{
		Namespace: caller.Namespace, Name: name, Texts: apikey.Texts{Description: name},
		Grant: access.Grant{Roles: []access.Role{access.Admin}},
	})
	if err != nil {
		return apikey.FullKey{}, false
	}
	account, err := service.CreateAccount(ctx, caller, apikey.AccountDraft{Namespace: caller.Namespace, Name: name})
	if err != nil {
		return issued.FullKey, false
	}
	// The account may be deleted in between.
	_, _ = service.IssueFor(ctx, caller, account, apikey.AccountKeyDraft{Name: name})
	return issued.FullKey, true
}

// What no index shows stays: what is left of keys whose record TTL has removed, which it
// removes as well, and accounts that were marked before, which the stream has told of.
// Neither is worth anything.
func TestWhatADeletionLeaves(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account, marked := newAccount("demo", "lives"), newAccount("demo", "marked")
	createAccount(t, store, account)
	createAccount(t, store, marked)
	unowned, owned, ofMarked := withTexts(newKey("demo")), withTexts(keyOf(account, "owned")), keyOf(marked, "owned")
	for _, key := range []*apikey.Key{&unowned, &owned} {
		key.ExpiresAt = noon.Add(-time.Hour)
		create(t, store, *key)
		remove(t, config, placeOf(*key))
	}
	remove(t, config, namePlace(owned)) // or it would lead to the rest
	create(t, store, ofMarked)
	mark(t, store, marked)
	deleteNamespace(t, config, "demo", plenty)

	rest := left(t, config, "demo")
	want := []place{
		{placeOf(unowned).partition, schema.AboutItem},
		{placeOf(owned).partition, schema.AboutItem},
		{placeOf(owned).partition, schema.UseItem},
	}
	for _, at := range want {
		if purgeAt := numberOf(t, rest[at], schema.PurgeAt); purgeAt != unowned.ExpiresAt.Add(dynamo.DefaultRetention).Unix() {
			t.Errorf("%v is to be purged at %d", at, purgeAt)
		}
		wantFault(t, "a key whose texts are left", second(store.Get(t.Context(), unowned.Locator)), fault.NotFound)
		delete(rest, at)
	}
	if len(rest) != 1 || rest[place{schema.AccountPartition("demo", marked.ID.String()), schema.AccountItem}] == nil {
		t.Errorf("beside that there are %v, want the marked account alone", rest)
	}
	purgeMarked(t, config)
	wantItems(t, "but for TTL", config, len(want))
}

// What a record says of its key's grant and times cannot be read any more: the key goes all
// the same, and so does all that is listed behind it.
func TestDamagedRecordsAreDeleted(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	createAccount(t, store, newAccount("demo.y", "x"))
	first, owned := newKeyAt("demo", noon), keyMadeAt(account, "owned", noon.Add(time.Second))
	for _, key := range []apikey.Key{first, owned, newKeyAt("demo", noon.Add(time.Minute))} {
		create(t, store, key)
	}
	grant := &types.AttributeValueMemberM{Value: item{"roles": &types.AttributeValueMemberN{Value: "1"}}}
	for _, at := range []place{placeOf(first), placeOf(owned), {schema.AccountPartition("demo", account.ID.String()), schema.AccountItem}} {
		damaged := everything(t, config)[at]
		damaged[schema.CreatedAt] = &types.AttributeValueMemberN{Value: "1"}
		damaged[schema.Grant] = grant
		put(t, config, damaged)
	}
	wantOneError(t, "Accounts", store.Accounts(t.Context(), parse("demo")), fault.Internal)
	wantFault(t, "Lookup", asFault(second(store.Lookup(t.Context(), first.Locator))), fault.Internal)

	calls := deleteNamespace(t, config, "demo", plenty)
	if diff := cmp.Diff([]apikey.Deletion{{Keys: 3, Accounts: 2}, {Complete: true}}, calls); diff != "" {
		t.Error(diff)
	}
	wantItems(t, "deleted", config, 0)
}

// A call that fails tells what it has deleted all the same.
func TestFailedDeletionIsCounted(t *testing.T) {
	config := database.NewTable(t)
	populate(t, config, "demo.x")
	broken := config
	dynamotest.Break(&broken, "BatchWriteItem", dynamotest.AccessDenied)
	done, err := serviceOn(broken).DeleteNamespace(t.Context(), parse("demo"), plenty)
	wantFault(t, "an account that cannot be purged", err, fault.Internal)
	if done != (apikey.Deletion{Keys: populatedKeys}) {
		t.Errorf("%+v", done)
	}
}

// The listings of a subtree hold it all and nothing beside it, and fail once.
func TestSubtreesAreListed(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	for _, space := range []string{"a", "a.b", "a.b-c", "a.b.c", "a.bc", "ab"} {
		create(t, store, newKey(space))
		createAccount(t, store, newAccount(space, "x"))
	}
	for space, want := range map[string][]string{
		"a": {"a", "a.b", "a.b.c", "a.b-c", "a.bc"}, "a.b": {"a.b", "a.b.c"}, "a.b-c": {"a.b-c"}, "ab": {"ab"}, "b": nil,
	} {
		var keys, accounts []string
		for _, key := range collect(t, store.SubtreeKeys(t.Context(), parse(space))) {
			keys = append(keys, key.Locator.Namespace.String())
		}
		for _, account := range collect(t, store.SubtreeAccounts(t.Context(), parse(space))) {
			accounts = append(accounts, account.Namespace.String())
		}
		if !slices.Equal(keys, want) || !slices.Equal(accounts, want) {
			t.Errorf("below %s there are keys of %v and accounts of %v, want %v", space, keys, accounts, want)
		}
	}
	broken := config
	dynamotest.Break(&broken, "Query", dynamotest.AccessDenied)
	wantOneError(t, "SubtreeKeys", dynamo.New(broken).SubtreeKeys(t.Context(), parse("a")), fault.Internal)
	wantOneError(t, "SubtreeAccounts", dynamo.New(broken).SubtreeAccounts(t.Context(), parse("a")), fault.Internal)
}
