package query_test

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"latchkey/shared/api/serviceaccounts/query"
)

// The language once more, as a model that keeps values as plain Go values and makes no
// effort: a row has a string, a uuid.UUID, a bool, a time.Time or nil by each field. A
// filter of the model is made of a value, of which the text to parse is only written.

const accepted query.Kind = 255

type row map[string]any

func (r row) record() query.Record {
	return func(field string) query.Value {
		switch v := r[field].(type) {
		case string:
			return query.TextValue(v)
		case uuid.UUID:
			return query.UUIDValue(v)
		case bool:
			return query.FlagValue(v)
		case time.Time:
			return query.TimeValue(v)
		}
		return query.Value{}
	}
}

// A wish is a filter of the model.
type wish struct {
	field, text string
	refused     query.Kind
	matches     func(v any) bool // which is not nil
	null        bool
}

type source struct{ *rand.Rand }

func pick[T any](s source, from ...T) T { return from[s.IntN(len(from))] }

func (s source) rarely() bool { return s.IntN(25) == 0 }

func (s source) text() string {
	return pick(s, "", "a", "A", "ab", "aB", "Ba", "100%", "a_b", "é", "É", "x:y", "10", "9", "1e1", " 7 ", "-3.5",
		"+.5", "NaN", "-inf", "0x10", "1e400", "é:Ab")
}

func (s source) id() uuid.UUID {
	id := uuid.UUID{3: byte(s.IntN(2)), 7: 0xab, 8: 0xcd, 15: byte(s.IntN(3)) << 4}
	id[0] = pick[byte](s, 0, 0x7f, 0x80)
	return id
}

func (s source) time() time.Time {
	at := noon.Add(time.Duration(s.IntN(3)-1) * time.Second)
	at = at.Add(pick(s, 0, 0, 0, 500*time.Microsecond, time.Microsecond, 999*time.Nanosecond))
	return at.In(pick(s, time.UTC, time.FixedZone("", -5400)))
}

func (s source) value(t query.Type) any {
	switch {
	case s.IntN(5) == 0:
		return nil
	case t == query.Text:
		return s.text()
	case t == query.UUID:
		return s.id()
	case t == query.Flag:
		return s.IntN(2) == 0
	}
	return s.time()
}

func (s source) row() row {
	r := row{}
	for _, field := range keys.Fields {
		r[field.Name] = s.value(field.Type)
	}
	r["id"] = s.id() // never null, but not unique either
	return r
}

var everyOperator = strings.Fields("equals notequals contains notcontains startswith endswith " +
	"oneof notoneof gt gte lt lte in isempty isnotempty")

func (s source) wish() wish {
	field := pick(s, keys.Fields...)
	if s.IntN(6) == 0 {
		w := s.wishOf(field, "equals", true)
		w.field = field.Name
		return w
	}
	operator := pick(s, everyOperator...)
	w := s.wishOf(field, operator, false)
	w.field, w.text = field.Name, operator+":"+w.text
	return w
}

var refusedFilter = wish{text: "2025-10-16 12:08:11", refused: query.Filter}

func (s source) wishOf(field query.Field, operator string, plain bool) wish {
	if operator == "isempty" || operator == "isnotempty" {
		return s.emptyWish(operator == "isempty")
	}
	var w wish
	switch field.Type {
	case query.Text:
		w = s.textWish(operator)
	case query.UUID:
		w = s.idWish(operator)
	case query.Flag:
		w = s.flagWish(operator)
	case query.Time:
		w = s.timeWish(operator, plain)
	}
	if holds := w.matches; holds != nil && strings.HasPrefix(operator, "not") {
		w.matches = func(v any) bool { return !holds(v) }
	}
	return w
}

func (s source) emptyWish(wanted bool) wish {
	w := wish{refused: accepted, null: wanted, matches: func(v any) bool { return (v == "") == wanted }}
	if s.rarely() {
		w.text, w.refused = pick(s, " ", "x", ":"), query.Filter
	}
	return w
}

func (s source) textWish(operator string) wish {
	switch operator {
	case "gt", "gte", "lt", "lte":
		return s.numberWish(operator)
	case "in":
		return refusedFilter
	}
	return s.stringWish(operator, s.text, func(v any) string { return v.(string) },
		func(a, b string) bool { return a == b })
}

