package dynamo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"latchkey/localstack/table"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

var oddNames = []string{
	"", " ", "a", "A", "ci", "a#b", "a/b", "/", "#", "key/ci", "account/x", "a.b", "$", "é", "e\u0301", "\u0000", "a\nb\t\u007f",
	"019b7ca9-8f2e-7e98-833b-d887d15218ce", strings.Repeat("n", 255), strings.Repeat("😀", apikey.MaxNameLength),
}

func TestNamesOfAccounts(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	for _, name := range oddNames {
		wantFault(t, "who has a name that nobody has", second(store.AccountNamed(t.Context(), parse("a.b"), name)), fault.NotFound)
		for _, space := range []string{"a.b", "a.b-c", "a.b.c", "a"} {
			account := newAccount(space, name)
			createAccount(t, store, account)
			wantFault(t, fmt.Sprintf("%q again in %s", name, space), store.CreateAccount(t.Context(), newAccount(space, name)), fault.Exists)
			if got, err := store.AccountNamed(t.Context(), account.Namespace, name); err != nil || got != account.ID {
				t.Errorf("%q in %s is of %v, %v", name, space, got, err)
			}
			if got, err := store.GetAccount(t.Context(), account.Locator()); err != nil || got.Name != name {
				t.Errorf("%q in %s came back as %q, %v", name, space, got.Name, err)
			}
		}
	}
	wantItems(t, "accounts of all names", config, len(oddNames)*4*2)
	wantWhole(t, config)
}

func TestNamesOfKeys(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	accounts := []apikey.Account{newAccount("a.b", "x"), newAccount("a.b", "y"), newAccount("a.b.c", "x")}
	for _, account := range accounts {
		createAccount(t, store, account)
	}
	for _, name := range oddNames {
		for _, account := range accounts {
			wantFault(t, "who has a name that nobody has", second(store.KeyNamed(t.Context(), account.Locator(), name)), fault.NotFound)
			key := keyOf(account, name)
			create(t, store, key)
			wantFault(t, fmt.Sprintf("%q again", name), store.Create(t.Context(), keyOf(account, name)), fault.Exists)
			if got, err := store.KeyNamed(t.Context(), account.Locator(), name); err != nil || got != key.Locator.ID {
				t.Errorf("%q is of %v, %v", name, got, err)
			}
			got, err := store.Get(t.Context(), key.Locator)
			if diff := cmp.Diff(key, got, comparers...); err != nil || diff != "" {
				t.Errorf("%q: %v\n%s", name, err, diff)
			}
		}
	}
	wantItems(t, "keys of all names", config, len(accounts)*(2+len(oddNames)*3))
	wantWhole(t, config)
}

// Names that are longer than any can be are nobody's, and no error.
func TestOverlongNamesAreNobodys(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	for _, length := range []int{1021, 1025, 2049, 1 << 20} {
		name := strings.Repeat("n", length)
		_, err := store.AccountNamed(t.Context(), parse("demo"), name)
		wantFault(t, fmt.Sprintf("an account's name of %d bytes", length), err, fault.NotFound)
		_, err = store.KeyNamed(t.Context(), newAccount("demo", "x").Locator(), name)
		wantFault(t, fmt.Sprintf("a key's name of %d bytes", length), err, fault.NotFound)
	}
	wantActions(t, "names that are too long", meter, "GetItem", "GetItem") // of an account, up to 2 KB
}

// Keys without an account may all have the same name.
func TestNamesAreOfAccountsAlone(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	for range 3 {
		key := newKey("demo")
		create(t, store, key)
		if _, err := tryRenameKey(t.Context(), store, key, "renamed"); err != nil {
			t.Error(err)
		}
	}
	wantItems(t, "keys without an account", config, 3)
}

func TestRenaming(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	account := newAccount("demo", "old")
	createAccount(t, store, account)
	key := keyOf(account, "old")
	create(t, store, key)
	meter.Take()

	key = renameKey(t, store, key, "new")
	account = renameAccount(t, store, account, "new")
	wantActions(t, "renaming both, and asking who has the names", meter, "TransactWriteItems", "GetItem", "TransactWriteItems", "GetItem")
	wantFault(t, "the old name of the account", second(store.AccountNamed(t.Context(), account.Namespace, "old")), fault.NotFound)
	wantFault(t, "the old name of the key", second(store.KeyNamed(t.Context(), account.Locator(), "old")), fault.NotFound)
	wantItems(t, "renamed", config, 2+3)
	wantWhole(t, config)

	meter.Take()
	key, account = renameKey(t, store, key, "new"), renameAccount(t, store, account, "new")
	wantActions(t, "renaming both to their own names", meter, "TransactWriteItems", "GetItem", "TransactWriteItems", "GetItem")
	createAccount(t, store, newAccount("demo", "old"))
	create(t, store, keyOf(account, "old"))
	renameKey(t, store, key, "")
	renameAccount(t, store, account, "")
	wantWhole(t, config)
}

