package stack

import (
	"net"

	"latchkey/infra/example"
	"latchkey/localstack/gateway"
	"latchkey/shared/operation"
)

// serveExample serves the API that Latchkey protects, as API Gateway would after the
// example is deployed: the authorizer is asked before each request, and no answer of it
// is kept, so that a key that was deleted is refused at once.
func (s *Stack) serveExample(listener net.Listener) error {
	authorizer := &gateway.Authorizer{
		Operation: operation.Authorizer, IdentitySources: []string{"$request.header.Authorization"},
	}
	var routes []gateway.Route
	for _, key := range example.Routes() {
		routes = append(routes, gateway.Route{Key: key, Operation: example.Orders, Authorizer: authorizer})
	}
	return s.serve(listener, routes, "example")
}

// ExampleURL is the base URL of the example's API, without a slash at its end.
func (s *Stack) ExampleURL() string { return s.exampleURL }
