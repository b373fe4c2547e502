package latchkey

import (
	"testing"

	"latchkey/shared/operation"
)

func TestSourceOf(t *testing.T) {
	for route, want := range map[string]string{
		"GET /health":                        "*/GET/health",
		"POST /v1/{namespace}/keys":          "*/POST/v1/*/keys",
		"DELETE /v1/{namespace}/keys/{uuid}": "*/DELETE/v1/*/keys/*",
		"GET /v1/files/{path+}":              "*/GET/v1/files/*",
		operation.DefaultRoute:               "*/$default",
	} {
		if got := sourceOf(operation.Operation{Route: route}); got != want {
			t.Errorf("%s calls as %s, want %s", route, got, want)
		}
	}
}
