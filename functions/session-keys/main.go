// Command session-keys serves GET /.well-known/jwks.json: it publishes the keys that
// session tokens can be verified with.
package main

import (
	"latchkey/shared/api/platform"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.SessionKeys, boot.WithSessions(platform.SessionKeys), sessions.KMS)
}
