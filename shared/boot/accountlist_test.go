package boot_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"latchkey/shared/operation"
)

// A zenRow is what ZenML's API shows of an account or a key, as plain data, and the text
// that it is in a list. What a list should give is worked out on rows, without any of the
// code that answers lists.
type zenRow struct {
	id, name, description string
	active                bool
	created, changed      time.Time
	used, rotated         time.Time // of a key; zero: never
	retain                int64
	fullName, avatar      string // of an account
	secret                string // of a key: its full key
}

func (r zenRow) updated() time.Time {
	if r.used.After(r.changed) {
		return r.used
	}
	return r.changed
}

func (r zenRow) values() map[string]any {
	return map[string]any{
		"id": strings.ReplaceAll(r.id, "-", ""), "name": r.name, "description": r.description, "active": r.active,
		"created": r.created, "updated": r.updated(), "last_login": timeOrNil(r.used), "last_rotated": timeOrNil(r.rotated),
	}
}

func timeOrNil(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at
}

func textOrNull(text string) string {
	if text == "" {
		return "null"
	}
	return quotedJSON(text)
}

func timeOrNull(at time.Time) string {
	if at.IsZero() {
		return "null"
	}
	return `"` + naive(at) + `"`
}

func quotedJSON(text string) string {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSpace(encoded.String())
}

const zenEntityText = `{"body":%s,"metadata":%s,"resources":null,"id":"%s","permission_denied":false,"name":%s}`

// account is the row as an account, byte for byte.
func (r zenRow) account(hydrate bool) string {
	body := fmt.Sprintf(`{"created":%s,"updated":%s,"full_name":%s,"active":%v,"avatar_url":%s}`,
		timeOrNull(r.created), timeOrNull(r.changed), quotedJSON(r.fullName), r.active, textOrNull(r.avatar))
	metadata := "null"
	if hydrate {
		metadata = fmt.Sprintf(`{"description":%s,"external_user_id":null}`, quotedJSON(r.description))
	}
	return fmt.Sprintf(zenEntityText, body, metadata, r.id, quotedJSON(r.name))
}

// key is the row as a key of an account.
func (r zenRow) key(of zenRow, hydrate bool) string {
	body := fmt.Sprintf(`{"created":%s,"updated":%s,"key":null,"active":%v,"service_account":%s}`,
		timeOrNull(r.created), timeOrNull(r.updated()), r.active, of.account(false))
	metadata := "null"
	if hydrate {
		metadata = fmt.Sprintf(`{"description":%s,"retain_period_minutes":%d,"last_login":%s,"last_rotated":%s}`,
			quotedJSON(r.description), r.retain, timeOrNull(r.used), timeOrNull(r.rotated))
	}
	return fmt.Sprintf(zenEntityText, body, metadata, r.id, quotedJSON(r.name))
}

// A zenKind is the list of accounts or that of keys.
type zenKind struct {
	text, uuid, flag, time []string // its fields
}

var (
	accountKind = zenKind{
		text: []string{"name", "description"}, uuid: []string{"id", "external_user_id"}, flag: []string{"active"},
		time: []string{"created", "updated"},
	}
	keyKind = zenKind{
		text: []string{"name", "description"}, uuid: []string{"id"}, flag: []string{"active"},
		time: []string{"created", "updated", "last_login", "last_rotated"},
	}
)

func (k zenKind) fields() []string { return slices.Concat(k.text, k.uuid, k.flag, k.time) }

// What becomes of a question.
type zenOutcome int

const (
	outcomeList    zenOutcome = iota
	outcomeStore              // 400, under detail
	outcomeFilter             // 422, under detail
	outcomeRequest            // 422, bare
)

var zenOperators = []string{
	"equals", "notequals", "contains", "notcontains", "startswith", "endswith", "oneof", "notoneof",
	"gt", "gte", "lt", "lte", "in", "isempty", "isnotempty",
}

type zenTest func(value any) bool // which is not nil

