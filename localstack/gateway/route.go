package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"latchkey/shared/operation"
)

const anyMethod = "ANY"

// A Route sends the requests that its key takes to an operation's function.
type Route struct {
	Key       string // "GET /path/{name}", "ANY /path/{name+}", "$default"
	Operation operation.Operation
}

// Routes are the routes of the catalogue.
func Routes() []Route {
	var routes []Route
	for _, op := range operation.All {
		if op.Route != "" {
			routes = append(routes, Route{Key: op.Route, Operation: op})
		}
	}
	return routes
}

// A table holds routes, the one to prefer first.
type table []parsedRoute

type parsedRoute struct {
	Route
	method   string
	segments []segment
}

// A segment is one part of a path template. Its kinds are in the order in which
// they are preferred.
type segment struct {
	kind kind
	text string // the literal, or the parameter's name
}

type kind int

const (
	literal kind = iota
	parameter
	greedy
)

// A match is a route and what its parameters stand for.
type match struct {
	route      Route
	parameters map[string]string
}

func newTable(routes []Route) (table, error) {
	var t table
	seen := map[string]bool{}
	for _, route := range routes {
		parsed, err := parseRoute(route)
		if err != nil {
			return nil, err
		}
		if seen[route.Key] {
			return nil, fmt.Errorf("route %q is there twice", route.Key)
		}
		seen[route.Key] = true
		t = append(t, parsed)
	}
	slices.SortStableFunc(t, preference)
	return t, nil
}

func parseRoute(route Route) (parsedRoute, error) {
	if route.Key == operation.DefaultRoute {
		return parsedRoute{Route: route}, nil
	}
	method, path, ok := strings.Cut(route.Key, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") {
		return parsedRoute{}, fmt.Errorf("route key %q has no method and path", route.Key)
	}
	parsed := parsedRoute{Route: route, method: method}
	texts := strings.Split(path[1:], "/")
	for i, text := range texts {
		s := parseSegment(text)
		if s.kind == greedy && i != len(texts)-1 {
			return parsedRoute{}, fmt.Errorf("route key %q: %s is not at the end", route.Key, text)
		}
		parsed.segments = append(parsed.segments, s)
	}
	return parsed, nil
}

func parseSegment(text string) segment {
	name, opened := strings.CutPrefix(text, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !opened || !closed {
		return segment{literal, text}
	}
	if name, ok := strings.CutSuffix(name, "+"); ok {
		return segment{greedy, name}
	}
	return segment{parameter, name}
}

// preference orders two routes by which is to be tried first.
func preference(a, b parsedRoute) int {
	if order := cmp.Compare(a.rank(), b.rank()); order != 0 {
		return order
	}
	kinds := slices.CompareFunc(a.segments, b.segments, func(a, b segment) int { return cmp.Compare(a.kind, b.kind) })
	if kinds != 0 {
		return kinds
	}
	return cmp.Compare(boolRank(a.method == anyMethod), boolRank(b.method == anyMethod))
}

// rank is 0 for a route that is matched in full, 1 for a greedy one and 2 for
// the default.
func (r parsedRoute) rank() int {
	if len(r.segments) == 0 {
		return 2
	}
	return boolRank(r.segments[len(r.segments)-1].kind == greedy)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// match finds the route for a decoded path.
func (t table) match(method, path string) (match, bool) {
	texts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, route := range t {
		if route.method != "" && route.method != anyMethod && route.method != method {
			continue
		}
		if parameters, ok := route.bind(texts); ok {
			return match{route: route.Route, parameters: parameters}, true
		}
	}
	return match{}, false
}

// bind gives the route's parameters their values if it fits the path.
func (r parsedRoute) bind(texts []string) (map[string]string, bool) {
	if r.Key == operation.DefaultRoute {
		return nil, true
	}
	isGreedy := r.rank() == 1
	if len(texts) < len(r.segments) || len(texts) > len(r.segments) && !isGreedy {
		return nil, false
	}
	parameters := map[string]string{}
	for i, s := range r.segments {
		text := texts[i]
		if s.kind == greedy {
			text = strings.Join(texts[i:], "/")
		}
		switch {
		case s.kind == literal && text != s.text, s.kind != literal && text == "":
			return nil, false
		case s.kind != literal:
			parameters[s.text] = text
		}
	}
	return parameters, true
}