func TestDeletionFreesTheName(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	for range 3 {
		key := withTexts(keyOf(account, "ci"))
		create(t, store, key)
		if err := store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		wantItems(t, "after a key's deletion", config, 2)
	}
	if err := store.MarkAccount(t.Context(), account, noon); err != nil {
		t.Fatal(err)
	}
	wantItems(t, "after an account's deletion", config, 1)
	createAccount(t, store, newAccount("demo", "x"))
}

// A write that meets a name of another changes nothing at all.
func TestTakenNameStopsTheWholeWrite(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account, other := newAccount("demo", "x"), withAccountTexts(newAccount("demo", "y"))
	createAccount(t, store, account)
	createAccount(t, store, other)
	key, second := keyOf(account, "ci"), withTexts(keyOf(account, "cd"))
	create(t, store, key)
	create(t, store, second)

	renamedKey, renamed := second, other
	renamedKey.Name, renamedKey.Texts, renamedKey.Disabled = "ci", apikey.Texts{}, true
	renamed.Name, renamed.Texts, renamed.Disabled = "x", apikey.AccountTexts{}, true
	before := everything(t, config)
	for what, err := range map[string]error{
		"creating an account":            store.CreateAccount(t.Context(), newAccount("demo", "x")),
		"creating an account with texts": store.CreateAccount(t.Context(), withAccountTexts(newAccount("demo", "y"))),
		"renaming an account":            store.UpdateAccount(t.Context(), other, renamed),
		"creating a key":                 store.Create(t.Context(), keyOf(account, "ci")),
		"creating a key with texts":      store.Create(t.Context(), withTexts(keyOf(account, "cd"))),
		"renaming a key":                 store.Update(t.Context(), second, renamedKey),
	} {
		wantFault(t, what, err, fault.Exists)
	}
	if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

// TTL removes the items of a key one by one. A name whose key is gone is free; it is the
// new key's alone from then on.
func TestNameOfARemovedRecordIsTakenOver(t *testing.T) {
	for _, by := range []string{"a creation", "a renaming"} {
		config := database.NewTable(t)
		meter := dynamotest.Measure(&config)
		store := dynamo.New(config)
		account := newAccount("demo", "x")
		createAccount(t, store, account)
		former, taker := keyOf(account, "ci"), keyOf(account, "ci")
		create(t, store, former)
		remove(t, config, placeOf(former))
		remove(t, config, place{placeOf(former).partition, schema.UseItem})
		takeName(t, store, by, taker)
		if got, err := store.KeyNamed(t.Context(), account.Locator(), "ci"); err != nil || got != taker.Locator.ID {
			t.Errorf("%s: the name is of %v, %v", by, got, err)
		}
		wantWhole(t, config)
		meter.Take()
		wantFault(t, by+" again", store.Create(t.Context(), keyOf(account, "ci")), fault.Exists)
		wantActions(t, "meeting a name that is taken", meter, "TransactWriteItems", "GetItem")
	}
}

// A name is left alone whose holder only seems to be gone: the reader may have come between
// the two halves of the transaction that is making it.
func TestNameOfOneThatIsBeingMadeIsNotTakenOver(t *testing.T) {
	for _, by := range []string{"a creation", "a renaming"} {
		config := database.NewTable(t)
		account := newAccount("demo", "x")
		createAccount(t, dynamo.New(config), account)
		create(t, dynamo.New(config), keyOf(account, "ci"))
		other := keyOf(account, "cd")
		create(t, dynamo.New(config), other)
		before := everything(t, config)
		broken := config
		dynamotest.Break(&broken, "GetItem", dynamotest.Refuse(http.StatusOK, `{}`))
		err := dynamo.New(broken).Create(t.Context(), keyOf(account, "ci"))
		if by == "a renaming" {
			err = second(tryRenameKey(t.Context(), dynamo.New(broken), other, "ci"))
		}
		wantFault(t, by, err, fault.Exists)
		if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
			t.Errorf("%s:\n%s", by, diff)
		}
	}
}

// takeName gives a new key its name in one of two ways.
func takeName(t *testing.T, store *dynamo.Store, by string, key apikey.Key) apikey.Key {
	t.Helper()
	if by == "a creation" {
		create(t, store, key)
		return key
	}
	name := key.Name
	key.Name = "another"
	create(t, store, key)
	return renameKey(t, store, key, name)
}

