package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/infra/example"
)

const who = `"caller":{"namespace":"demo","keyId":"k-1","keyName":"ci"}`

func request(route, id, body string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{RouteKey: route, Body: body}
	if id != "" {
		r.PathParameters = map[string]string{"id": id}
	}
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		Lambda: map[string]any{"namespace": "demo", "keyId": "k-1", "keyName": "ci", "roles": ""},
	}
	return r
}

func TestHandle(t *testing.T) {
	const (
		second  = `"order":{"id":"2","item":"a spare wheel","quantity":1}`
		needs   = `{` + who + `,"message":"an order has an item and a quantity"}`
		missing = `{` + who + `,"message":"no such order"}`
	)
	tests := []struct {
		route, id, body string
		status          int
		want            string
	}{
		{"GET /orders", "", "", 200, `{` + who + `,"orders":[{"id":"1","item":"a bicycle bell","quantity":2},` +
			`{"id":"2","item":"a spare wheel","quantity":1},{"id":"3","item":"a repair kit","quantity":12}]}`},
		{"GET /orders/{id}", "2", "", 200, `{` + who + `,` + second + `}`},
		{"GET /orders/{id}", "7", "", 404, missing},
		{"DELETE /orders/{id}", "2", "", 204, ""},
		{"DELETE /orders/{id}", "7", "", 404, missing},
		{"POST /orders", "", `{"item":"a chain","quantity":3}`, 201, `{` + who + `,"order":{"id":"4","item":"a chain","quantity":3}}`},
		{"POST /orders", "", `{"id":"1","item":"a chain","quantity":3}`, 201, `{` + who + `,"order":{"id":"4","item":"a chain","quantity":3}}`},
		{"POST /orders", "", `{"item":"a chain"}`, 400, needs},
		{"POST /orders", "", `{"quantity":3}`, 400, needs},
		{"POST /orders", "", `nonsense`, 400, needs},
		{"POST /orders", "", ``, 400, needs},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		seen[test.route] = true
		got, err := handle(t.Context(), request(test.route, test.id, test.body))
		if err != nil || got.StatusCode != test.status || got.Body != test.want {
			t.Errorf("%s %s %s: %d %s, %v", test.route, test.id, test.body, got.StatusCode, got.Body, err)
		}
	}
	for _, route := range example.Routes() {
		if !seen[route] {
			t.Errorf("%s is not tried", route)
		}
	}
}

func TestEncodedBody(t *testing.T) {
	for body, status := range map[string]int{"eyJpdGVtIjoiYSBjaGFpbiIsInF1YW50aXR5IjozfQ==": 201, "?": 400} {
		r := request("POST /orders", "", body)
		r.IsBase64Encoded = true
		if got, err := handle(t.Context(), r); err != nil || got.StatusCode != status {
			t.Errorf("%s: %d %s, %v", body, got.StatusCode, got.Body, err)
		}
	}
}

// What is not behind an authorizer, or is another API's, is nobody's order.
func TestErrors(t *testing.T) {
	open, unnamed := request("GET /orders", "", ""), request("GET /orders", "", "")
	open.RequestContext.Authorizer = nil
	unnamed.RequestContext.Authorizer.Lambda = nil
	for _, r := range []events.APIGatewayV2HTTPRequest{open, unnamed, request("PUT /orders/{id}", "2", "")} {
		if got, err := handle(t.Context(), r); err == nil {
			t.Errorf("%s: %d %s", r.RouteKey, got.StatusCode, got.Body)
		}
	}
}

// Another team has nothing of Latchkey's.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "latchkey/") && name != "latchkey/infra/example/orders" {
			t.Errorf("imports %s", name)
		}
	}
	if !slices.Contains(strings.Fields(string(out)), "github.com/aws/aws-lambda-go/lambda") {
		t.Error("go list tells nothing")
	}
}
