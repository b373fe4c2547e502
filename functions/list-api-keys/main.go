// Command list-api-keys serves GET /v1/namespaces/{namespace}/api-keys: it lists the keys
// of a namespace or of a whole subtree, page by page.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.ListAPIKeys) }
