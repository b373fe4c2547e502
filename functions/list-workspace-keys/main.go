// Command list-workspace-keys serves GET /api/v1/api-key/list: it lists the keys of a
// workspace, or all that the caller may see.
package main

import (
	"latchkey/shared/api/workspaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ListWorkspaceKeys, boot.WithKeys(workspaces.ListWorkspaceKeys), store.DynamoDB, sessions.KMS)
}
