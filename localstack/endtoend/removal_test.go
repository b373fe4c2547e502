package endtoend_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/localstack/emulator"
	"latchkey/localstack/localtest"
	"latchkey/localstack/stack"
	"latchkey/localstack/table"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

const (
	removalKeys  = 120
	fatalRequest = 9 // of the remover, in the middle of its work
)

// A remover that is killed in the middle of its work, with all that runs it, leaves a rest
// that is removed after the next start.
func TestRemoverIsKilled(t *testing.T) {
	database := must(emulator.Start(t.Context(), emulator.Config{}))(t)
	t.Cleanup(func() { database.Close() })
	var requests atomic.Int64
	midway := make(chan struct{})
	hanging := proxy(t, database.Endpoint, func(r *http.Request) {
		if dynamotest.ActionOf(r.Header) != string(operation.BatchWriteItem) {
			return
		}
		if requests.Add(1) == fatalRequest {
			close(midway)
			_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that the client is gone
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
	})
	config := stack.Config{
		FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", DataDir: t.TempDir(), DynamoDBEndpoint: database.Endpoint(),
		Environment: func(op operation.Operation) map[string]string {
			if op.Name != operation.RemoveServiceAccount.Name {
				return nil
			}
			return map[string]string{operation.DynamoDBVariable: hanging}
		},
	}
	z := zenmlWorldOn(t, restart(t, config))
	account := z.makeAccount(t, "short-lived")
	for i := range removalKeys {
		z.makeKey(t, account.ID, fmt.Sprint(i))
	}
	wantDone(t, z.admin.delete(t.Context(), zenmlItem(zenmlAccounts, account.ID)))
	<-midway
	left := z.mentioning(t, account.ID)
	wantDone(t, z.stack.Close())
	if whole := 1 + 2*removalKeys; left < 2 || left >= whole {
		t.Fatalf("when the remover is killed, %d items of %d are left: that is not midway", left, whole)
	}
	next := restart(t, config)
	w := &world{stack: next, root: z.root}
	waitForRemoval(t, func() int { return itemsOfAccount(t, w, account.ID) })
	if left := w.mentioning(t, account.ID); left > 0 {
		t.Errorf("%d items are left:\n%s", left, w.contents(t))
	}
	if items := strings.Count(w.contents(t), "\n") + 1; items != 1 {
		t.Errorf("beside the root key there are %d items:\n%s", items-1, w.contents(t))
	}
}

// mentioning counts the items that know an id.
func (w *world) mentioning(t *testing.T, id string) (items int) {
	t.Helper()
	for item := range strings.SplitSeq(w.contents(t), "\n") {
		if strings.Contains(item, id) {
			items++
		}
	}
	return items
}

// waitForRemoval waits until no items are left, however long that takes, as long as they
// become fewer.
func waitForRemoval(t *testing.T, left func() int) {
	t.Helper()
	for before := left(); before > 0; {
		localtest.WaitUntil(t, func() bool {
			now := left()
			fewer := now < before
			before = now
			return fewer
		})
	}
}

// itemsOfAccount counts the items in the partition of an account of the namespace demo. Of
// a deleted one the account's record goes last.
func itemsOfAccount(t *testing.T, w *world, account string) int {
	t.Helper()
	out := must(table.Client(w.stack.DynamoDBEndpoint()).Query(t.Context(), &dynamodb.QueryInput{
		TableName:              aws.String(w.stack.Table()),
		KeyConditionExpression: aws.String(schema.PartitionKey + " = :account"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":account": &types.AttributeValueMemberS{Value: schema.AccountPartition(stack.Namespace, account)},
		},
		Select:         types.SelectCount,
		ConsistentRead: aws.Bool(true),
	}))(t)
	return int(out.Count)
}
