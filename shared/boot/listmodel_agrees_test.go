package boot_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// A listed is the answer of a list.
type listed struct {
	List struct {
		Objects  []map[string]any `json:"objects"`
		Response struct {
			NextPageToken int    `json:"next_page_token"`
			NextPageID    string `json:"next_page_id"`
		} `json:"response"`
	} `json:"list"`
	CountResponse *struct {
		Count *int `json:"count"`
	} `json:"count_response"`
	GroupResponse *struct {
		Groups map[string]any `json:"groups"`
	} `json:"group_response"`
}

func (l listed) isLast() bool {
	return l.List.Response.NextPageID == "" && l.List.Response.NextPageToken == 0
}

func (l listed) uuids() []string {
	uuids := make([]string, len(l.List.Objects))
	for i, object := range l.List.Objects {
		uuids[i], _ = object["uuid"].(string)
	}
	return uuids
}

// ask sends a list's parameters, named without their prefix.
func (d *deployment) ask(t testing.TB, ns string, parameters url.Values) (int, string) {
	t.Helper()
	prefixed := url.Values{}
	for name, values := range parameters {
		prefixed["list_parameters."+name] = values
	}
	return d.call(t, operation.ListAPIKeys, events.APIGatewayV2HTTPRequest{
		RawPath:        "/v1/namespaces/" + ns + "/api-keys",
		PathParameters: map[string]string{"namespace": ns}, RawQueryString: prefixed.Encode(),
	})
}

func (d *deployment) list(t testing.TB, ns string, parameters url.Values) listed {
	t.Helper()
	status, body := d.ask(t, ns, parameters)
	var answer listed
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
		t.Fatalf("%s, %q: %d %.500s", ns, parameters, status, body)
	}
	return answer
}

// A walk is a way through the pages of a list.
type walk string

const (
	byPageID    walk = "page_id"
	byPageToken walk = "page_token"
	byUUID      walk = "the uuid of the last object"
)

// A listQuery is a question for both, the server and the model.
type listQuery struct {
	namespace  string
	below      bool
	filter     *filter
	sort       *field
	descending bool
	mask       []field
	pageSize   int
	walk       walk
	isLarge    bool // more than fits on a page of this size
}

// query asks for anything.
func (g *generator) query(records []record) listQuery {
	q := listQuery{namespace: pick(g, "demo", "demo", "demo.a"), below: g.chance(75), walk: byPageID, pageSize: 1 + g.IntN(50)}
	if g.chance(70) {
		f := g.filter(records, 2)
		q.filter = &f
	}
	if g.chance(50) {
		f := pick(g, fieldsOf(textKind, flagKind, timeKind)...)
		q.sort, q.descending = &f, g.chance(50)
	}
	if g.chance(50) {
		q.mask = append(some(g, 3, fields...), pick(g, fields...))
	}
	switch {
	case g.chance(30):
		q.walk = byPageToken
	case g.chance(30) && !q.below:
		q.walk = byUUID
		q.mask = append(q.mask, fields[0])
	}
	return q
}

func (q listQuery) parameters() url.Values {
	v := url.Values{}
	if q.below {
		v.Set("traverse", "true")
	}
	if q.filter != nil {
		v.Set("filter", q.filter.text)
	}
	if q.sort != nil {
		v.Set("sort.path", q.sort.path())
	}
	if q.descending {
		v.Set("sort.order", "SORT_ENTRY_ORDER_DESC")
	}
	if len(q.mask) > 0 {
		v.Set("mask", pathsOf(q.mask))
	}
	return v
}

func pathsOf(fields []field) string {
	paths := make([]string, len(fields))
	for i, f := range fields {
		paths[i] = f.path()
	}
	return strings.Join(paths, ",")
}

func (q listQuery) covers(r record) bool {
	below := q.below && strings.HasPrefix(r.namespace, q.namespace+".")
	return (below || r.namespace == q.namespace) && (q.filter == nil || q.filter.takes(r))
}

// inOrder compares as the list is sorted: what is equal stays in the order of a list
// that is not, whichever way the sorting goes.
func (q listQuery) inOrder(a, b record) int {
	order := 0
	if q.sort != nil {
		order = q.sort.compare(a, b)
	}
	switch {
	case order == 0:
		return inListOrder(a, b)
	case q.descending:
		return -order
	}
	return order
}

// answer is what the model says.
func (q listQuery) answer(records []record) []record {
	taken := slices.DeleteFunc(slices.Clone(records), func(r record) bool { return !q.covers(r) })
	slices.SortFunc(taken, q.inOrder)
	return taken
}

func (q listQuery) shown(r record) map[string]any {
	if len(q.mask) == 0 {
		return r.object()
	}
	masks := make([][]string, len(q.mask))
	for i, f := range q.mask {
		masks[i] = f.steps
	}
	return masked(r.object(), masks)
}

// More pages than any list here has.
const endless = 1000