// filter reads one as the contract says. A nil value is asked of isempty alone.
func (k zenKind) filter(field, given string) (test zenTest, takesNull bool, outcome zenOutcome) {
	operator, operand, found := strings.Cut(given, ":")
	isLiteral := !found || !slices.Contains(zenOperators, operator)
	if isLiteral {
		operator, operand = "equals", given
	}
	if operator == "isempty" || operator == "isnotempty" {
		if operand != "" {
			return nil, false, outcomeFilter
		}
		return func(v any) bool { return (v == "") == (operator == "isempty") }, operator == "isempty", outcomeList
	}
	base, isNegated := strings.CutPrefix(operator, "not")
	switch {
	case slices.Contains(k.text, field):
		test, outcome = textTest(base, operand)
	case slices.Contains(k.uuid, field):
		test, outcome = uuidTest(base, operand)
	case slices.Contains(k.flag, field):
		test, outcome = flagTest(base, operand)
	default:
		test, outcome = timeTest(base, operand, isLiteral)
	}
	if isNegated {
		positive := test
		test = func(v any) bool { return !positive(v) }
	}
	return test, false, outcome
}

func holdsFor(operator string, order int) bool {
	switch operator {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	}
	return order == 0
}

func textTest(operator, operand string) (zenTest, zenOutcome) {
	folded := strings.ToLower(operand)
	lower := func(v any) string { return strings.ToLower(v.(string)) }
	switch operator {
	case "equals":
		return func(v any) bool { return v == operand }, outcomeList
	case "contains":
		return func(v any) bool { return strings.Contains(lower(v), folded) }, outcomeList
	case "startswith":
		return func(v any) bool { return strings.HasPrefix(lower(v), folded) }, outcomeList
	case "endswith":
		return func(v any) bool { return strings.HasSuffix(lower(v), folded) }, outcomeList
	case "oneof":
		list, ok := textList(operand)
		return func(v any) bool { return slices.Contains(list, v.(string)) }, outcomeUnless(ok, outcomeFilter)
	case "in":
		return nil, outcomeFilter
	}
	limit, err := strconv.ParseFloat(operand, 64)
	return func(v any) bool {
		number, err := strconv.ParseFloat(strings.TrimSpace(v.(string)), 64)
		return err == nil && holdsFor(operator, cmp.Compare(number, limit))
	}, outcomeUnless(err == nil, outcomeStore)
}

func outcomeUnless(ok bool, otherwise zenOutcome) zenOutcome {
	if ok {
		return outcomeList
	}
	return otherwise
}

func textList(operand string) (list []string, ok bool) {
	var members []any
	if json.Unmarshal([]byte(operand), &members) != nil || members == nil {
		return nil, false
	}
	for _, member := range members {
		text, isText := member.(string)
		if !isText {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

func uuidTest(operator, operand string) (zenTest, zenOutcome) {
	digits := func(text string) string { return strings.ToLower(strings.ReplaceAll(text, "-", "")) }
	switch operator {
	case "equals":
		return func(v any) bool { return v == digits(operand) }, outcomeList
	case "oneof":
		list, ok := textList(operand)
		return func(v any) bool {
			return slices.ContainsFunc(list, func(one string) bool { return v == digits(one) })
		}, outcomeUnless(ok, outcomeFilter)
	case "contains", "startswith", "endswith":
		return textTest(operator, digits(operand))
	}
	return nil, outcomeFilter
}

func flagTest(operator, operand string) (zenTest, zenOutcome) {
	wanted, known := map[string]bool{"true": true, "1": true, "false": false, "0": false}[strings.ToLower(operand)]
	return func(v any) bool { return v == wanted }, outcomeUnless(known && operator == "equals", outcomeFilter)
}

const zenSeconds = "2006-01-02 15:04:05"

// parseSeconds takes no fraction, as time.Parse does where its layout has none.
func parseSeconds(text string) (time.Time, error) {
	if len(text) > len(zenSeconds) {
		return time.Time{}, fmt.Errorf("%q is longer than %q", text, zenSeconds)
	}
	return time.Parse(zenSeconds, text)
}

func timeTest(operator, operand string, isLiteral bool) (zenTest, zenOutcome) {
	at := func(v any) time.Time { return v.(time.Time) }
	limit, err := parseSeconds(operand)
	switch operator {
	case "in":
		first, last, _ := strings.Cut(operand, ",")
		from, errFrom := parseSeconds(first)
		to, errTo := parseSeconds(last)
		return func(v any) bool { return !at(v).Before(from) && !at(v).After(to) },
			outcomeUnless(errFrom == nil && errTo == nil, outcomeFilter)
	case "equals", "gt", "gte", "lt", "lte":
		iso := strings.TrimSuffix(strings.Replace(operand, " ", "T", 1), "Z")
		if exact, wrong := time.Parse("2006-01-02T15:04:05.999999", iso); wrong == nil && isLiteral {
			limit, err = exact, nil
		}
		return func(v any) bool { return holdsFor(operator, at(v).Compare(limit)) }, outcomeUnless(err == nil, outcomeFilter)
	}
	return nil, outcomeFilter
}

// A zenQuery is a question for both, the server and the model.
type zenQuery struct {
	kind       zenKind
	parameters url.Values
}

// answer is what the model says: everything that matches, in order.
func (q zenQuery) answer(rows []zenRow) (matching []zenRow, outcome zenOutcome) {
	type filter struct {
		field     string
		test      zenTest
		takesNull bool
	}
	var filters []filter
	for _, field := range q.kind.fields() {
		for _, given := range q.parameters[field] {
			test, takesNull, wrong := q.kind.filter(field, given)
			outcome = max(outcome, wrong)
			filters = append(filters, filter{field, test, takesNull})
		}
	}
	if outcome = max(outcome, q.wrong()); outcome != outcomeList {
		return nil, outcome
	}
	either := q.last("logical_operator") == "or"
	for _, row := range rows {
		values, matched := row.values(), 0
		for _, f := range filters {
			if value := values[f.field]; value == nil && f.takesNull || value != nil && f.test(value) {
				matched++
			}
		}
		if matched == len(filters) || either && matched > 0 {
			matching = append(matching, row)
		}
	}
	field, descending := q.order()
	slices.SortFunc(matching, func(a, b zenRow) int {
		order := compareValues(a.values()[field], b.values()[field])
		if descending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.id, b.id))
	})
	return matching, outcomeList
}

func compareValues(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(fmt.Sprint(a != nil), fmt.Sprint(b != nil))
	default:
		switch a := a.(type) {
		case time.Time:
			return a.Compare(b.(time.Time))
		case bool:
			return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
		}
		return cmp.Compare(a.(string), b.(string))
	}
}

