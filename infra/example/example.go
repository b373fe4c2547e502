// Package example is an API of somebody else's that Latchkey protects: orders, which are
// listed, made, read and deleted. It is what the example's stack deploys and what the
// local stack serves beside Latchkey, and holds only what both must agree on. Package
// orders is its one function, package stack its CDK stack.
package example

import (
	"time"

	"latchkey/shared/access"
	"latchkey/shared/operation"
	"latchkey/shared/protected"
)

// Namespace is whose the example is.
const Namespace = "demo"

// Orders is the function that answers every route of the example.
var Orders = operation.Operation{
	Name:     "orders",
	Summary:  "Keep orders, as an example of an API that Latchkey protects",
	MemoryMB: 128,
	Runtime:  operation.UsualRuntime,
	Timeout:  3 * time.Second,
}

// Routes are the route keys of the example.
func Routes() []string {
	return []string{"GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}"}
}

// Protected is what the example's authorizer knows. Every route asks for what follows from
// it: to read, create or delete orders.
func Protected() protected.API {
	return protected.API{Namespace: Namespace, Routes: protected.Defaults(Routes()...)}
}

// Sampled is Protected for who also sends sample events of a WebSocket API and of AppSync,
// which have no routes: they ask to read orders.
func Sampled() protected.API {
	api := Protected()
	api.Right = protected.To(access.Read, "orders")
	return api
}
