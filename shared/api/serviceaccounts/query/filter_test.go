package query_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"latchkey/shared/api/serviceaccounts/query"
)

const someID = "37f4f174-9c0b-4d2e-8f00-0123456789ab"

var noon = time.Date(2025, 10, 16, 12, 8, 11, 0, time.UTC)

// Values that filters are tried on, by how a table calls them.
var (
	textValues = map[string]query.Value{
		"null": {}, "blank": query.TextValue(""),
		"ci": query.TextValue("ci"), "Build": query.TextValue("Build Key"), "percent": query.TextValue("100%_Å:Σ"),
		"9": query.TextValue("9"), "10": query.TextValue(" 1e1 "), "-1": query.TextValue("-1.5"),
		"inf": query.TextValue("inf"), "nan": query.TextValue("NaN"), "hex": query.TextValue("0x10"),
	}
	idValues = map[string]query.Value{
		"null": {}, "zero": query.UUIDValue(uuid.UUID{}), "some": query.UUIDValue(uuid.MustParse(someID)),
	}
	flagValues = map[string]query.Value{
		"null": {}, "true": query.FlagValue(true), "false": query.FlagValue(false),
	}
	timeValues = map[string]query.Value{
		"null": query.TimeValue(time.Time{}), "before": query.TimeValue(noon.Add(-1)), "noon": query.TimeValue(noon.Add(999)),
		"after": query.TimeValue(noon.Add(time.Microsecond)), "later": query.TimeValue(noon.Add(time.Hour)),
	}
)

func TestTexts(t *testing.T) {
	testMatches(t, "name", textValues, map[string]string{
		"ci":          "ci",
		"CI":          "",
		"":            "blank",
		"foo:bar":     "",
		":ci":         "",
		"isempty":     "",
		"Equals:ci":   "",
		" equals:ci":  "",
		"100%_Å:Σ":    "percent",
		"9":           "9",
		"9.0":         "",
		"equals:ci":   "ci",
		"equals:":     "blank",
		"equals:Ci":   "",
		"equals:ci:":  "",
		"equals: ci":  "",
		"notequals:":  "ci Build percent 9 10 -1 inf nan hex",
		"notequals:9": "blank ci Build percent 10 -1 inf nan hex",

		"contains:I":                "ci Build inf",
		"contains:D K":              "Build",
		"contains:%":                "percent",
		"contains:_":                "percent",
		"contains:.":                "-1",
		"contains:å:σ":              "percent",
		"contains:":                 "blank ci Build percent 9 10 -1 inf nan hex",
		"contains:contains:":        "",
		"notcontains:N":             "blank ci Build percent 9 10 -1 hex",
		"notcontains:":              "",
		"startswith:bUI":            "Build",
		"startswith:uild":           "",
		"startswith:%":              "",
		"endswith:KEY":              "Build",
		"endswith:ke":               "",
		"endswith:Σ":                "percent",
		`oneof:["ci","9"]`:          "ci 9",
		`oneof: [ "ci" , "ci" ] `:   "ci",
		`oneof:["CI"]`:              "",
		`oneof:[""]`:                "blank",
		`oneof:[]`:                  "",
		`oneof:["100%_\u00c5:Σ"]`:   "percent",
		`notoneof:["ci","","\"\""]`: "Build percent 9 10 -1 inf nan hex",
		`notoneof:[]`:               "blank ci Build percent 9 10 -1 inf nan hex",

		"gt:9":       "10",
		"gte:9":      "9 10",
		"lt:9":       "-1",
		"lte:9.0":    "9 -1",
		"gt:-1.5":    "9 10",
		"gte:-15e-1": "9 10 -1",
		"lt:-1.5":    "",
		"lte: 10\n":  "9 10 -1",
		"gte:+.9e1":  "9 10",
		"lt:1_0":     "9 -1",
		"lt:1e308":   "9 10 -1",

		"isempty:":    "null blank",
		"isnotempty:": "ci Build percent 9 10 -1 inf nan hex",
	})
}