func (q zenQuery) last(parameter string) string {
	given := q.parameters[parameter]
	if len(given) == 0 {
		return ""
	}
	return given[len(given)-1]
}

func (q zenQuery) order() (field string, descending bool) {
	given := q.last("sort_by")
	if len(q.parameters["sort_by"]) == 0 {
		return "created", false
	}
	direction, field, found := strings.Cut(given, ":")
	if !found {
		return given, false
	}
	return field, direction == "desc"
}

// number is a page or a size; none of those that are asked for here is malformed in
// another way than being no number.
func (q zenQuery) number(parameter string, otherwise, most int) (int, bool) {
	given := q.last(parameter)
	if given == "" && len(q.parameters[parameter]) == 0 {
		return otherwise, true
	}
	n, err := strconv.Atoi(given)
	return n, err == nil && n >= 1 && n <= most
}

// wrong is what is wrong with what is no filter.
func (q zenQuery) wrong() zenOutcome {
	_, pageOK := q.number("page", 1, 1<<62)
	_, sizeOK := q.number("size", 20, 10_000)
	joiner, joinerGiven := q.last("logical_operator"), len(q.parameters["logical_operator"]) > 0
	hydrate, hydrateGiven := q.last("hydrate"), len(q.parameters["hydrate"]) > 0
	field, _ := q.order()
	switch {
	case !pageOK, !sizeOK, joinerGiven && joiner != "and" && joiner != "or", hydrateGiven && hydrate == "maybe":
		return outcomeRequest
	case !slices.Contains(q.kind.fields(), field):
		return outcomeFilter
	}
	return outcomeList
}

func (q zenQuery) hydrated() bool {
	return slices.Contains([]string{"true", "1", "on"}, q.last("hydrate"))
}

