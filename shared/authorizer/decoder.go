package authorizer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A decoder reads an event. It knows what is in one, and not by reflection, which was most
// of the authorizer's own work. The event is the platform's: members that it does not know
// are passed over, null is nothing, and of two by one name the last counts. It keeps the
// first error, behind which it reads nothing.
type decoder struct {
	from  *jsontext.Decoder
	whole string // the event, of which its texts are parts
	err   error
}

var (
	errType = errors.New("a member is of another type")
	errMore = errors.New("there is more than one value")
)

// decode reads an event.
func decode(payload []byte) (event, error) {
	var e event
	d := decoder{
		from:  jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		whole: string(payload),
	}
	d.members(func(name string) { d.member(&e, name) })
	if _, err := d.from.ReadToken(); d.err == nil && !errors.Is(err, io.EOF) {
		d.err = errMore
	}
	return e, d.err
}

func (d *decoder) member(e *event, name string) {
	switch name {
	case "type":
		d.text(&e.Type)
	case "version":
		d.text(&e.Version)
	case "methodArn":
		d.text(&e.MethodARN)
	case "routeArn":
		d.text(&e.RouteARN)
	case "routeKey":
		d.text(&e.RouteKey)
	case "resource":
		d.text(&e.Resource)
	case "httpMethod":
		d.text(&e.HTTPMethod)
	case "authorizationToken":
		d.text(&e.AuthorizationToken)
	case "headers":
		d.texts(&e.Headers)
	case "multiValueHeaders":
		d.lists(&e.MultiValueHeaders)
	case "queryStringParameters":
		d.texts(&e.QueryStringParameters)
	case "multiValueQueryStringParameters":
		d.lists(&e.MultiValueParameters)
	case "requestContext":
		d.members(func(name string) { d.contextMember(e, name) })
	default:
		d.skip()
	}
}

func (d *decoder) contextMember(e *event, name string) {
	switch name {
	case "apiId":
		d.text(&e.RequestContext.APIID)
	case "eventType":
		d.text(&e.RequestContext.EventType)
	default:
		d.skip()
	}
}

// next reads a token of a kind. False: it is null, or there is an error.
func (d *decoder) next(kind jsontext.Kind) bool {
	if d.err != nil {
		return false
	}
	token, err := d.from.ReadToken()
	if d.err = err; err == nil && token.Kind() != kind && token.Kind() != jsontext.KindNull {
		d.err = errType
	}
	return d.err == nil && token.Kind() == kind
}

// goesOn reports whether the object or list that was begun has another member, and reads
// its end if not.
func (d *decoder) goesOn(end jsontext.Kind) bool {
	if d.err == nil && d.from.PeekKind() != end {
		return true
	}
	d.next(end)
	return false
}

// members reads an object. Each member is read by who is given its name.
func (d *decoder) members(read func(name string)) {
	if !d.next(jsontext.KindBeginObject) {
		return
	}
	for d.goesOn(jsontext.KindEndObject) {
		var name string
		if d.text(&name); d.err == nil {
			read(name)
		}
	}
}

func (d *decoder) text(into *string) {
	if d.err != nil {
		return
	}
	quoted, err := d.from.ReadValue()
	switch {
	case err != nil:
		d.err = err
	case quoted.Kind() == jsontext.KindString:
		*into = d.textOf(quoted)
	case quoted.Kind() != jsontext.KindNull:
		d.err = errType
	}
}

// textOf is the text of a string that has just been read: as the event has it, if nothing in
// it is escaped or no UTF-8.
func (d *decoder) textOf(quoted jsontext.Value) string {
	end := int(d.from.InputOffset())
	written := d.whole[end-len(quoted)+1 : end-1]
	if strings.IndexByte(written, '\\') < 0 && utf8.ValidString(written) {
		return written
	}
	unquoted, _ := jsontext.AppendUnquote([]byte(nil), quoted) // with replacements
	return string(unquoted)
}

func (d *decoder) texts(into *map[string]string) {
	d.members(func(name string) {
		if *into == nil {
			*into = map[string]string{}
		}
		var value string
		d.text(&value)
		(*into)[name] = value
	})
}

func (d *decoder) lists(into *map[string][]string) {
	d.members(func(name string) {
		if *into == nil {
			*into = map[string][]string{}
		}
		(*into)[name] = d.list()
	})
}

func (d *decoder) list() (values []string) {
	if !d.next(jsontext.KindBeginArray) {
		return nil
	}
	for d.goesOn(jsontext.KindEndArray) {
		var value string
		d.text(&value)
		values = append(values, value)
	}
	return values
}

func (d *decoder) skip() {
	if err := d.from.SkipValue(); d.err == nil {
		d.err = err
	}
}
