// Command create-api-key serves POST /v1/namespaces/{namespace}/api-keys: it creates a
// key and shows its secret, this once.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.CreateAPIKey, boot.WithKeys(namespaces.CreateAPIKey), store.DynamoDB, sessions.KMS)
}
