package boot_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"latchkey/shared/apikey"
)

// A population is the keys of a deployment while they come and go.
type population struct {
	*generator
	d      *deployment
	live   map[string]apikey.Key // by uuid
	ever   map[string]record
	stayed map[string]bool // whether the key was there all the time
}

func newPopulation(t *testing.T, seed uint64, count int) *population {
	t.Helper()
	p := &population{
		generator: newGenerator(seed), d: newDeployment(t),
		live: map[string]apikey.Key{}, ever: map[string]record{}, stayed: map[string]bool{},
	}
	for range count {
		p.add(t)
	}
	for uuid := range p.live {
		p.stayed[uuid] = true
	}
	return p
}

// add makes a key in or out of what is listed, before or behind where a walk is.
func (p *population) add(t *testing.T) {
	t.Helper()
	key := p.key(t, pick(p.generator, append(lookAlikes, "demo.a", "other")...))
	if err := p.d.store.Create(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	uuid := key.Locator.ID.String()
	p.live[uuid], p.ever[uuid] = key, recordOf(key)
}

func (p *population) remove(t *testing.T, uuid string) {
	t.Helper()
	key, ok := p.live[uuid]
	if !ok {
		return
	}
	if err := p.d.store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	delete(p.live, uuid)
	delete(p.stayed, uuid)
}

// stir changes what there is between two pages, often right where the walk stands.
func (p *population) stir(t *testing.T, shown []string) {
	t.Helper()
	for range p.IntN(3) {
		p.add(t)
	}
	uuids := make([]string, 0, len(p.live))
	for uuid := range p.live {
		uuids = append(uuids, uuid)
	}
	slices.Sort(uuids) // so that the seed decides
	for range p.IntN(3) {
		p.remove(t, pick(p.generator, uuids...))
	}
	if len(shown) > 0 && p.chance(50) {
		p.remove(t, shown[len(shown)-1])
	}
}

// walked gives the uuids that a walk shows while there is coming and going.
func (p *population) walked(t *testing.T, q listQuery) []string {
	t.Helper()
	parameters := q.parameters()
	var seen []string
	for range endless {
		parameters.Set("page_size", strconv.Itoa(1+p.IntN(6)))
		page := p.d.list(t, q.namespace, parameters)
		shown := page.uuids()
		seen = append(seen, shown...)
		if page.isLast() {
			return seen
		}
		parameters.Set("page_id", page.List.Response.NextPageID)
		p.stir(t, shown)
	}
	t.Fatalf("%s has no last page", q)
	return nil
}

// checkWalk wants every key that stayed exactly once, no other twice, none from
// elsewhere, and all in their order.
func (p *population) checkWalk(t *testing.T, q listQuery, seen []string) {
	t.Helper()
	missing := map[string]bool{}
	for uuid := range p.stayed {
		if q.covers(p.ever[uuid]) {
			missing[uuid] = true
		}
	}
	if len(missing) == 0 {
		t.Errorf("%s: nothing stayed, so that nothing is tested", q)
	}
	for i, uuid := range seen {
		delete(missing, uuid)
		r, known := p.ever[uuid]
		if !known || !q.covers(r) {
			t.Errorf("%s shows %s of %q, which it does not list", q, uuid, r.namespace)
		}
		if i > 0 && q.inOrder(p.ever[seen[i-1]], r) >= 0 {
			t.Errorf("%s shows %s before %s", q, seen[i-1], uuid)
		}
	}
	for uuid := range missing {
		t.Errorf("%s misses %s, %+v", q, uuid, p.ever[uuid])
	}
}

func TestWalkWhileKeysComeAndGo(t *testing.T) {
	name, description := fields[1], fields[2]
	noRoot := filter{`meta.name != bootstrap`, func(record) bool { return true }}
	most := filter{`meta.name matches "[ab0B.]" and meta.name != bootstrap`, func(r record) bool {
		return slices.ContainsFunc([]byte(r.name), func(c byte) bool { return c == 'a' || c == 'b' || c == '0' || c == 'B' || c == '.' })
	}}
	eachSeed(t, func(t *testing.T, seed uint64) {
		for i, q := range []listQuery{
			{namespace: "demo.a"},
			{namespace: "demo.a", below: true},
			{namespace: "demo", below: true, filter: &noRoot},
			{namespace: "demo", below: true, filter: &most},
			{namespace: "demo.a", filter: &most},
			{namespace: "demo.a", below: true, sort: &name},
			{namespace: "demo", below: true, sort: &name, descending: true, filter: &noRoot},
			{namespace: "demo.a", sort: &name, descending: true},
			{namespace: "demo.a", below: true, sort: &description, filter: &most},
		} {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				p := newPopulation(t, seed+uint64(i), 80)
				p.checkWalk(t, q, p.walked(t, q))
			})
		}
	})
}

// A forger knows how cursors are made: version, hash of the query, id, length of the
// rank, rank, namespace.
type forger struct {
	*generator
	cursor     []byte // a real one
	namespaces []string
	ids        []apikey.ID
}

const cursorHeadBytes = 1 + 8

