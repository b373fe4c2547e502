// Command create-service-account serves POST /api/v1/service_accounts: it creates a service account in the
// caller's namespace.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.CreateServiceAccount) }
