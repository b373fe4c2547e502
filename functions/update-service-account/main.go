// Command update-service-account serves PUT /api/v1/service_accounts/{account}: it renames a service
// account, describes it, or switches it off and on with all its keys.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.UpdateServiceAccount, boot.WithKeys(serviceaccounts.UpdateServiceAccount), store.DynamoDB, sessions.KMS)
}