// want is the answer's body, or the beginning of it where it is an error.
func (q zenQuery) want(rows []zenRow, show func(zenRow, bool) string) (status int, body string) {
	matching, outcome := q.answer(rows)
	switch outcome {
	case outcomeRequest:
		return 422, `["ValueError","`
	case outcomeFilter:
		return 422, `{"detail":["ValueError","`
	case outcomeStore:
		return 400, `{"detail":["ValueError","`
	}
	page, _ := q.number("page", 1, 1<<62)
	size, _ := q.number("size", 20, 10_000)
	pages := max(1, (len(matching)+size-1)/size)
	if page > pages {
		return 400, `{"detail":["ValueError","Invalid page`
	}
	var items []string
	for i := (page - 1) * size; i < min(page*size, len(matching)); i++ {
		items = append(items, show(matching[i], q.hydrated()))
	}
	return 200, fmt.Sprintf(`{"index":%d,"max_size":%d,"total_pages":%d,"total":%d,"items":[%s]}`,
		page, size, pages, len(matching), strings.Join(items, ","))
}

// zenQuery asks for anything, mostly for something that there is.
func (g *generator) zenQuery(kind zenKind, rows []zenRow) zenQuery {
	q := zenQuery{kind, url.Values{}}
	for range g.IntN(4) {
		field := pick(g, kind.fields()...)
		q.parameters.Add(field, g.zenFilter(kind, field, rows))
	}
	if g.chance(50) {
		q.parameters.Add("logical_operator", pick(g, "and", "or", "or"))
	}
	if g.chance(60) {
		q.parameters.Add("sort_by", pick(g, "", "asc:", "desc:", "desc:", "pancakes:")+pick(g, kind.fields()...))
	}
	if g.chance(60) {
		q.parameters.Add("size", fmt.Sprint(1+g.IntN(12)))
	}
	if g.chance(30) {
		q.parameters.Add("page", fmt.Sprint(1+g.IntN(3)))
	}
	if g.chance(60) {
		q.parameters.Add("hydrate", pick(g, "true", "1", "on", "false", "0"))
	}
	if g.chance(10) {
		g.spoil(q.parameters)
	}
	return q
}

// spoil says something again, wrongly perhaps.
func (g *generator) spoil(parameters url.Values) {
	switch g.IntN(6) {
	case 0:
		parameters.Add("sort_by", pick(g, "nothing", "desc:size", "service_account", "name:asc", "", "DESC:id"))
	case 1:
		parameters.Add("size", pick(g, "0", "10001", "10000", "x", "-1", ""))
	case 2:
		parameters.Add("page", pick(g, "0", "x", "2", "99"))
	case 3:
		parameters.Add("logical_operator", pick(g, "xor", "", "OR", "and"))
	case 4:
		parameters.Add("hydrate", pick(g, "maybe", "true"))
	case 5:
		parameters.Add(pick(g, "service_account", "unknown", "Name"), "x")
	}
}

func (g *generator) zenFilter(kind zenKind, field string, rows []zenRow) string {
	prefix := ""
	if g.chance(85) {
		prefix = pick(g, g.operatorsFor(kind, field)...) + ":"
	}
	operator := strings.TrimSuffix(prefix, ":")
	if operator == "isempty" || operator == "isnotempty" {
		return prefix + pick(g, "", "", "", "x")
	}
	row := rows[g.IntN(len(rows))]
	switch {
	case slices.Contains(kind.flag, field):
		return prefix + pick(g, "true", "false", "1", "0", "True", "FALSE", "yes")
	case slices.Contains(kind.time, field):
		return prefix + g.timeOperand(operator, row, field)
	case strings.HasSuffix(operator, "oneof"):
		return prefix + g.listOperand(field, rows)
	case len(operator) <= 3 && operator != "" && g.chance(85):
		return prefix + pick(g, "9", "10", "-3.5", "1e1", "7.0")
	}
	return prefix + g.textOperand(operator, row, field)
}

// operatorsFor are those that the field takes, mostly.
func (g *generator) operatorsFor(kind zenKind, field string) []string {
	fitting := slices.DeleteFunc(slices.Clone(zenOperators), func(operator string) bool {
		operand := map[string]string{"oneof": "[]", "notoneof": "[]", "isempty": "", "isnotempty": ""}
		text, ok := operand[operator]
		if !ok {
			text = "1"
			if slices.Contains(kind.time, field) {
				text = "2025-01-01 00:00:00"
			}
			if operator == "in" {
				text += "," + text
			}
		}
		_, _, outcome := kind.filter(field, operator+":"+text)
		return outcome != outcomeList
	})
	if g.chance(5) || len(fitting) == 0 {
		return zenOperators
	}
	return fitting
}

