package query_test

import (
	"errors"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"latchkey/shared/api/serviceaccounts/query"
)

var keys = query.Language{Name: "APIKeyFilter", Fields: []query.Field{
	{Name: "id", Type: query.UUID},
	{Name: "created", Type: query.Time},
	{Name: "name", Type: query.Text},
	{Name: "description", Type: query.Text},
	{Name: "active", Type: query.Flag},
	{Name: "owner", Type: query.UUID},
	{Name: "last_login", Type: query.Time},
}}

func parameters(t testing.TB, text string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func parse(t testing.TB, text string) *query.Query {
	t.Helper()
	q, err := keys.Parse(parameters(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// refusal gives the error of parameters that must be refused.
func refusal(t testing.TB, values url.Values) query.Error {
	t.Helper()
	q, err := keys.Parse(values)
	if problem, ok := errors.AsType[*query.Error](err); ok && q == nil {
		return *problem
	}
	t.Errorf("%.300v: %v", values, err)
	return query.Error{}
}

// record makes one of values by field; any other is null.
func record(values map[string]query.Value) query.Record {
	return func(field string) query.Value { return values[field] }
}

func TestPages(t *testing.T) {
	type page struct{ Page, Size int }
	for text, want := range map[string]page{
		"":                             {1, 20},
		"page=1&size=1":                {1, 1},
		"page=7&size=10000":            {7, 10000},
		"page=x&page=0&page=3":         {3, 20},
		"size=10001&size=5":            {1, 5},
		"page=%2B2&size=%202%20":       {2, 2},
		"page=2.0&size=0030.000":       {2, 30},
		"page=1_000&size=1_0.0":        {1000, 10},
		"page=%C2%A04%0A":              {4, 20},
		"page=9223372036854775807":     {math.MaxInt, 20},
		"page=9223372036854775808":     {math.MaxInt, 20},
		"page=99999999999999999999999": {math.MaxInt, 20},
	} {
		q := parse(t, text)
		if diff := cmp.Diff(want, page{q.Page, q.Size}); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestRefusedBase(t *testing.T) {
	const (
		noInteger = "Input should be a valid integer, unable to parse string as an integer [type=int_parsing"
		tooSmall  = "Input should be greater than or equal to 1 [type=greater_than_equal"
		tooLarge  = "Input should be less than or equal to 10000 [type=less_than_equal"
		noJoiner  = "Input should be 'or' or 'and' [type=enum"
	)
	for _, test := range []struct{ parameter, value, problem string }{
		{"page", "0", tooSmall},
		{"page", "-0", tooSmall},
		{"page", "-1.0", tooSmall},
		{"page", "-99999999999999999999", tooSmall},
		{"page", "", noInteger},
		{"page", " ", noInteger},
		{"page", "x", noInteger},
		{"page", "1.", noInteger},
		{"page", ".0", noInteger},
		{"page", "1.5", noInteger},
		{"page", "1.01", noInteger},
		{"page", "1e3", noInteger},
		{"page", "0x1", noInteger},
		{"page", "--1", noInteger},
		{"page", "+-1", noInteger},
		{"page", "- 1", noInteger},
		{"page", "1 0", noInteger},
		{"page", "_1", noInteger},
		{"page", "1_", noInteger},
		{"page", "1__0", noInteger},
		{"page", "1.0_0", noInteger},
		{"page", "١", noInteger},
		{"size", "0", tooSmall},
		{"size", "-5", tooSmall},
		{"size", "10001", tooLarge},
		{"size", "99999999999999999999999", tooLarge},
		{"size", "1.5", noInteger},
		{"logical_operator", "", noJoiner},
		{"logical_operator", "xor", noJoiner},
		{"logical_operator", "AND", noJoiner},
		{"logical_operator", " or", noJoiner},
	} {
		want := query.Error{Kind: query.Request, Text: "1 validation error for Request\n" +
			test.parameter + "\n  " + test.problem + `, input_value="` + test.value + `", input_type=str]`}
		got := refusal(t, url.Values{test.parameter: {"1", test.value}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s=%s: (-want +got)\n%s", test.parameter, test.value, diff)
		}
	}
}

// Which directions are descending; ties are by id in either.
func TestOrders(t *testing.T) {
	ids := [][16]byte{{1}, {2}}
	low, high := query.TextValue("a"), query.TextValue("b")
	for text, descending := range map[string]bool{
		"sort_by=name":                   false,
		"sort_by=asc:name":               false,
		"sort_by=desc:name":              true,
		"sort_by=DESC:name":              false,
		"sort_by=pancakes:name":          false,
		"sort_by=:name":                  false,
		"sort_by=%20desc:name":           false,
		"sort_by=nonsense&sort_by=name":  false,
		"sort_by=name&sort_by=desc:name": true,
	} {
		q := parse(t, text)
		rank := q.Rank(record(map[string]query.Value{"name": high, "created": low}))
		if rank != high {
			t.Errorf("%s: ranks by %v", text, rank)
		}
		before := q.Compare(low, high, ids[1], ids[0]) < 0 && q.Compare(high, low, ids[0], ids[1]) > 0
		after := q.Compare(low, high, ids[0], ids[1]) > 0 && q.Compare(high, low, ids[1], ids[0]) < 0
		if before == descending || after != descending {
			t.Errorf("%s: %v and %v", text, before, after)
		}
		if q.Compare(low, low, ids[0], ids[1]) >= 0 || q.Compare(low, low, ids[1], ids[0]) <= 0 {
			t.Errorf("%s: ties are not by id", text)
		}
		if q.Compare(high, high, ids[1], ids[1]) != 0 {
			t.Errorf("%s: a record is not the same as itself", text)
		}
	}
}

func TestOrderOfValues(t *testing.T) {
	at := time.Date(2025, 10, 16, 15, 8, 11, 0, time.UTC)
	var null query.Value
	for name, ascending := range map[string][]query.Value{
		"texts": {null, query.TextValue(""), query.TextValue("10"), query.TextValue("9"), query.TextValue("B"),
			query.TextValue("a"), query.TextValue("ab"), query.TextValue("é")},
		"flags": {null, query.FlagValue(false), query.FlagValue(true)},
		"UUIDs": {null, query.UUIDValue([16]byte{}), query.UUIDValue([16]byte{15: 1}), query.UUIDValue([16]byte{1}),
			query.UUIDValue([16]byte{0x80})},
		"times": {null, query.TimeValue(time.Unix(-1, 0)), query.TimeValue(time.Unix(0, 0)), query.TimeValue(at),
			query.TimeValue(at.Add(time.Microsecond))},
	} {
		up, down := parse(t, ""), parse(t, "sort_by=desc:created")
		for i, a := range ascending {
			for j, b := range ascending {
				want := i - j
				if got := up.Compare(a, b, [16]byte{}, [16]byte{}); got*want < 0 || (got == 0) != (want == 0) {
					t.Errorf("%s %d and %d: %d", name, i, j, got)
				}
				if got := down.Compare(a, b, [16]byte{}, [16]byte{}); got*want > 0 || (got == 0) != (want == 0) {
					t.Errorf("%s %d and %d, descending: %d", name, i, j, got)
				}
			}
		}
	}
}

func TestSameTimes(t *testing.T) {
	at := time.Date(2025, 10, 16, 15, 8, 11, 1999, time.UTC)
	want := query.TimeValue(at)
	for _, same := range []time.Time{at.Truncate(time.Microsecond), at.In(time.FixedZone("", 7200))} {
		if got := query.TimeValue(same); got != want {
			t.Errorf("%v: %v", same, got)
		}
	}
	if got := query.TimeValue(at.Add(1)); got == want {
		t.Error("two microseconds are one")
	}
	before := time.Unix(-1, 999_999_999)
	if query.TimeValue(before) != query.TimeValue(time.Unix(-1, 999_999_000)) {
		t.Errorf("%v is not cut", before)
	}
	if query.TimeValue(time.Time{}) != (query.Value{}) {
		t.Error("the zero time is not null")
	}
}

func TestRefusedOrders(t *testing.T) {
	for _, value := range []string{
		"", ":", "desc:", "nam", "Name", " name", "name ", "name:asc", "desc:desc:name", "asc:nam",
		"page", "size", "sort_by", "logical_operator", "service_account", "hydrate", "desc:page",
	} {
		want := query.Error{Kind: query.Filter, Text: "1 validation error for APIKeyFilter\nsort_by\n  Value error, " +
			"it must be a field to sort by, after asc:, desc: or nothing " +
			`[type=value_error, input_value="` + value + `", input_type=str]`}
		if diff := cmp.Diff(want, refusal(t, url.Values{"sort_by": {"name", value}})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", value, diff)
		}
	}
}

// All faults of the first kind are named, and nothing of another kind.
func TestKindsOfFaults(t *testing.T) {
	for _, test := range []struct {
		parameters string
		want       query.Error
	}{
		{"name=gt:x&active=maybe&size=0&page=y&logical_operator=z&sort_by=nam", query.Error{Kind: query.Request,
			Text: "3 validation errors for Request\n" +
				"page\n  Input should be a valid integer, unable to parse string as an integer " +
				"[type=int_parsing, input_value=\"y\", input_type=str]\n" +
				"size\n  Input should be greater than or equal to 1 " +
				"[type=greater_than_equal, input_value=\"0\", input_type=str]\n" +
				"logical_operator\n  Input should be 'or' or 'and' " +
				"[type=enum, input_value=\"z\", input_type=str]"}},
		{"name=gt:x&active=maybe&active=1&active=&sort_by=nam&description=oneof:1", query.Error{Kind: query.Filter,
			Text: "4 validation errors for APIKeyFilter\n" +
				"sort_by\n  Value error, it must be a field to sort by, after asc:, desc: or nothing " +
				"[type=value_error, input_value=\"nam\", input_type=str]\n" +
				"description\n  Value error, the operand must be a JSON array of strings " +
				"[type=value_error, input_value=\"oneof:1\", input_type=str]\n" +
				"active\n  Value error, the operand must be true, false, 1 or 0 " +
				"[type=value_error, input_value=\"maybe\", input_type=str]\n" +
				"active\n  Value error, the operand must be true, false, 1 or 0 " +
				"[type=value_error, input_value=\"\", input_type=str]"}},
		{"sort_by=nam&active=maybe&logical_operator=or", query.Error{Kind: query.Filter,
			Text: "2 validation errors for APIKeyFilter\n" +
				"sort_by\n  Value error, it must be a field to sort by, after asc:, desc: or nothing " +
				"[type=value_error, input_value=\"nam\", input_type=str]\n" +
				"active\n  Value error, the operand must be true, false, 1 or 0 " +
				"[type=value_error, input_value=\"maybe\", input_type=str]"}},
		{"id=gt:1", query.Error{Kind: query.Filter,
			Text: "1 validation error for APIKeyFilter\n" +
				"id\n  Value error, gt is no operator of a UUID, which takes equals, notequals, contains, " +
				"notcontains, startswith, endswith, oneof, notoneof, isempty, isnotempty " +
				"[type=value_error, input_value=\"gt:1\", input_type=str]"}},
		{"name=gt:x&name=lte:&description=gte:1&description=lt:nan", query.Error{Kind: query.Store,
			Text: `name: the operand must be a number, not "x"; name: the operand must be a number, not ""; ` +
				`description: the operand must be a number, not "nan"`}},
	} {
		got := refusal(t, parameters(t, test.parameters))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.parameters, diff)
		}
		if got.Error() != got.Text {
			t.Errorf("%q is not %q", got.Error(), got.Text)
		}
	}
}

func TestQuotes(t *testing.T) {
	for value, want := range map[string]string{
		strings.Repeat("x", 100):      strings.Repeat("x", 100),
		strings.Repeat("x", 101):      strings.Repeat("x", 100),
		"x" + strings.Repeat("é", 60): "x" + strings.Repeat("é", 49),
		"a\"\n\xff\u2028":             `a\"\n\xff\u2028`,
	} {
		for _, text := range []string{
			refusal(t, url.Values{"page": {value}}).Text,
			refusal(t, url.Values{"sort_by": {value}}).Text,
			refusal(t, url.Values{"active": {value}}).Text,
			refusal(t, url.Values{"name": {"gt:" + value}}).Text,
		} {
			if _, rest, _ := strings.Cut(text, `"`); !strings.HasPrefix(rest, want+`"`) {
				t.Errorf("%q: %s", value, text)
			}
		}
	}
}

func TestIgnoredParameters(t *testing.T) {
	q := parse(t, "hydrate=maybe&service_account=gt:1&nonsense=in:x&Name=gt:x&=x")
	if !q.IsByCreation() || !q.Matches(record(nil)) {
		t.Error("a parameter counts that is none")
	}
}

func TestUses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "created",
		"sort_by=desc:name":                   "name",
		"last_login=isempty:&active=1&page=2": "created active last_login",
		"sort_by=x:created&id=x&id=y":         "id created",
	} {
		q, used := parse(t, text), []string{}
		for _, field := range keys.Fields {
			if q.Uses(field.Name) {
				used = append(used, field.Name)
			}
		}
		want := strings.Fields(want)
		if diff := cmp.Diff(ordered(want), used); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
		if !q.Uses("nonsense", want[0]) || !q.Uses(want[len(want)-1], "nonsense") || q.Uses() || q.Uses("nonsense") {
			t.Errorf("%s: not asked of each field", text)
		}
	}
}

// ordered gives names in the order of the language.
func ordered(names []string) []string {
	all := strings.Join(names, " ") + " "
	var in []string
	for _, field := range keys.Fields {
		if strings.Contains(all, field.Name+" ") {
			in = append(in, field.Name)
		}
	}
	return in
}

func TestIsByCreation(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                true,
		"page=3&size=7":                   true,
		"logical_operator=or":             true,
		"sort_by=created":                 true,
		"sort_by=asc:created":             true,
		"sort_by=pancakes:created":        true,
		"sort_by=desc:created":            false,
		"sort_by=name":                    false,
		"name=x":                          true,
		"created=isnotempty:":             true,
		"sort_by=name&sort_by=:created":   true,
		"hydrate=true&service_account=xy": true,
	} {
		if got := parse(t, text).IsByCreation(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Each filter is tried on each record, so that there may not be any number.
func TestNumberOfFilters(t *testing.T) {
	most := strings.TrimSuffix(strings.Repeat("name=x&active=1&", 25), "&")
	parse(t, most)
	_, err := keys.Parse(parameters(t, most+"&id=x"))
	if wrong, ok := errors.AsType[*query.Error](err); !ok || wrong.Kind != query.Filter || !strings.Contains(wrong.Text, "more than 50") {
		t.Errorf("one more: %v", err)
	}
}

// Of a long text its beginning ranks it, which is all that is kept of it.
func TestRankOfALongText(t *testing.T) {
	q := parse(t, "sort_by=name")
	begins := strings.Repeat("x", 2048)
	rank := func(name string) query.Value {
		return q.Rank(record(map[string]query.Value{"name": query.TextValue(name)}))
	}
	if rank(begins+"a") != rank(begins+"b") || rank(begins[1:]+"a") == rank(begins[1:]+"b") {
		t.Error("another length of a text ranks it")
	}
}

// A language may lack the field of the default order.
func TestDefaultOrderIsNoFault(t *testing.T) {
	names := query.Language{Name: "NameFilter", Fields: []query.Field{{Name: "name"}}}
	q, err := names.Parse(nil)
	if err != nil || !q.IsByCreation() {
		t.Error(err)
	}
	if _, err := names.Parse(parameters(t, "sort_by=created")); err == nil {
		t.Error("sorts by what is not there")
	}
}

func TestBounds(t *testing.T) {
	type bounds struct{ From, To, Pages int }
	for _, test := range []struct {
		parameters string
		total      int
		want       bounds
	}{
		{"", 0, bounds{0, 0, 1}},
		{"", 1, bounds{0, 1, 1}},
		{"", 20, bounds{0, 20, 1}},
		{"", 21, bounds{0, 20, 2}},
		{"page=2", 21, bounds{20, 21, 2}},
		{"page=2", 40, bounds{20, 40, 2}},
		{"page=2&size=3", 7, bounds{3, 6, 3}},
		{"page=3&size=3", 7, bounds{6, 7, 3}},
		{"page=5&size=1", 5, bounds{4, 5, 5}},
		{"size=10000", math.MaxInt, bounds{0, 10000, 922337203685478}},
		{"size=10000&page=922337203685478", math.MaxInt, bounds{9223372036854770000, math.MaxInt, 922337203685478}},
		{"size=1&page=9223372036854775807", math.MaxInt, bounds{math.MaxInt - 1, math.MaxInt, math.MaxInt}},
	} {
		q := parse(t, test.parameters)
		from, to, err := q.Bounds(test.total)
		if err != nil {
			t.Errorf("%s of %d: %v", test.parameters, test.total, err)
		}
		if diff := cmp.Diff(test.want, bounds{from, to, q.TotalPages(test.total)}); diff != "" {
			t.Errorf("%s of %d: (-want +got)\n%s", test.parameters, test.total, diff)
		}
	}
}

func TestPagesBehindTheLast(t *testing.T) {
	for _, test := range []struct {
		parameters string
		total      int
		want       string
	}{
		{"page=2", 0, "Invalid page 2: with a size of 20 and a total of 0 items the last page is 1."},
		{"page=2", 20, "Invalid page 2: with a size of 20 and a total of 20 items the last page is 1."},
		{"page=4&size=3", 9, "Invalid page 4: with a size of 3 and a total of 9 items the last page is 3."},
		{"page=99999999999999999999&size=10000", 1,
			"Invalid page 9223372036854775807: with a size of 10000 and a total of 1 items the last page is 1."},
	} {
		from, to, err := parse(t, test.parameters).Bounds(test.total)
		problem, ok := errors.AsType[*query.Error](err)
		if !ok || *problem != (query.Error{Kind: query.Store, Text: test.want}) || from != 0 || to != 0 {
			t.Errorf("%s of %d: %d to %d, %v", test.parameters, test.total, from, to, err)
		}
	}
}

// Lists of hundreds of ids are looked up, not searched.
func BenchmarkOneOf(b *testing.B) {
	var list []string
	for range 250 {
		list = append(list, `"`+uuid.NewString()+`"`)
	}
	q := parse(b, url.Values{"id": {"oneof:[" + strings.Join(list, ",") + "]"}}.Encode())
	r := record(map[string]query.Value{"id": query.UUIDValue(uuid.New())})
	for b.Loop() {
		if q.Matches(r) {
			b.Fatal("a match")
		}
	}
}
