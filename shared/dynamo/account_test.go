package dynamo_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

func TestAccountComesBackAsStored(t *testing.T) {
	store := database.NewStore(t)
	plain := newAccount("demo", "plain")
	full := withAccountTexts(newAccount("a.b-c.D_e", "full \u0000 “name”"))
	full.FullName, full.Disabled = "Full Name", true
	full.Texts.Description = strings.Repeat("😀", 65535)
	full.UpdatedAt, full.Version = noon.Add(time.Hour), 7
	described := newAccount("demo.x", "described")
	described.Texts.Description, described.HasTexts = "no avatar", true
	for _, account := range []apikey.Account{plain, full, described} {
		createAccount(t, store, account)
		got, err := store.GetAccount(t.Context(), account.Locator())
		if diff := cmp.Diff(account, got, comparers...); err != nil || diff != "" {
			t.Errorf("GetAccount: %v\n%s", err, diff)
		}
		bare := account
		bare.Texts = apikey.AccountTexts{}
		got, err = store.LookupAccount(t.Context(), account.Locator())
		if diff := cmp.Diff(bare, got, comparers...); err != nil || diff != "" {
			t.Errorf("LookupAccount: %v\n%s", err, diff)
		}
		listed := collect(t, store.Accounts(t.Context(), account.Namespace))
		if diff := cmp.Diff([]apikey.Account{bare}, listed, comparers...); diff != "" {
			t.Errorf("Accounts:\n%s", diff)
		}
		if count, err := store.AddAccountTexts(t.Context(), listed); err != nil || count != 1 || listed[0].Texts != account.Texts {
			t.Errorf("AddAccountTexts: %d, %v", count, err)
		}
	}
}