func TestIDs(t *testing.T) {
	for _, same := range []string{
		someID, strings.ToUpper(someID), strings.ReplaceAll(someID, "-", ""), "37F4f174-9c0b4d2e8f00-0123456789AB",
	} {
		testMatches(t, "owner", idValues, map[string]string{
			same:                     "some",
			"equals:" + same:         "some",
			"notequals:" + same:      "zero",
			"contains:" + same:       "some",
			"notcontains:" + same:    "zero",
			"startswith:" + same:     "some",
			"endswith:" + same:       "some",
			`oneof:["` + same + `"]`: "some",
			`oneof:["x","` + uuid.Nil.String() + `","` + same + `"]`: "zero some",
			`notoneof:["` + same + `"]`:                              "zero",
		})
	}
	testMatches(t, "owner", idValues, map[string]string{
		"":                                  "",
		"garbage":                           "",
		someID[1:]:                          "",
		someID + "00":                       "",
		"urn:uuid:" + someID:                "",
		"{" + someID + "}":                  "",
		"37g4f174-9c0b-4d2e-8f00-012345678": "",
		"equals:":                           "",
		"equals:garbage":                    "",
		"equals:" + someID[:34]:             "",
		"notequals:":                        "zero some",
		"notequals:garbage":                 "zero some",
		"contains:4F17-4":                   "some",
		"contains:-":                        "zero some",
		"contains:":                         "zero some",
		"contains:%":                        "",
		"contains:0000":                     "zero",
		"notcontains:4F17-4":                "zero",
		"notcontains:garbage":               "zero some",
		"startswith:37f4f174-9c":            "some",
		"startswith:-37F4":                  "some",
		"startswith:7f4":                    "",
		"endswith:0-123456789AB":            "some",
		"endswith:a":                        "",
		`oneof:[]`:                          "",
		`oneof:["x","37f4"]`:                "",
		`oneof:["` + someID + `zz"]`:        "",
		someID + "zz":                       "",
		`notoneof:["x"]`:                    "zero some",
		`notoneof:[]`:                       "zero some",
		"isempty:":                          "null",
		"isnotempty:":                       "zero some",
	})
}

func TestFlags(t *testing.T) {
	testMatches(t, "active", flagValues, map[string]string{
		"true":            "true",
		"TRUE":            "true",
		"1":               "true",
		"false":           "false",
		"False":           "false",
		"0":               "false",
		"equals:true":     "true",
		"equals:tRue":     "true",
		"equals:false":    "false",
		"equals:0":        "false",
		"notequals:1":     "false",
		"notequals:FALSE": "true",
		"isempty:":        "null",
		"isnotempty:":     "true false",
	})
}

func TestTimes(t *testing.T) {
	testMatches(t, "last_login", timeValues, map[string]string{
		"2025-10-16 12:08:11":                              "noon",
		"2025-10-16T12:08:11":                              "noon",
		"2025-10-16t12:08:11z":                             "noon",
		"2025-10-16_12:08:11Z":                             "noon",
		"2025-10-16T14:08:11+02:00":                        "noon",
		"2025-10-16T09:38:11-0230":                         "noon",
		"2025-10-17T12:07:11+23:59":                        "noon",
		"2025-10-16 12:08:11.0":                            "noon",
		"2025-10-16T12:08:11.000001":                       "after",
		"2025-10-16T12:08:11,0000019":                      "after",
		"2025-10-16T12:08:11.000001Z":                      "after",
		"2025-10-16T12:08:11.1":                            "",
		"2025-10-16T12:08":                                 "",
		"2025-10-16":                                       "",
		"2025-10-16 12:8:11":                               "noon",
		"equals:2025-10-16 12:08:11":                       "noon",
		"equals:2025-10-16 \t12:8:11":                      "noon",
		"notequals:2025-10-16 12:08:11":                    "before after later",
		"notequals:0001-01-01 00:00:00":                    "before noon after later",
		"gt:2025-10-16 12:08:11":                           "after later",
		"gte:2025-10-16 12:08:11":                          "noon after later",
		"lt:2025-10-16 12:08:11":                           "before",
		"lte:2025-10-16 12:08:11":                          "before noon",
		"gt:0001-1-1 0:0:0":                                "before noon after later",
		"lt:9999-12-31 23:59:59":                           "before noon after later",
		"in:2025-10-16 12:08:11,2025-10-16 13:08:11":       "noon after later",
		"in:2025-10-16 12:08:10,2025-10-16 12:08:11":       "before noon",
		"in:2025-10-16 12:08:11,2025-10-16 12:08:11":       "noon",
		"in:2025-10-16 13:08:11,2025-10-16 12:08:11":       "",
		"in:2025-10-16 12:08:12,2025-10-16\n\f\r 13:08:11": "later",
		"isempty:":    "null",
		"isnotempty:": "before noon after later",
	})
}

