// Command create-account-key serves POST /api/v1/service_accounts/{account}/api_keys: it creates a key of
// a service account, which is in this answer and never again.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.CreateAccountKey, boot.WithKeys(serviceaccounts.CreateAccountKey), store.DynamoDB, sessions.KMS)
}
