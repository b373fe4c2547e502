// Command validate-api-key serves POST /v1/auth/api-key/validate: it tells whether a key
// and its secret are valid now.
package main

import (
	"latchkey/shared/api/namespaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.ValidateAPIKey, boot.WithVerifier(namespaces.ValidateAPIKey), records.DynamoDB)
}