func (s source) idWish(operator string) wish {
	switch operator {
	case "gt", "gte", "lt", "lte", "in":
		return refusedFilter
	}
	spelled := func() string {
		text := s.id().String()
		if s.rarely() || strings.HasSuffix(operator, "with") || strings.HasSuffix(operator, "contains") {
			from := s.IntN(len(text))
			text = text[from : from+s.IntN(len(text)-from)]
		}
		return pick(s, text, strings.ToUpper(text), strings.ReplaceAll(text, "-", ""))
	}
	bare := func(text string) string { return strings.ToLower(strings.Join(strings.Split(text, "-"), "")) }
	return s.stringWish(operator, spelled, func(v any) string { return bare(v.(uuid.UUID).String()) },
		func(a, b string) bool { return a == bare(b) })
}

// stringWish is one that looks at texts; same has what was asked for on its right.
func (s source) stringWish(
	operator string, random func() string, textOf func(any) string, same func(a, b string) bool,
) wish {
	asked := random()
	w := wish{text: asked, refused: accepted}
	switch strings.TrimPrefix(operator, "not") {
	case "equals":
		w.matches = func(v any) bool { return same(textOf(v), asked) }
	case "oneof":
		return s.listWish(random, textOf, same)
	case "contains":
		w.matches = func(v any) bool { return len(places(textOf(v), asked)) > 0 }
	case "startswith":
		w.matches = func(v any) bool { return places(textOf(v), asked)[0] }
	case "endswith":
		w.matches = func(v any) bool {
			text, part := []rune(textOf(v)), []rune(withoutIDHyphens(textOf(v), asked))
			return places(textOf(v), asked)[len(text)-len(part)]
		}
	}
	return w
}

// withoutIDHyphens: of what is asked for in a text, only UUIDs have hyphens; that of
// -3.5 stays.
func withoutIDHyphens(text, part string) string {
	if len(text) != 32 {
		return part
	}
	return strings.Join(strings.Split(part, "-"), "")
}

// places gives where a part is found in a text, in characters, ignoring case.
func places(text, part string) map[int]bool {
	in, wanted, found := []rune(text), []rune(withoutIDHyphens(text, part)), map[int]bool{}
	for from := 0; from+len(wanted) <= len(in); from++ {
		if strings.EqualFold(string(in[from:from+len(wanted)]), string(wanted)) {
			found[from] = true
		}
	}
	return found
}

func (s source) listWish(random func() string, textOf func(any) string, same func(a, b string) bool) wish {
	if s.rarely() {
		return wish{text: pick(s, "", "a", `"a"`, "null", "[null]", "[1]", `["a"`), refused: query.Filter}
	}
	var asked, quoted []string
	for range s.IntN(4) {
		asked = append(asked, random())
		quoted = append(quoted, `"`+asked[len(asked)-1]+`"`)
	}
	return wish{text: "[" + strings.Join(quoted, ", ") + "]", refused: accepted, matches: func(v any) bool {
		for _, one := range asked {
			if same(textOf(v), one) {
				return true
			}
		}
		return false
	}}
}

var decimals = regexp.MustCompile(`^ *([-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[0-9]{1,2})?) *$`)

func rational(text string) *big.Rat {
	parts := decimals.FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	r, _ := new(big.Rat).SetString(parts[1])
	return r
}

func (s source) numberWish(operator string) wish {
	text := pick(s, "9", "10", "10.0", "-35e-1", "0.5", " 7", "-4", "1e3")
	if s.IntN(6) == 0 {
		return wish{text: pick(s, "", "x", "nan", "-inf", "1e400", "0x10", "9a"), refused: query.Store}
	}
	limit, _ := new(big.Rat).SetString(strings.TrimSpace(text))
	return wish{text: text, refused: accepted, matches: func(v any) bool {
		n := rational(v.(string))
		return n != nil && orders[operator][n.Cmp(limit)]
	}}
}