func (g *generator) textOperand(operator string, row zenRow, field string) string {
	text, _ := row.values()[field].(string)
	if field == "id" || field == "external_user_id" {
		text = pick(g, row.id, row.id, text, strings.ToUpper(row.id), "no uuid")
	}
	runes := []rune(text)
	switch {
	case len(runes) == 0 || g.chance(10):
		return pick(g, "", "%", "_", "K", "é", "in:x", "equals:")
	case strings.HasSuffix(operator, "contains"):
		from := g.IntN(len(runes))
		text = string(runes[from : from+1+g.IntN(len(runes)-from)])
	case operator == "startswith":
		text = string(runes[:1+g.IntN(len(runes))])
	case operator == "endswith":
		text = string(runes[g.IntN(len(runes)):])
	}
	return pick(g, text, text, strings.ToUpper(text))
}

func (g *generator) listOperand(field string, rows []zenRow) string {
	list := []string{}
	for range g.IntN(4) {
		list = append(list, g.textOperand("equals", rows[g.IntN(len(rows))], field))
	}
	encoded, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return pick(g, string(encoded), string(encoded), string(encoded), string(encoded), "x", "null", "[1]", "[null]", `"x"`)
}

func (g *generator) timeOperand(operator string, row zenRow, field string) string {
	at, _ := row.values()[field].(time.Time)
	if at.IsZero() {
		at = row.created
	}
	at = at.Add(pick(g, 0, 0, time.Second, -time.Second))
	second := at.Format(zenSeconds)
	switch {
	case g.chance(4):
		return pick(g, "yesterday", "", second+","+second, second+"Z", second+".5")
	case operator == "in":
		return at.Add(-time.Duration(g.IntN(600))*time.Second).Format(zenSeconds) + "," + second
	case operator == "" && g.chance(70):
		return naive(at)
	}
	return second
}

// check compares one answer with the model's, byte for byte.
func (a *accounts) check(t *testing.T, r zenRequest, q zenQuery, rows []zenRow, show func(zenRow, bool) string) (status int) {
	t.Helper()
	r.query = q.parameters.Encode()
	answer := a.send(t, r)
	status, want := q.want(rows, show)
	got := answer.body
	if status != 200 {
		got = got[:min(len(got), len(want))]
	}
	if answer.status != status || got != want {
		t.Errorf("%q: %d, want %d (-want +got):\n%.3000s", q.parameters, answer.status, status, gocmp.Diff(lines(want), lines(answer.body)))
	}
	return status
}

func lines(body string) []string { return strings.SplitAfter(body, `},`) }

