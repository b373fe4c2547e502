// Package records reads from the table what every verification needs, a key's record and
// its account's, and notes that a key was used. Everything else is package dynamo's, whose
// store asks this one for these.
//
// It speaks to DynamoDB by a client of its own for its two actions: the SDK's takes three
// times as long for a read, and a fifth of a function's cold start and 0.8 MB of it go into
// the fifty actions that it knows besides. Tests hold this client to do what the SDK's does,
// for answers of every kind. It is stricter in a few cases, which they name.
//
// A read is one strongly consistent GetItem and, as a record is at most 4 KB, one read unit.
package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"

	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/schema"
)

// An item has 400 KB at most, of which its JSON may take six times as many.
var service = awsjson.Service{
	Name: "dynamodb", ID: "DynamoDB", Target: "DynamoDB_20120810.", Version: "1.0", MaxReply: 4 << 20, Plain: true,
}

// A Config says where the table is.
type Config struct {
	awsclient.Config
	Table string
}

// A Records is an apikey.Records on one table.
type Records struct {
	client *awsjson.Client
	table  string
}

// New returns the records of a table that exists. It sends nothing.
func New(c Config) *Records {
	return &Records{client: awsjson.New(c.Config, service, retryConflicts), table: c.Table}
}

// Warm reads an item that nobody has, so that a connection is there when the first request
// needs it. That it could not says nothing of later requests.
func (r *Records) Warm(ctx context.Context) error {
	_, err := r.getItem(ctx, schema.NoPartition, schema.KeyItem)
	return err
}

// Lookup reads a key's record; see apikey.Records. Who has proved before that he holds a key
// is asked for no secret, so that a record must be that of the key.
func (r *Records) Lookup(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	record, err := r.getItem(ctx, schema.KeyPartition(at.Namespace.String(), at.ID.String()), schema.KeyItem)
	if err != nil {
		return apikey.Key{}, err
	}
	key, err := stored.Key(record)
	if err == nil && key.Locator != at {
		return apikey.Key{}, fmt.Errorf("record of key %s in %s is that of another", at.ID, at.Namespace)
	}
	return key, err
}

// LookupAccount reads an account's record; see apikey.Records.
func (r *Records) LookupAccount(ctx context.Context, at apikey.AccountLocator) (apikey.Account, error) {
	record, err := r.getItem(ctx, schema.AccountPartition(at.Namespace.String(), at.ID.String()), schema.AccountItem)
	if err != nil {
		return apikey.Account{}, err
	}
	account, err := stored.Account(record)
	if err == nil && account.Locator() != at {
		return apikey.Account{}, fmt.Errorf("record of account %s in %s is that of another", at.ID, at.Namespace)
	}
	return account, err
}

// getItem reads one item by its whole key, strongly consistent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
func (r *Records) getItem(ctx context.Context, partition, sort string) (item stored.Item, err error) {
	request, err := r.request(partition, sort, `"ConsistentRead":true`)
	if err != nil {
		return nil, err
	}
	err = r.client.Call(ctx, "GetItem", request, func(reply []byte) error {
		item, err = itemIn(reply)
		return err
	})
	if err != nil {
		return nil, Classify(err)
	}
	return item, nil
}

// NoteUse updates an item that is made and deleted with its key: it cannot come back
// behind it. See apikey.Records.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
func (r *Records) NoteUse(ctx context.Context, at apikey.Locator, used, unlessSince time.Time) error {
	partition := schema.KeyPartition(at.Namespace.String(), at.ID.String())
	request, err := r.request(partition, schema.UseItem, fmt.Sprintf(
		`"UpdateExpression":"SET #used = :used","ConditionExpression":"#used <= :since",`+
			`"ExpressionAttributeNames":{"#used":%q},"ExpressionAttributeValues":{":used":{"N":"%d"},":since":{"N":"%d"}}`,
		schema.UsedAt, used.UnixMicro(), unlessSince.UnixMicro()))
	if err != nil {
		return err
	}
	err = r.client.Call(ctx, "UpdateItem", request, func(reply []byte) error {
		_, err := itemIn(reply)
		return err
	})
	refusal, _ := errors.AsType[smithy.APIError](err)
	switch {
	case err == nil, refusal != nil && refusal.ErrorCode() == "ConditionalCheckFailedException":
		return nil
	}
	return Classify(err)
}