// pages walks through the whole list.
func (q listQuery) pages(t testing.TB, d *deployment) []listed {
	t.Helper()
	parameters := q.parameters()
	parameters.Set("page_size", strconv.Itoa(q.pageSize))
	var pages []listed
	passed := 0
	for range endless {
		page := d.list(t, q.namespace, parameters)
		pages = append(pages, page)
		passed += len(page.List.Objects)
		if page.isLast() {
			return pages
		}
		q.goOn(t, parameters, page, passed)
	}
	t.Fatalf("%+v has no last page", q)
	return nil
}

// goOn changes the parameters to those of the next page.
func (q listQuery) goOn(t testing.TB, parameters url.Values, page listed, passed int) {
	t.Helper()
	next := page.List.Response
	if next.NextPageID == "" {
		t.Errorf("%q goes on without a page_id", parameters)
	}
	switch uuids := page.uuids(); {
	case q.walk == byPageToken:
		if next.NextPageToken != passed {
			t.Fatalf("%q goes on at %d, after %d objects", parameters, next.NextPageToken, passed)
		}
		parameters.Set("page_token", strconv.Itoa(next.NextPageToken))
	case q.walk == byUUID && len(uuids) > 0:
		parameters.Set("page_id", uuids[len(uuids)-1])
	default:
		parameters.Set("page_id", next.NextPageID)
	}
}

// maxPages keeps walks short: pages become larger.
const maxPages = 10

// check walks the list and compares all of it with the model.
func (q listQuery) check(t *testing.T, d *deployment, records []record) {
	t.Helper()
	var want, got []string
	for _, r := range q.answer(records) {
		want = append(want, inJSON(q.shown(r)))
	}
	q.pageSize = max(q.pageSize, len(want)/maxPages)
	pages := q.pages(t, d)
	for i, page := range pages {
		q.checkLength(t, len(page.List.Objects), i == len(pages)-1, len(want))
		for _, object := range page.List.Objects {
			got = append(got, inJSON(object))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, by %s, %d a page (-want +got):\n%.3000s", q, q.walk, q.pageSize, diff)
	}
}

// checkLength holds a page to its size. Only what a filter picks may come in short
// pages, as its end may be seen too late.
func (q listQuery) checkLength(t *testing.T, length int, isLast bool, total int) {
	t.Helper()
	isShort := length < q.pageSize && !isLast || length == 0 && total > 0
	if length > q.pageSize || isShort && !q.isLarge && (q.filter == nil || q.sort != nil) {
		t.Errorf("%s: a page of %d, want %d", q, length, q.pageSize)
	}
}

func (q listQuery) String() string { return fmt.Sprintf("%s %q", q.namespace, q.parameters()) }

// A grouping is a question for groups.
type grouping struct {
	by, counted, valued []field
	uuids               bool
}

func (g *generator) grouping() grouping {
	simple := fieldsOf(textKind, flagKind, timeKind, listKind)
	by := some(g, 2, simple...)
	if len(by) == 0 {
		by = []field{pick(g, simple...)}
	}
	return grouping{
		by:      by,
		counted: some(g, 2, simple...),
		valued:  some(g, 2, simple...),
		uuids:   g.chance(50),
	}
}

func (g grouping) addTo(parameters url.Values) {
	for name, fields := range map[string][]field{
		"group.aggregation_paths": g.by, "group.unique_count_paths": g.counted, "group.unique_value_paths": g.valued,
	} {
		if len(fields) > 0 {
			parameters.Set(name, pathsOf(fields))
		}
	}
	if g.uuids {
		parameters.Set("group.show_aggregation_uuids", "true")
	}
}

func (g grouping) keyOf(r record) string {
	type member struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	members := make([]member, len(g.by))
	for i, f := range g.by {
		members[i] = member{f.path(), f.shown(r)}
	}
	return inJSON(members)
}

// answer is what the model says of all records that a query covers.
func (g grouping) answer(records []record) map[string]any {
	members := map[string][]record{}
	for _, r := range records {
		key := g.keyOf(r)
		members[key] = append(members[key], r)
	}
	groups := map[string]any{}
	for key, group := range members {
		groups[key] = g.group(group)
	}
	return groups
}

func (g grouping) group(members []record) map[string]any {
	uuids, counts, values := []string{}, map[string]any{}, map[string]any{}
	for _, r := range members {
		if g.uuids {
			uuids = append(uuids, r.uuid)
		}
	}
	slices.Sort(uuids)
	for _, f := range g.counted {
		counts[f.path()] = map[string]int{"count": len(f.distinct(members))}
	}
	for _, f := range g.valued {
		values[f.path()] = f.distinct(members)
	}
	return map[string]any{
		"aggregation_count": map[string]int{"count": len(members)}, "aggregation_uuids": uuids,
		"unique_counts": counts, "unique_values": values, "aggregation_value": map[string]any{},
	}
}

// distinct gives the values that records have in a field, the elements of lists, in the
// order of their JSON.
func (f field) distinct(records []record) []json.RawMessage {
	var texts []string
	for _, r := range records {
		switch value := f.shown(r).(type) {
		case nil:
		case []string:
			for _, element := range value {
				texts = append(texts, inJSON(element))
			}
		default:
			texts = append(texts, inJSON(value))
		}
	}
	slices.Sort(texts)
	values := []json.RawMessage{}
	for _, text := range slices.Compact(texts) {
		values = append(values, json.RawMessage(text))
	}
	return values
}

// checkGroups asks for groups and the count together.
func (q listQuery) checkGroups(t *testing.T, d *deployment, asked grouping, records []record) {
	t.Helper()
	parameters := q.parameters()
	parameters.Set("count", "true")
	asked.addTo(parameters)
	answer := d.list(t, q.namespace, parameters)
	taken := q.answer(records)
	if got := answer.CountResponse; got == nil || got.Count == nil || *got.Count != len(taken) {
		t.Errorf("%s, %q: the count is not %d", q.namespace, parameters, len(taken))
	}
	if answer.GroupResponse == nil {
		t.Fatalf("%s, %q: no groups", q.namespace, parameters)
	}
	if diff := cmp.Diff(inJSON(asked.answer(taken)), inJSON(answer.GroupResponse.Groups)); diff != "" {
		t.Errorf("%s, %q (-want +got):\n%.3000s", q.namespace, parameters, diff)
	}
}

// newModelled gives a deployment with keys by chance in it, and the records of all. Its
// clock stands, so that now() is known.
func newModelled(t *testing.T, g *generator, namespaces []string, count int) (*deployment, []record) {
	t.Helper()
	d := newDeployment(t)
	d.config.Clock = func() time.Time { return g.base }
	records := []record{recordOf(rootKey(t, d))}
	for range count {
		key := g.key(t, pick(g, namespaces...))
		if err := d.store.Create(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		records = append(records, recordOf(key))
	}
	return d, records
}

func rootKey(t *testing.T, d *deployment) apikey.Key {
	t.Helper()
	id, _ := apikey.ParseID(d.root.UUID)
	key, err := d.store.Get(t.Context(), apikey.Locator{Namespace: parse(t, "demo"), ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What a list answers to any query is what a plain loop over plain records gives.
func TestListAgreesWithModel(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		d, records := newModelled(t, g, append(lookAlikes, "other", "other.a", "demo-a"), 120)
		for range 45 {
			g.query(records).check(t, d, records)
			g.query(records).checkGroups(t, d, g.grouping(), records)
		}
	})
}

// Every operator, on every field, takes the keys that it says.
func TestListAgreesWithModelOnEveryOperator(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		d, records := newModelled(t, g, lookAlikes, 70)
		for _, f := range fields {
			for _, operator := range operatorsOf[f.kind] {
				taken := g.condition(f, operator, records)
				q := listQuery{namespace: "demo", below: true, filter: &taken, mask: fields[:1], pageSize: 100, walk: byPageID}
				q.check(t, d, records)
			}
		}
	})
}

// Every field that has an order sorts, both ways and over pages that ties go across.
func TestListAgreesWithModelInEveryOrder(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		d, records := newModelled(t, g, lookAlikes, 70)
		for _, f := range append(fieldsOf(textKind, flagKind, timeKind), longAnnotation) {
			for _, descending := range []bool{false, true} {
				q := listQuery{namespace: "demo", below: true, sort: &f, descending: descending, pageSize: 15 + g.IntN(30), walk: byPageID}
				q.check(t, d, records)
			}
		}
	})
}