// A name past its key's purge time is free, though TTL has not come yet; not before. It
// is then not the former holder's to give up.
func TestNamePastItsPurgeTimeIsTakenOver(t *testing.T) {
	for _, by := range []string{"a creation", "a renaming"} {
		for _, then := range []string{"deletes", "renames", "renames twice"} {
			t.Run(by+", then the former holder "+then, func(t *testing.T) {
				config := database.NewTable(t)
				store := dynamo.New(config)
				account := newAccount("demo", "x")
				createAccount(t, store, account)
				former := keyOf(account, "ci")
				former.ExpiresAt = noon.Add(time.Hour)
				create(t, store, former)
				purge := former.ExpiresAt.Add(dynamo.DefaultRetention).Truncate(time.Second)

				early := keyMadeAt(account, "ci", purge.Add(-time.Second))
				wantFault(t, "before its purge time", store.Create(t.Context(), early), fault.Exists)
				taker := keyMadeAt(account, "ci", purge)
				taker = takeName(t, store, by, taker)

				want := 2 + 3 + 2 // the account, the taker, and the former holder without a name
				switch then {
				case "deletes":
					if err := store.Delete(t.Context(), former); err != nil {
						t.Fatal(err)
					}
					want -= 2
				case "renames":
					renameKey(t, store, former, "other")
					want++
				default:
					former = renameKey(t, store, former, "other")
					_, err := tryRenameKey(t.Context(), store, former, "ci")
					wantFault(t, "renaming back", err, fault.Exists)
					want++
				}
				if got, err := store.KeyNamed(t.Context(), account.Locator(), "ci"); err != nil || got != taker.Locator.ID {
					t.Errorf("the name is now of %v, %v", got, err)
				}
				wantItems(t, "then", config, want)
				wantWhole(t, config)
			})
		}
	}
}

// A name goes when its key goes: it has the purge time of the key it was last taken for.
func TestNamesHaveTheirKeysPurgeTime(t *testing.T) {
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	expiring, forever := keyOf(account, "expiring"), keyOf(account, "forever")
	expiring.ExpiresAt = noon.Add(time.Hour)
	create(t, store, expiring)
	create(t, store, forever)
	for _, round := range []string{"created", "renamed"} {
		items := everything(t, config)
		want := expiring.ExpiresAt.Add(dynamo.DefaultRetention).Unix()
		for _, at := range []place{namePlace(expiring), placeOf(expiring), {placeOf(expiring).partition, schema.UseItem}} {
			if got := numberOf(t, items[at], schema.PurgeAt); got != want {
				t.Errorf("%s: %v has the purge time %d, want %d", round, at, got, want)
			}
		}
		for _, at := range []place{namePlace(forever), {placeOf(forever).partition, schema.UseItem}, accountNamePlace(account)} {
			if items[at] == nil || items[at][schema.PurgeAt] != nil {
				t.Errorf("%s: %v has a purge time: %v", round, at, items[at])
			}
		}
		expiring, forever = renameKey(t, store, expiring, "e"), renameKey(t, store, forever, "f")
	}
	if _, err := table.Sweep(t.Context(), table.Client(config.Endpoint), config.Table, noon.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	wantItems(t, "after TTL", config, 2+3)
	wantWhole(t, config)
}

func TestRacesForAName(t *testing.T) {
	const goroutines = 64
	config := database.NewTable(t)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	wantOne(t, "creations of an account", goroutines, func(int) error {
		return store.CreateAccount(t.Context(), newAccount("demo", "y"))
	}, fault.Exists)
	wantOne(t, "creations of a key", goroutines, func(int) error {
		return store.Create(t.Context(), keyOf(account, "ci"))
	}, fault.Exists)
	wantItems(t, "after the races", config, 2+2+3)

	gone := keyOf(account, "gone")
	create(t, store, gone)
	remove(t, config, placeOf(gone))
	remove(t, config, place{placeOf(gone).partition, schema.UseItem})
	wantOne(t, "creations that take a name over", goroutines, func(int) error {
		return store.Create(t.Context(), keyOf(account, "gone"))
	}, fault.Exists)

	keys := make([]apikey.Key, goroutines)
	for i := range keys {
		keys[i] = keyOf(account, fmt.Sprint(i))
		create(t, store, keys[i])
	}
	wantOne(t, "renamings", goroutines, func(i int) error {
		return second(tryRenameKey(t.Context(), store, keys[i], "wanted"))
	}, fault.Exists)
	wantItems(t, "after the renamings", config, 2+2+3+3+3*goroutines)
	wantWhole(t, config)

	wantOne(t, "deletions of an account", goroutines, func(int) error {
		return store.MarkAccount(t.Context(), account, noon)
	}, fault.NotFound)
}

func wantOne(t *testing.T, what string, goroutines int, do func(i int) error, expected ...fault.Kind) {
	t.Helper()
	if winners := race(goroutines, do, expected...); winners != 1 {
		t.Errorf("%d of %d racing %s won", winners, goroutines, what)
	}
}

// Whatever is created, renamed, changed and deleted at once, under a few names: in the
// end everything has its name, and no name is left.
func TestHistoriesLeaveEverythingWhole(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			config := database.NewTable(t)
			h := &history{store: dynamo.New(config), done: map[string]int{}}
			h.accounts = append(h.accounts, newAccount("demo", "a"))
			createAccount(t, h.store, h.accounts[0])
			var group sync.WaitGroup
			for worker := range uint64(8) {
				group.Go(func() {
					random := rand.New(rand.NewPCG(seed, worker))
					for range 60 {
						h.step(t, random)
					}
				})
			}
			group.Wait()
			wantWhole(t, config)
			for _, want := range []string{"create account", "rename account", "mark", "create key", "rename key", "change key", "delete key"} {
				if h.done[want] == 0 {
					t.Errorf("no history proves anything of %q", want)
				}
			}
			for _, at := range h.marked {
				if err := h.store.PurgeAccount(t.Context(), at); err != nil {
					t.Error(err)
				}
			}
			wantWhole(t, config)
			wantNothingOf(t, config, h.marked...)
		})
	}
}