// The zero time is null in a record, and the earliest of all in a filter.
func TestEarliestTime(t *testing.T) {
	values := map[string]query.Value{"null": {}, "old": query.TimeValue(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC))}
	testMatches(t, "created", values, map[string]string{
		"gt:0001-01-01 00:00:00":                     "old",
		"lte:0001-01-01 00:00:00":                    "",
		"0001-01-01":                                 "",
		"in:0001-01-01 00:00:00,1960-01-01 00:00:00": "old",
	})
}

// testMatches tries each filter on each value. Which of them match is a list of names.
func testMatches(t *testing.T, field string, values map[string]query.Value, filters map[string]string) {
	t.Helper()
	for text, matches := range filters {
		q, err := keys.Parse(url.Values{field: {text}})
		if err != nil {
			t.Errorf("%s=%s: %v", field, text, err)
			continue
		}
		want := map[string]bool{}
		for name := range strings.FieldsSeq(matches) {
			want[name] = true
		}
		for name, value := range values {
			if got := q.Matches(record(map[string]query.Value{field: value})); got != want[name] {
				t.Errorf("%s=%s of %s: %v", field, text, name, got)
			}
		}
	}
}

// What a time means that stands without an operator.
func TestSpellingsOfTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2025-10-16":                        "2025-10-16T00:00:00Z",
		"2024-02-29":                        "2024-02-29T00:00:00Z",
		"9999-12-31":                        "9999-12-31T00:00:00Z",
		"0001-01-01 00:00:01":               "0001-01-01T00:00:01Z",
		"2025-10-16T23:59":                  "2025-10-16T23:59:00Z",
		"2025-10-16 23:59+01:30":            "2025-10-16T22:29:00Z",
		"2025-10-16T23:59:59-00:01":         "2025-10-17T00:00:59Z",
		"2025-10-16T00:00:00.12":            "2025-10-16T00:00:00.12Z",
		"2025-10-16T00:00:00.1234567891234": "2025-10-16T00:00:00.123456Z",
		"1969-12-31T23:59:59.9999999Z":      "1969-12-31T23:59:59.999999Z",
		"2025-1-2 3:4:5":                    "2025-01-02T03:04:05Z",
		"2025-01- 2 03:4:5":                 "2025-01-02T03:04:05Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		q, err := keys.Parse(url.Values{"created": {text}})
		if err != nil || !q.Matches(record(map[string]query.Value{"created": query.TimeValue(at)})) {
			t.Errorf("%s is not %s: %v", text, want, err)
		}
	}
}