// Where a page ends early, because its objects are large, nothing is lost or shown twice.
func TestListAgreesWithModelOnLargeTexts(t *testing.T) {
	g := newGenerator(1)
	d, records := newModelled(t, g, lookAlikes[:3], 10)
	records = append(records, addLarge(t, g, d)...)
	name, description := fields[1], fields[2]
	large := filter{"meta.tags contains large", func(r record) bool { return slices.Contains(r.tags, "large") }}
	for i, q := range []listQuery{
		{},
		{filter: &large},
		{filter: &large},
		{sort: &name},
		{sort: &description, descending: true},
		{sort: &description, filter: &large},
		{filter: &large, mask: fields[:1]},
	} {
		q.namespace, q.below, q.pageSize, q.walk, q.isLarge = "demo", true, 50, byPageID, true
		if i%2 == 1 {
			q.walk = byPageToken
		}
		q.check(t, d, records)
		if i == 0 && len(q.pages(t, d)) == 1 {
			t.Errorf("%s fits on one page, so that nothing is tested", q)
		}
	}
}

// addLarge adds keys that are too large for one answer together.
func addLarge(t *testing.T, g *generator, d *deployment) []record {
	t.Helper()
	var records []record
	for i := range 36 {
		key := g.key(t, pick(g, lookAlikes[:3]...))
		key.Texts.Tags = []string{"large"}
		key.Texts.Annotations = map[string]string{"large": strings.Repeat(pick(g, "x", `"`, "é"), 60_000+2_000*i)}
		if err := d.store.Create(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		records = append(records, recordOf(key))
	}
	return records
}
