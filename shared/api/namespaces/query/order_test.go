package query_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/shared/api/namespaces/query"
)

func order(t testing.TB, path string, descending bool) query.Order {
	t.Helper()
	o, err := records.Order(path, descending)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRanks(t *testing.T) {
	for path, ascending := range map[string][]record{
		"meta.name": {
			{}, {Meta: meta{Name: "B"}}, {Meta: meta{Name: "a"}}, {Meta: meta{Name: "a\x00"}},
			{Meta: meta{Name: "ab"}}, {Meta: meta{Name: "é"}},
		},
		"spec.rules.x.allowed": {
			{}, {Spec: spec{Rules: map[name]rules{"x": {}}}}, {Spec: spec{Rules: map[name]rules{"x": {Allowed: true}}}},
		},
		"spec.issuer.meta.create_time": {
			{}, issuedAt(time.Unix(-1<<40, 0)), issuedAt(time.Unix(-1, 0)), issuedAt(time.Unix(-1, 1)),
			issuedAt(time.Unix(0, 0)), issuedAt(noon), issuedAt(noon.Add(1)), issuedAt(noon.Add(time.Second)),
			issuedAt(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)), issuedAt(time.Unix(1<<40, 0)),
		},
	} {
		up, down := order(t, path, false), order(t, path, true)
		for i := range ascending[1:] {
			a, b := up.Rank(ascending[i]), up.Rank(&ascending[i+1])
			if up.Compare(a, b) >= 0 || up.Compare(b, a) <= 0 || down.Compare(a, b) <= 0 || down.Compare(b, b) != 0 {
				t.Errorf("%s, %d: %q does not come before %q", path, i, a, b)
			}
		}
		if up.Rank(record{}) != "" || up.Path().String() != path {
			t.Errorf("%s: a missing value has rank %q", up.Path(), up.Rank(record{}))
		}
	}
}

func issuedAt(at time.Time) record {
	return record{Spec: spec{Issuer: &issuer{Meta: meta{CreateTime: timestamp{at}}}}}
}

func TestSameInstantSameRank(t *testing.T) {
	o := order(t, "spec.issuer.meta.create_time", false)
	elsewhere := noon.In(time.FixedZone("", 3600))
	if a, b := o.Rank(issuedAt(noon)), o.Rank(issuedAt(elsewhere)); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestRankIsBounded(t *testing.T) {
	o := order(t, "uuid", false)
	long := strings.Repeat("x", query.MaxRankLength-1)
	ascending := []string{long, long + "z", long + "é"} // the last is cut within its character
	for i, text := range ascending {
		ascending[i] = o.Rank(record{UUID: text})
	}
	if !slices.IsSorted(ascending) || len(ascending[2]) != query.MaxRankLength {
		t.Errorf("out of order, the last of %d bytes", len(ascending[2]))
	}
	if o.Rank(record{UUID: long + "z1"}) != o.Rank(record{UUID: long + "z2"}) {
		t.Error("what is cut off counts")
	}
}

// Ranks are in the order that Go has the values in.
func TestRankOrderOfRandomValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	byName, byTime := order(t, "meta.name", false), order(t, "meta.update_time", false)
	for range 20_000 {
		a, b := randomRecord(random), randomRecord(random)
		if got, want := byName.Compare(byName.Rank(a), byName.Rank(b)), cmp.Compare(a.Meta.Name, b.Meta.Name); got != want {
			t.Fatalf("%q and %q: %d, want %d", a.Meta.Name, b.Meta.Name, got, want)
		}
		at, other := a.Meta.UpdateTime, b.Meta.UpdateTime
		if got, want := byTime.Compare(byTime.Rank(a), byTime.Rank(b)), at.Compare(other.Time); got != want {
			t.Fatalf("%v and %v: %d, want %d", at, other, got, want)
		}
	}
}

// randomRecord has values that are often near one another.
func randomRecord(random *rand.Rand) record {
	text := make([]byte, random.IntN(4))
	for i := range text {
		text[i] = "\x00aAb\x7f\xc3\xff"[random.IntN(7)]
	}
	nanoseconds := []int64{0, 1, 15, 16, 999_999_999}
	seconds := random.Int64N(3) - 1
	if random.IntN(2) == 0 {
		seconds = random.Int64N(1<<38) - 1<<35
	}
	at := time.Unix(seconds, nanoseconds[random.IntN(len(nanoseconds))]).In(time.FixedZone("", random.IntN(3)*3600))
	return record{Meta: meta{Name: name(text), UpdateTime: timestamp{at}}}
}

func TestRefusedOrders(t *testing.T) {
	for path, want := range map[string]string{
		"":                 `unknown path ""`,
		"uui":              `unknown path "uui"`,
		"uuid ":            `unknown path "uuid "`,
		"meta":             `"meta" is a message and has no order`,
		"meta.tags":        `"meta.tags" is a list and has no order`,
		"meta.annotations": `"meta.annotations" is a map and has no order`,
	} {
		if _, err := records.Order(path, false); errorText(err) != want {
			t.Errorf("%s: %q, want %q", path, errorText(err), want)
		}
	}
}

func BenchmarkRank(b *testing.B) {
	message, o := full(), order(b, "meta.create_time", false)
	for b.Loop() {
		o.Rank(&message)
	}
}
