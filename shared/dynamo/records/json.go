package records

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/dynamo/stored"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// request writes a request about one item of the table, with the rest of its members.
func (r *Records) request(partition, sort, rest string) ([]byte, error) {
	text := make([]byte, 0, 192+len(r.table)+len(partition)+len(rest))
	text = append(text, '{')
	text = append(text, rest...)
	for _, part := range []struct{ before, value string }{
		{`,"TableName":`, r.table},
		{`,"Key":{"` + schema.PartitionKey + `":{"S":`, partition},
		{`},"` + schema.SortKey + `":{"S":`, sort},
	} {
		text = append(text, part.before...)
		var err error
		if text, err = jsontext.AppendQuote(text, part.value); err != nil {
			return nil, fault.Wrap(fault.Internal, fmt.Errorf("request about an item: %w", err), "internal error")
		}
	}
	return append(text, "}}}"...), nil
}

// usualAttributes is how many a key's record has, unless it was rotated or changed.
const usualAttributes = 16

// itemIn reads the item in an answer of GetItem; nil if it has none. A repeated member, text
// that is not UTF-8 and what follows the answer are errors: DynamoDB sends none of them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
func itemIn(reply []byte) (item stored.Item, err error) {
	// Of what is repeated only attributes matter, which are looked for here in less time.
	d := &decoder{text: jsontext.NewDecoder(bytes.NewBuffer(reply), jsontext.AllowDuplicateNames(true))}
	hasItem := false
	for d.expect('{'); d.goesOn(); {
		isItem := d.string() == "Item"
		switch {
		case isItem && hasItem:
			return nil, errors.New("answer of two items")
		case isItem && d.text.PeekKind() != 'n':
			item = d.members(make(stored.Item, 0, usualAttributes))
		default:
			d.skip()
		}
		hasItem = hasItem || isItem
	}
	d.expect('}')
	if _, err := d.text.ReadToken(); d.err == nil && err != io.EOF {
		return nil, errors.New("answer that goes on behind its end")
	}
	return item, d.err
}

// A decoder reads an answer and keeps the first error, behind which it finds nothing.
type decoder struct {
	text *jsontext.Decoder
	err  error
}

// goesOn reports whether the object or list that was begun has another member.
func (d *decoder) goesOn() bool {
	kind := d.text.PeekKind()
	return d.err == nil && kind > 0 && kind != '}' && kind != ']'
}

func (d *decoder) expect(kind jsontext.Kind) jsontext.Token {
	token, err := d.text.ReadToken()
	if err == nil && token.Kind() != kind {
		err = fmt.Errorf("%v where %v belongs", token.Kind(), kind)
	}
	if d.err == nil {
		d.err = err
	}
	return token
}

// string reads a text; empty for what is none.
func (d *decoder) string() string {
	if token := d.expect('"'); d.err == nil {
		return token.String()
	}
	return ""
}

func (d *decoder) skip() {
	if err := d.text.SkipValue(); d.err == nil {
		d.err = err
	}
}

// members reads the attributes of an item or the members of a map behind others.
func (d *decoder) members(behind stored.Item) stored.Item {
	for d.expect('{'); d.goesOn(); {
		name := d.string()
		if behind.Has(name) {
			d.err = fmt.Errorf("two attributes %q", name)
		}
		behind = append(behind, stored.Attribute{Name: name, Value: d.value()})
	}
	d.expect('}')
	return behind
}

func (d *decoder) list() (values stored.Item) {
	for d.expect('['); d.goesOn(); {
		values = append(values, stored.Attribute{Value: d.value()})
	}
	d.expect(']')
	return values
}

// value reads an object whose one member names the type of what is in it. A type that
// nothing of ours has is none, and so is null.
func (d *decoder) value() (value stored.Value) {
	if d.text.PeekKind() == 'n' {
		d.skip()
		return stored.Value{}
	}
	for d.expect('{'); d.goesOn(); {
		if value.Type != "" {
			d.err = errors.New("value of two types")
		}
		value = d.typed(stored.Type(d.string()))
	}
	d.expect('}')
	return value
}

func (d *decoder) typed(kind stored.Type) stored.Value {
	if d.text.PeekKind() == 'n' {
		kind = ""
	}
	value := stored.Value{Type: kind}
	switch kind {
	case stored.String, stored.Number:
		value.Text = d.string()
	case stored.Binary:
		value.Text = d.bytes()
	case stored.Bool:
		value.IsTrue = d.bool()
	case stored.List:
		value.Members = d.list()
	case stored.Map:
		value.Members = d.members(nil)
	default:
		d.skip()
		return stored.Value{}
	}
	return value
}

func (d *decoder) bytes() string {
	bytes, err := base64.StdEncoding.DecodeString(d.string())
	if d.err == nil {
		d.err = err
	}
	return string(bytes)
}

func (d *decoder) bool() bool {
	if d.text.PeekKind() == 't' {
		d.skip()
		return true
	}
	d.expect('f')
	return false
}
