// Command delete-workspace-key serves DELETE /api/v1/api-key: it deletes a key; the next
// request with it is refused.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.DeleteWorkspaceKey) }
