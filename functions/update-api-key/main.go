// Command update-api-key serves PATCH /v1/namespaces/{namespace}/api-keys: it changes
// a key's name, description, tags or annotations.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.UpdateAPIKey, boot.WithKeys(namespaces.UpdateAPIKey), store.DynamoDB, sessions.KMS)
}
