package query_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/api/namespaces/query"
)

// What the grammar accepts, and what it says of the full record.
var accepted = []struct {
	filter string
	want   bool
}{
	// Words and strings.
	{`meta.name == "build key"`, true},
	{`meta.name=="build key"`, true},
	{"\tmeta.name\r\n == \"build key\" ", true},
	{`meta.name == build`, false},
	{`uuid==0199c1a0-7b5c-7d3e-8f00-0123456789ab`, true},
	{`(uuid==0199c1a0-7b5c-7d3e-8f00-0123456789ab)`, true},
	{`spec.issuer.meta.name == ewok@endor.ai@google@api-key`, true},
	{`spec.issuer.meta.name==EWOK@endor.ai@google@api-key`, false},
	{`meta.description == "a \"quoted\" C:\\path"`, true},
	{`meta.description == "a \"quoted\" C:\path"`, true},
	{`meta.description == "a \"quoted\" C:\\\path"`, false},
	{`meta.name == "and"`, false},
	{`meta.name == date`, false},
	{`meta.name == Müller`, false},
	{`meta.name == *`, false},
	{`"meta.name" == "build key"`, true},
	{`"meta.annotations.odd = key" not exists`, true},

	// Precedence.
	{`uuid==x and uuid==x or propagate==true`, true},
	{`propagate==true or uuid==x and uuid==x`, true},
	{`(propagate==true or uuid==x) and uuid==x`, false},
	{`uuid==x and (uuid==x or propagate==true)`, false},
	{`propagate==true and (uuid==x or propagate==true)`, true},
	{`uuid==x or uuid==x or propagate==true`, true},
	{`propagate==true and propagate==true and uuid==x`, false},
	{`propagate==true AND uuid!=x Or uuid==x`, true},
	{`((((propagate==true))))and(uuid!=x)`, true},

	// Texts.
	{`meta.name != "build key"`, false},
	{`meta.name != x`, true},
	{`meta.name < "build kez"`, true},
	{`meta.name < "build key"`, false},
	{`meta.name <= "build key"`, true},
	{`meta.name > build`, true},
	{`meta.name > "build key"`, false},
	{`meta.name >= "build key"`, true},
	{`meta.name < Z`, false},
	{`meta.name in [x, "build key"]`, true},
	{`meta.name in ["build key"]`, true},
	{`meta.name IN [x,y]`, false},
	{`meta.name not in [x, "build key"]`, false},
	{`meta.name Not In [x]`, true},
	{`meta.name matches "^build\s"`, true},
	{`meta.name matches "BUILD"`, false},
	{`meta.name MATCHES "(?i)BUILD"`, true},
	{`meta.name matches ld`, true},
	{`meta.name matches ""`, true},
	{`meta.description matches "C:\\\\path"`, true},
	{`meta.name exists`, true},
	{`meta.name not exists`, false},
	{`uuid == true`, false},

	// Texts that are not set are empty.
	{`spec.issuer.meta.description == ""`, true},
	{`spec.issuer.meta.description != ""`, false},
	{`spec.issuer.meta.description != x`, true},
	{`spec.issuer.meta.description < x`, true},
	{`spec.issuer.meta.description > ""`, false},
	{`spec.issuer.meta.description in [x, ""]`, true},
	{`spec.issuer.meta.description not in [x]`, true},
	{`spec.issuer.meta.description matches "^$"`, true},
	{`spec.issuer.meta.description exists`, false},
	{`spec.issuer.meta.description not exists`, true},
	{`meta.annotations.none == ""`, true},
	{`meta.annotations.none exists`, false},

	// Flags.
	{`propagate == true`, true},
	{`propagate == "true"`, true},
	{`propagate==false`, false},
	{`propagate != false`, true},
	{`propagate exists`, true},
	{`propagate not exists`, false},
	{`spec.rules.a.b.allowed == false`, true},
	{`spec.rules.a.b.allowed exists`, false},
	{`spec.rules.none.allowed == false`, false},
	{`spec.rules.none.allowed != true`, true},
	{`spec.rules.none.allowed not exists`, true},

	// Times.
	{`meta.create_time == date(2026-03-01)`, true},
	{`meta.create_time == 2026-03-01`, true},
	{`meta.create_time == "2026-03-01T00:00:00Z"`, true},
	{`meta.create_time == 2026-03-01T01:00:00+01:00`, true},
	{`meta.create_time == date(2026-03-01T00:00:00.000000001Z)`, false},
	{`meta.create_time != date("2026-03-01")`, false},
	{`meta.create_time >= date(2026-01-01) AND meta.create_time <= date(2026-04-01)`, true},
	{`meta.create_time < date(2026-03-01)`, false},
	{`meta.create_time > Date( 2026-02-28T23:59:59.999Z )`, true},
	{`meta.create_time > date(0000-01-01)`, true},
	{`meta.create_time in [2026-01-01, date(2026-03-01)]`, true},
	{`meta.create_time not in [2026-01-01, date(2026-03-01)]`, false},
	{`meta.create_time exists`, true},
	{`spec.seen_at < now()`, true},
	{`spec.seen_at < now("")`, true},
	{`spec.seen_at < NOW(-1h)`, false},
	{`spec.seen_at >= now(-1h)`, true},
	{`spec.seen_at > now(-61m)`, true},
	{`spec.seen_at < now("-59m59.5s")`, true},
	{`meta.create_time < now(-9d)`, true},
	{`meta.create_time >= now(-9d12h)`, true},
	{`meta.create_time < now(-9d11h)`, true},
	{`meta.create_time < now(36500d)`, true},
	{`meta.create_time < now(+1d)`, true},

	// Times that are not set.
	{`meta.update_time == date(0001-01-01)`, false},
	{`meta.update_time != date(2026-01-01)`, true},
	{`meta.update_time < now()`, false},
	{`meta.update_time <= now()`, false},
	{`meta.update_time > date(0000-01-01)`, false},
	{`meta.update_time >= date(0000-01-01)`, false},
	{`meta.update_time in [2026-01-01]`, false},
	{`meta.update_time not in [2026-01-01]`, true},
	{`meta.update_time exists`, false},
	{`meta.update_time not exists`, true},

	// Lists.
	{`meta.tags contains [ci]`, true},
	{`meta.tags contains [x, "ci"]`, true},
	{`meta.tags contains [k=v]`, true},
	{`meta.tags contains k=v`, true},
	{`meta.tags contains k`, false},
	{`meta.tags contains [CI,c]`, false},
	{`meta.tags not contains [x, ci]`, false},
	{`meta.tags not contains x`, true},
	{`meta.tags exists`, true},
	{`spec.issuer.meta.tags contains x`, false},
	{`spec.issuer.meta.tags not contains x`, true},
	{`spec.issuer.meta.tags not exists`, true},
	{`spec.rules.a.b.methods contains METHOD_ALL`, true},
	{`spec.rules.none.methods contains METHOD_ALL`, false},
	{`spec.rules.none.methods not contains METHOD_ALL`, true},

	// Maps and messages.
	{`meta.annotations exists`, true},
	{`meta.annotations.team == blue`, true},
	{`meta.annotations.example.org/owner==ewok@endor.ai`, true},
	{`spec.issuer.meta.annotations exists`, false},
	{`spec.issuer.meta.annotations.team not exists`, true},
	{`spec.rules.project exists`, true},
	{`spec.rules.* exists`, false},
	{`meta exists`, true},
	{`meta.index_data exists`, true},
	{`spec.issuer exists`, true},
	{`spec.issuer.meta.index_data exists`, false},
}

