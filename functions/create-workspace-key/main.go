// Command create-workspace-key serves POST /api/v1/api-key: it creates a key in a
// workspace and shows it, this once.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/operation"
)

func main() { boot.Serve(operation.CreateWorkspaceKey) }
