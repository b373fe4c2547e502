// Command not-found serves what no other route takes: it answers in the envelope of the
// API whose path was asked for.
package main

import (
	"latchkey/shared/api/unrouted"
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.NotFound, boot.Alone(unrouted.NotFound)) }
