// Command health serves GET /health: it answers without reading anything.
package main

import (
	"latchkey/shared/api/platform"
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.Health, boot.Alone(platform.Health)) }
