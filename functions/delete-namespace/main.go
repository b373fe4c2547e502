// Command delete-namespace has no route: whoever may invoke it with IAM deletes all keys
// and service accounts of a namespace and of all below it.
package main

import (
	"latchkey/shared/api/platform"
	"latchkey/shared/boot"
	"latchkey/shared/boot/store"
	"latchkey/shared/operation"
)

func main() {
	boot.Serve(operation.DeleteNamespace, boot.Direct(platform.DeleteNamespace), store.DynamoDB)
}