// checkWalk walks through all pages of a list, which together are the model's.
func (a *accounts) checkWalk(t *testing.T, r zenRequest, q zenQuery, rows []zenRow) {
	t.Helper()
	delete(q.parameters, "page")
	matching, outcome := q.answer(rows)
	if outcome != outcomeList {
		return
	}
	var want, got []string
	for _, row := range matching {
		want = append(want, row.id)
	}
	for page := 1; ; page++ {
		q.parameters.Set("page", fmt.Sprint(page))
		r.query = q.parameters.Encode()
		answer := a.page(t, r)
		for _, item := range answer.Items {
			got = append(got, item.ID)
		}
		if page >= answer.TotalPages {
			break
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%q, walked (-want +got):\n%s", q.parameters, diff)
	}
}

var zenNames = []string{"", "a", "A", "ab", "K1", "k10", "10", "9", "1e1", " 7 ", "-3.5", "100%", "a_b", "é", "É", "x:y", "in:x", "[\"a\"]", `q"uo\te`}

// A zenWorld lives the lives of an account's keys twice: in the model by a few lines, and
// in the server by its API.
type zenWorld struct {
	*accounts
	g       *generator
	account zenRow
	keys    []zenRow
	log     bytes.Buffer
}

func (w *zenWorld) pass() {
	w.later(time.Millisecond + time.Duration(w.g.Int64N(int64(70*time.Second))))
}

func (w *zenWorld) now() time.Time { return w.at.Truncate(time.Microsecond) }

func (w *zenWorld) newName() string {
	for {
		name := pick(w.g, zenNames...)
		if w.g.chance(60) {
			name += fmt.Sprint(w.g.IntN(100))
		}
		if !slices.ContainsFunc(w.keys, func(k zenRow) bool { return k.name == name }) {
			return name
		}
	}
}

func (w *zenWorld) body(members map[string]any) string {
	encoded, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func (w *zenWorld) description() string {
	return pick(w.g, "", "", "one", "Two words", "10", "a_b 100%", "zwei Wörter")
}

func (w *zenWorld) addKey(t *testing.T) {
	row := zenRow{name: w.newName(), description: w.description(), active: true, created: w.now(), changed: w.now()}
	made, _ := w.do(t, zenRequest{
		op: operation.CreateAccountKey, account: w.account.id, body: w.body(map[string]any{"name": row.name, "description": row.description}),
	})
	row.id, row.secret = made.ID, *made.Body.Key
	w.keys = append(w.keys, row)
}

// live does something with a key.
func (w *zenWorld) live(t *testing.T) {
	w.pass()
	i := w.g.IntN(len(w.keys))
	key := &w.keys[i]
	request := zenRequest{op: operation.UpdateAccountKey, account: w.account.id, key: key.id}
	edit := map[string]any{}
	switch w.g.IntN(7) {
	case 0:
		w.useKey(t, key)
		return
	case 1:
		if key.active {
			w.login(t, key.secret)
			key.used = w.now()
			w.reread(t, key)
		}
		return
	case 2:
		request.op = operation.RotateAccountKey
		key.retain, key.rotated, key.changed = int64(w.g.IntN(3)), w.now(), w.now()
		request.body = w.body(map[string]any{"retain_period_minutes": key.retain})
		rotated, _ := w.do(t, request)
		key.secret = *rotated.Body.Key
		return
	case 3:
		key.active = !key.active
		edit["active"] = key.active
	case 4:
		key.description = w.description()
		edit["description"] = key.description
	case 5:
		name := w.newName()
		key.name, edit["name"] = name, name
	case 6:
		if len(w.keys) > 5 && w.g.chance(30) {
			w.send(t, zenRequest{op: operation.DeleteAccountKey, account: w.account.id, key: key.id})
			w.keys = slices.Delete(w.keys, i, i+1)
			return
		}
	}
	key.changed = w.now()
	request.body = w.body(edit)
	w.do(t, request)
}

// useKey has a process use a key that remembers nothing.
func (w *zenWorld) useKey(t *testing.T, key *zenRow) {
	valid, _ := w.restarted().validated(t, key.secret)
	if valid != key.active {
		t.Fatalf("a key whose active is %v is valid %v", key.active, valid)
	}
	if key.active && !key.used.After(w.at.Add(-time.Minute)) {
		key.used = w.now()
	}
	w.reread(t, key)
}

// reread takes from the server when a key was used, where a machine that is too busy did
// not note it in time.
func (w *zenWorld) reread(t *testing.T, key *zenRow) {
	if !strings.Contains(w.log.String(), "use of a key was not noted") {
		return
	}
	w.log.Reset()
	key.used = time.Time{}
	if used := w.getKey(t, zenEntity{ID: w.account.id}, zenEntity{ID: key.id}).Metadata.LastLogin; used != nil {
		at, err := time.Parse("2006-01-02T15:04:05.999999", *used)
		if err != nil {
			t.Fatal(err)
		}
		key.used = at
	}
}

func newZenWorld(t *testing.T, seed uint64, keys int) *zenWorld {
	w := &zenWorld{accounts: newAccounts(t), g: newGenerator(seed)}
	w.config.Log = slog.New(slog.NewJSONHandler(&w.log, nil))
	for _, name := range []string{"before", "", "behind"} {
		w.pass()
		row := zenRow{
			name: name, fullName: pick(w.g, "", "Full Name"), avatar: pick(w.g, "", "https://example.org/a.png"),
			active: true, created: w.now(), changed: w.now(),
		}
		made, _ := w.do(t, zenRequest{op: operation.CreateServiceAccount, body: w.body(map[string]any{
			"name": row.name, "full_name": row.fullName, "avatar_url": row.avatar, "active": true,
		})})
		row.id = made.ID
		if name == "" {
			w.account = row
			continue
		}
		w.makeKey(t, made, "not shown")
	}
	for range keys {
		w.pass()
		w.addKey(t)
	}
	return w
}

// A list of keys is what a plain loop over plain rows gives, whatever became of the keys.
func TestAccountKeyListAgreesWithModel(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := newZenWorld(t, seed, 25)
		show := func(row zenRow, hydrate bool) string { return row.key(w.account, hydrate) }
		statuses := map[int]int{}
		for range 4 {
			for range 25 {
				w.live(t)
			}
			request := zenRequest{op: operation.ListAccountKeys, account: w.account.id}
			for range 50 {
				statuses[w.check(t, request, w.g.zenQuery(keyKind, w.keys), w.keys, show)]++
			}
			for range 5 {
				w.checkWalk(t, request, w.g.zenQuery(keyKind, w.keys), w.keys)
			}
		}
		if statuses[200] < 80 || statuses[400] == 0 || statuses[422] == 0 {
			t.Errorf("statuses %v: too little is tested", statuses)
		}
	})
}

