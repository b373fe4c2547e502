// Command bootstrap has no route: whoever may invoke it with IAM gets an
// administrator's key of a namespace.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.Bootstrap) }
