// Command list-service-accounts serves GET /api/v1/service_accounts: it lists the service accounts of
// the caller's namespace.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ListServiceAccounts, boot.WithKeys(serviceaccounts.ListServiceAccounts), store.DynamoDB, sessions.KMS)
}
