// Command get-account-key serves GET /api/v1/service_accounts/{account}/api_keys/{key}: it reads a key of a
// service account, by name or id.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.GetAccountKey) }
