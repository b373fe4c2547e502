// Command delete-service-account serves DELETE /api/v1/service_accounts/{account}: from its answer on
// the account is gone and its keys are refused.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.DeleteServiceAccount, boot.WithKeys(serviceaccounts.DeleteServiceAccount), store.DynamoDB, sessions.KMS)
}
