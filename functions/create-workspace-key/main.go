// Command create-workspace-key serves POST /api/v1/api-key: it creates a key in a
// workspace and shows it, this once.
package main

import (
	"latchkey/shared/api/workspaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.CreateWorkspaceKey, boot.WithKeys(workspaces.CreateWorkspaceKey), store.DynamoDB, sessions.KMS)
}
