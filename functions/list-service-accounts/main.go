// Command list-service-accounts serves GET /api/v1/service_accounts: it lists the service accounts of
// the caller's namespace.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.ListServiceAccounts) }
