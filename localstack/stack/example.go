package stack

import (
	"net"
	"time"

	"latchkey/infra/example"
	"latchkey/localstack/gateway"
	"latchkey/shared/operation"
)

// serveExample serves the API that Latchkey protects, as API Gateway would after the
// example is deployed: the authorizer is asked before each request, and no answer of it
// is kept, so that a key that was deleted is refused at once.
func (s *Stack) serveExample(listener net.Listener) error {
	return s.serve(listener, ExampleRoutes(0), "example")
}

// ExampleRoutes are the routes of the example's API behind the authorizer, whose answers
// are kept for a while, or not at all where that is zero.
func ExampleRoutes(kept time.Duration) []gateway.Route {
	authorizer := &gateway.Authorizer{
		Operation: operation.Authorizer, IdentitySources: []string{"$request.header.Authorization"}, TTL: kept,
	}
	var routes []gateway.Route
	for _, key := range example.Routes() {
		routes = append(routes, gateway.Route{Key: key, Operation: example.Orders, Authorizer: authorizer})
	}
	return routes
}

// ExampleURL is the base URL of the example's API, without a slash at its end.
func (s *Stack) ExampleURL() string { return s.exampleURL }
