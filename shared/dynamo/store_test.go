package dynamo_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

var noon = time.Date(2026, 5, 6, 12, 0, 0, 123456789, time.UTC)

func TestKeyComesBackAsStored(t *testing.T) {
	store := database.NewStore(t)
	plain := newKey("demo")
	full := newKey("a.b-c.D_e")
	full.Grant = access.Grant{
		Roles:  []access.Role{access.ReadOnly, access.SyncOrg},
		Rules:  map[string]access.Method{"*": access.All, "scan_profile": access.Read | access.Create},
		Except: []string{"secret"},
	}
	full.Propagate, full.Disabled, full.User = true, true, "somebody"
	full.ExpiresAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	full.CreatedBy = apikey.Actor{ID: plain.Locator.ID.String(), Name: "plain@api-key"}
	full.HasTexts = true
	full.Texts = apikey.Texts{
		Description: "a “description” \u0000 with all sorts",
		Tags:        []string{"a=b", "c"},
		Annotations: map[string]string{"k": "", "l": strings.Repeat("é", 8192)},
		Parent:      apikey.Parent{Kind: "Project", UUID: "p"},
	}
	for _, key := range []apikey.Key{plain, full} {
		create(t, store, key)
		got, err := store.Get(t.Context(), key.Locator)
		if diff := cmp.Diff(key, got, comparers...); err != nil || diff != "" {
			t.Errorf("Get: %v\n%s", err, diff)
		}
		got, err = store.Lookup(t.Context(), key.Locator)
		if diff := cmp.Diff(withoutTexts(key), got, comparers...); err != nil || diff != "" {
			t.Errorf("Lookup: %v\n%s", err, diff)
		}
		page := listWithTexts(t, store, apikey.Selection{Namespace: key.Locator.Namespace, Limit: 2})
		if diff := cmp.Diff([]apikey.Key{withoutDigest(key)}, page.Keys, comparers...); diff != "" || page.More {
			t.Errorf("List: more %v\n%s", page.More, diff)
		}
	}
}

func TestMissingKey(t *testing.T) {
	store := database.NewStore(t)
	absent := newKey("demo")
	wantFault(t, "Lookup", second(store.Lookup(t.Context(), absent.Locator)), fault.NotFound)
	wantFault(t, "Get", second(store.Get(t.Context(), absent.Locator)), fault.NotFound)
	wantFault(t, "Update", store.Update(t.Context(), absent, absent), fault.NotFound)
	wantFault(t, "Delete", store.Delete(t.Context(), absent), fault.NotFound)
}

