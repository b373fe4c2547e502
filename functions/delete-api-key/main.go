// Command delete-api-key serves DELETE /v1/namespaces/{namespace}/api-keys/{uuid}: it
// deletes a key; the next request with it is refused.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.DeleteAPIKey) }
