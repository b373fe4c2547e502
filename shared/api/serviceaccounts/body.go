package serviceaccounts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

// Lengths in characters.
const (
	maxDescriptionLength = 65_535
	// ZenML has no limit. Together with a description it must fit into one item of the
	// table, whatever bytes its characters take.
	maxAvatarLength = 32_768
)

// A body is a request's, whose members are read one by one. What is wrong with them is
// collected, in pydantic's words.
type body struct {
	members map[string]jsontext.Value
	found   fault.Fields
}

func readBody(raw []byte) (*body, error) {
	var b body
	if err := web.DecodeOpenJSON(raw, &b.members); err != nil {
		return nil, inBody(err)
	}
	if b.members == nil {
		return nil, fault.InvalidField("body", "Input should be a valid dictionary")
	}
	return &b, nil
}

// inBody names the members of a body that cannot be read as all others.
func inBody(err error) error {
	f := fault.Of(err)
	for i, field := range f.Fields {
		if field.Name != "body" {
			f.Fields[i].Name = "body." + field.Name
		}
	}
	return err
}

// err is what is wrong with the members that were read.
func (b *body) err() error {
	if len(b.found) == 0 {
		return nil
	}
	return fault.InvalidFields(b.found...)
}

// required gives a member that must be there.
func required[T any](b *body, name string, read func(*body, string) *T) T {
	var none T
	if _, given := b.members[name]; !given {
		b.found.Add("body."+name, "Field required")
		return none
	}
	return orElse(b, name, none, read)
}

// orElse gives a member that may be missing, and not null.
func orElse[T any](b *body, name string, otherwise T, read func(*body, string) *T) T {
	if _, given := b.members[name]; !given {
		return otherwise
	}
	before := len(b.found)
	value := read(b, name)
	switch {
	case value != nil:
		return *value
	case len(b.found) == before:
		b.found.Add("body."+name, "Input should not be null")
	}
	return otherwise
}

// isNull tells a member that says nothing: it is missing or null.
func (b *body) isNull(name string) bool {
	raw, given := b.members[name]
	return !given || raw.Kind() == 'n'
}

// text reads a text of a certain length, nil for null.
func text(maxLength int) func(*body, string) *string {
	return func(b *body, name string) *string {
		if b.isNull(name) {
			return nil
		}
		var value string
		if json.Unmarshal(b.members[name], &value) != nil {
			b.found.Add("body."+name, "Input should be a valid string")
			return nil
		}
		if utf8.RuneCountInString(value) > maxLength {
			b.found.Add("body."+name, fmt.Sprintf("String should have at most %d characters", maxLength))
			return nil
		}
		return &value
	}
}

// flag reads what pydantic takes for a boolean, nil for null.
func flag(b *body, name string) *bool {
	return scalar(b, name, flagOf, "Input should be a valid boolean")
}

// integer reads what pydantic takes for an integer, nil for null.
func integer(b *body, name string) *int64 {
	return scalar(b, name, integerOf, "Input should be a valid integer")
}

func scalar[T any](b *body, name string, of func(jsontext.Value) (T, bool), problem string) *T {
	if b.isNull(name) {
		return nil
	}
	value, ok := of(b.members[name])
	if !ok {
		b.found.Add("body."+name, problem)
		return nil
	}
	return &value
}

func flagOf(raw jsontext.Value) (value, ok bool) {
	if raw.Kind() == '0' {
		number, whole := numberOf(raw)
		return number == 1, whole && (number == 0 || number == 1)
	}
	return flagIn(scalarOf(raw))
}

// flagIn reads a flag as pydantic does where a text may be one.
func flagIn(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on", "y", "t":
		return true, true
	case "false", "0", "no", "off", "n", "f":
		return false, true
	}
	return false, false
}

// integerOf reads an integer: a number without a fraction, however it is written, a text
// of digits, or a flag. ZenML knows no limit, int64 is ours.
func integerOf(raw jsontext.Value) (int64, bool) {
	switch raw.Kind() {
	case '0':
		return numberOf(raw)
	case 't':
		return 1, true
	case 'f':
		return 0, true
	}
	digits, ok := query.Integer(scalarOf(raw))
	value, err := strconv.ParseInt(digits, 10, 64)
	return value, ok && err == nil
}

// numberOf reads a number of JSON that is whole.
func numberOf(raw jsontext.Value) (int64, bool) {
	if value, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return value, true
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || value != math.Trunc(value) || math.Abs(value) >= 1<<63 {
		return 0, false
	}
	return int64(value), true
}

// scalarOf is what a text says, or how any other value is written.
func scalarOf(raw jsontext.Value) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func not(flag *bool) *bool {
	if flag == nil {
		return nil
	}
	opposite := !*flag
	return &opposite
}