func TestDuplicate(t *testing.T) {
	store := database.NewStore(t)
	for name, key := range map[string]apikey.Key{"plain": newKey("demo"), "with texts": withTexts(newKey("demo"))} {
		create(t, store, key)
		other := key
		other.Name, other.Digest = "other", apikey.Digest{1}
		wantFault(t, name, store.Create(t.Context(), other), fault.Exists)
		if got, err := store.Get(t.Context(), key.Locator); err != nil || got.Name != key.Name || got.Digest != key.Digest {
			t.Errorf("%s: the first key is now %+v, %v", name, got, err)
		}
		if err := store.Create(t.Context(), key); err != nil {
			t.Errorf("%s: the same creation repeated: %v", name, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	store := database.NewStore(t)
	key := withTexts(newKey("demo"))
	create(t, store, key)

	renamed := key
	renamed.Name, renamed.Texts, renamed.HasTexts = "renamed", apikey.Texts{}, false
	if err := store.Update(t.Context(), key, renamed); err != nil {
		t.Fatal(err)
	}
	renamed.Version = 2
	got, err := store.Get(t.Context(), key.Locator)
	if diff := cmp.Diff(renamed, got, comparers...); err != nil || diff != "" {
		t.Errorf("after the update: %v\n%s", err, diff)
	}

	key.Name = "late"
	wantFault(t, "an update of the version before", store.Update(t.Context(), key, key), fault.Conflict)
	if got, _ := store.Get(t.Context(), key.Locator); got.Name != "renamed" {
		t.Errorf("a conflicting update was stored: %q", got.Name)
	}
}

func TestDelete(t *testing.T) {
	store := database.NewStore(t)
	key := withTexts(newKey("demo"))
	create(t, store, key)
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "Lookup", second(store.Lookup(t.Context(), key.Locator)), fault.NotFound)
	wantFault(t, "Get", second(store.Get(t.Context(), key.Locator)), fault.NotFound)
	wantFault(t, "Delete again", store.Delete(t.Context(), key), fault.NotFound)

	bare := key
	bare.Texts = apikey.Texts{}
	create(t, store, bare)
	if got, err := store.Get(t.Context(), key.Locator); err != nil || !got.Texts.IsZero() {
		t.Errorf("texts survived the deletion: %+v, %v", got.Texts, err)
	}
}

func TestPaging(t *testing.T) {
	store := database.NewStore(t)
	spaces := []string{"a", "a.b", "a.b-c", "a.b.c", "a.b.c.d", "a.b0", "a.bc", "a.b_c", "ab", "A.b"}
	inOrder := map[string][]apikey.ID{}
	for round := range 3 {
		for _, space := range spaces {
			key := newKeyAt(space, noon.Add(time.Duration(round)*time.Hour))
			create(t, store, key)
			inOrder[space] = append(inOrder[space], key.Locator.ID)
		}
	}
	tests := []struct {
		of     string
		below  bool
		spaces []string
	}{
		{"a.b", false, []string{"a.b"}},
		{"a.b", true, []string{"a.b", "a.b.c", "a.b.c.d"}},
		{"a.b.c", true, []string{"a.b.c", "a.b.c.d"}},
		{"a.bc", true, []string{"a.bc"}},
		{"a", false, []string{"a"}},
		{"a", true, []string{"a", "a.b", "a.b.c", "a.b.c.d", "a.b-c", "a.b0", "a.b_c", "a.bc"}},
		{"A.b", true, []string{"A.b"}},
		{"a.c", true, nil},
	}
	for _, test := range tests {
		var want []apikey.ID
		for _, space := range test.spaces {
			want = append(want, inOrder[space]...)
		}
		for _, size := range []int{1, 2, 3, 100} {
			name := fmt.Sprintf("%s, below %v, by %d", test.of, test.below, size)
			selection := apikey.Selection{Namespace: parse(test.of), Below: test.below, Limit: size}
			if diff := cmp.Diff(want, walk(t, store, selection)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			for skip := range len(want) + 2 {
				selection.Skip = skip
				page := list(t, store, selection)
				rest := want[min(skip, len(want)):]
				if diff := cmp.Diff(rest[:min(size, len(rest))], idsOf(page), cmp.Transformer("set", sliceOrNil)); diff != "" || page.More != (len(rest) > size) {
					t.Errorf("%s, behind %d: more %v\n%s", name, skip, page.More, diff)
				}
			}
		}
	}
}

func TestWalkGoesOnBehindADeletedKey(t *testing.T) {
	store := database.NewStore(t)
	var keys []apikey.Key
	for i := range 5 {
		key := newKeyAt("demo", noon.Add(time.Duration(i)*time.Second))
		create(t, store, key)
		keys = append(keys, key)
	}
	if err := store.Delete(t.Context(), keys[2]); err != nil {
		t.Fatal(err)
	}
	page := list(t, store, apikey.Selection{Namespace: parse("demo"), After: &keys[2].Locator, Limit: 9})
	if diff := cmp.Diff([]apikey.ID{keys[3].Locator.ID, keys[4].Locator.ID}, idsOf(page)); diff != "" {
		t.Error(diff)
	}
}

func TestLargeTextsComeInParts(t *testing.T) {
	store := database.NewStore(t)
	const count = 60
	for i := range count {
		key := newKeyAt("demo", noon.Add(time.Duration(i)*time.Second))
		key.Texts.Annotations = map[string]string{"large": strings.Repeat("x", 200_000)}
		create(t, store, key)
	}
	keys := list(t, store, apikey.Selection{Namespace: parse("demo"), Limit: count}).Keys
	parts := 0
	for ; len(keys) > 0; parts++ {
		done, err := store.AddTexts(t.Context(), keys)
		if err != nil || done == 0 {
			t.Fatalf("%d keys got texts: %v", done, err)
		}
		for _, key := range keys[:done] {
			if key.Texts.IsZero() {
				t.Errorf("key %v lost its texts", key.Locator.ID)
			}
		}
		keys = keys[done:]
	}
	if parts < 2 {
		t.Errorf("%d texts of 200 kB came in %d parts", count, parts)
	}
}

// However many keys a namespace has, finding it takes one query.
func TestNamespaces(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	for _, space := range []string{"a", "a.b", "a.b.c", "a.b-c.d", "a.bc", "a.B", "ab.c", "x.y", "a.d.e.f"} {
		for range 3 {
			create(t, store, newKey(space))
		}
	}
	for _, test := range []struct {
		below string
		deep  bool
		want  []string
	}{
		{"a", false, []string{"a.B", "a.b", "a.bc"}},
		{"a", true, []string{"a.B", "a.b", "a.b.c", "a.b-c.d", "a.bc", "a.d.e.f"}},
		{"a.b", true, []string{"a.b.c"}},
		{"a.d", false, nil},
		{"a.d", true, []string{"a.d.e.f"}},
		{"ab", false, []string{"ab.c"}},
		{"none", true, nil},
	} {
		for _, limit := range []int{1, 2, 100} {
			selection := apikey.NamespaceSelection{Parent: parse(test.below), Deep: test.deep, Limit: limit, Queries: apikey.MaxNamespaces}
			if diff := cmp.Diff(test.want, walkNamespaces(t, store, selection)); diff != "" {
				t.Errorf("below %s, deep %v, by %d:\n%s", test.below, test.deep, limit, diff)
			}
		}
	}
	meter.Take()
	walkNamespaces(t, store, apikey.NamespaceSelection{Parent: parse("a"), Deep: true, Limit: 100, Queries: apikey.MaxNamespaces})
	wantActions(t, "six namespaces", meter, slices.Repeat([]string{"Query"}, 7)...)
}

func walkNamespaces(t *testing.T, store *dynamo.Store, selection apikey.NamespaceSelection) []string {
	t.Helper()
	var paths []string
	for {
		page, err := store.Namespaces(t.Context(), selection)
		if err != nil || len(page.Namespaces) > selection.Limit {
			t.Fatalf("%d namespaces, %v", len(page.Namespaces), err)
		}
		for _, ns := range page.Namespaces {
			paths = append(paths, ns.String())
		}
		if page.Behind.IsZero() {
			return paths
		}
		selection.After = page.Behind
	}
}

func TestLargestKey(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	key := largestKey(t, store)
	meter.Take()
	if _, err := store.Lookup(t.Context(), key.Locator); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, "reading the largest key", meter, dynamotest.Call{Action: "GetItem", Units: 1})

	err := store.Create(t.Context(), keyWithRule(ruleLength(key)+1))
	wantFault(t, "the first key that is too large", err, fault.Invalid)
	if fields := fault.Of(err).Fields; len(fields) != 1 || fields[0].Name != "grant" {
		t.Errorf("it names %v, want grant", fields)
	}
	wantCalls(t, "refusing it", meter)
	if ruleLength(key) < 2000 {
		t.Errorf("the largest grant has only %d bytes", ruleLength(key))
	}
}

// largestKey creates the largest key that the store takes.
func largestKey(t *testing.T, store *dynamo.Store) apikey.Key {
	t.Helper()
	tooLarge := sort.Search(4096, func(length int) bool {
		return store.Create(t.Context(), keyWithRule(length+1)) != nil
	})
	key := keyWithRule(tooLarge)
	create(t, store, key)
	return key
}

func keyWithRule(length int) apikey.Key {
	key := newKey("demo")
	key.Grant.Rules = map[string]access.Method{strings.Repeat("k", length): access.Read}
	return key
}

func ruleLength(key apikey.Key) int {
	for kind := range key.Grant.Rules {
		return len(kind)
	}
	return 0
}

func TestCosts(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	key, rich := newKey("demo"), withTexts(newKey("demo"))
	create(t, store, key)
	wantActions(t, "creating a key", meter, "PutItem")
	create(t, store, rich)
	wantActions(t, "creating a key with texts", meter, "TransactWriteItems")

	store.Lookup(t.Context(), key.Locator)
	wantCalls(t, "looking a key up", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.Lookup(t.Context(), rich.Locator)
	wantCalls(t, "looking a key with texts up", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.Lookup(t.Context(), newKey("demo").Locator)
	wantCalls(t, "looking an unknown key up", meter, dynamotest.Call{Action: "GetItem", Units: 1})
	store.Get(t.Context(), rich.Locator)
	wantCalls(t, "getting a key", meter, dynamotest.Call{Action: "Query", Units: 1})
	store.Update(t.Context(), key, key)
	wantActions(t, "updating a key", meter, "TransactWriteItems")
	store.Delete(t.Context(), key)
	wantActions(t, "deleting a key", meter, "TransactWriteItems")
}

// A page costs its own keys, however many there are.
func TestPageCostsThePage(t *testing.T) {
	config := database.NewTable(t)
	meter := dynamotest.Measure(&config)
	store := dynamo.New(config)
	var costs [][]dynamotest.Call
	created := 0
	for _, total := range []int{50, 500, 5000} {
		fill(t, store, created, total)
		created = total
		meter.Take()
		page := list(t, store, apikey.Selection{Namespace: parse("demo"), Limit: 20})
		if len(page.Keys) != 20 || !page.More {
			t.Fatalf("a page of %d keys, more %v", len(page.Keys), page.More)
		}
		costs = append(costs, meter.Take())
	}
	for _, cost := range costs[1:] {
		if diff := cmp.Diff(costs[0], cost); diff != "" {
			t.Errorf("the cost of a page depends on how many keys there are:\n%s", diff)
		}
	}
	if len(costs[0]) != 1 || costs[0][0].Units <= 0 || costs[0][0].Units > 1.5 {
		t.Errorf("a page costs %v", costs[0])
	}
}

func TestRaces(t *testing.T) {
	const goroutines = 64
	store := database.NewStore(t)

	key := newKey("demo")
	winners := race(goroutines, func(i int) error {
		mine := key
		mine.Digest = apikey.Digest{byte(i), 1}
		return store.Create(t.Context(), mine)
	}, fault.Exists)
	if winners != 1 {
		t.Errorf("%d of %d racing creations of one key won", winners, goroutines)
	}

	if lost := race(goroutines, func(int) error { return increment(t, store, key.Locator) }); lost != goroutines {
		t.Errorf("%d of %d racing updates succeeded", lost, goroutines)
	}
	if got, err := store.Lookup(t.Context(), key.Locator); err != nil || got.Version != goroutines+1 {
		t.Errorf("after %d updates the version is %d, %v", goroutines, got.Version, err)
	}

	deleters := race(goroutines, func(int) error { return store.Delete(t.Context(), key) }, fault.NotFound)
	if deleters != 1 {
		t.Errorf("%d of %d racing deletions won", deleters, goroutines)
	}
}

// increment updates a key until no other update comes between.
func increment(t *testing.T, store *dynamo.Store, at apikey.Locator) error {
	for {
		key, err := store.Get(t.Context(), at)
		if err != nil {
			return err
		}
		if err := store.Update(t.Context(), key, key); !errors.Is(err, fault.Conflict) {
			return err
		}
	}
}

// race counts the successes of functions that run at once. A failure that is none
// of the expected kinds makes the count negative.
func race(goroutines int, do func(i int) error, expected ...fault.Kind) int {
	var wins, surprises atomic.Int64
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range goroutines {
		group.Go(func() {
			<-start
			err := do(i)
			if err == nil {
				wins.Add(1)
			} else if !slices.Contains(expected, fault.Of(err).Kind) {
				surprises.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	if n := surprises.Load(); n > 0 {
		return -int(n)
	}
	return int(wins.Load())
}

func fill(t *testing.T, store *dynamo.Store, from, to int) {
	t.Helper()
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := from + worker; i < to; i += 8 {
				if err := store.Create(t.Context(), newKeyAt("demo", noon.Add(time.Duration(i)*time.Second))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func walk(t *testing.T, store *dynamo.Store, selection apikey.Selection) []apikey.ID {
	t.Helper()
	var ids []apikey.ID
	for {
		page := list(t, store, selection)
		ids = append(ids, idsOf(page)...)
		if !page.More {
			return ids
		}
		selection.After = &page.Keys[len(page.Keys)-1].Locator
	}
}

func list(t *testing.T, store *dynamo.Store, selection apikey.Selection) apikey.Page {
	t.Helper()
	page, err := store.List(t.Context(), selection)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// listWithTexts reads a page that no limit cuts short.
func listWithTexts(t *testing.T, store *dynamo.Store, selection apikey.Selection) apikey.Page {
	t.Helper()
	page := list(t, store, selection)
	if count, err := store.AddTexts(t.Context(), page.Keys); err != nil || count != len(page.Keys) {
		t.Fatalf("%d of %d keys got texts: %v", count, len(page.Keys), err)
	}
	return page
}

func idsOf(page apikey.Page) []apikey.ID {
	var ids []apikey.ID
	for _, key := range page.Keys {
		ids = append(ids, key.Locator.ID)
	}
	return ids
}

func sliceOrNil(ids []apikey.ID) []string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

func create(t *testing.T, store *dynamo.Store, key apikey.Key) {
	t.Helper()
	if err := store.Create(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

func wantCalls(t *testing.T, what string, meter *dynamotest.Meter, want ...dynamotest.Call) {
	t.Helper()
	if diff := cmp.Diff(want, meter.Take()); diff != "" {
		t.Errorf("%s:\n%s", what, diff)
	}
}

func wantActions(t *testing.T, what string, meter *dynamotest.Meter, want ...string) {
	t.Helper()
	var actions []string
	for _, call := range meter.Take() {
		actions = append(actions, call.Action)
	}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Errorf("%s:\n%s", what, diff)
	}
}

var comparers = []cmp.Option{cmp.Comparer(func(a, b namespace.Namespace) bool { return a == b })}

func newKey(space string) apikey.Key { return newKeyAt(space, noon) }

func newKeyAt(space string, at time.Time) apikey.Key {
	id := apikey.ID(uuid.Must(uuid.NewV7()))
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|7<<12)
	by := apikey.Actor{Name: "test@iam"}
	return apikey.Key{
		Locator:   apikey.Locator{Namespace: parse(space), ID: id},
		Name:      "key",
		Grant:     access.Grant{Roles: []access.Role{access.Admin}},
		CreatedAt: at, CreatedBy: by,
		UpdatedAt: at, UpdatedBy: by,
		Version: 1,
		Digest:  sha256.Sum256(id[:]),
	}
}

func withTexts(key apikey.Key) apikey.Key {
	key.Texts = apikey.Texts{Description: "described", Tags: []string{"tagged"}}
	key.HasTexts = true
	return key
}

func withoutTexts(key apikey.Key) apikey.Key {
	key.Texts = apikey.Texts{}
	return key
}

func withoutDigest(key apikey.Key) apikey.Key {
	key.Digest = apikey.Digest{}
	key.HasTexts = !key.Texts.IsZero()
	return key
}

func second[A any](_ A, err error) error { return err }

func parse(path string) namespace.Namespace {
	ns, err := namespace.Parse(path)
	if err != nil {
		panic(err)
	}
	return ns
}