// forge keeps of a real cursor what binds it to its query, mostly.
func (f forger) forge() string {
	if f.chance(30) {
		return base64.RawURLEncoding.EncodeToString(f.damage())
	}
	id, rank := pick(f.generator, f.ids...), pick(f.generator, "", "a", "\x00", "\xff\xff", "demo.b")
	raw := slices.Clone(f.cursor[:cursorHeadBytes])
	raw = append(raw, id[:]...)
	raw = binary.AppendUvarint(raw, uint64(len(rank)))
	raw = append(raw, rank...)
	raw = append(raw, pick(f.generator, f.namespaces...)...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (f forger) damage() []byte {
	raw := slices.Clone(f.cursor)
	raw[f.IntN(len(raw))] ^= byte(1 + f.IntN(255))
	if f.chance(50) {
		raw = raw[:f.IntN(len(raw)+1)]
	}
	return raw
}

// wantInside asks with a page_id and wants keys that the query lists, or a refusal that
// names the parameter. It says whether there was an answer.
func (q listQuery) wantInside(t *testing.T, d *deployment, pageID string, known map[string]record) (accepted bool) {
	t.Helper()
	parameters := q.parameters()
	parameters.Set("page_id", pageID)
	status, body := d.ask(t, q.namespace, parameters)
	if status != 200 {
		wantRefusal(t, status, body, "page_id")
		return false
	}
	for _, uuid := range d.list(t, q.namespace, parameters).uuids() {
		if r, ok := known[uuid]; !ok || !q.covers(r) {
			t.Errorf("%s with the page_id %q shows %s of %q", q, pageID, uuid, r.namespace)
		}
	}
	return true
}

func byUUIDs(records []record) map[string]record {
	known := map[string]record{}
	for _, r := range records {
		known[r.uuid] = r
	}
	return known
}

// listQueries are lists of several shapes and none of all keys.
func listQueries() []listQuery {
	name := fields[1]
	someNames := filter{"meta.name < b", func(r record) bool { return r.name < "b" }}
	return []listQuery{
		{namespace: "demo.a"},
		{namespace: "demo.a", below: true},
		{namespace: "demo.a", filter: &someNames},
		{namespace: "demo.a", below: true, filter: &someNames},
		{namespace: "demo.a", sort: &name},
		{namespace: "demo.a", below: true, sort: &name, descending: true},
		{namespace: "demo", sort: &name},
		{namespace: "demo"},
	}
}

// cursor is that of the first page, of one key.
func (q listQuery) cursor(t *testing.T, d *deployment) string {
	t.Helper()
	parameters := q.parameters()
	parameters.Set("page_size", "1")
	cursor := d.list(t, q.namespace, parameters).List.Response.NextPageID
	if cursor == "" {
		t.Fatalf("%s has but one page", q)
	}
	return cursor
}

// Whatever a cursor is made of, it leads to no key outside of what is listed.
func TestForgedCursorsStayInside(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		d, records := newModelled(t, g, append(lookAlikes, "demo.a", "other", "other.a", "demo-a"), 100)
		ids := []apikey.ID{{}, {0xff, 15: 0xff}}
		for _, r := range records {
			id, _ := apikey.ParseID(r.uuid)
			ids = append(ids, id)
		}
		for _, q := range listQueries() {
			raw, _ := base64.RawURLEncoding.DecodeString(q.cursor(t, d))
			f := forger{g, raw, append(lookAlikes, "other", "other.a", "demo-a", "", "demo.", "demo.a#", "DEMO"), ids}
			accepted := 0
			for range 40 {
				if q.wantInside(t, d, f.forge(), byUUIDs(records)) {
					accepted++
				}
			}
			if accepted == 0 {
				t.Errorf("%s took no forged cursor at all, so that nothing is tested", q)
			}
		}
	})
}

// A cursor is of one query: another refuses it, whatever differs.
func TestCursorOfAnotherQueryIsRefused(t *testing.T) {
	g := newGenerator(1)
	d, records := newModelled(t, g, append(lookAlikes, "demo.a"), 100)
	for i, q := range listQueries() {
		for j, other := range listQueries() {
			if accepted := other.wantInside(t, d, q.cursor(t, d), byUUIDs(records)); accepted != (i == j) {
				t.Errorf("the cursor of %s is taken by %s: %v", q, other, accepted)
			}
		}
	}
}

// An id alone begins behind that key's place in the listed namespace, wherever the key
// is; where several namespaces are listed, it is no place.
func TestCursorOfAnIDStaysInside(t *testing.T) {
	g := newGenerator(1)
	d, records := newModelled(t, g, append(lookAlikes, "other"), 100)
	for _, q := range listQueries() {
		for _, r := range records[:20] {
			if accepted := q.wantInside(t, d, r.uuid, byUUIDs(records)); accepted && q.below {
				t.Errorf("%s takes the id of a key for a cursor", q)
			}
		}
	}
}

// A page_id wins over a page_token.
func TestCursorWinsOverOffset(t *testing.T) {
	g := newGenerator(1)
	d, records := newModelled(t, g, append(lookAlikes, "demo.a"), 100)
	for _, q := range listQueries() {
		parameters := q.parameters()
		parameters.Set("page_id", q.cursor(t, d))
		parameters.Set("page_token", "7")
		want := q.answer(records)[1].uuid
		if got := d.list(t, q.namespace, parameters).uuids(); len(got) == 0 || got[0] != want {
			t.Errorf("%s goes on with %q, want %s", q, got, want)
		}
	}
}
