package gateway

import (
	"latchkey/shared/operation"
	"latchkey/shared/route"
)

// A Route sends the requests that its key takes to an operation's function.
type Route struct {
	Key       string // "GET /path/{name}", "ANY /path/{name+}", "$default"
	Operation operation.Operation

	// Authorizer is asked first. Nil: every request passes.
	Authorizer *Authorizer
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

// A match is a route and what its parameters stand for.
type match struct {
	route      Route
	parameters map[string]string
}

func newTable(routes []Route) (table route.Table[Route], err error) {
	for _, r := range routes {
		if err := table.Add(r.Key, r); err != nil {
			return table, err
		}
	}
	return table, nil
}

func (g *Gateway) match(method, path string) (match, bool) {
	row, parameters, ok := g.table.Match(method, path)
	return match{route: row.Value, parameters: parameters}, ok
}
