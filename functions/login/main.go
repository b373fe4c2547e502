// Command login serves POST /api/v1/login: it gives a session token for a key, by the form
// of OAuth 2's password grant.
package main

import (
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.Login, boot.WithSessions(serviceaccounts.Login), records.DynamoDB, sessions.KMS)
}