func TestRefusedTimes(t *testing.T) {
	const noTime = "the operand must be a time like 2025-10-16 15:08:11"
	var spellings []string
	for _, text := range []string{
		"", " ", "x", "now", "2025", "2025-10", "20251016", "1700000000", "2025-W42-4", "2025-10-16T",
		"0000-01-01 00:00:00", "2025-00-16 00:00:00", "2025-13-16 00:00:00", "2025-10-00 00:00:00",
		"2025-02-29 00:00:00", "2025-10-32 00:00:00", "2025-10-16 24:00:00", "2025-10-16 00:60:00",
		"2025-10-16 00:00:60", "2025-10-16 00:00:61", "25-10-16 00:00:00", "12025-10-16 00:00:00",
		" 2025-10-16 00:00:00", "2025-10-16 00:00:00 ", "2025-10-16 00:00:00x", "2025- 1-16 00:00:00",
		"2025-10-16 00:00:00,", "2025-10-16 00:00:00.", "2025-10-16 00:00:00,2025-10-16 00:00:00",
		"2025-10-16 0:0", "2025-010-16 00:00:00", "2025-10-16 000:00:00", "2025-10-160:00:00", "isempty",
		"٢٠٢٥-10-16 00:00:00", "2025-10-16 00:00:00 +02:00", "2025-10-16T12:08:11 02:00",
		"2025-10-16T00:00:00+24:00", "2025-10-16T00:00:00+00:60", "2025-10-16T00:00:00+02",
		"2025-10-16Z", "2025-10-16+02:00", "2025-1-2", "2025-1-2T3:4:5", "2025-02-29", "0000-01-01",
		"2025-10-16T24:00", "+2025-10-16", "2025-10-16T00:00:00ZZ", "2025-10-16T00:00:00+02:00Z",
	} {
		spellings = append(spellings, text, "equals:"+text, "lte:"+text)
	}
	for _, text := range []string{ // without an operator only
		"2025-10-16", "2025-10-16T12:08:11", "2025-10-16 12:08:11Z", "2025-10-16 12:08:11.5", "2025-10-16 12:08",
	} {
		spellings = append(spellings, "equals:"+text, "notequals:"+text, "gt:"+text)
	}
	for _, text := range spellings {
		checkRefused(t, "created", text, noTime)
	}
}

func TestRefusedRanges(t *testing.T) {
	for _, text := range []string{
		"", ",", "2025-10-16 12:08:11", "2025-10-16 12:08:11,", ",2025-10-16 12:08:11",
		"2025-10-16 12:08:11, 2025-10-16 12:08:11", "2025-10-16 12:08:11,2025-10-16",
		"2025-10-16T12:08:11,2025-10-16 12:08:11", "2025-10-16 12:08:11;2025-10-16 12:08:11",
		"2025-10-16 12:08:11,2025-10-16 12:08:11,2025-10-16 12:08:11",
		"2025-10-16 12:08:11,2025-10-16 12:08:11,",
	} {
		checkRefused(t, "created", "in:"+text,
			"the operand must be two times like 2025-10-16 15:08:11, separated by a comma")
	}
}

func TestRefusedOperands(t *testing.T) {
	for _, list := range []string{
		"", "a", "a,b", `"a"`, "null", "1", "{}", "[", `["a"`, `["a",]`, "[a]", "['a']", "[1]", "[null]",
		`["a",null]`, `[["a"]]`, `["a"]["b"]`, `["a"] x`, `[true]`, "[\"\xff\"]",
		strings.Repeat("[", 10_000),
	} {
		for _, operator := range []string{"oneof:", "notoneof:"} {
			for _, field := range []string{"name", "id"} {
				checkRefused(t, field, operator+list, "the operand must be a JSON array of strings")
			}
		}
	}
	for _, flag := range []string{"", "yes", "2", "t", " true", "true ", "01", "null", "falſe", "isempty"} {
		for _, operator := range []string{"", "equals:", "notequals:"} {
			checkRefused(t, "active", operator+flag, "the operand must be true, false, 1 or 0")
		}
	}
	for _, field := range keys.Fields {
		for _, operator := range []string{"isempty:", "isnotempty:"} {
			checkRefused(t, field.Name, operator+"x", "nothing may follow the operator")
			checkRefused(t, field.Name, operator+" ", "nothing may follow the operator")
		}
	}
}

func checkRefused(t *testing.T, field, text, problem string) {
	t.Helper()
	got := refusal(t, url.Values{field: {text}})
	want := "1 validation error for APIKeyFilter\n" + field + "\n  Value error, " + problem + " [type=value_error, "
	if got.Kind != query.Filter || !strings.HasPrefix(got.Text, want) {
		t.Errorf("%s=%.100s: kind %d, %s", field, text, got.Kind, got.Text)
	}
}

