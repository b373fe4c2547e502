// Command who-am-i serves GET /v1/auth: it tells who the bearer of a key or token is.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.WhoAmI) }