func TestOwnedKeyComesBackAsStored(t *testing.T) {
	store := database.NewStore(t)
	account := newAccount("a.b", "x")
	createAccount(t, store, account)
	key := withTexts(keyOf(account, "ci"))
	key.ExpiresAt = noon.Add(time.Hour)
	create(t, store, key)
	rotated := key
	rotated.Previous, rotated.Digest = key.Digest, apikey.Digest{1}
	rotated.RotatedAt, rotated.RetainMinutes = noon.Add(time.Minute), -1<<63
	if err := store.Update(t.Context(), key, rotated); err != nil {
		t.Fatal(err)
	}
	used := noon.Add(time.Second).Truncate(time.Microsecond)
	if err := store.NoteUse(t.Context(), key.Locator, used, noon); err != nil {
		t.Fatal(err)
	}
	rotated.Version++
	got, err := store.Lookup(t.Context(), key.Locator)
	if diff := cmp.Diff(withoutTexts(rotated), got, comparers...); err != nil || diff != "" {
		t.Errorf("Lookup: %v\n%s", err, diff)
	}
	listed := withoutTexts(withoutDigest(rotated))
	listed.Previous = apikey.Digest{}
	for name, keys := range map[string][]apikey.Key{
		"List":        list(t, store, apikey.Selection{Namespace: account.Namespace, Limit: 2}).Keys,
		"AccountKeys": collect(t, store.AccountKeys(t.Context(), account.Locator())),
	} {
		if diff := cmp.Diff([]apikey.Key{listed}, keys, comparers...); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	rotated.UsedAt = used
	got, err = store.Get(t.Context(), key.Locator)
	if diff := cmp.Diff(rotated, got, comparers...); err != nil || diff != "" {
		t.Errorf("Get: %v\n%s", err, diff)
	}
}

func TestMissingAccount(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	elsewhere := account
	elsewhere.Namespace = parse("demo.app")
	renamed := elsewhere
	renamed.Name = "y"
	before := everything(t, config)
	for _, absent := range []apikey.Account{newAccount("demo", "x"), elsewhere} {
		wantFault(t, "LookupAccount", second(store.LookupAccount(t.Context(), absent.Locator())), fault.NotFound)
		wantFault(t, "GetAccount", second(store.GetAccount(t.Context(), absent.Locator())), fault.NotFound)
		wantFault(t, "UpdateAccount", store.UpdateAccount(t.Context(), absent, absent), fault.NotFound)
		wantFault(t, "UpdateAccount, renaming", store.UpdateAccount(t.Context(), absent, renamed), fault.NotFound)
		wantFault(t, "MarkAccount", store.MarkAccount(t.Context(), absent, noon), fault.NotFound)
		wantFault(t, "Create, a key of it", store.Create(t.Context(), keyOf(absent, "ci")), fault.NotFound)
		if keys := collect(t, store.AccountKeys(t.Context(), absent.Locator())); len(keys) > 0 {
			t.Errorf("it has the keys %v", keys)
		}
	}
	if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

func TestUpdateOfAnAccount(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := withAccountTexts(newAccount("demo", "x"))
	createAccount(t, store, account)
	changed := account
	changed.FullName, changed.Disabled, changed.UpdatedAt = "Full Name", true, noon.Add(time.Hour)
	changed.Texts, changed.HasTexts, changed.HasAvatar = apikey.AccountTexts{}, false, false
	if err := store.UpdateAccount(t.Context(), account, changed); err != nil {
		t.Fatal(err)
	}
	changed.Version = 2
	got, err := store.GetAccount(t.Context(), account.Locator())
	if diff := cmp.Diff(changed, got, comparers...); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	wantItems(t, "without texts", config, 2)
	late := account
	late.Name = "late"
	wantFault(t, "an update of the version before", store.UpdateAccount(t.Context(), account, late), fault.Conflict)
	wantFault(t, "the name of a late update", second(store.AccountNamed(t.Context(), account.Namespace, "late")), fault.NotFound)
	if got, _ := store.LookupAccount(t.Context(), account.Locator()); got.Name != "x" || got.Version != 2 {
		t.Errorf("a late update was stored: %+v", got)
	}
	if err := store.MarkAccount(t.Context(), account, noon); err != nil {
		t.Errorf("a deletion of the version before: %v", err)
	}
}

// Who switches a record sets nothing else, and whoever has read it before is told.
func TestSwitch(t *testing.T) {
	store := database.NewStore(t)
	account := withAccountTexts(newAccount("demo", "x"))
	createAccount(t, store, account)
	key := withTexts(keyOf(account, "ci"))
	create(t, store, key)
	stale := key
	stale.Name, stale.Texts, stale.Grant = "stale", apikey.Texts{}, access.Grant{Roles: []access.Role{access.Admin}}
	for _, off := range []bool{true, false} {
		stale.Disabled, stale.UpdatedAt = off, noon.Add(time.Hour)
		if err := store.Switch(t.Context(), stale); err != nil {
			t.Fatal(err)
		}
		key.Disabled, key.UpdatedAt, key.UpdatedBy, key.Version = off, stale.UpdatedAt, stale.UpdatedBy, key.Version+1
		got, err := store.Get(t.Context(), key.Locator)
		if diff := cmp.Diff(key, got, comparers...); err != nil || diff != "" {
			t.Errorf("key, off %v: %v\n%s", off, err, diff)
		}
		if err := store.SwitchAccount(t.Context(), apikey.Account{
			Namespace: account.Namespace, ID: account.ID, Disabled: off, UpdatedAt: noon.Add(time.Hour),
		}); err != nil {
			t.Fatal(err)
		}
		account.Disabled, account.UpdatedAt, account.Version = off, noon.Add(time.Hour), account.Version+1
		found, err := store.GetAccount(t.Context(), account.Locator())
		if diff := cmp.Diff(account, found, comparers...); err != nil || diff != "" {
			t.Errorf("account, off %v: %v\n%s", off, err, diff)
		}
	}
	wantFault(t, "an update of the version before", store.Update(t.Context(), stale, stale), fault.Conflict)
	if keys := collect(t, store.AccountKeys(t.Context(), account.Locator())); len(keys) != 1 || keys[0].Version != 3 {
		t.Errorf("the index shows %+v", keys)
	}
	wantFault(t, "no key", store.Switch(t.Context(), keyOf(account, "absent")), fault.NotFound)
	wantFault(t, "no account", store.SwitchAccount(t.Context(), newAccount("demo", "y")), fault.NotFound)
	mark(t, store, account)
	wantFault(t, "a deleted account", store.SwitchAccount(t.Context(), account), fault.NotFound)
}

// A query is no snapshot: it may show the texts of one version beside the record of
// another. What does not change the texts leaves them alone.
func TestUnchangedTextsAreLeftAlone(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	key := keyOf(account, "ci")
	create(t, store, key)
	described, detailed := withTexts(key), withAccountTexts(account)
	if err := errors.Join(store.Update(t.Context(), key, described), store.UpdateAccount(t.Context(), account, detailed)); err != nil {
		t.Fatal(err)
	}
	torn, tornAccount := described, detailed
	torn.Texts, torn.Version, tornAccount.Texts, tornAccount.Version = apikey.Texts{}, 2, apikey.AccountTexts{}, 2
	meter := dynamotest.Measure(&config)
	if err := dynamo.New(config).Update(t.Context(), torn, torn); err != nil {
		t.Fatal(err)
	}
	if err := dynamo.New(config).UpdateAccount(t.Context(), tornAccount, tornAccount); err != nil {
		t.Fatal(err)
	}
	wantActions(t, "two updates", meter, "TransactWriteItems", "TransactWriteItems")
	got, err := store.Get(t.Context(), key.Locator)
	if err != nil || !got.HasTexts || got.Texts.Description != described.Texts.Description {
		t.Errorf("the key's texts are %+v, %v", got.Texts, err)
	}
	found, err := store.GetAccount(t.Context(), account.Locator())
	if err != nil || !found.HasTexts || !found.HasAvatar || found.Texts != detailed.Texts {
		t.Errorf("the account's texts are %+v, %v", found.Texts, err)
	}
}

func TestMarkedAccountIsGone(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := withAccountTexts(newAccount("demo", "x"))
	createAccount(t, store, account)
	key := keyOf(account, "ci")
	create(t, store, key)
	mark(t, store, account)

	wantFault(t, "LookupAccount", second(store.LookupAccount(t.Context(), account.Locator())), fault.NotFound)
	wantFault(t, "GetAccount", second(store.GetAccount(t.Context(), account.Locator())), fault.NotFound)
	wantFault(t, "AccountNamed", second(store.AccountNamed(t.Context(), account.Namespace, "x")), fault.NotFound)
	current := account
	current.Version++
	for _, read := range []apikey.Account{account, current} {
		changed := read
		changed.Name = "y"
		if read.Version == account.Version {
			wantFault(t, "UpdateAccount", store.UpdateAccount(t.Context(), read, changed), fault.NotFound)
			wantFault(t, "MarkAccount", store.MarkAccount(t.Context(), read, noon), fault.NotFound)
		}
		wantFault(t, "Create, a key of it", store.Create(t.Context(), keyOf(read, "cd")), fault.NotFound)
		wantFault(t, "Create, a key of it with a taken name", store.Create(t.Context(), keyOf(read, "ci")), fault.NotFound)
	}
	if accounts := collect(t, store.Accounts(t.Context(), account.Namespace)); len(accounts) > 0 {
		t.Errorf("it is listed: %+v", accounts)
	}
	wantItems(t, "marked", config, 2+3)

	record := everything(t, config)[place{schema.AccountPartition("demo", account.ID.String()), schema.AccountItem}]
	if textOf(record, schema.RemovedAt) != noon.Format(time.RFC3339Nano) || record[schema.Tenant] != nil || record[schema.Path] != nil {
		t.Errorf("the marked record is %v", record)
	}
}

// All of one namespace and of one account, and nothing of what lies beside it or looks
// like it.
func TestListingsKeepToTheirPlace(t *testing.T) {
	store := database.NewStore(t)
	spaces := []string{"a", "a.b", "a.b-c", "a.b.c", "a.b0", "a.bc", "a.b_c", "ab", "A.b"}
	accounts, keys := map[string][]apikey.ID{}, map[apikey.ID][]apikey.ID{}
	for round := range 3 {
		for _, space := range spaces {
			create(t, store, newKey(space))
			account := newAccount(space, fmt.Sprint(round))
			account.ID = newKeyAt(space, noon.Add(time.Duration(round)*time.Hour)).Locator.ID
			createAccount(t, store, account)
			accounts[space] = append(accounts[space], account.ID)
			for i := range 3 {
				key := keyMadeAt(account, fmt.Sprint(i), noon.Add(time.Duration(i)*time.Minute))
				create(t, store, key)
				keys[account.ID] = append(keys[account.ID], key.Locator.ID)
			}
		}
	}
	for _, space := range spaces {
		var listed []apikey.ID
		for _, account := range collect(t, store.Accounts(t.Context(), parse(space))) {
			listed = append(listed, account.ID)
			if account.Namespace != parse(space) {
				t.Errorf("accounts of %s: one of %v", space, account.Namespace)
			}
			got := idsOf(apikey.Page{Keys: collect(t, store.AccountKeys(t.Context(), account.Locator()))})
			if diff := cmp.Diff(keys[account.ID], got); diff != "" {
				t.Errorf("keys of an account in %s:\n%s", space, diff)
			}
		}
		if diff := cmp.Diff(accounts[space], listed); diff != "" {
			t.Errorf("accounts of %s:\n%s", space, diff)
		}
		if page := list(t, store, apikey.Selection{Namespace: parse(space), Limit: 100}); len(page.Keys) != 3+9 {
			t.Errorf("%s lists %d keys, want those with and without an account", space, len(page.Keys))
		}
	}
}

// An answer of DynamoDB has at most 1 MB: a listing of more comes in parts, and none is
// asked for that is not wanted.
func TestLongListingsComeInParts(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	const accounts, keys = 700, 500
	long := strings.Repeat("😀", apikey.MaxNameLength-4)
	owner := newAccount("demo.x", "owner")
	createAccount(t, store, owner)
	inParallel(t, accounts, func(i int) error {
		account := newAccount("demo", fmt.Sprintf("%s%04d", long, i))
		account.FullName = long
		return store.CreateAccount(t.Context(), account)
	})
	inParallel(t, keys, func(i int) error {
		key := keyOf(owner, fmt.Sprintf("%s%04d", long, i))
		key.CreatedBy.Name, key.UpdatedBy.Name = long, long
		return store.Create(t.Context(), key)
	})
	meter.Take()
	names := map[string]bool{}
	for _, account := range collect(t, store.Accounts(t.Context(), parse("demo"))) {
		names[account.Name] = true
	}
	wantParts(t, "accounts", meter, len(names), accounts)
	clear(names)
	for _, key := range collect(t, store.AccountKeys(t.Context(), owner.Locator())) {
		names[key.Name] = true
	}
	wantParts(t, "keys", meter, len(names), keys)

	for range store.Accounts(t.Context(), parse("demo")) {
		break
	}
	for range store.AccountKeys(t.Context(), owner.Locator()) {
		break
	}
	wantActions(t, "listings that are broken off at once", meter, "Query", "Query")

	broken := config
	broken.Wrap = nil
	dynamotest.Fail(&broken).Faults = []dynamotest.Fault{dynamotest.Pass, dynamotest.AccessDenied}
	read, failures := 0, 0
	for _, err := range dynamo.New(broken).Accounts(t.Context(), parse("demo")) {
		if read++; err != nil {
			failures++
		}
	}
	if failures != 1 || read < 100 || read >= accounts {
		t.Errorf("a listing whose second part fails gives %d accounts and %d errors", read-failures, failures)
	}
}

func wantParts(t *testing.T, what string, meter *dynamotest.Meter, got, want int) {
	t.Helper()
	if calls := meter.Take(); got != want || len(calls) < 2 {
		t.Errorf("%d %s in %d parts, want %d in two at least", got, what, len(calls), want)
	}
}

// A listing that fails ends with the error, once, and behind what came before it.
func TestFailingListingEndsOnce(t *testing.T) {
	config := database.NewTable(t)
	account := newAccount("demo", "x")
	createAccount(t, dynamo.New(config), account)
	key := keyOf(account, "ci")
	create(t, dynamo.New(config), key)
	broken := config
	dynamotest.Break(&broken, "Query", dynamotest.AccessDenied)
	store := dynamo.New(broken)
	wantOneError(t, "Accounts", store.Accounts(t.Context(), account.Namespace), fault.Internal)
	wantOneError(t, "AccountKeys", store.AccountKeys(t.Context(), account.Locator()), fault.Internal)

	damaged := everything(t, config)[placeOf(key)]
	damaged[schema.RotatedAt] = &types.AttributeValueMemberN{Value: "1"}
	put(t, config, damaged)
	create(t, dynamo.New(config), keyMadeAt(account, "later", noon.Add(time.Hour)))
	wantOneError(t, "AccountKeys of a damaged key", dynamo.New(config).AccountKeys(t.Context(), account.Locator()), fault.Internal)
}

func wantOneError[T any](t *testing.T, what string, all iter.Seq2[T, error], kind fault.Kind) {
	t.Helper()
	var errs []error
	for _, err := range all {
		errs = append(errs, err)
	}
	if len(errs) != 1 || asFault(errs[0]) == nil || fault.Of(errs[0]).Kind != kind {
		t.Errorf("%s: %v, want %v once", what, errs, kind)
	}
	for range all {
		break // by a caller that leaves at the error: nothing more may come
	}
}

func TestUsesOfManyKeys(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	const count = 250
	keys := make([]apikey.Key, count)
	want := make([]time.Time, count)
	inParallel(t, count, func(i int) error {
		keys[i] = keyOf(account, fmt.Sprint(i))
		if i%10 == 9 {
			keys[i] = newKey("demo")
			return store.Create(t.Context(), keys[i])
		}
		if err := store.Create(t.Context(), keys[i]); err != nil || i%3 == 0 {
			return err
		}
		want[i] = noon.Add(time.Duration(i) * time.Second).Truncate(time.Microsecond)
		return store.NoteUse(t.Context(), keys[i].Locator, want[i], noon)
	})
	meter.Take()
	if err := store.AddUses(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	wantActions(t, "uses of 225 keys of an account", meter, "BatchGetItem", "BatchGetItem", "BatchGetItem")
	got := make([]time.Time, count)
	for i, key := range keys {
		got[i] = key.UsedAt
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := store.AddUses(t.Context(), []apikey.Key{newKey("demo")}); err != nil {
		t.Error(err)
	}
	wantActions(t, "uses of a key without an account", meter)

	config.Wrap = func(next http.RoundTripper) http.RoundTripper { return &sparing{next: next} }
	clearUses(keys)
	if err := dynamo.New(config).AddUses(t.Context(), keys[:8]); err != nil || !keys[7].UsedAt.Equal(want[7]) {
		t.Errorf("uses of which some are left unprocessed: %v, %v", keys[7].UsedAt, err)
	}
}

func clearUses(keys []apikey.Key) {
	for i := range keys {
		keys[i].UsedAt = time.Time{}
	}
}

func TestTextsOfAccounts(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	const count = 60
	inParallel(t, count, func(i int) error {
		account := newAccount("demo", fmt.Sprint(i))
		if i%2 == 0 {
			account = withAccountTexts(account)
			account.Texts.Description = account.Name + strings.Repeat("x", 200_000)
		}
		return store.CreateAccount(t.Context(), account)
	})
	accounts := collect(t, store.Accounts(t.Context(), parse("demo")))
	meter.Take()
	first, err := store.AddAccountTexts(t.Context(), accounts)
	if err != nil || first >= count || first < 20 {
		t.Fatalf("%d of %d accounts got 6 MB of texts, %v", first, count, err)
	}
	rest, err := store.AddAccountTexts(t.Context(), accounts[first:])
	if err != nil || first+rest != count {
		t.Fatalf("%d and %d of %d accounts got texts, %v", first, rest, count, err)
	}
	wantActions(t, "texts of 30 accounts", meter, "BatchGetItem", "BatchGetItem")
	for _, account := range accounts {
		if account.HasTexts != strings.HasPrefix(account.Texts.Description, account.Name+"x") || account.HasAvatar != (account.Texts.AvatarURL != "") {
			t.Errorf("%s has texts of %d bytes and the avatar %q", account.Name, len(account.Texts.Description), account.Texts.AvatarURL)
		}
	}
}

// The record of an account is read with every verification: whatever its fields, it
// costs one unit.
func TestLargestAccount(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	segment := strings.Repeat("z", 63)
	account := withAccountTexts(newAccount(strings.Join([]string{segment, segment, segment, segment}, "."), strings.Repeat("😀", 255)))
	account.FullName, account.Disabled, account.Version = account.Name, true, 1<<62
	account.UpdatedAt = noon.Add(1)
	createAccount(t, store, account)
	key := keyOf(account, account.Name)
	key.CreatedBy = apikey.Actor{ID: key.Locator.ID.String(), Name: account.Name + "@api-key"}
	key.UpdatedBy, key.ExpiresAt = key.CreatedBy, noon.Add(time.Hour)
	create(t, store, key)
	meter.Take()
	if _, err := store.LookupAccount(t.Context(), account.Locator()); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, "reading the largest account", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	if _, err := store.Lookup(t.Context(), key.Locator); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, "reading its largest key", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	if id, err := store.KeyNamed(t.Context(), account.Locator(), key.Name); err != nil || id != key.Locator.ID {
		t.Errorf("the longest name is of %v, %v", id, err)
	}
	mark(t, store, account)
	if err := store.PurgeAccount(t.Context(), account.Locator()); err != nil {
		t.Error(err)
	}
	wantItems(t, "purged", config, 0)
}

func TestCostsOfAccounts(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	account := withAccountTexts(newAccount("demo", "x"))
	createAccount(t, store, account)
	wantActions(t, "creating an account", meter, "TransactWriteItems")
	store.GetAccount(t.Context(), account.Locator())
	wantCalls(t, "getting an account", meter, dynamotest.Call{Action: "Query", Units: 1})
	key := keyOf(account, "ci")
	create(t, store, key)
	wantActions(t, "creating a key of it", meter, "TransactWriteItems")
	store.LookupAccount(t.Context(), account.Locator())
	wantCalls(t, "looking an account up", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.Lookup(t.Context(), key.Locator)
	wantCalls(t, "looking its key up", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.KeyNamed(t.Context(), account.Locator(), "ci")
	wantCalls(t, "asking for a name", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.NoteUse(t.Context(), key.Locator, noon, noon)
	wantCalls(t, "noting a use", meter, dynamotest.Call{Action: "UpdateItem", Units: 1})
	store.Delete(t.Context(), key)
	wantActions(t, "deleting a key", meter, "TransactWriteItems")
	store.MarkAccount(t.Context(), account, noon)
	wantActions(t, "deleting an account", meter, "TransactWriteItems")
}

// Many keys of an account do not make its reading dearer: their names lie in its
// partition.
func TestAccountIsReadWithoutItsKeys(t *testing.T) {
	config := database.NewTable(t)
	account, _, _ := settle(t, config, 60)
	meter := dynamotest.Measure(&config)
	got, err := dynamo.New(config).GetAccount(t.Context(), account.Locator())
	if diff := cmp.Diff(account, got, comparers...); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	wantCalls(t, "reading an account of 60 keys", meter, dynamotest.Call{Action: "Query", Units: 1})
}

// A use says when it was, unless a later one or one just before is noted; it never makes
// an item.
func TestNoteUse(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	key := withTexts(keyOf(account, "ci"))
	key.ExpiresAt = noon.Add(time.Hour)
	create(t, store, key)
	use := place{placeOf(key).partition, schema.UseItem}
	at := func(seconds int) time.Time {
		return noon.Add(time.Duration(seconds) * time.Second).Truncate(time.Microsecond)
	}
	for _, step := range []struct{ used, unlessSince, want int }{
		{10, -50, 10},
		{69, 9, 10},
		{70, 10, 70},
		{75, 75, 75},
		{74, 74, 75},
		{75, 75, 75},
		{500, 1000, 500},
	} {
		if err := store.NoteUse(t.Context(), key.Locator, at(step.used), at(step.unlessSince)); err != nil {
			t.Error(err)
		}
		got, err := store.Get(t.Context(), key.Locator)
		if err != nil || !got.UsedAt.Equal(at(step.want)) {
			t.Errorf("used at %d unless since %d: %v, want %v, %v", step.used, step.unlessSince, got.UsedAt, at(step.want), err)
		}
	}
	if purge := numberOf(t, everything(t, config)[use], schema.PurgeAt); purge != key.ExpiresAt.Add(dynamo.DefaultRetention).Unix() {
		t.Errorf("a use that was noted has the purge time %d", purge)
	}
	if len(everything(t, config)[use]) != 4 {
		t.Errorf("a use is %v", everything(t, config)[use])
	}
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []apikey.Key{key, newKey("demo")} {
		if err := store.NoteUse(t.Context(), gone.Locator, noon, noon); err != nil {
			t.Errorf("a use of a key that is gone: %v", err)
		}
	}
	wantItems(t, "after uses of what is gone", config, 2)
}

// What a request may touch, IAM is told: an update of a use touches its attributes
// alone, and a change of a key without texts deletes nothing.
func TestWhatIsTouched(t *testing.T) {
	config := database.NewTable(t)
	account := newAccount("demo", "x")
	createAccount(t, dynamo.New(config), account)
	key := keyOf(account, "ci")
	create(t, dynamo.New(config), key)
	var touched []operation.Touch
	config.Wrap = func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			touches, _, err := dynamotest.TouchesOf(r.Header, body)
			if err != nil {
				t.Error(err)
			}
			touched = append(touched, touches...)
			return next.RoundTrip(r)
		})
	}
	store := dynamo.New(config)
	if err := store.NoteUse(t.Context(), key.Locator, noon, noon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]operation.Touch{{Action: operation.UpdateItem, Item: schema.UseItem}}, touched); diff != "" {
		t.Errorf("a use:\n%s", diff)
	}
	touched = nil
	rotated := key
	rotated.Previous, rotated.Digest, rotated.RotatedAt = key.Digest, apikey.Digest{1}, noon
	if err := store.Update(t.Context(), key, rotated); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]operation.Touch{{Action: operation.PutItem}}, touched); diff != "" {
		t.Errorf("a rotation:\n%s", diff)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whose a key is, and what its previous secret was, must be readable: neither may pass
// for nobody's or none.
func TestCorruptOwnersAndRotationsAreRefused(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	number := &types.AttributeValueMemberN{Value: "1"}
	words := &types.AttributeValueMemberS{Value: "demo#somebody"}
	for name, broken := range map[string]item{
		"an owner that is none":     {schema.Owner: words},
		"an owner without an id":    {schema.Owner: &types.AttributeValueMemberS{Value: "demo#account/"}},
		"an owner in no namespace":  {schema.Owner: &types.AttributeValueMemberS{Value: "#account/" + account.ID.String()}},
		"a previous of other type":  {schema.Previous: words},
		"a short previous":          {schema.Previous: &types.AttributeValueMemberB{Value: []byte{1}}},
		"a rotation that is no day": {schema.RotatedAt: words},
	} {
		key := keyOf(account, name)
		create(t, store, key)
		record := everything(t, config)[placeOf(key)]
		for attribute, value := range broken {
			record[attribute] = value
		}
		put(t, config, record)
		wantFault(t, name, asFault(second(store.Lookup(t.Context(), key.Locator))), fault.Internal)
		wantFault(t, name, asFault(second(store.Get(t.Context(), key.Locator))), fault.Internal)
	}
	record := everything(t, config)[place{schema.AccountPartition("demo", account.ID.String()), schema.AccountItem}]
	record[schema.CreatedAt] = number
	put(t, config, record)
	wantFault(t, "an account of no day", asFault(second(store.LookupAccount(t.Context(), account.Locator()))), fault.Internal)
	record[schema.RemovedAt] = number
	put(t, config, record)
	wantFault(t, "an account with any mark", second(store.LookupAccount(t.Context(), account.Locator())), fault.NotFound)
}

func TestAccountDisabledInAnyWayIsDisabled(t *testing.T) {
	config := database.NewTable(t)
	account := newAccount("demo", "x")
	createAccount(t, dynamo.New(config), account)
	record := everything(t, config)[place{schema.AccountPartition("demo", account.ID.String()), schema.AccountItem}]
	record[schema.Disabled] = &types.AttributeValueMemberBOOL{Value: false}
	put(t, config, record)
	if got, err := dynamo.New(config).LookupAccount(t.Context(), account.Locator()); err != nil || !got.Disabled {
		t.Errorf("disabled %v, %v", got.Disabled, err)
	}
}

func collect[T any](t *testing.T, all iter.Seq2[T, error]) []T {
	t.Helper()
	var values []T
	for value, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

func inParallel(t *testing.T, count int, do func(i int) error) {
	t.Helper()
	const workers = 8
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < count; i += workers {
				if err := do(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
