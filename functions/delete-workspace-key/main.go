// Command delete-workspace-key serves DELETE /api/v1/api-key: it deletes a key; the next
// request with it is refused.
package main

import (
	"latchkey/shared/api/workspaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.DeleteWorkspaceKey, boot.WithKeys(workspaces.DeleteWorkspaceKey), store.DynamoDB, sessions.KMS)
}