func TestRefusedNumbers(t *testing.T) {
	for _, number := range []string{
		"", " ", "x", "1x", "1,5", "nan", "NaN", "inf", "-Inf", "+infinity", "1e999", "0x10", "0X1p-2", "1__0",
		"0x_1", "1 0", "--1", "e1", ".", "٩",
	} {
		for _, operator := range []string{"gt", "gte", "lt", "lte"} {
			got := refusal(t, url.Values{"name": {operator + ":" + number}})
			want := query.Error{Kind: query.Store, Text: fmt.Sprintf("name: the operand must be a number, not %q", number)}
			if got != want {
				t.Errorf("%s:%s: %+v", operator, number, got)
			}
		}
	}
}

// Every operator with every type: what is not taken here is refused.
func TestOperatorsByType(t *testing.T) {
	const texts = "equals, notequals, contains, notcontains, startswith, endswith, oneof, notoneof, "
	fields := []struct{ name, kind, operand, takes string }{
		{"name", "text", "1", texts + "gt, gte, lt, lte, isempty, isnotempty"},
		{"id", "UUID", someID, texts + "isempty, isnotempty"},
		{"active", "flag", "true", "equals, notequals, isempty, isnotempty"},
		{"created", "time", "2025-10-16 12:08:11", "equals, notequals, gt, gte, lt, lte, in, isempty, isnotempty"},
	}
	for operator := range strings.SplitSeq(texts+"gt, gte, lt, lte, in, isempty, isnotempty", ", ") {
		for _, field := range fields {
			text := operator + ":" + operandOf(operator, field.operand)
			if strings.Contains(", "+field.takes+", ", ", "+operator+", ") {
				parse(t, url.Values{field.name: {text}}.Encode())
				continue
			}
			problem := operator + " is no operator of a " + field.kind + ", which takes " + field.takes
			checkRefused(t, field.name, text, problem)
			checkRefused(t, field.name, operator+":", problem)
		}
	}
}

// operandOf makes what an operator takes of what equals takes.
func operandOf(operator, operand string) string {
	switch operator {
	case "oneof", "notoneof":
		return `["` + operand + `"]`
	case "in":
		return operand + "," + operand
	case "isempty", "isnotempty":
		return ""
	}
	return operand
}

func TestJoinedFilters(t *testing.T) {
	r := record(map[string]query.Value{"name": query.TextValue("ci"), "active": query.FlagValue(true)})
	for text, want := range map[string]bool{
		"":                                     true,
		"logical_operator=and":                 true,
		"logical_operator=or":                  true,
		"name=ci&active=1":                     true,
		"name=ci&active=0":                     false,
		"name=x&active=0":                      false,
		"name=ci&active=0&logical_operator=or": true,
		"name=x&active=1&logical_operator=or":  true,
		"name=x&active=0&logical_operator=or":  false,
		"name=ci&name=x":                       false,
		"name=x&name=ci":                       false,
		"name=startswith:c&name=endswith:i":    true,
		"name=x&name=ci&logical_operator=or":   true,
		"name=x&name=y&logical_operator=or":    false,
		"owner=isempty:&name=ci":               true,
		"owner=isnotempty:&name=ci":            false,
		"owner=notequals:x&name=ci":            false,
		"name=x&name=ci&logical_operator=xor&logical_operator=or": true,
		"name=x&name=ci&logical_operator=or&logical_operator=and": false,
	} {
		if got := parse(t, text).Matches(r); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Filters meet thousands of records in a request.
func BenchmarkMatches(b *testing.B) {
	q := parse(b, "name=contains:key&active=1&created=gt:2025-01-01 00:00:00&owner=startswith:37f4")
	r := record(map[string]query.Value{
		"name": textValues["Build"], "active": flagValues["true"], "created": timeValues["noon"], "owner": idValues["some"],
	})
	for b.Loop() {
		if !q.Matches(r) {
			b.Fatal("no match")
		}
	}
}
