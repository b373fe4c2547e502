// Command delete-service-account serves DELETE /api/v1/service_accounts/{account}: from its answer on
// the account is gone and its keys are refused.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.DeleteServiceAccount) }
