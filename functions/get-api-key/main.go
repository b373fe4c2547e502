// Command get-api-key serves GET /v1/namespaces/{namespace}/api-keys/{uuid}: it reads one
// key.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.GetAPIKey) }
