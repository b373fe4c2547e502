// Package protected says what an authorizer knows of the API before which it stands: to
// which namespace it belongs, where its callers put their credential, and what each of
// its routes asks of a key. It is data: the CDK construct writes it into the
// environment of the authorizer's function, and the function reads it there.
//
// Each route asks for a Right: to do a method to a kind of resource, as roles and rules
// grant it, or nothing but a valid key. Where nobody says which, it follows from the
// route: the kind is the first segment after the base path that is no parameter, a
// version or "api"; GET and HEAD read, POST creates, PUT and PATCH update, DELETE
// deletes. So "GET /api/v1/orders/{id}" asks to read orders.
//
// A table of routes is whole: a request for a route that it does not have is refused,
// whoever asks. Without a table, each request is judged by the route that the gateway
// chose for it, and refused if it does not tell: in a path the client could choose the
// kind. A REST API's TOKEN authorizer is not told and needs a table.
package protected

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"latchkey/shared/access"
	"latchkey/shared/credential"
	"latchkey/shared/jsonread"
	"latchkey/shared/namespace"
	"latchkey/shared/route"
)

// An API is what an authorizer knows of one API. Namespace must be set.
type API struct {
	// Namespace is whose the API is: a key must live in it, or above it and reach below.
	Namespace string `json:"namespace"`

	// Header is where the credential is.
	Header Header `json:"header,omitzero"`

	// QueryParameter of a WebSocket API's $connect may hold the credential instead, for
	// browsers, which can send no header with it. Empty: none may. URLs are logged on
	// their way: exchange the key for a session token first. As API Gateway wants all
	// identity sources of a request at once, such an API has none.
	QueryParameter string `json:"query,omitzero"`

	// Simple says that an HTTP API wants simple answers, with payload format 2.0; no event
	// tells. Otherwise it gets IAM policies, as REST and WebSocket APIs do.
	Simple bool `json:"simple,omitzero"`

	// BasePath is left out before a route's kind is looked for. Empty: none.
	BasePath string `json:"base,omitzero"`

	// Routes are all the routes that the authorizer stands before, by their keys, such as
	// "GET /orders/{id}". The zero Right is the route's default. Without any, each
	// request's route has its default.
	Routes map[string]Right `json:"routes,omitzero"`

	// Right is what is asked of who connects to a WebSocket API, or sends a query or a
	// mutation to an AppSync API, which have no routes to tell it by. The zero Right
	// refuses everybody.
	Right Right `json:"right,omitzero"`

	// CacheSeconds is for how long AppSync may keep an answer, and so for how long a key
	// goes on there that was deleted. API Gateway has this setting of its own.
	CacheSeconds int `json:"ttl,omitzero"`

	// UsageIdentifier has a REST API count a key's requests by the key's id, which then
	// must be the value of an API key in one of its usage plans.
	UsageIdentifier bool `json:"usage,omitzero"`
}

// Defaults are routes that ask for what follows from them, by their keys.
func Defaults(keys ...string) map[string]Right {
	routes := make(map[string]Right, len(keys))
	for _, key := range keys {
		routes[key] = Right{}
	}
	return routes
}

// A Header is where a request has its credential.
type Header string

// The headers. Authorization has the scheme Bearer before the credential.
const (
	Authorization Header = ""
	APIKeyHeader  Header = "x-api-key"
)

// Credential takes the credential out of a header's value. False: there is none.
func (h Header) Credential(value string) (string, bool) {
	if h == Authorization {
		return credential.Bearer(value)
	}
	value = strings.TrimSpace(value)
	return value, value != ""
}

// Name is the header's name in lower case.
func (h Header) Name() string {
	if h == Authorization {
		return "authorization"
	}
	return string(h)
}

// MaxCacheSeconds is the longest that a gateway keeps an answer.
const MaxCacheSeconds = 3600

// MaxLength bounds the text that an API is written as: all variables of a function take
// 4 KB together.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxLength = 3072

// Encode writes an API as one text. Its error names what is wrong with it.
func (a API) Encode() (string, error) {
	if err := a.validate(); err != nil {
		return "", err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("protected API: %w", err)
	}
	if len(text) > MaxLength {
		return "", fmt.Errorf("protected API: %d bytes, of %d that a function's environment has for it: "+
			"join routes by {path+} or ANY, or divide them among several authorizers", len(text), MaxLength)
	}
	return string(text), nil
}

// Parse reads what Encode has written. Its error names what is wrong.
func Parse(text string) (API, error) {
	var a API
	r := jsonread.New([]byte(text))
	r.Members(func(name string) { a.read(r, name) })
	if err := r.End(); err != nil {
		return API{}, fmt.Errorf("protected API: %w", err)
	}
	return a, a.validate()
}

// read reads a member of what Encode has written. That is done by hand because a process
// does it before it asks for its first event.
func (a *API) read(r *jsonread.Reader, name string) {
	switch name {
	case "namespace":
		r.Text(&a.Namespace)
	case "header":
		r.Text((*string)(&a.Header))
	case "query":
		r.Text(&a.QueryParameter)
	case "simple":
		r.Bool(&a.Simple)
	case "base":
		r.Text(&a.BasePath)
	case "routes":
		a.Routes = map[string]Right{}
		r.Members(func(key string) { a.Routes[key] = readRight(r) })
	case "right":
		a.Right = readRight(r)
	case "ttl":
		r.Int(&a.CacheSeconds)
	case "usage":
		r.Bool(&a.UsageIdentifier)
	default:
		r.Fail(fmt.Errorf("unknown member %q", name))
	}
}

