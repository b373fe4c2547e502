package serviceaccounts

import (
	"encoding/binary"
	"errors"
	"iter"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/apikey"
	"latchkey/shared/web"
)

// numbered gives keys whose ids count up from 0.
func numbered(count int) iter.Seq2[apikey.Key, error] {
	return func(yield func(apikey.Key, error) bool) {
		for i := range count {
			key := anyKey()
			key.Texts = apikey.Texts{}
			binary.BigEndian.PutUint64(key.Locator.ID[:8], uint64(i))
			if !yield(key, nil) {
				return
			}
		}
	}
}

func asked(t *testing.T, text string) *query.Query {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	q, err := languageOf("APIKeyFilter", keyFields).Parse(values)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func listingOf(q *query.Query, all iter.Seq2[apikey.Key, error]) listing[apikey.Key] {
	return listing[apikey.Key]{
		query: q, all: all,
		id:       func(key apikey.Key) apikey.ID { return key.Locator.ID },
		fields:   keyFields,
		deciding: func([]apikey.Key) error { return nil },
		sparing:  func(key *apikey.Key) { key.Texts = apikey.Texts{} },
	}
}

func numbersOf(keys []apikey.Key) []uint64 {
	var numbers []uint64
	for _, key := range keys {
		numbers = append(numbers, binary.BigEndian.Uint64(key.Locator.ID[:8]))
	}
	return numbers
}

// However large the texts are that decide, a list holds those of one part at a time.
func TestListsHoldOnePartOfTexts(t *testing.T) {
	const (
		count     = 1000
		textBytes = 100_000
		most      = 3 * partSize * textBytes // of 100 MB
	)
	for _, text := range []string{
		"sort_by=description&size=500", "sort_by=desc:description&description=contains:x&size=500", "sort_by=name&description=contains:x&size=500",
		"description=contains:x&size=500", "description=notcontains:y&page=2&size=500",
	} {
		l := listingOf(asked(t, text), numbered(count))
		before, peak := liveHeap(), uint64(0)
		l.deciding = func(part []apikey.Key) error {
			peak = max(peak, liveHeap())
			for i := range part {
				part[i].Texts.Description = strings.Repeat("x", textBytes)
			}
			return nil
		}
		shown, total, err := l.page()
		if err != nil || total != count || len(shown) != 500 {
			t.Fatalf("%q: %d of %d, %v", text, len(shown), total, err)
		}
		if held := int64(peak) - int64(before); held > most {
			t.Errorf("%q holds %d MB", text, held>>20)
		}
		if after := int64(liveHeap()) - int64(before); after > most/3 {
			t.Errorf("%q shows what takes %d MB", text, after>>20)
		}
		runtime.KeepAlive(shown)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A list that sorts has its bound; one in order of creation has none.
func TestBoundOfSorting(t *testing.T) {
	for text, want := range map[string]struct {
		count, shown, total int
		refused             bool
	}{
		"sort_by=name&size=10000":                {maxKept, maxKept, maxKept, false},
		"sort_by=name&size=1":                    {maxKept + 1, 0, 0, true},
		"sort_by=desc:created":                   {maxKept + 1, 0, 0, true},
		"sort_by=name&active=false":              {maxKept + 1, 0, 0, false},
		"size=10000":                             {maxKept + 1, maxKept, maxKept + 1, false},
		"size=10000&active=true&page=2":          {maxKept + 5, 5, maxKept + 5, false},
		"size=7&sort_by=asc:created&active=true": {maxKept * 2, 7, maxKept * 2, false},
	} {
		l := listingOf(asked(t, text), numbered(want.count))
		shown, total, err := l.page()
		if len(shown) != want.shown || total != want.total || (err != nil) != want.refused {
			t.Errorf("%q of %d: %d of %d, %v", text, want.count, len(shown), total, err)
		}
		if status, body := rendered(err); want.refused && (status != 400 || !strings.HasPrefix(body, `{"detail":["ValueError","More than 10000 match`)) {
			t.Errorf("%q: %d %s", text, status, body)
		}
	}
}

// What cannot be read, and what cannot be completed, ends a list.
func TestListsThatFail(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", "active=true", "sort_by=name", "page=9"} {
		failing := func(yield func(apikey.Key, error) bool) {
			for key := range numbered(partSize + 1) {
				if !yield(key, nil) {
					return
				}
			}
			if !yield(apikey.Key{}, broken) {
				return
			}
			t.Error("it goes on behind an error")
		}
		if _, _, err := listingOf(asked(t, text), failing).page(); !errors.Is(err, broken) {
			t.Errorf("%q: %v", text, err)
		}
		l := listingOf(asked(t, text), numbered(3))
		l.deciding = func([]apikey.Key) error { return broken }
		if _, _, err := l.page(); !errors.Is(err, broken) && text != "" {
			t.Errorf("%q, undecided: %v", text, err)
		}
	}
	left := 0
	if err := completeAll([]int{1, 2}, &left, noSize, func([]int) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("in parts: %v", err)
	}
}

// Parts are as large as asked for, but for the last, and nothing is lost between them.
func TestParts(t *testing.T) {
	for count, want := range map[int][]int{0: nil, 1: {1}, 3: {3}, 4: {3, 1}, 6: {3, 3}, 8: {3, 3, 2}} {
		var sizes []int
		var keys []apikey.Key
		for part, err := range chunks(numbered(count), 3) {
			if err != nil {
				t.Fatal(err)
			}
			sizes, keys = append(sizes, len(part)), append(keys, part...)
		}
		if !slices.Equal(sizes, want) || len(keys) != count || !slices.IsSorted(numbersOf(keys)) {
			t.Errorf("%d in parts of %v: %v", count, sizes, numbersOf(keys))
		}
	}
	for range chunks(numbered(10), 3) {
		break
	}
	var completed []int
	complete := func(list []int) (int, error) {
		count := min(2, len(list))
		completed = append(completed, list[:count]...)
		return count, nil
	}
	left := 15
	size := func(n int) int { return n }
	if err := completeAll([]int{1, 2, 3, 4, 5}, &left, size, complete); err != nil || left != 0 || !slices.Equal(completed, []int{1, 2, 3, 4, 5}) {
		t.Errorf("completed %v, %d left, %v", completed, left, err)
	}
	status, body := rendered(completeAll([]int{1, 2, 3}, &left, size, complete))
	if status != 400 || !strings.Contains(body, "sort by something else") || len(completed) != 7 {
		t.Errorf("beyond what may be read: completed %v, %d %s", completed, status, body)
	}
}

func noSize(int) int { return 0 }

// An answer is refused that is larger than the platform takes with what the client wants
// escaped, or whose texts have not all been read.
func TestShow(t *testing.T) {
	q := asked(t, "size=5")
	shown := []int{1, 2, 3}
	entity := func(text string) func(int) any { return func(int) any { return text } }
	for what, test := range map[string]struct {
		complete int
		entityOf func(int) any
		ok       bool
	}{
		"small":               {3, entity("x"), true},
		"incomplete":          {2, entity("x"), false},
		"at the bound":        {3, entity(strings.Repeat("x", web.MaxAnswerBytes/3-400)), true},
		"over the bound":      {3, entity(strings.Repeat("x", web.MaxAnswerBytes/3)), false},
		"escaped, over bound": {3, entity(strings.Repeat(`"`, web.MaxAnswerBytes/9)), false},
	} {
		answer, err := show(q, 3, shown, test.complete, test.entityOf)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if status, body := rendered(err); !test.ok && (status != 400 || !strings.Contains(body, "at most 2 by size")) {
			t.Errorf("%s: %d %s", what, status, body)
		}
		if test.ok {
			response, err := web.JSON(200, answer, false)
			if err != nil || web.WireSize(response.Body) > web.MaxAnswerBytes {
				t.Errorf("%s: %d bytes, %v", what, len(response.Body), err)
			}
		}
	}
	if _, err := show(q, 3, shown, 3, func(int) any { return func() {} }); err == nil {
		t.Error("what has no form in JSON is shown")
	}
	answer, err := show(asked(t, "page=1"), 0, []int(nil), 0, entity("x"))
	if err != nil || inJSON(t, answer) != `{"index":1,"max_size":20,"total_pages":1,"total":0,"items":[]}` {
		t.Errorf("nothing is shown as %s, %v", inJSON(t, answer), err)
	}
}

// No parameter is passed over that a client has sent, however it is written.
func TestParameters(t *testing.T) {
	for raw, want := range map[string]url.Values{
		"name=a+b%20c%2B":       {"name": {"a b c+"}},
		"name=a;b&size=1":       {"name": {"a;b"}, "size": {"1"}},
		"name=100%&name=%zz":    {"name": {"100%", "%zz"}},
		"name=x=y&%6eame=%3D":   {"name": {"x=y", "="}},
		"name&active=&name=%26": {"name": {"", "&"}, "active": {""}},
	} {
		got := call{Request: &web.Request{RawQuery: raw}}.parameters()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", raw, diff)
		}
	}
}
