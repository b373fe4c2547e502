// Command openapi serves GET /openapi.json: it describes every route, in OpenAPI 3.1.
package main

import (
	"latchkey/shared/api/reference"
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.OpenAPI, boot.Alone(reference.OpenAPI)) }