func readRight(r *jsonread.Reader) Right {
	var text string
	var right Right
	r.Text(&text)
	if err := right.UnmarshalText([]byte(text)); err != nil {
		r.Fail(err)
	}
	return right
}

func (a API) validate() error {
	_, namespaceErr := namespace.Parse(a.Namespace)
	_, tableErr := a.Table()
	switch {
	case namespaceErr != nil:
		return fmt.Errorf("protected API: namespace %q %w", a.Namespace, namespaceErr)
	case a.Header != Authorization && a.Header != APIKeyHeader:
		return fmt.Errorf("protected API: header %q must be %q, or none for Authorization", a.Header, APIKeyHeader)
	case strings.ContainsFunc(a.QueryParameter, isNotOfParameter):
		return fmt.Errorf("protected API: query parameter %q must be of letters, digits, '_', '.' and '-'", a.QueryParameter)
	case a.CacheSeconds < 0 || a.CacheSeconds > MaxCacheSeconds:
		return fmt.Errorf("protected API: an answer may be kept for 0 to %d seconds, not %d", MaxCacheSeconds, a.CacheSeconds)
	case a.BasePath != "" && (!strings.HasPrefix(a.BasePath, "/") || strings.HasSuffix(a.BasePath, "/")):
		return fmt.Errorf("protected API: base path %q must begin with a slash and not end with one", a.BasePath)
	}
	return tableErr
}

func isNotOfParameter(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.-", r))
}

// Table gives the routes with the rights that they ask for. Its error names a route that
// is malformed, or for which there is no default.
func (a API) Table() (table route.Table[Right], err error) {
	for _, text := range slices.Sorted(maps.Keys(a.Routes)) {
		if other, ok := a.withoutSlash(text); ok {
			return table, fmt.Errorf("protected API: route %q differs from %q by a slash alone, which is none to a REST API", text, other)
		}
		key, err := route.Parse(text)
		if err != nil {
			return table, fmt.Errorf("protected API: %w", err)
		}
		right, err := a.rightOf(key, a.Routes[text])
		if err != nil {
			return table, fmt.Errorf("protected API: route %q: %w", text, err)
		}
		if err := table.Add(text, right); err != nil {
			return table, fmt.Errorf("protected API: %w", err)
		}
	}
	return table, nil
}

// withoutSlash gives the route that differs from another one, of whatever method, by the
// slash at its end.
func (a API) withoutSlash(text string) (string, bool) {
	_, path, _ := strings.Cut(text, " ")
	trimmed, isSlashed := strings.CutSuffix(path, "/")
	for other := range a.Routes {
		if _, path, _ := strings.Cut(other, " "); isSlashed && trimmed != "" && path == trimmed {
			return other, true
		}
	}
	return "", false
}

// rightOf completes a right with the kind that follows from its route.
func (a API) rightOf(key route.Key, right Right) (Right, error) {
	if key.Method != route.Any && !slices.Contains(Methods(), key.Method) {
		return right, fmt.Errorf("API Gateway has no method %q", key.Method)
	}
	if right != (Right{}) {
		return right, nil
	}
	right.Kind = a.kind(key)
	if right.Kind == "" {
		return right, errors.New("no segment of the path names a kind: say what it asks for")
	}
	if key.Method != route.Any && methodOf(key.Method) == 0 {
		return right, errors.New("nothing follows from the method: say what it asks for")
	}
	return right, nil
}

// Default gives the right that a request's route asks for where nobody says it.
func (a API) Default(key route.Key, method string) (Right, bool) {
	return Right{Kind: a.kind(key)}.For(method)
}

// Methods are those that API Gateway has.
func Methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
}

// methodOf says what a verb does; zero: nothing that a key could be granted.
func methodOf(verb string) access.Method {
	switch verb {
	case http.MethodGet, http.MethodHead:
		return access.Read
	case http.MethodPost:
		return access.Create
	case http.MethodPut, http.MethodPatch:
		return access.Update
	case http.MethodDelete:
		return access.Delete
	}
	return 0
}

// kind is the first segment after the base path that is fixed and says more than which
// version of an API it is. Empty: there is none.
func (a API) kind(key route.Key) string {
	segments := key.Segments
	if base := route.Split(a.BasePath); a.BasePath != "" && begins(segments, base) {
		segments = segments[len(base):]
	}
	for _, segment := range segments {
		if segment.Kind == route.Literal && !isPreamble(segment.Text) {
			if !access.IsKind(segment.Text) {
				return ""
			}
			return segment.Text
		}
	}
	return ""
}

// isPreamble reports whether a segment says which API it is, and not what of it.
func isPreamble(segment string) bool {
	digits, ok := strings.CutPrefix(segment, "v")
	return segment == "api" || ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func begins(segments []route.Segment, with []string) bool {
	if len(segments) < len(with) {
		return false
	}
	for i, text := range with {
		if segments[i] != (route.Segment{Kind: route.Literal, Text: text}) {
			return false
		}
	}
	return true
}
