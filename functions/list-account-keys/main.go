// Command list-account-keys serves GET /api/v1/service_accounts/{account}/api_keys: it lists the keys of a
// service account.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ListAccountKeys, boot.WithKeys(serviceaccounts.ListAccountKeys), store.DynamoDB, sessions.KMS)
}
