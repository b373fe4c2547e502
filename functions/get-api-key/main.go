// Command get-api-key serves GET /v1/namespaces/{namespace}/api-keys/{uuid}: it reads one
// key.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.GetAPIKey, boot.WithKeys(namespaces.GetAPIKey), store.DynamoDB, sessions.KMS)
}
