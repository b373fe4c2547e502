// Command update-account-key serves PUT /api/v1/service_accounts/{account}/api_keys/{key}: it renames a key,
// describes it, or switches it off and on.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.UpdateAccountKey, boot.WithKeys(serviceaccounts.UpdateAccountKey), store.DynamoDB, sessions.KMS)
}
