// Package dynamo keeps keys in one DynamoDB table, whose layout package schema
// describes. It is the only package of the service that speaks to DynamoDB.
//
// # Reads
//
// A key names its own record, so that Lookup is one strongly consistent GetItem
// and, as a record is at most 4 KB, one read unit. Get is one strongly consistent
// Query of the key's partition, which holds the record and its texts. List reads
// an index and is eventually consistent; the texts of a page come by BatchGetItem,
// for the keys that have any. Nothing here scans.
//
// # Writes
//
// The condition on a write is the safety. A record without texts is created by one
// conditional PutItem; where two items must agree, they are written in one
// transaction. The SDK repeats what failed, and a repeated write may find that the
// first try had succeeded after all: a creation recognises its own record by the
// digest, which nobody else can have made; a transaction is recognised by DynamoDB
// itself, by its client request token.
//
// # Failures
//
// What DynamoDB did not answer is fault.Unavailable, and never a key that does not
// exist. What it refuses for a reason that only we can mend is Internal.
package dynamo

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"latchkey/shared/schema"
)

// DefaultRetention is how long an expired key stays listed before TTL removes it.
const DefaultRetention = 30 * 24 * time.Hour

const (
	attempts       = 3
	attemptTimeout = 2 * time.Second
	firstBackoff   = 25 * time.Millisecond
)

// A Config says where the table is.
type Config struct {
	Table       string
	Region      string
	Credentials aws.CredentialsProvider

	// Endpoint is DynamoDB's URL; empty for the region's own.
	Endpoint string
	// Retention is how long a key stays after its expiry; zero for DefaultRetention.
	Retention time.Duration
	// Wrap puts something around the transport that carries the requests; nil for
	// nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Options change the client, for instance to measure it.
	Options []func(*dynamodb.Options)
}

// A Store is an apikey.Store on one table.
type Store struct {
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
	return &Store{client: newClient(c), table: aws.String(c.Table), retention: retention}
}

// newClient sets everything itself: loading the SDK's default configuration would
// take a third of a function's cold start.
func newClient(c Config) *dynamodb.Client {
	options := dynamodb.Options{
		Region:      c.Region,
		Credentials: c.Credentials,
		Retryer:     newRetryer(),
	}
	if c.Endpoint != "" {
		options.BaseEndpoint = aws.String(c.Endpoint)
	}
	transport := newTransport()
	if c.Wrap != nil {
		transport = c.Wrap(transport)
	}
	options.HTTPClient = &http.Client{Transport: transport}
	return dynamodb.New(options, c.Options...)
}

// newTransport bounds each try, up to the head of its answer, by the transport's own
// limits: the time-out of an http.Client costs a timer, a context and a goroutine for
// each request. What is left, reading an answer of some kilobytes, is bounded by the
// caller's context.
func newTransport() http.RoundTripper {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = attemptTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = attemptTimeout
			t.ResponseHeaderTimeout = attemptTimeout
		}).
		GetTransport()
}

func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(backoff)
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(isTransactionConflict))
	})
}

// backoff is the exponential backoff with full jitter that AWS recommends, from a
// first step that suits a database that answers in milliseconds.
//
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(firstBackoff << attempt), nil
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