// What an operator takes. That notequals turns it around is left to the caller.
var orders = map[string]map[int]bool{
	"equals": {0: true}, "notequals": {0: true},
	"gt": {1: true}, "gte": {1: true, 0: true},
	"lt": {-1: true}, "lte": {-1: true, 0: true},
}

func (s source) flagWish(operator string) wish {
	if !strings.HasSuffix(operator, "equals") {
		return wish{text: "true", refused: query.Filter}
	}
	if s.rarely() {
		return wish{text: pick(s, "", "yes", "2", "tru"), refused: query.Filter}
	}
	if s.IntN(2) == 0 {
		return wish{text: pick(s, "true", "TRUE", "1"), refused: accepted, matches: func(v any) bool { return v.(bool) }}
	}
	return wish{text: pick(s, "false", "False", "0"), refused: accepted, matches: func(v any) bool { return !v.(bool) }}
}

func (s source) timeWish(operator string, plain bool) wish {
	switch {
	case operator == "in":
		return s.rangeWish()
	case orders[operator] == nil:
		return refusedFilter
	case s.rarely():
		return wish{text: pick(s, "", "x", "2025-02-30 00:00:00", "2025-10-16 24:00:00", "1760616491"), refused: query.Filter}
	}
	asked := s.time()
	text := asked.UTC().Format(pick(s, "2006-01-02 15:04:05", "2006-1-2 15:4:5"))
	if plain {
		layout := pick(s, "2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05.000000000-0700")
		text = asked.Format(layout)
	} else {
		asked = asked.Truncate(time.Second)
	}
	return wish{text: text, refused: accepted, matches: func(v any) bool {
		return orders[operator][strings.Compare(written(v.(time.Time)), written(asked))]
	}}
}

// written gives a text that is in the order of the times.
func written(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000000") }

func (s source) rangeWish() wish {
	from, to := s.time().UTC().Format(time.DateTime), s.time().UTC().Format(time.DateTime)
	if s.rarely() {
		return wish{text: pick(s, from, from+","+to+","+to, from+", "+to), refused: query.Filter}
	}
	return wish{text: from + "," + to, refused: accepted, matches: func(v any) bool {
		text := written(v.(time.Time))
		return text >= from+".000000" && text <= to+".000000"
	}}
}

// A modelQuery is what the model makes of the parameters that it has written.
type modelQuery struct {
	parameters url.Values
	wishes     []wish
	either     bool
	field      string
	descending bool
	page, size int
}

func (s source) query() modelQuery {
	q := modelQuery{parameters: url.Values{}, field: "created", page: 1, size: 20}
	for range s.IntN(4) {
		w := s.wish()
		q.wishes = append(q.wishes, w)
		q.parameters.Add(w.field, w.text)
	}
	if s.IntN(2) == 0 {
		q.either = s.IntN(2) == 0
		q.parameters.Add("logical_operator", map[bool]string{true: "or", false: "and"}[q.either])
	}
	if s.IntN(3) > 0 {
		direction := pick(s, "", "asc:", "desc:", "down:")
		q.field, q.descending = pick(s, keys.Fields...).Name, direction == "desc:"
		q.parameters.Add("sort_by", direction+q.field)
	}
	if s.IntN(2) == 0 {
		q.page, q.size = s.IntN(4)+1, s.IntN(5)+1
		q.parameters.Add("page", fmt.Sprint(q.page))
		q.parameters.Add("size", fmt.Sprint(q.size))
	}
	return q
}

func (q modelQuery) refused() query.Kind {
	first := accepted
	for _, w := range q.wishes {
		first = min(first, w.refused)
	}
	return first
}

func (q modelQuery) matches(r row) bool {
	found := 0
	for _, w := range q.wishes {
		if v := r[w.field]; v == nil && w.null || v != nil && w.matches(v) {
			found++
		}
	}
	return found == len(q.wishes) || q.either && found > 0
}

// less compares what rows have to sort by, as texts.
func (q modelQuery) less(a, b row) bool {
	keyA, keyB := sortKey(a[q.field]), sortKey(b[q.field])
	if keyA != keyB {
		return (keyA < keyB) != q.descending
	}
	return a["id"].(uuid.UUID).String() < b["id"].(uuid.UUID).String()
}

func sortKey(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		return "x" + written(v)
	}
	return fmt.Sprintf("x%v", v)
}

