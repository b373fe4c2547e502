// Command list-api-keys serves GET /v1/namespaces/{namespace}/api-keys: it lists the keys
// of a namespace or of a whole subtree, page by page.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ListAPIKeys, boot.WithKeys(namespaces.ListAPIKeys), store.DynamoDB, sessions.KMS)
}
