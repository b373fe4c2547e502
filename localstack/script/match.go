package script

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/localstack/placeholder"
)

// Variables are the values of placeholders, by name.
type Variables map[string]string

// patterns are what a placeholder of an expectation may stand for.
var patterns = map[string]*regexp.Regexp{
	"any":            regexp.MustCompile(`(?s)^.*$`),
	"uuid":           regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
	"time":           regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(\d{3}|\d{6}|\d{9}))?Z$`),
	"day":            regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
	"identifier":     regexp.MustCompile(`^lk_[0-9a-v]+$`),
	"secret":         regexp.MustCompile(`^[0-9a-v]{59}$`),
	"full-key":       regexp.MustCompile(`^lk_[0-9a-v]+_[0-9a-v]{59}$`),
	"hex":            regexp.MustCompile(`^[0-9a-f]{32}$`),
	"cursor":         regexp.MustCompile(`^[A-Za-z0-9_-]+$`),
	"base64":         regexp.MustCompile(`^[A-Za-z0-9_-]+$`),
	"wrapped-key":    regexp.MustCompile(`^ZENKEY_[A-Za-z0-9+/]+={0,2}$`),
	"naive":          regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$`),
	"token":          regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`),
	"namespace-uuid": regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
}

// computations are texts that follow from what a placeholder says after its first word.
var computations = map[string]func(string) (string, error){
	"repeat": func(countAndText string) (string, error) {
		var count int
		var text string
		_, err := fmt.Sscan(countAndText, &count, &text)
		return strings.Repeat(text, max(0, count)), err
	},
	"in": func(duration string) (string, error) {
		later, err := time.ParseDuration(duration)
		return time.Now().Add(later).UTC().Format(time.RFC3339), err
	},
	"day": func(number string) (string, error) {
		days, err := strconv.Atoi(number)
		return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly), err
	},
}

// derivations are texts that follow from a variable's value.
var derivations = map[string]func(string) string{
	"identifier": func(key string) string { key = plain(key); return key[:max(0, strings.LastIndexByte(key, '_'))] },
	"secret":     func(key string) string { key = plain(key); return key[strings.LastIndexByte(key, '_')+1:] },
	"plain":      plain,
	"bare":       func(key string) string { return strings.TrimPrefix(key, wrapPrefix) },
	"hex":        func(uuid string) string { return strings.ReplaceAll(uuid, "-", "") },
	"upper":      strings.ToUpper,
	"form":       url.QueryEscape,
	"second":     func(naive string) string { return strings.Replace(naive[:min(len(naive), 19)], "T", "%20", 1) },
}

const wrapPrefix = "ZENKEY_"

// wrap puts a full key and an id, which need not be its own, into the form in which
// clients of the service-accounts API carry them.
func wrap(id, fullKey string) string {
	return wrapPrefix + base64.StdEncoding.EncodeToString([]byte(`{"id":"`+id+`","key":"`+fullKey+`"}`))
}

// plain is the full key inside of a wrapped one, and any other text as it is.
func plain(text string) string {
	encoded, ok := strings.CutPrefix(text, wrapPrefix)
	if !ok {
		return text
	}
	inner, err := base64.StdEncoding.DecodeString(encoded)
	var wrapped struct{ Key string }
	if err != nil || json.Unmarshal(inner, &wrapped) != nil {
		return text
	}
	return wrapped.Key
}

// Fill replaces the placeholders of a text: {{name}} by a variable's value,
// {{repeat 3 ab}} by "ababab", {{in 2h}} by what the time will be in two hours, in
// whole seconds, and {{day 0}} by the date of today in UTC, {{day -1}} by yesterday's.
// {{identifier name}} and {{secret name}} are the halves of a full key that a variable
// holds, wrapped or not; {{plain name}} is the key inside of a wrapped one, {{bare name}}
// that one without its prefix, and {{wrap other-id name}} the key of the second variable
// wrapped with the id in the first. {{hex name}} is a uuid without its dashes, {{upper
// name}} a text in capitals, {{form name}} one as it stands in a form or a query, {{second
// name}} the second in which a time without a zone lies, as it stands in a query.
func (v Variables) Fill(text string) (string, error) { return placeholder.Fill(text, v.value) }

func (v Variables) value(name string) (string, error) {
	if value, ok := v[name]; ok {
		return value, nil
	}
	word, rest, _ := strings.Cut(name, " ")
	if derive, ok := derivations[word]; ok && v[rest] != "" {
		return derive(v[rest]), nil
	}
	if id, key, _ := strings.Cut(rest, " "); word == "wrap" && v[id] != "" && v[key] != "" {
		return wrap(v[id], plain(v[key])), nil
	}
	if compute, ok := computations[word]; ok {
		if text, err := compute(rest); err == nil {
			return text, nil
		}
	}
	return "", placeholder.Unknown(v)
}

// MatchJSON compares JSON with what is expected, where a string may be a
// placeholder: {{uuid}} and the like stand for any text of that pattern,
// {{uuid:name}} keeps it as a variable, {{name}} is the value of a variable.
// {{any}} also stands for values that are no strings. It gives every difference.
func (v Variables) MatchJSON(want, got []byte) []string {
	var wanted, gotten any
	if err := json.Unmarshal(want, &wanted); err != nil {
		return []string{"the expectation is no JSON: " + err.Error()}
	}
	if err := json.Unmarshal(got, &gotten); err != nil {
		return []string{fmt.Sprintf("the answer is no JSON: %.200q", got)}
	}
	return v.match("", wanted, gotten)
}

// named is a placeholder of an expectation that keeps what it stands for.
var named = regexp.MustCompile(`\{\{[a-z0-9-]+:([^{}]*)\}\}`)

var lineBreak = regexp.MustCompile(`\n\s*`)

// MatchExactly compares as MatchJSON does, and then byte by byte: members in their order,
// and no space between them; the expectation may go on in another line, indented. Every
// placeholder must be of a variable, or keep one.
func (v Variables) MatchExactly(want, got []byte) []string {
	if differences := v.MatchJSON(want, got); differences != nil {
		return differences
	}
	line := lineBreak.ReplaceAllString(string(want), "")
	filled, err := v.Fill(named.ReplaceAllString(line, "{{$1}}"))
	if err != nil {
		return []string{err.Error()}
	}
	if filled != string(got) {
		return []string{fmt.Sprintf("the answer is\n%s\nand has the members and values of, but is not\n%s", got, filled)}
	}
	return nil
}

func (v Variables) match(at string, want, got any) []string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return v.matchObject(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return v.matchList(at, w, g)
		}
	case string:
		if w == "{{any}}" {
			return nil
		}
		if g, ok := got.(string); ok {
			return v.matchText(at, w, g)
		}
	}
	if show(want) != show(got) {
		return []string{fmt.Sprintf("%s is %s, want %s", placeOf(at), show(got), show(want))}
	}
	return nil
}

func (v Variables) matchObject(at string, want, got map[string]any) []string {
	var differences []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[key]
		if !ok {
			differences = append(differences, fmt.Sprintf("%s is missing", at+"."+key))
			continue
		}
		differences = append(differences, v.match(at+"."+key, want[key], value)...)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			differences = append(differences, fmt.Sprintf("%s is there, as %s", at+"."+key, show(got[key])))
		}
	}
	return differences
}

func (v Variables) matchList(at string, want, got []any) []string {
	if len(want) != len(got) {
		return []string{fmt.Sprintf("%s has %d members, want %d: %s", placeOf(at), len(got), len(want), show(got))}
	}
	var differences []string
	for i := range want {
		differences = append(differences, v.match(fmt.Sprintf("%s[%d]", at, i), want[i], got[i])...)
	}
	return differences
}

// matchText compares texts. A placeholder that is a pattern must be the whole text.
func (v Variables) matchText(at, want, got string) []string {
	if name, ok := placeholder.NameOf(want); ok {
		kind, variable, _ := strings.Cut(name, ":")
		if pattern, ok := patterns[kind]; ok {
			if !pattern.MatchString(got) {
				return []string{fmt.Sprintf("%s is %q, want %s", placeOf(at), got, want)}
			}
			if variable != "" {
				v[variable] = got
			}
			return nil
		}
	}
	filled, err := v.Fill(want)
	if err != nil {
		return []string{err.Error()}
	}
	if filled != got {
		return []string{fmt.Sprintf("%s is %q, want %q", placeOf(at), got, filled)}
	}
	return nil
}

func placeOf(at string) string {
	if at == "" {
		return "the answer"
	}
	return at
}

func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