// A history is what its workers remember of accounts and keys, which may be old by now.
type history struct {
	store *dynamo.Store

	mu       sync.Mutex
	accounts []apikey.Account
	keys     []apikey.Key
	marked   []apikey.AccountLocator
	done     map[string]int
}

// step does one thing to something, and nothing but these may come of it.
func (h *history) step(t *testing.T, random *rand.Rand) {
	what, err := h.do(t.Context(), random)
	switch kind := fault.Of(err).Kind; {
	case err == nil:
		h.mu.Lock()
		h.done[what]++
		h.mu.Unlock()
	case kind != fault.Exists && kind != fault.Conflict && kind != fault.NotFound:
		t.Errorf("%s: %v", what, err)
	}
}

func (h *history) do(ctx context.Context, random *rand.Rand) (string, error) {
	name := string(rune('a' + random.IntN(4)))
	account, key := h.pick(random)
	if fresh, err := h.store.GetAccount(ctx, account.Locator()); err == nil && random.IntN(4) > 0 {
		account = fresh
	}
	if fresh, err := h.store.Get(ctx, key.Locator); err == nil && random.IntN(4) > 0 {
		key = fresh
	}
	changed, renamed := key, account
	changed.Name, renamed.Name = name, name
	switch random.IntN(12) {
	case 0:
		made := withAccountTexts(newAccount("demo", name))
		return "create account", h.keepAccount(made, h.store.CreateAccount(ctx, made))
	case 1, 2:
		return "rename account", h.store.UpdateAccount(ctx, account, renamed)
	case 3:
		return "mark", h.keepMarked(account, h.store.MarkAccount(ctx, account, noon))
	case 4, 5, 6:
		made := keyOf(account, name)
		if random.IntN(2) == 0 {
			made = withTexts(made)
		}
		return "create key", h.keepKey(made, h.store.Create(ctx, made))
	case 7, 8:
		return "rename key", updateOwned(ctx, h.store, key, changed)
	case 9:
		return "change key", updateOwned(ctx, h.store, key, withTexts(key))
	case 10:
		if key.Account.IsZero() {
			return "none", nil
		}
		return "delete key", h.store.Delete(ctx, key)
	default:
		return "use", h.store.NoteUse(ctx, key.Locator, noon, noon)
	}
}

// updateOwned leaves alone what was never made.
func updateOwned(ctx context.Context, store *dynamo.Store, read, changed apikey.Key) error {
	if read.Account.IsZero() {
		return nil
	}
	return store.Update(ctx, read, changed)
}

func (h *history) pick(random *rand.Rand) (apikey.Account, apikey.Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	account := h.accounts[max(0, len(h.accounts)-1-random.IntN(4))]
	if len(h.keys) == 0 {
		return account, newKey("demo")
	}
	return account, h.keys[max(0, len(h.keys)-1-random.IntN(8))]
}

func (h *history) keepAccount(account apikey.Account, err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.accounts = append(h.accounts, account)
	}
	return err
}

