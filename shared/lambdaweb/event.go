package lambdaweb

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// An event is the part of events.APIGatewayV2HTTPRequest that we use. To decode all of it
// took a third of our own work on a validation.
type event struct {
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	PathParameters  map[string]string `json:"pathParameters"`
	RequestContext  requestContext    `json:"requestContext"`
	Body            text              `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	RequestID string `json:"requestId"`
	HTTP      struct {
		Method string `json:"method"`
	} `json:"http"`
}

// A text is a string that is decoded into bytes, once.
type text []byte

var errNoText = errors.New("no text where there should be one")

// UnmarshalJSONFrom reads a string, or null for none.
func (t *text) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	value, err := from.ReadValue()
	switch {
	case err != nil:
		return err
	case value.Kind() == jsontext.KindNull:
		*t = nil
		return nil
	case value.Kind() != jsontext.KindString:
		return errNoText
	}
	*t, _ = jsontext.AppendUnquote([]byte(nil), value) // what is no UTF-8 is replaced, as in the other members
	return nil
}

// read takes the platform's word for its own event, as its library does: members that we
// do not know are passed over, and it is not looked whether any comes twice.
func read(op operation.Operation, payload []byte) (*web.Request, error) {
	var e event
	if err := json.Unmarshal(payload, &e, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("event of an HTTP API: %w", err)
	}
	body, err := e.body()
	if err != nil {
		return nil, fmt.Errorf("body of an event: %w", err)
	}
	return &web.Request{
		ID:         e.RequestContext.RequestID,
		Operation:  op,
		Method:     e.RequestContext.HTTP.Method,
		Path:       e.RawPath,
		PathValues: e.PathParameters,
		RawQuery:   e.RawQueryString,
		Header:     e.Headers,
		Body:       body,
	}, nil
}

func (e *event) body() ([]byte, error) {
	if !e.IsBase64Encoded {
		return e.Body, nil
	}
	return base64.StdEncoding.AppendDecode(nil, e.Body)
}
