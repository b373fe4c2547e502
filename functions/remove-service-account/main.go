// Command remove-service-account has no route: the table's stream invokes it when a service
// account was deleted, and it removes what that has left behind.
package main

import (
	"latchkey/shared/boot"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.RemoveServiceAccount, boot.Stream(store.RemoveServiceAccount), store.DynamoDB)
}
