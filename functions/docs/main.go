// Command docs serves GET /docs: it shows the description of every route in a browser.
package main

import (
	"latchkey/shared/api/reference"
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.Docs, boot.Alone(reference.Docs)) }
