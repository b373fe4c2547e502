package authorizer

import (
	"errors"
	"fmt"
	"strings"

	"latchkey/shared/protected"
	"latchkey/shared/route"
)

// A shape is one form of event.
type shape uint8

const (
	restToken shape = iota
	restRequest
	httpV1
	httpV2
	webSocket
	appSync
)

var shapeNames = [...]string{
	restToken: "rest-token", restRequest: "rest-request", httpV1: "http-1.0", httpV2: "http-2.0",
	webSocket: "websocket", appSync: "appsync",
}

// String gives the shape's name in logs and of its sample event.
func (s shape) String() string { return shapeNames[s] }

var errShape = errors.New("event of an authorizer: neither API Gateway nor AppSync sends such a one")

// An event is what all shapes have together that an answer depends on.
type event struct {
	Type       string
	Version    string
	MethodARN  string
	RouteARN   string
	RouteKey   string
	Resource   string
	HTTPMethod string

	AuthorizationToken    string
	Headers               map[string]string
	MultiValueHeaders     map[string][]string
	QueryStringParameters map[string]string
	MultiValueParameters  map[string][]string

	RequestContext struct {
		APIID     string
		EventType string
	}
}

func (e event) shape() (shape, error) {
	switch {
	case e.Type == "TOKEN":
		return restToken, nil
	case e.Type == "REQUEST" && e.Version == "2.0":
		return httpV2, nil
	case e.Type == "REQUEST" && e.Version == "1.0":
		return httpV1, nil
	case e.Type == "REQUEST" && e.Version == "" && e.RequestContext.EventType == "CONNECT":
		return webSocket, nil
	case e.Type == "REQUEST" && e.Version == "":
		return restRequest, nil
	case e.Type == "" && e.Version == "" && e.RequestContext.APIID != "":
		return appSync, nil
	}
	return 0, errShape
}

// A request is what an event asks.
type request struct {
	shape  shape
	event  event
	target target
	route  string // the route key that the gateway has chosen; empty: it does not tell
}

func read(payload []byte) (request, error) {
	var r request
	var err error
	if r.event, err = decode(payload); err != nil {
		return r, fmt.Errorf("event of an authorizer: %w", err)
	}
	if r.shape, err = r.event.shape(); err != nil {
		return r, err
	}
	switch r.shape {
	case appSync:
		return r, nil
	case webSocket:
		r.target, err = connectTarget(r.event.MethodARN)
	case httpV2:
		r.route = r.event.RouteKey
		r.target, err = readTarget(r.event.RouteARN)
	case restRequest, httpV1:
		r.route = routeOf(r.event)
		fallthrough
	default:
		r.target, err = readTarget(r.event.MethodARN)
	}
	return r, err
}

// routeOf is the route of an event that tells the resource, with its parameters, and the
// method that the request has.
func routeOf(e event) string {
	if e.Resource == route.Default {
		return e.Resource
	}
	return e.HTTPMethod + " " + e.Resource
}

// isOpen reports whether the gateway leaves it to the path which route a request is for: it
// tells none, or one that takes any path there is.
func (r request) isOpen() bool {
	key, err := route.Parse(r.route)
	return r.route == "" || err == nil && (key.IsDefault() || key.IsGreedy())
}

// credential takes the one credential out of a request.
func (r request) credential(api protected.API) (string, bool) {
	switch r.shape {
	case appSync:
		return appSyncCredential(r.event.AuthorizationToken)
	case restToken:
		return api.Header.Credential(r.event.AuthorizationToken)
	}
	values := valuesOf(r.event.Headers, r.event.MultiValueHeaders, func(name string) bool {
		return strings.EqualFold(name, api.Header.Name())
	})
	if len(values) == 0 && r.shape == webSocket && api.QueryParameter != "" {
		return only(valuesOf(r.event.QueryStringParameters, r.event.MultiValueParameters, func(name string) bool {
			return name == api.QueryParameter
		}))
	}
	value, _ := only(values)
	return api.Header.Credential(value)
}

// appSyncCredential is the header as it is, since AppSync wants no scheme in it; what a
// client sends with one all the same is understood.
func appSyncCredential(token string) (string, bool) {
	if credential, ok := protected.Authorization.Credential(token); ok {
		return credential, true
	}
	return token, token != ""
}

// valuesOf gives the values of what has a name, each time that a request has it. Where
// a platform tells all of them, single holds only one of each.
func valuesOf(single map[string]string, multi map[string][]string, isNamed func(string) bool) []string {
	var values []string
	for name, list := range multi {
		if isNamed(name) {
			values = append(values, list...)
		}
	}
	if len(values) > 0 {
		return values
	}
	for name, value := range single {
		if isNamed(name) {
			values = append(values, value)
		}
	}
	return values
}

func only(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	return values[0], values[0] != ""
}