// list puts each match before the first one that is greater.
func (q modelQuery) list(rows []row) []row {
	var matches []row
	for _, r := range rows {
		if !q.matches(r) {
			continue
		}
		at := 0
		for at < len(matches) && !q.less(r, matches[at]) {
			at++
		}
		matches = append(matches[:at], append([]row{r}, matches[at:]...)...)
	}
	return matches
}

func (q modelQuery) pageOf(matches []row) (page []row, exists bool) {
	for i, r := range matches {
		if i/q.size+1 == q.page {
			page = append(page, r)
		}
	}
	return page, len(page) > 0 || q.page == 1
}

// list does with a query what a list does.
func list(q *query.Query, rows []row) (page []row, total int, err error) {
	var matches []row
	for _, r := range rows {
		if !q.Matches(r.record()) {
			continue
		}
		at := 0
		for at < len(matches) && compare(q, matches[at], r) <= 0 {
			at++
		}
		matches = append(matches[:at], append([]row{r}, matches[at:]...)...)
	}
	from, to, err := q.Bounds(len(matches))
	return append(page, matches[from:to]...), len(matches), err
}

func compare(q *query.Query, a, b row) int {
	return q.Compare(q.Rank(a.record()), q.Rank(b.record()), a["id"].(uuid.UUID), b["id"].(uuid.UUID))
}

func TestAgainstModel(t *testing.T) {
	seed := rand.Uint64()
	s := source{rand.New(rand.NewPCG(seed, 0))}
	var rows []row
	for range 30 {
		rows = append(rows, s.row())
	}
	seen := map[string]int{}
	for range 2000 {
		model := s.query()
		outcome := againstModel(t, model, rows)
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, model.parameters)
		}
		seen[outcome]++
	}
	for _, outcome := range []string{"page", "no such page", "empty", "kind 1", "kind 2"} {
		if seen[outcome] < 3 {
			t.Errorf("seed %d: %q only %d times", seed, outcome, seen[outcome])
		}
	}
}

func againstModel(t *testing.T, model modelQuery, rows []row) (outcome string) {
	t.Helper()
	if kind := model.refused(); kind != accepted {
		if got := refusal(t, model.parameters); got.Kind != kind {
			t.Errorf("kind %d, want %d: %s", got.Kind, kind, got.Text)
		}
		return fmt.Sprintf("kind %d", kind)
	}
	q, err := keys.Parse(model.parameters)
	if err != nil {
		t.Error(err)
		return "refused"
	}
	matches := model.list(rows)
	want, exists := model.pageOf(matches)
	got, total, err := list(q, rows)
	if total != len(matches) || (err == nil) != exists {
		t.Errorf("%d matches, want %d; %v", total, len(matches), err)
	}
	if diff := cmp.Diff(want, got); diff != "" && exists {
		t.Errorf("(-want +got)\n%s", diff)
	}
	switch {
	case !exists:
		return "no such page"
	case len(want) == 0:
		return "empty"
	}
	return "page"
}

// Compare is an order: of any three values it says what agrees.
func TestCompareIsAnOrder(t *testing.T) {
	seed := rand.Uint64()
	s := source{rand.New(rand.NewPCG(seed, 0))}
	for range 2000 {
		q := parse(t, "sort_by="+pick(s, "asc:", "desc:")+pick(s, keys.Fields...).Name)
		a, b, c := s.row(), s.row(), s.row()
		ab, ba, bc, ac := compare(q, a, b), compare(q, b, a), compare(q, b, c), compare(q, a, c)
		if ab != -ba || ab <= 0 && bc <= 0 && ac > 0 || compare(q, a, a) != 0 {
			t.Fatalf("seed %d: %d, %d, %d, %d of %v, %v, %v", seed, ab, ba, bc, ac, a, b, c)
		}
		idA, idB := a["id"].(uuid.UUID), b["id"].(uuid.UUID)
		if rank := q.Rank(a.record()); q.Compare(rank, rank, idA, idB) != bytes.Compare(idA[:], idB[:]) {
			t.Fatalf("seed %d: %v and %v tie", seed, idA, idB)
		}
	}
}
