// Package unrouted answers what no route takes. It is the one operation whose envelope
// depends on the path that was asked for, and so the one that knows every API.
package unrouted

import (
	"context"

	"latchkey/shared/api/namespaces"
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/api/wiring"
	"latchkey/shared/api/workspaces"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// NotFound is the endpoint of operation.NotFound.
func NotFound() wiring.Endpoint {
	return wiring.Endpoint{
		Handler:  notFound,
		Envelope: func(r *web.Request, f *fault.Error) web.Response { return EnvelopeOf(r.Path)(r, f) },
	}
}

// notFound answers a path that is unknown, or known with other methods only.
func notFound(_ context.Context, r *web.Request) (web.Response, error) {
	if len(operation.Methods(r.Path)) > 0 && !operation.IsWithheld(r.Method, r.Path) {
		return web.Response{}, fault.New(fault.MethodNotAllowed, "Method Not Allowed")
	}
	return web.Response{}, fault.New(fault.NotFound, "Not Found")
}

// EnvelopeOf is the envelope of the API that a path belongs to.
func EnvelopeOf(path string) web.Envelope {
	switch operation.APIOf(path) {
	case operation.Namespaces:
		return namespaces.Envelope
	case operation.Workspaces:
		return workspaces.Envelope
	case operation.ServiceAccounts:
		return serviceaccounts.Envelope
	}
	return web.Problem
}
