// Command create-service-account serves POST /api/v1/service_accounts: it creates a service account in the
// caller's namespace.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.CreateServiceAccount, boot.WithKeys(serviceaccounts.CreateServiceAccount), store.DynamoDB, sessions.KMS)
}
