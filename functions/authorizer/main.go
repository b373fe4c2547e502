// Command authorizer has no route: API Gateway and AppSync ask it whether a request to
// another API may pass.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/boot/guard"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.Authorizer, guard.Authorizer, records.DynamoDB, sessions.KMS, guard.API)
}
