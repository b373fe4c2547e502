package endtoend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/api/reference/referencetest"
	"latchkey/shared/operation"
)

// A holder sends requests, and collects what of them and of their answers the OpenAPI
// document does not have. What goes to another server than the stack's API passes unseen.
type holder struct {
	document *referencetest.Document
	host     string
	requests []error // of those that were answered with success
	answers  []error
}

func (w *world) holder(t *testing.T) *holder {
	t.Helper()
	base, err := url.Parse(w.stack.URL())
	if err != nil {
		t.Fatal(err)
	}
	return &holder{document: w.document, host: base.Host}
}

// RoundTrip sends one request.
func (h *holder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := taken(&request.Body)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || request.URL.Host != h.host {
		return response, err
	}
	answer, err := taken(&response.Body)
	if err != nil {
		return nil, err
	}
	exchange := referencetest.Exchange{
		Method: request.Method, URL: request.URL, Header: request.Header, Body: body,
		Response: referencetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer},
	}
	h.requests = append(h.requests, h.document.CheckRequest(exchange)...)
	h.answers = append(h.answers, h.document.CheckAnswer(exchange)...)
	return response, nil
}

// taken reads a body and puts it back.
func taken(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	content, err := io.ReadAll(*body)
	err = errors.Join(err, (*body).Close())
	*body = io.NopCloser(bytes.NewReader(content))
	return content, err
}

// front is the stack's API behind a server that holds what it passes on, for clients that
// are programs of their own and send one request after the other.
func (h *holder) front(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: h,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.URL.RawQuery = "http", h.host, p.In.URL.RawQuery
		},
	})
	t.Cleanup(server.Close)
	return server.URL
}

// lax are the exchanges, by script and title, whose requests are understood though the
// document, which says what clients should send, has nothing of the kind: parameters that
// mean nothing, empty members, and what pydantic takes for true and false.
var lax = map[string]bool{
	"namespaces.http/A namespace is listed, and nothing below it":                     true,
	"namespaces.http/Parameters that are not ours are not looked at":                  true,
	"namespaces_list.http/Parameters that are none of a list's are ignored":           true,
	"serviceaccounts_accounts.http/With it, if so asked":                              true,
	"serviceaccounts_accounts.http/Asked for by \"1\"":                                true,
	"serviceaccounts_accounts.http/Asked for by \"0\"":                                true,
	"serviceaccounts_accounts.http/Asked for by \"YES\"":                              true,
	"serviceaccounts_accounts.http/Asked for by \"off\"":                              true,
	"serviceaccounts_list.http/Other parameters are ignored":                          true,
	"serviceaccounts_list.http/Nor by what is said of the account":                    true,
	"workspaces.http/An empty name counts as none":                                    true,
	"workspaces_list.http/An empty name counts as none; other parameters are ignored": true,
}

// wantHeld wants the document to have the answer of an exchange, and its request unless
// that is lax.
func (h *holder) wantHeld(t *testing.T, name string) {
	t.Helper()
	for _, problem := range h.answers {
		t.Errorf("the OpenAPI document: %v", problem)
	}
	for _, problem := range h.requests {
		if !lax[name] {
			t.Errorf("the OpenAPI document: %v", problem)
		}
	}
	if lax[name] && len(h.requests) == 0 {
		t.Error("the OpenAPI document has the request, and it counts as lax")
	}
}

// unseen are the statuses that no script gets of every operation, by what gets them.
var unseen = map[int]string{
	http.StatusUnauthorized:          "the sample events without a key: TestSampleEvents",
	http.StatusRequestEntityTooLarge: "package web, before any handler: its tests, and scripts of some operations",
	http.StatusTooManyRequests:       "API Gateway, beyond a route's limit: the local one has none",
	http.StatusInternalServerError:   "a defect of ours",
	http.StatusServiceUnavailable:    "an absent database: TestAbsentDatabase",
	http.StatusGatewayTimeout:        "an impatient client: the tests of package web",
}

// contested are operations that are answered 409 only if somebody else changes the same
// thing at that moment, as the tests of package dynamo do.
var contested = []string{operation.RotateAccountKey.Name}

// wantStatuses wants every status that the document has to be one that a script gets, or
// that none can be expected to.
func (w *world) wantStatuses(t *testing.T) {
	for _, op := range operation.All {
		for _, status := range w.document.Statuses(op) {
			expected := unseen[status] == "" && !(status == http.StatusConflict && slices.Contains(contested, op.Name))
			if expected && !w.document.Seen(op, status) {
				t.Errorf("%s is documented with %d, which no script gets", op.Name, status)
			}
		}
	}
}

// checkEventAnswer wants the document to have a function's answer to a sample event.
func (w *world) checkEventAnswer(t *testing.T, op operation.Operation, answer []byte) {
	t.Helper()
	if op.Route == "" || op.Route == operation.DefaultRoute {
		return
	}
	var sent events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &sent); err != nil {
		t.Fatal(err)
	}
	response := referencetest.Response{Status: sent.StatusCode, Header: http.Header{}, Body: []byte(sent.Body)}
	for name, value := range sent.Headers {
		response.Header.Set(name, value)
	}
	for _, problem := range w.document.CheckResponse(op, response) {
		t.Errorf("the OpenAPI document: %v", problem)
	}
}
