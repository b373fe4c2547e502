// Command delete-account-key serves DELETE /api/v1/service_accounts/{account}/api_keys/{key}: the next
// request with the key is refused.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.DeleteAccountKey, boot.WithKeys(serviceaccounts.DeleteAccountKey), store.DynamoDB, sessions.KMS)
}
