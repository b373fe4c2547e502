// Command list-namespaces serves GET /v1/namespaces/{namespace}/namespaces: it lists the
// namespaces below one that hold keys.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.ListNamespaces) }
