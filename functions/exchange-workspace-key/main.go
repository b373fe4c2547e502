// Command exchange-workspace-key serves POST /api/v1/auth: it exchanges a key for a
// session token of 15 minutes.
package main

import (
	"latchkey/shared/api/workspaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ExchangeWorkspaceKey, boot.WithSessions(workspaces.ExchangeWorkspaceKey), records.DynamoDB, sessions.KMS)
}
