// Command rotate-account-key serves PUT /api/v1/service_accounts/{account}/api_keys/{key}/rotate: it gives a
// key a new secret; the old one is good for as long as is asked for.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.RotateAccountKey, boot.WithKeys(serviceaccounts.RotateAccountKey), store.DynamoDB, sessions.KMS)
}
