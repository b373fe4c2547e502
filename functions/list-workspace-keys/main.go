// Command list-workspace-keys serves GET /api/v1/api-key/list: it lists the keys of a
// workspace, or all that the caller may see.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.ListWorkspaceKeys) }