func (h *history) keepKey(key apikey.Key, err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.keys = append(h.keys, key)
	}
	return err
}

func (h *history) keepMarked(account apikey.Account, err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.marked = append(h.marked, account.Locator())
	}
	return err
}

func tryRenameKey(ctx context.Context, store *dynamo.Store, key apikey.Key, name string) (apikey.Key, error) {
	renamed := key
	renamed.Name = name
	err := store.Update(ctx, key, renamed)
	renamed.Version++
	return renamed, err
}

func renameKey(t *testing.T, store *dynamo.Store, key apikey.Key, name string) apikey.Key {
	t.Helper()
	renamed, err := tryRenameKey(t.Context(), store, key, name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.KeyNamed(t.Context(), accountOf(key), name); err != nil || got != key.Locator.ID {
		t.Errorf("%q is of %v, %v", name, got, err)
	}
	return renamed
}

func renameAccount(t *testing.T, store *dynamo.Store, account apikey.Account, name string) apikey.Account {
	t.Helper()
	renamed := account
	renamed.Name = name
	if err := store.UpdateAccount(t.Context(), account, renamed); err != nil {
		t.Fatal(err)
	}
	if got, err := store.AccountNamed(t.Context(), account.Namespace, name); err != nil || got != account.ID {
		t.Errorf("%q is of %v, %v", name, got, err)
	}
	renamed.Version++
	return renamed
}

func newAccount(space, name string) apikey.Account {
	return apikey.Account{
		Namespace: parse(space), ID: apikey.ID(uuid.Must(uuid.NewV7())), Name: name,
		CreatedAt: noon, UpdatedAt: noon, Version: 1,
	}
}

func withAccountTexts(account apikey.Account) apikey.Account {
	account.Texts = apikey.AccountTexts{Description: "described", AvatarURL: "https://example.com/a.png"}
	account.HasTexts, account.HasAvatar = true, true
	return account
}

func createAccount(t *testing.T, store *dynamo.Store, account apikey.Account) {
	t.Helper()
	if err := store.CreateAccount(t.Context(), account); err != nil {
		t.Fatal(err)
	}
}

func keyOf(account apikey.Account, name string) apikey.Key { return keyMadeAt(account, name, noon) }

func keyMadeAt(account apikey.Account, name string, at time.Time) apikey.Key {
	key := newKeyAt(account.Namespace.String(), at)
	key.Name, key.Account, key.Grant = name, account.ID, noGrant
	return key
}

func accountOf(key apikey.Key) apikey.AccountLocator {
	return apikey.AccountLocator{Namespace: key.Locator.Namespace, ID: key.Account}
}

func placeOf(key apikey.Key) place {
	return place{schema.KeyPartition(key.Locator.Namespace.String(), key.Locator.ID.String()), schema.KeyItem}
}

func namePlace(key apikey.Key) place {
	return place{schema.AccountPartition(key.Locator.Namespace.String(), key.Account.String()), schema.KeyNameItem(key.Name)}
}

func accountNamePlace(account apikey.Account) place {
	return place{schema.AccountNamePartition(account.Namespace.String(), account.Name), schema.AccountNameItem}
}

// wantNothingOf demands that deleted accounts have left no item, nor their keys.
func wantNothingOf(t *testing.T, config dynamo.Config, accounts ...apikey.AccountLocator) {
	t.Helper()
	gone := map[string]bool{}
	for _, at := range accounts {
		gone[schema.AccountPartition(at.Namespace.String(), at.ID.String())] = true
	}
	for at, it := range everything(t, config) {
		if gone[at.partition] || gone[textOf(it, schema.Owner)] {
			t.Errorf("%v is left", at)
		}
	}
}

// TTL may remove a name before its key. What then happens to the key misses nothing, and
// needs no second try.
func TestNameThatIsGoneBeforeItsKey(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	account := newAccount("demo", "x")
	createAccount(t, store, account)
	deleted, renamed := keyOf(account, "deleted"), keyOf(account, "renamed")
	for _, key := range []apikey.Key{deleted, renamed} {
		create(t, store, key)
		remove(t, config, namePlace(key))
	}
	meter.Take()
	if err := store.Delete(t.Context(), deleted); err != nil {
		t.Error(err)
	}
	if _, err := tryRenameKey(t.Context(), store, renamed, "other"); err != nil {
		t.Error(err)
	}
	wantActions(t, "a deletion and a renaming", meter, "TransactWriteItems", "TransactWriteItems")
	wantItems(t, "then", config, 2+3)
	wantWhole(t, config)
}
