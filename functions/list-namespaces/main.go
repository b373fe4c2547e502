// Command list-namespaces serves GET /v1/namespaces/{namespace}/namespaces: it lists the
// namespaces below one that hold keys.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ListNamespaces, boot.WithKeys(namespaces.ListNamespaces), store.DynamoDB, sessions.KMS)
}