func TestAcceptedFilters(t *testing.T) {
	message := full()
	for _, test := range accepted {
		f, err := records.Filter(test.filter, noon)
		if err != nil {
			t.Errorf("%s: %v", test.filter, err)
			continue
		}
		if f.Matches(message) != test.want || f.Matches(&message) != test.want {
			t.Errorf("%s: %v, want %v", test.filter, !test.want, test.want)
		}
	}
}

func TestMissingMessageOnTheWay(t *testing.T) {
	for _, filter := range []string{
		`spec.issuer not exists`, `spec.issuer.meta not exists`, `spec.issuer.meta.name == ""`,
		`spec.issuer.meta.name not exists`, `spec.issuer.meta.create_time != date(2026-01-01)`,
		`spec.issuer.meta.tags not contains x`, `spec.issuer.meta.annotations.team not exists`,
		`spec.rules.x.methods not exists`,
	} {
		f, err := records.Filter(filter, noon)
		if err != nil || !f.Matches(record{}) || !f.Matches((*record)(nil)) {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

func TestZeroFilterTakesAll(t *testing.T) {
	for _, blank := range []string{"", " \t\r\n"} {
		f, err := records.Filter(blank, noon)
		if err != nil || !f.IsZero() || !f.Matches(full()) || len(f.Paths()) > 0 {
			t.Errorf("%q: %v", blank, err)
		}
	}
}

func TestFilterOfAnotherType(t *testing.T) {
	defer func() {
		if problem := fmt.Sprint(recover()); problem != "query: a query_test.meta among messages of type query_test.record" {
			t.Error(problem)
		}
	}()
	f, err := records.Filter("uuid==x", noon)
	t.Fatal(f.Matches(meta{}), err)
}

func TestRefusedFilters(t *testing.T) {
	deep := strings.Repeat("(", 65)
	for _, test := range []struct {
		filter   string
		position int
		problem  string
	}{
		// The grammar.
		{`uuid`, 5, `expected an operator`},
		{`uuid foo`, 6, `expected an operator`},
		{`uuid and`, 6, `expected an operator`},
		{`uuid "in" [x]`, 6, `expected an operator`},
		{`uuid ( x`, 6, `expected an operator`},
		{`uuid == `, 9, `expected a value`},
		{`uuid == and`, 9, `expected a value`},
		{`uuid == ,`, 9, `expected a value`},
		{`uuid == [x]`, 9, `expected a value`},
		{`uuid == x y`, 11, `expected "and", "or" or the end`},
		{`uuid == x)`, 10, `expected "and", "or" or the end`},
		{`(uuid == x`, 11, `expected "and", "or" or ")"`},
		{`(uuid == x]`, 11, `expected "and", "or" or ")"`},
		{`()`, 2, `expected a path`},
		{`and uuid == x`, 1, `expected a path`},
		{`not uuid == x`, 1, `expected a path`},
		{`uuid == x and`, 14, `expected a path`},
		{`uuid == x or or`, 14, `expected a path`},
		{`uuid in x`, 9, `expected "["`},
		{`uuid in []`, 10, `expected a value`},
		{`uuid in [x`, 11, `expected "," or "]"`},
		{`uuid in [x y]`, 12, `expected "," or "]"`},
		{`uuid in [x,]`, 12, `expected a value`},
		{`uuid not`, 9, `expected "in", "contains" or "exists"`},
		{`uuid not == x`, 10, `expected "in", "contains" or "exists"`},
		{`uuid not matches x`, 6, `"matches" has no "not"`},
		{`uuid not "matches" x`, 10, `expected "in", "contains" or "exists"`},
		{`uuid matches`, 13, `expected a regular expression`},
		{`uuid matches [x]`, 14, `expected a regular expression`},
		{deep, 65, `more than 64 parentheses within one another`},

		// Tokens.
		{`uuid = x`, 6, `unexpected character '='`},
		{`uuid==k=v or uuid=x`, 18, `unexpected character '='`},
		{`uuid =x`, 6, `unexpected character '='`},
		{`uuid=x`, 5, `unexpected character '='`},
		{`uuid==x==y`, 8, `expected "and", "or" or the end`},
		{`uuid === x`, 8, `unexpected character '='`},
		{`uuid == x && uuid == y`, 11, `unexpected character '&'`},
		{`uuid ! x`, 6, `unexpected character '!'`},
		{`uuid == 'x'`, 9, `unexpected character '\''`},
		{`uuid == "x`, 9, `a string without its closing quote`},
		{`uuid == "x\"`, 9, `a string without its closing quote`},
		{`uuid == "x\`, 9, `a string without its closing quote`},
		{`uuid == "`, 9, `a string without its closing quote`},
		{"uuid == \"é\" \xff", 13, `invalid UTF-8`},

		// Paths.
		{`uui == x`, 1, `unknown path "uui"`},
		{`"" == x`, 1, `unknown path ""`},
		{`meta.name == "é" or meta.nam == x`, 21, `unknown path "meta.nam"`},
		{strings.Repeat("x", 200) + ` == x`, 1, `unknown path "` + strings.Repeat("x", 100) + `"`},

		// Values.
		{`uuid == date(2026-01-01)`, 9, `"uuid" is a text: its values are texts`},
		{`uuid in [x, now()]`, 13, `"uuid" is a text: its values are texts`},
		{`meta.tags contains [date(2026-01-01)]`, 21, `"meta.tags" is a list: its values are texts`},
		{`propagate == yes`, 14, `"propagate" is a flag: its values are true and false`},
		{`propagate == True`, 14, `"propagate" is a flag: its values are true and false`},
		{`propagate == now()`, 14, `"propagate" is a flag: its values are true and false`},
		{`meta.create_time < x`, 20, `"meta.create_time" is a time: its values are dates, date() and now()`},
		{`meta.create_time < 2026-02-30`, 20, `"meta.create_time" is a time: its values are dates, date() and now()`},
		{`meta.create_time < date(x)`, 25, `expected a date like 2026-01-31 or 2026-01-31T00:00:00Z`},
		{`meta.create_time < date()`, 25, `expected a date like 2026-01-31 or 2026-01-31T00:00:00Z`},
		{`meta.create_time < date(2026-01-01`, 35, `expected ")"`},
		{`meta.create_time < "date"(2026-01-01)`, 20, `"meta.create_time" is a time: its values are dates, date() and now()`},
		{`meta.create_time < now(x)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(5)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(-)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(--1h)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(d)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(1d-1h)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(1d+1h)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(1h1d)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(36501d)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(99999999999999999999d)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(876001h)`, 24, `expected a duration like -72h or -30d`},
		{`meta.create_time < now(9999999999h)`, 24, `expected a duration like -72h or -30d`},
		{`uuid matches "("`, 14, `regular expression: missing closing )`},
		{`uuid matches "a{1001}"`, 14, `regular expression: invalid repeat count`},
		{`uuid matches "[\pL]{100}"`, 14, `regular expressions of more than 300 steps`},
		{`uuid matches "(a.){400}(b.){400}"`, 14, `regular expressions of more than 300 steps`},
		{`uuid matches "a{250}" and uuid matches "(ab){40}"`, 40, `regular expressions of more than 300 steps`},
	} {
		_, err := records.Filter(test.filter, noon)
		problem, ok := errors.AsType[*query.SyntaxError](err)
		if !ok {
			t.Errorf("%s: %v", test.filter, err)
			continue
		}
		if diff := cmp.Diff(query.SyntaxError{Position: test.position, Problem: test.problem}, *problem); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.filter, diff)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := records.Filter("uuid ==", noon)
	if want := "at character 8: expected a value"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestFilterBounds(t *testing.T) {
	longest := "uuid==x" + strings.Repeat(" ", query.MaxTextLength-len("uuid==x"))
	deepest := strings.Repeat("(", 64) + "uuid==x" + strings.Repeat(")", 64)
	for _, filter := range []string{
		longest, deepest, deepest + "or" + deepest,
		`uuid matches "[a-z]{1,255}(foo|bar)?"`,
	} {
		if _, err := records.Filter(filter, noon); err != nil {
			t.Errorf("%.100s: %v", filter, err)
		}
	}
	if _, err := records.Filter(longest+" ", noon); err == nil || err.Error() != "filter is longer than 8192 bytes" {
		t.Error(err)
	}
}

// Every operator with every kind of field, twice: what is not allowed here is refused,
// at the operator.
func TestOperatorsByKind(t *testing.T) {
	fields := map[query.Kind]struct{ path, value string }{
		query.Text:    {"uuid", "x"},
		query.Flag:    {"propagate", "true"},
		query.Time:    {"meta.create_time", "2026-01-01"},
		query.List:    {"meta.tags", "x"},
		query.Map:     {"meta.annotations", "x"},
		query.Message: {"meta", "x"},
	}
	operators := map[string]string{
		"==": "%s", "!=": "%s", "<": "%s", "<=": "%s", ">": "%s", ">=": "%s",
		"in": "[%s]", "not in": "[%s]", "contains": "[%s]", "not contains": "[%s]",
		"matches": "%s", "exists": "%.0s", "not exists": "%.0s",
	}
	allowed := map[query.Kind]string{
		query.Text:    "==, !=, <, <=, >, >=, in, not in, matches, exists, not exists",
		query.Flag:    "==, !=, exists, not exists",
		query.Time:    "==, !=, <, <=, >, >=, in, not in, exists, not exists",
		query.List:    "contains, not contains, exists, not exists",
		query.Map:     "exists, not exists",
		query.Message: "exists, not exists",
	}
	for kind, field := range fields {
		takes := strings.Split(allowed[kind], ", ")
		for operator, operand := range operators {
			filter := field.path + " " + operator + " " + fmt.Sprintf(operand, field.value)
			want := ""
			if !slices.Contains(takes, operator) {
				want = fmt.Sprintf("at character %d: %q is a %v: it takes %s",
					len(field.path)+2, field.path, kind, allowed[kind])
			}
			_, err := records.Filter(filter, noon)
			if got := errorText(err); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFilterPaths(t *testing.T) {
	f, err := records.Filter(`(meta.name==x or "meta.annotations.a b" exists) and meta.name!=y`, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"meta.name", "meta.annotations.a b", "meta.name"}
	if diff := cmp.Diff(want, texts(f.Paths())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Filters meet 10,000 messages in a request.
func BenchmarkMatches(b *testing.B) {
	message := full()
	f, err := records.Filter(`spec.seen_at < now() and meta.tags contains blue and meta.annotations.team == blue`, noon)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !f.Matches(&message) {
			b.Fatal("no match")
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, test := range accepted {
		f.Add(test.filter)
	}
	for _, text := range []string{`uuid == "x`, "((", `a == date(`, `meta.name matches "("`, "uuid \xff", "uuid in [x, "} {
		f.Add(text)
	}
	messages := []record{full(), {}}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := records.Filter(text, noon)
		if err != nil {
			checkError(t, text, err)
			return
		}
		same(t, filter, text+" ", messages)
		if !filter.IsZero() {
			same(t, filter, "("+text+")", messages)
			same(t, filter, text+" or "+text, messages)
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	t.Helper()
	if len(text) > query.MaxTextLength {
		return
	}
	problem, ok := errors.AsType[*query.SyntaxError](err)
	if !ok || problem.Position < 1 || problem.Position > utf8.RuneCountInString(text)+1 {
		t.Errorf("%q: %v", text, err)
	}
	// 100 characters, escaped.
	if len(err.Error()) > 100*len(`\U0010ffff`)+200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// same reports where a filter that says the same in other words does not, unless it
// now exceeds a bound.
func same(t *testing.T, filter query.Filter, text string, messages []record) {
	t.Helper()
	other, err := records.Filter(text, noon)
	if err != nil {
		if !strings.Contains(err.Error(), " longer than ") && !strings.Contains(err.Error(), "more than ") {
			t.Errorf("%q: %v", text, err)
		}
		return
	}
	for _, message := range messages {
		if filter.Matches(message) != other.Matches(&message) {
			t.Errorf("%q: %v", text, other.Matches(message))
		}
	}
}

func TestNowIsTheTimeGiven(t *testing.T) {
	message := record{Spec: spec{SeenAt: noon}}
	for now, want := range map[time.Time]bool{noon: true, noon.Add(time.Nanosecond): false} {
		f, err := records.Filter("spec.seen_at == now()", now)
		if err != nil || f.Matches(message) != want {
			t.Errorf("at %v: %v, %v", now, !want, err)
		}
	}
}
