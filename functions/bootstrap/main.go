// Command bootstrap has no route: whoever may invoke it with IAM gets an
// administrator's key of a namespace.
package main

import (
	"latchkey/shared/api/platform"
	"latchkey/shared/boot"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.Bootstrap, boot.Direct(platform.Bootstrap), store.DynamoDB) }
