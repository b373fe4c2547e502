// Command current-user serves GET /api/v1/current-user: it tells who the bearer of a key or
// token is.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.CurrentUser, boot.WithKeys(serviceaccounts.CurrentUser), store.DynamoDB, sessions.KMS)
}
