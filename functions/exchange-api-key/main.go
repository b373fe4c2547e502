// Command exchange-api-key serves POST /v1/auth/api-key: it exchanges a key and its
// secret for a session token.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ExchangeAPIKey, boot.WithSessions(namespaces.ExchangeAPIKey), records.DynamoDB, sessions.KMS)
}
