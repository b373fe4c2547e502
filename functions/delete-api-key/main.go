// Command delete-api-key serves DELETE /v1/namespaces/{namespace}/api-keys/{uuid}: it
// deletes a key; the next request with it is refused.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.DeleteAPIKey, boot.WithKeys(namespaces.DeleteAPIKey), store.DynamoDB, sessions.KMS)
}
