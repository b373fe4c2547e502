package serviceaccounts

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
)

func read(t *testing.T, text string) *body {
	t.Helper()
	b, err := readBody([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b
}

// problems are those that a client is told, by the names of the members.
func problems(err error) map[string]string {
	told := map[string]string{}
	for _, field := range fieldsOf(err) {
		told[field.Name] = field.Problem
	}
	return told
}

func fieldsOf(err error) []fault.Field {
	if err == nil {
		return nil
	}
	return fault.Of(err).Fields
}

const noFlag, noInteger, noText = "Input should be a valid boolean", "Input should be a valid integer", "Input should be a valid string"

// What pydantic takes for a flag, in its lax mode.
func TestFlags(t *testing.T) {
	for value, texts := range map[bool][]string{
		true:  {`true`, `1`, `"true"`, `"True"`, `"TRUE"`, `"1"`, `"yes"`, `"YES"`, `"on"`, `"On"`, `"y"`, `"Y"`, `"t"`, `"T"`},
		false: {`false`, `0`, `"false"`, `"False"`, `"FALSE"`, `"0"`, `"no"`, `"NO"`, `"off"`, `"Off"`, `"n"`, `"N"`, `"f"`, `"F"`},
	} {
		for _, text := range texts {
			b := read(t, `{"active":`+text+`}`)
			if got := flag(b, "active"); got == nil || *got != value || b.err() != nil {
				t.Errorf("%s is %v, %v, want %v", text, got, b.err(), value)
			}
		}
	}
	for _, text := range []string{
		`2`, `-1`, `10`, `1.5`, `0.1`, `""`, `" "`, `" true"`, `"true "`, `"2"`, `"maybe"`, `"null"`, `"none"`, `"ja"`, `"tr"`, `"oui"`,
		`[]`, `[true]`, `{}`, `{"true":true}`, `"\u0000"`, `"1.0"`, `"01"`, `"+1"`,
	} {
		b := read(t, `{"active":`+text+`}`)
		got := flag(b, "active")
		if diff := cmp.Diff(map[string]string{"body.active": noFlag}, problems(b.err())); diff != "" || got != nil {
			t.Errorf("%s is %v (-want +got):\n%s", text, got, diff)
		}
	}
}

// What pydantic takes for an integer, in its lax mode.
func TestIntegers(t *testing.T) {
	for text, want := range map[string]int64{
		`0`: 0, `-0`: 0, `5`: 5, `-5`: -5, `2.0`: 2, `-2.0`: -2, `1e3`: 1000, `1E2`: 100, `20e-1`: 2, `0.0`: 0, `true`: 1, `false`: 0,
		`"5"`: 5, `"-5"`: -5, `"+5"`: 5, `" 5 "`: 5, `"\t5\n"`: 5, `"05"`: 5, `"2.0"`: 2, `"2.000"`: 2, `"0"`: 0, `"1_000"`: 1000,
		`9007199254740991`: 1<<53 - 1, `9007199254740993`: 1<<53 + 1, `"9007199254740993"`: 1<<53 + 1,
		`9223372036854775807`: math.MaxInt64, `-9223372036854775808`: math.MinInt64, `"9223372036854775807"`: math.MaxInt64,
	} {
		b := read(t, `{"n":`+text+`}`)
		if got := integer(b, "n"); got == nil || *got != want || b.err() != nil {
			t.Errorf("%s is %v, %v, want %d", text, got, b.err(), want)
		}
	}
	for _, text := range []string{
		`1.5`, `-0.1`, `1e-1`, `""`, `" "`, `"x"`, `"1.5"`, `"1,000"`, `"1 000"`, `"--1"`, `"5x"`, `"NaN"`, `"Infinity"`, `"-inf"`,
		`9223372036854775808`, `1e400`, `"1e400"`, `99999999999999999999999999`, `[]`, `[5]`, `{}`, `"null"`, `"0x10"`, `"٥"`, `"1__0"`,
	} {
		b := read(t, `{"n":`+text+`}`)
		got := integer(b, "n")
		if diff := cmp.Diff(map[string]string{"body.n": noInteger}, problems(b.err())); diff != "" || got != nil {
			t.Errorf("%s is %v (-want +got):\n%s", text, got, diff)
		}
	}
}

// A text is a string and nothing else, so many characters long at most, however many bytes
// these take.
func TestTexts(t *testing.T) {
	short := text(3)
	for member, want := range map[string]string{`""`: "", `"abc"`: "abc", `"😀😀😀"`: "😀😀😀", `"\u00e9"`: "é", `" a\n"`: " a\n", `"\u0000"`: "\x00"} {
		b := read(t, `{"x":`+member+`}`)
		if got := short(b, "x"); got == nil || *got != want || b.err() != nil {
			t.Errorf("%s is %v, %v, want %q", member, got, b.err(), want)
		}
	}
	for member, problem := range map[string]string{
		`"abcd"`: "String should have at most 3 characters", `"😀😀😀😀"`: "String should have at most 3 characters",
		`5`: noText, `1.5`: noText, `true`: noText, `[]`: noText, `["a"]`: noText, `{}`: noText,
	} {
		b := read(t, `{"x":`+member+`}`)
		got := short(b, "x")
		if diff := cmp.Diff(map[string]string{"body.x": problem}, problems(b.err())); diff != "" || got != nil {
			t.Errorf("%s is %v (-want +got):\n%s", member, got, diff)
		}
	}
}

// A member that must be there may be neither missing nor null, one with a default may be
// missing, and one that may be null says nothing then.
func TestMissingAndNull(t *testing.T) {
	missing, null := read(t, `{}`), read(t, `{"s":null,"b":null,"n":null}`)
	name := text(10)
	for what, b := range map[string]*body{"missing": missing, "null": null} {
		if s, f, n := name(b, "s"), flag(b, "b"), integer(b, "n"); s != nil || f != nil || n != nil || b.err() != nil {
			t.Errorf("%s: %v, %v, %v, %v", what, s, f, n, b.err())
		}
	}
	if s, f, n := orElse(missing, "s", "a", name), orElse(missing, "b", true, flag), orElse(missing, "n", 7, integer); s != "a" || !f || n != 7 || missing.err() != nil {
		t.Errorf("defaults are %q, %v, %d, %v", s, f, n, missing.err())
	}
	const notNull, needed = "Input should not be null", "Field required"
	for what, test := range map[string]struct {
		body string
		read func(*body)
		want map[string]string
	}{
		"null where there is a default": {`{"s":null,"b":null,"n":null}`, func(b *body) {
			orElse(b, "s", "a", name)
			orElse(b, "b", true, flag)
			orElse(b, "n", 7, integer)
		}, map[string]string{"body.s": notNull, "body.b": notNull, "body.n": notNull}},
		"null where it is needed": {`{"s":null,"b":null}`, func(b *body) {
			required(b, "s", name)
			required(b, "b", flag)
		}, map[string]string{"body.s": notNull, "body.b": notNull}},
		"missing where it is needed": {`{"S":"a"}`, func(b *body) {
			required(b, "s", name)
			required(b, "b", flag)
		}, map[string]string{"body.s": needed, "body.b": needed}},
		"wrong, once": {`{"s":5,"b":5,"n":"x"}`, func(b *body) {
			required(b, "s", name)
			required(b, "b", flag)
			orElse(b, "n", 7, integer)
		}, map[string]string{"body.s": noText, "body.b": noFlag, "body.n": noInteger}},
	} {
		b := read(t, test.body)
		test.read(b)
		if diff := cmp.Diff(test.want, problems(b.err())); diff != "" || len(fieldsOf(b.err())) != len(test.want) {
			t.Errorf("%s: %v (-want +got):\n%s", what, b.err(), diff)
		}
	}
}

func TestValuesThatAreGiven(t *testing.T) {
	b := read(t, `{"s":"","b":"off","n":"12"}`)
	if s, f, n := required(b, "s", text(1)), required(b, "b", flag), orElse(b, "n", 7, integer); s != "" || f || n != 12 || b.err() != nil {
		t.Errorf("%q, %v, %d, %v", s, f, n, b.err())
	}
}

// What is no object of JSON is refused, each in the form of its kind.
func TestBodiesThatAreNone(t *testing.T) {
	for text, kind := range map[string]fault.Kind{
		"": fault.Malformed, "{": fault.Malformed, "{}x": fault.Malformed, "\xff": fault.Malformed, `{"a":"` + "\xff" + `"}`: fault.Malformed,
		"null": fault.Invalid, "[]": fault.Invalid, `"secret"`: fault.Invalid, "5": fault.Invalid, "true": fault.Invalid,
		`{"a":1,"a":2}`: fault.Invalid,
	} {
		if _, err := readBody([]byte(text)); err == nil || fault.Of(err).Kind != kind || len(fault.Of(err).Fields) == 0 {
			t.Errorf("%q: %v, want %v", text, err, kind)
		}
	}
	if b, err := readBody([]byte(`{"unknown":{"deep":[1,{"x":null}]},"key":"k","name":"n"}`)); err != nil || required(b, "name", text(1)) != "n" {
		t.Errorf("members that mean nothing: %v", err)
	}
}

// Nothing that a client has sent is repeated to it, or logged: it might be a secret.
func TestProblemsRepeatNoValue(t *testing.T) {
	const planted = "planted"
	long := planted + strings.Repeat("x", 300)
	b := read(t, fmt.Sprintf(`{"name":%q,"full_name":[%[1]q],"active":%[1]q,"description":{%[1]q:%[1]q},"n":%[1]q}`, long))
	required(b, "name", text(apikey.MaxNameLength))
	orElse(b, "full_name", "", text(apikey.MaxNameLength))
	required(b, "active", flag)
	text(maxDescriptionLength)(b, "description")
	orElse(b, "n", 0, integer)
	err := b.err()
	if len(fieldsOf(err)) != 5 || strings.Contains(err.Error(), planted) || strings.Contains(messageOf(fault.Of(err)), planted) {
		t.Errorf("%v", err)
	}
	for _, text := range []string{`"planted"`, `{"a":planted}`, `["planted"]`} {
		if _, err := readBody([]byte(text)); err == nil || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
