// Command get-service-account serves GET /api/v1/service_accounts/{account}: it reads a service account,
// by name or id.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.GetServiceAccount, boot.WithKeys(serviceaccounts.GetServiceAccount), store.DynamoDB, sessions.KMS)
}
