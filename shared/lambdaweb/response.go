package lambdaweb

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/web"
)

const (
	aroundBody   = 512 // bytes that suffice for what an answer has beside its body
	usualHeaders = 8   // that an answer has at most
)

// encode writes what we use of events.APIGatewayV2HTTPResponse, the headers in order. It
// escapes nothing but what JSON demands: the body is JSON, the platform's limit is on what
// it becomes here, and web.WireSize counts that.
func encode(r web.Response) ([]byte, error) {
	answer := make([]byte, 0, web.WireSize(r.Body)+aroundBody)
	answer = append(answer, `{"statusCode":`...)
	answer = strconv.AppendInt(answer, int64(r.Status), 10)
	answer, err := appendHeaders(append(answer, `,"headers":`...), r.Header)
	if err != nil {
		return nil, fmt.Errorf("header of an answer: %w", err)
	}
	answer, err = appendBody(append(answer, `,"body":`...), r)
	if err != nil {
		return nil, fmt.Errorf("body of an answer: %w", err)
	}
	return append(answer, '}'), nil
}

func appendHeaders(to []byte, headers map[string]string) ([]byte, error) {
	names := make([]string, 0, usualHeaders)
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	to = append(to, '{')
	for i, name := range names {
		if i > 0 {
			to = append(to, ',')
		}
		var badName, badValue error
		to, badName = jsontext.AppendQuote(to, name)
		to, badValue = jsontext.AppendQuote(append(to, ':'), headers[name])
		if err := cmp.Or(badName, badValue); err != nil {
			return nil, err
		}
	}
	return append(to, '}'), nil
}

// appendBody writes a compressed body in base64, as it is no text.
func appendBody(to []byte, r web.Response) ([]byte, error) {
	if r.Header["Content-Encoding"] == "" {
		return jsontext.AppendQuote(to, r.Body)
	}
	to = base64.StdEncoding.AppendEncode(append(to, '"'), r.Body)
	return append(to, `","isBase64Encoded":true`...), nil
}
