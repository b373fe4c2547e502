package web

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/fault"
)

// Ignored is a member that a client may send and that means nothing.
type Ignored = jsontext.Value

// DecodeJSON reads a body strictly: one JSON value in valid UTF-8, without unknown or
// repeated members, whatever the content type says. Malformed: it is no such text.
// Invalid: members are unknown or of a wrong type, which the fault names by their paths.
func DecodeJSON(body []byte, into any) error {
	return decode(body, into, json.RejectUnknownMembers(true))
}

// DecodeOpenJSON is DecodeJSON for an API that passes over unknown members.
func DecodeOpenJSON(body []byte, into any) error { return decode(body, into) }

func decode(body []byte, into any, options ...json.Options) error {
	err := json.Unmarshal(body, into, options...)
	if err == nil {
		return nil
	}
	// The decoder stops at what does not fit, and has not read what is behind it.
	var whole any
	if unreadable := json.Unmarshal(body, &whole); unreadable != nil {
		return syntaxFault(unreadable)
	}
	if found := misfitsOf(body, reflect.TypeOf(into), len(options) > 0); len(found) > 0 {
		return fault.InvalidFields(found...)
	}
	return fmt.Errorf("body that fits and cannot be decoded: %w", err)
}

// syntaxFault is of a body that is no JSON.
func syntaxFault(err error) error {
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case ok && errors.Is(err, jsontext.ErrDuplicateName):
		return fault.InvalidField(dotted(syntactic.JSONPointer), "value is given more than once")
	case ok:
		return malformed(fmt.Sprintf("malformed JSON at byte %d", syntactic.ByteOffset))
	}
	return malformed("malformed JSON")
}

func malformed(problem string) error {
	f := fault.New(fault.Malformed, "malformed request")
	f.Fields = []fault.Field{{Name: "body", Problem: problem}}
	return f
}

// dotted writes a JSON pointer (RFC 6901) as a.b[0].c.
func dotted(pointer jsontext.Pointer) string {
	var path strings.Builder
	for token := range pointer.Tokens() {
		switch _, err := strconv.Atoi(token); {
		case err == nil:
			path.WriteString("[" + token + "]")
		case path.Len() > 0:
			path.WriteString("." + token)
		default:
			path.WriteString(token)
		}
	}
	if path.Len() == 0 {
		return "body"
	}
	return path.String()
}

// JSON is an answer in JSON. Compact leaves out members that are empty.
func JSON(status int, value any, compact bool) (Response, error) {
	return marshal(status, value, json.OmitZeroStructFields(compact))
}

// MustJSON is JSON for an envelope, where nothing can fail: what a client sent and
// is told about may not even be UTF-8.
func MustJSON(status int, value any) Response {
	response, err := marshal(status, value, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(err)
	}
	return response
}

func marshal(status int, value any, option json.Options) (Response, error) {
	body, err := json.Marshal(value, option, json.Deterministic(true))
	if err != nil {
		return Response{}, fmt.Errorf("answer in JSON: %w", err)
	}
	return JSONBody(status, body), nil
}

// JSONBody is an answer in JSON that is encoded already.
func JSONBody(status int, body []byte) Response {
	return Response{Status: status, Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// WireSize is how large a body that is text is on its way through the platform, which
// takes it as a string in JSON.
func WireSize(body []byte) int {
	return len(body) + bytes.Count(body, []byte(`"`)) + bytes.Count(body, []byte(`\`))
}
