// Command who-am-i serves GET /v1/auth: it tells who the bearer of a key or token is.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.WhoAmI, boot.WithSessions(namespaces.WhoAmI), records.DynamoDB, sessions.KMS)
}
