package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const (
	inferredType = "application/json"
	defaultType  = "text/plain; charset=utf-8"
)

// A response is what the client gets.
type response struct {
	status  int
	headers map[string]string // names in lower case
	cookies []string
	body    []byte
}

// parseResponse reads what a function returned: a response of format 2.0 if it
// is an object with a statusCode, else the body of a 200.
func parseResponse(payload []byte) (response, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) == nil && fields["statusCode"] != nil {
		return formatted(payload)
	}
	return inferred(payload), nil
}

func inferred(payload []byte) response {
	body := payload
	var text string
	if json.Unmarshal(payload, &text) == nil {
		body = []byte(text)
	}
	return response{
		status:  http.StatusOK,
		headers: map[string]string{"content-type": inferredType},
		body:    body,
	}
}

func formatted(payload []byte) (response, error) {
	var told events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(payload, &told); err != nil {
		return response{}, fmt.Errorf("malformed response: %w", err)
	}
	if told.StatusCode < 200 || told.StatusCode > 599 {
		return response{}, fmt.Errorf("malformed response: status code %d", told.StatusCode)
	}
	r := response{
		status:  told.StatusCode,
		headers: map[string]string{"content-type": defaultType},
		cookies: told.Cookies,
		body:    []byte(told.Body),
	}
	maps.Insert(r.headers, lowerCase(told.Headers))
	if told.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(told.Body)
		if err != nil {
			return response{}, fmt.Errorf("malformed response: %w", err)
		}
		r.body = body
	}
	return r, nil
}

func lowerCase(headers map[string]string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for name, value := range headers {
			if !yield(strings.ToLower(name), value) {
				return
			}
		}
	}
}

// write sends the response. Its length and connection are the server's to say.
func (r response) write(w http.ResponseWriter) {
	header := w.Header()
	for name, value := range r.headers {
		header.Set(name, value)
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		header.Del(name)
	}
	for _, cookie := range r.cookies {
		header.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // a client that is gone is no concern of ours
}
