// Command login serves POST /api/v1/login: it gives a session token for a key, by the form
// of OAuth 2's password grant.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.Login) }
