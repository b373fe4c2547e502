// Command authorizer has no route: API Gateway and AppSync ask it whether a request to
// another API may pass.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/boot/guard"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.Authorizer, guard.Authorizer, store.DynamoDB, sessions.KMS, guard.API)
}
