// Command get-account-key serves GET /api/v1/service_accounts/{account}/api_keys/{key}: it reads a key of a
// service account, by name or id.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.GetAccountKey, boot.WithKeys(serviceaccounts.GetAccountKey), store.DynamoDB, sessions.KMS)
}
