package boot_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/dynamotest"
)

// What a request may read at most, in keys.
const (
	mostRead         = 10_000
	mostReadFiltered = 2_000
)

// Many is a deployment with as many keys in demo.many as one request may read, and a
// few more below it, the very last of which is called last.
type many struct {
	*deployment
	uuids []string
}

const (
	late       = 3
	nameCycle  = 7
	manyMakers = 8
)

func newMany(t *testing.T) many {
	t.Helper()
	keys := manyKeys(t)
	m := many{deployment: newDeployment(t)}
	for _, key := range keys {
		m.uuids = append(m.uuids, key.Locator.ID.String())
	}
	var makers sync.WaitGroup
	for maker := range manyMakers {
		makers.Go(func() {
			for i := maker; i < len(keys); i += manyMakers {
				if err := m.store.Create(t.Context(), keys[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	makers.Wait()
	m.meter.Take()
	return m
}

// manyKeys are alike: every page of so many costs the same.
func manyKeys(t *testing.T) []apikey.Key {
	t.Helper()
	g := newGenerator(1)
	start := time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)
	keys := make([]apikey.Key, mostRead+late)
	for i := range keys {
		ns, name := parse(t, "demo.many"), fmt.Sprint("name", i%nameCycle)
		if i >= mostRead {
			ns, name = parse(t, "demo.many.late"), "late"
		}
		at := start.Add(time.Duration(i) * time.Millisecond)
		by := apikey.Actor{Name: "bootstrap@iam"}
		keys[i] = apikey.Key{
			Locator: apikey.Locator{Namespace: ns, ID: g.id(at)}, Name: name, Version: 1, Digest: apikey.Digest{1},
			CreatedAt: at, CreatedBy: by, UpdatedAt: at, UpdatedBy: by,
		}
	}
	keys[len(keys)-1].Name = "last"
	return keys
}

// parametersOf reads "name=value" pairs.
func parametersOf(pairs ...string) url.Values {
	v := url.Values{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		v.Set(name, value)
	}
	return v
}

func (m many) page(t *testing.T, pairs ...string) listed {
	t.Helper()
	return m.list(t, "demo.many", parametersOf(pairs...))
}

// wantPage wants these keys and tells whether they must be the last.
func (m many) wantPage(t *testing.T, want []string, isLast bool, pairs ...string) listed {
	t.Helper()
	page := m.page(t, pairs...)
	if diff := cmp.Diff(want, page.uuids()); diff != "" {
		t.Errorf("%q (-want +got):\n%.1000s", pairs, diff)
	}
	if page.isLast() != isLast {
		t.Errorf("%q leads on: %v, want %v", pairs, !page.isLast(), !isLast)
	}
	return page
}

// wantRefused wants code 3, for one parameter, and no part of an answer.
func (m many) wantRefused(t *testing.T, parameter string, pairs ...string) {
	t.Helper()
	status, body := m.ask(t, "demo.many", parametersOf(pairs...))
	if !wantRefusal(t, status, body, parameter) {
		t.Errorf("that was %q", pairs)
	}
}

func wantRefusal(t *testing.T, status int, body, parameter string) bool {
	t.Helper()
	var answer struct {
		Code    int
		Details []struct {
			FieldViolations []struct{ Field string } `json:"field_violations"`
		}
		List, CountResponse, GroupResponse any
	}
	err := json.Unmarshal([]byte(body), &answer)
	var named []string
	for _, detail := range answer.Details {
		for _, violation := range detail.FieldViolations {
			named = append(named, violation.Field)
		}
	}
	ok := err == nil && status == 400 && answer.Code == 3 && slices.Equal(named, []string{"list_parameters." + parameter}) &&
		answer.List == nil && !strings.Contains(body, "_response")
	if !ok {
		t.Errorf("%d %.500s, want a refusal of %s", status, body, parameter)
	}
	return ok
}

func units(calls []dynamotest.Call) float64 {
	sum := 0.0
	for _, call := range calls {
		sum += call.Units
	}
	return sum
}

// costOf is what reading so many keys costs, by what pages of 500 cost, and what it
// costs to know the caller.
func (m many) costOf(t *testing.T, keys int) float64 {
	t.Helper()
	m.meter.Take()
	m.page(t, "page_size=500")
	return 1 + (units(m.meter.Take())-1)*float64(keys)/500
}

// wantCost allows for what differs between one page of keys and the next.
func (m many) wantCost(t *testing.T, most float64, what string) {
	t.Helper()
	if got := units(m.meter.Take()); got > most*1.02 {
		t.Errorf("%s costs %v units, want %v at most", what, got, most)
	}
}

func TestBounds(t *testing.T) {
	m := newMany(t)
	t.Run("exactly as many as may be read", m.testAtTheBound)
	t.Run("one more is refused", m.testOverTheBound)
	t.Run("page_token", m.testOffsets)
	t.Run("page_token and filter", m.testFilteredOffsets)
	t.Run("a filter that takes nothing", m.testNothingFound)
	t.Run("a filter that takes only the last", m.testLastFound)
	t.Run("a filter that takes few", m.testFewFound)
	t.Run("disable_pagination", m.testFirstOnly)
	t.Run("calls of a page", m.testCallsOfAPage)
}

func (m many) testAtTheBound(t *testing.T) {
	answer := m.page(t, "count=true", "group.aggregation_paths=meta.name", "group.unique_count_paths=uuid")
	if answer.CountResponse == nil || *answer.CountResponse.Count != mostRead {
		t.Errorf("counted %+v", answer.CountResponse)
	}
	want := map[string]int{}
	for i := range mostRead {
		want[fmt.Sprintf(`[{"key":"meta.name","value":"name%d"}]`, i%nameCycle)]++
	}
	for key, count := range want {
		counted := map[string]any{"count": float64(count)}
		group, _ := answer.GroupResponse.Groups[key].(map[string]any)
		got := []any{group["aggregation_count"], group["unique_counts"]}
		if diff := cmp.Diff([]any{counted, map[string]any{"uuid": counted}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	newest := []string{m.uuids[mostRead-1], m.uuids[mostRead-2]}
	first := m.wantPage(t, newest, false, "sort.path=uuid", "sort.order=SORT_ENTRY_ORDER_DESC", "page_size=2")
	m.wantPage(t, []string{m.uuids[mostRead-3]}, false,
		"sort.path=uuid", "sort.order=SORT_ENTRY_ORDER_DESC", "page_size=1", "page_id="+first.List.Response.NextPageID)
	m.wantPage(t, m.uuids[mostRead-1:mostRead], true, "sort.path=uuid", "page_token=9999")
}

// What would have to read more is refused, also where a filter leaves little of it.
func (m many) testOverTheBound(t *testing.T) {
	most := m.costOf(t, mostRead)
	for parameter, pair := range map[string]string{
		"sort.path": "sort.path=meta.name", "count": "count=true", "group.aggregation_paths": "group.aggregation_paths=meta.kind",
	} {
		for _, filter := range []string{"filter=", "filter=uuid==" + m.uuids[0]} {
			m.meter.Take()
			m.wantRefused(t, parameter, pair, filter, "traverse=true", "page_size=1")
			m.wantCost(t, most, pair+" "+filter)
		}
	}
	m.wantRefused(t, "sort.path", "sort.path=meta.name", "traverse=true", "page_token=1")
	m.wantRefused(t, "sort.path", "sort.path=meta.name", "traverse=true", "disable_pagination=true")
}

func (m many) testOffsets(t *testing.T) {
	at := m.wantPage(t, m.uuids[mostRead-2:mostRead], false, "traverse=true", "page_token=9998", "page_size=2")
	if at.List.Response.NextPageToken != mostRead {
		t.Errorf("a page leads on to %+v", at.List.Response)
	}
	beyond := m.wantPage(t, m.uuids[mostRead:mostRead+1], false, "traverse=true", "page_token=10000", "page_size=1")
	if beyond.List.Response.NextPageToken != 0 {
		t.Errorf("a page leads on to what is refused: %+v", beyond.List.Response)
	}
	m.wantPage(t, m.uuids[mostRead+1:], true, "traverse=true", "page_id="+beyond.List.Response.NextPageID)
	m.wantPage(t, []string{}, true, "page_token=10000")
	for _, token := range []string{"10001", "2147483647", "99999999999"} {
		m.wantRefused(t, "page_token", "page_token="+token)
		m.wantRefused(t, "page_token", "page_token="+token, "traverse=true")
	}
}

// What a filter passes over is read too.
func (m many) testFilteredOffsets(t *testing.T) {
	m.wantPage(t, m.uuids[mostRead:], true, "traverse=true", "filter=meta.name exists", "page_token=10000")
	most := m.costOf(t, mostRead)
	for filter, token := range map[string]string{
		"meta.name==last": "1", "meta.name==nothing": "1", "meta.name==name3": "1430", "meta.name exists": "10001",
	} {
		m.meter.Take()
		m.wantRefused(t, "page_token", "traverse=true", "filter="+filter, "page_token="+token)
		m.wantCost(t, most, filter)
	}
	third := []string{m.uuids[3+nameCycle*1000]}
	m.wantPage(t, third, false, "filter=meta.name==name3", "page_token=1000", "page_size=1")
	m.wantPage(t, []string{}, true, "filter=meta.name==name3", "page_token=1430")
}

// found walks through a filtered list, each page at no more than its reading may cost.
func (m many) found(t *testing.T, filter string) (found []string, pages []int) {
	t.Helper()
	most := m.costOf(t, mostReadFiltered)
	pairs := []string{"traverse=true", "filter=" + filter}
	for range endless {
		m.meter.Take()
		page := m.page(t, pairs...)
		m.wantCost(t, most, filter)
		found = append(found, page.uuids()...)
		pages = append(pages, len(page.List.Objects))
		if page.isLast() {
			return found, pages
		}
		pairs = append(pairs[:2], "page_id="+page.List.Response.NextPageID)
	}
	t.Fatalf("%s has no last page", filter)
	return nil, nil
}

func (m many) testNothingFound(t *testing.T) {
	found, pages := m.found(t, "meta.name==nothing")
	if diff := cmp.Diff([]int{0, 0, 0, 0, 0, 0}, pages); diff != "" || len(found) > 0 {
		t.Errorf("found %q (-want +got):\n%s", found, diff)
	}
}

func (m many) testLastFound(t *testing.T) {
	found, pages := m.found(t, "meta.name==last")
	if !slices.Equal(found, m.uuids[len(m.uuids)-1:]) || len(pages) != 6 {
		t.Errorf("found %q on %d pages", found, len(pages))
	}
}

func (m many) testFewFound(t *testing.T) {
	want := []string{m.uuids[0], m.uuids[mostReadFiltered-1], m.uuids[mostReadFiltered], m.uuids[mostRead-1], m.uuids[mostRead]}
	found, pages := m.found(t, `uuid in ["`+strings.Join(want, `","`)+`"]`)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{2, 1, 0, 0, 1, 1}, pages); diff != "" {
		t.Errorf("keys a page (-want +got):\n%s", diff)
	}
}

func (m many) testFirstOnly(t *testing.T) {
	const only = "disable_pagination=true"
	m.wantPage(t, m.uuids[:1], true, only, "page_size=1")
	m.wantPage(t, m.uuids[:1], true, only, "page_size=1", "traverse=true", "filter=meta.name exists")
	m.wantPage(t, []string{}, true, only, "traverse=true", "filter=meta.name==nothing")
	m.wantPage(t, m.uuids[:1], true, only, "page_size=1", "sort.path=uuid")
}

// A page by page_id costs the same calls and units wherever it is.
func (m many) testCallsOfAPage(t *testing.T) {
	const size = 20
	var want []dynamotest.Call
	for _, start := range []int{0, 1, mostRead / 2, mostRead - size - 1} {
		pairs := []string{"page_size=" + strconv.Itoa(size)}
		if start > 0 {
			before := m.page(t, "page_size=1", "page_token="+strconv.Itoa(start-1))
			pairs = append(pairs, "page_id="+before.List.Response.NextPageID)
		}
		m.meter.Take()
		m.wantPage(t, m.uuids[start:start+size], false, pairs...)
		calls := m.meter.Take()
		if want == nil {
			want = []dynamotest.Call{{Action: "GetItem", Units: 1}, {Action: "Query", Units: calls[len(calls)-1].Units}}
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", start, diff)
		}
	}
}
