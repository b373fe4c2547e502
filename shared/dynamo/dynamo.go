// Package dynamo keeps keys and service accounts in one DynamoDB table, whose layout
// package schema describes. It is the only package of the service that speaks to
// DynamoDB.
//
// # Reads
//
// A key names its own record, so that Lookup is one strongly consistent GetItem
// and, as a record is at most 4 KB, one read unit. Get is one strongly consistent
// Query of the key's partition, which holds the record, its texts and its use. List reads
// an index and is eventually consistent; the texts of a page come by BatchGetItem,
// for the keys that have any. An account is read in the same ways, and one that is marked
// as deleted is not found. A query is no snapshot: it may show texts of one version beside
// a record of another, so that what changes texts reads both in one transaction. Nothing
// here scans.
//
// # Writes
//
// The condition on a write is the safety. A key without texts that belongs to no account
// is created by one conditional PutItem; all else is written in one transaction. The SDK
// repeats what failed, and a repeated write may find that the first try had succeeded
// after all: a creation recognises its own record by the digest, which nobody else can
// have made; a transaction is recognised by DynamoDB itself, by its client request token.
//
// A change goes by the version that was read. What revokes does not, be it that a key or
// an account is switched off or deleted: whoever may change it must not be able to hold
// that off by changing it all the time.
//
// A name is reserved by an item that says who has it, written in one transaction with the
// record that is made, renamed or deleted. An account's key may expire, though no API
// makes such keys yet, and TTL deletes items one by one and in any order. So a name whose
// holder's record is gone, or due to go, is taken over, on condition that nobody else was
// faster; one that was taken over is not freed by its former holder.
//
// The use of a key is an item of its own, because it changes often and stands in no index.
// It is made and deleted with its key, and only ever updated in between, so that no use
// outlives its key, and the functions that note uses need no right to write anything else.
//
// # Failures
//
// What DynamoDB did not answer is fault.Unavailable, and never a key that does not
// exist. What it refuses for a reason that only we can mend is Internal.
//
// # Packages
//
// Package records is what every verification needs of this one, by a client that is made
// for it; functions that need no more are made of it alone. Package stored reads records,
// whichever client has fetched them. Both clients of a store share their connections.
package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/schema"
)

// DefaultRetention is how long an expired key stays listed before TTL removes it.
const DefaultRetention = schema.RetentionDays * 24 * time.Hour

// A Config says where the table is.
type Config struct {
	records.Config

	// Retention is how long a key stays after its expiry; zero for DefaultRetention.
	Retention time.Duration
}

// A Store is an apikey.Store on one table.
type Store struct {
	*records.Records
	client    *dynamodb.Client
	table     *string
	retention time.Duration
}

// New returns the store on a table that exists. It sends nothing.
func New(c Config) *Store {
	retention := c.Retention
	if retention == 0 {
		retention = DefaultRetention
	}
	c.Config.Config = c.WithOneTransport()
	return &Store{
		Records: records.New(c.Config),
		client:  newClient(c.Config.Config), table: aws.String(c.Table), retention: retention,
	}
}

func newClient(c awsclient.Config) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       c.Region,
		Credentials:  c.Credentials,
		BaseEndpoint: c.BaseEndpoint(),
		HTTPClient:   c.SDKClient(),
		Retryer:      newRetryer(c),
	})
}

func newRetryer(c awsclient.Config) aws.Retryer {
	return c.NewRetryer(retry.IsErrorRetryableFunc(records.IsConflict), retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if isThrottledTransaction(err) {
			c.CountThrottle()
		}
		return isTransactionConflict(err)
	}))
}

// getItem reads one item by its whole key, strongly consistent. It returns nil
// where there is none.
func (s *Store) getItem(ctx context.Context, partition, sort string) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table,
		Key:            primaryKey(partition, sort),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, classify(err)
	}
	return out.Item, nil
}

func primaryKey(partition, sort string) item {
	return item{schema.PartitionKey: text(partition), schema.SortKey: text(sort)}
}