// Every operator, on every field and with every value that a key has there.
func TestAccountKeyListAgreesWithModelOnEveryOperator(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := newZenWorld(t, seed, 15)
		for range 40 {
			w.live(t)
		}
		show := func(row zenRow, hydrate bool) string { return row.key(w.account, hydrate) }
		request := zenRequest{op: operation.ListAccountKeys, account: w.account.id}
		for _, field := range keyKind.fields() {
			for _, order := range []string{"", "desc:"} {
				w.check(t, request, zenQuery{keyKind, url.Values{"sort_by": {order + field}, "size": {"7"}, "page": {"2"}}}, w.keys, show)
			}
			for _, operator := range zenOperators {
				filter := ""
				for !strings.HasPrefix(filter, operator+":") {
					filter = operator + ":" + strings.TrimPrefix(w.g.zenFilter(keyKind, field, w.keys), operator+":")
				}
				w.check(t, request, zenQuery{keyKind, url.Values{field: {filter}, "size": {"100"}}}, w.keys, show)
			}
		}
	})
}

// The same of accounts, beside those of other namespaces.
func TestAccountListAgreesWithModel(t *testing.T) {
	eachSeed(t, func(t *testing.T, seed uint64) {
		w := &zenWorld{accounts: newAccounts(t), g: newGenerator(seed)}
		var rows []zenRow
		for i := range 30 {
			w.pass()
			for _, ns := range []string{"demo.a", "demo-a", "other"} {
				w.accountIn(t, ns, fmt.Sprint("elsewhere", i))
			}
			w.pass()
			rows = append(rows, w.addAccount(t, i))
		}
		for range 40 {
			rows = w.liveAccount(t, rows)
		}
		show := zenRow.account
		request := zenRequest{op: operation.ListServiceAccounts}
		for range 150 {
			w.check(t, request, w.g.zenQuery(accountKind, rows), rows, show)
		}
		for range 10 {
			w.checkWalk(t, request, w.g.zenQuery(accountKind, rows), rows)
		}
	})
}

func (w *zenWorld) addAccount(t *testing.T, i int) zenRow {
	row := zenRow{
		name: fmt.Sprint(pick(w.g, zenNames...), i), fullName: pick(w.g, "", "Full Name"), description: w.description(),
		avatar: pick(w.g, "", "", "https://example.org/a.png"), active: w.g.chance(70), created: w.now(), changed: w.now(),
	}
	made, _ := w.do(t, zenRequest{op: operation.CreateServiceAccount, body: w.body(map[string]any{
		"name": row.name, "full_name": row.fullName, "description": row.description, "avatar_url": row.avatar, "active": row.active,
	})})
	row.id = made.ID
	return row
}

func (w *zenWorld) liveAccount(t *testing.T, rows []zenRow) []zenRow {
	w.pass()
	i := w.g.IntN(len(rows))
	row, edit := &rows[i], map[string]any{}
	switch w.g.IntN(5) {
	case 0:
		row.active = !row.active
		edit["active"] = row.active
	case 1:
		row.description, row.avatar = w.description(), pick(w.g, "", "https://example.org/b.png")
		edit["description"], edit["avatar_url"] = row.description, row.avatar
	case 2:
		row.name += "x"
		edit["name"] = row.name
	case 3:
		w.send(t, zenRequest{op: operation.DeleteServiceAccount, account: row.id})
		return slices.Delete(rows, i, i+1)
	case 4:
		row.fullName = "Changed"
		edit["full_name"] = row.fullName
	}
	row.changed = w.now()
	w.do(t, zenRequest{op: operation.UpdateServiceAccount, account: row.id, body: w.body(edit)})
	return rows
}
