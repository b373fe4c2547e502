package records_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/dynamo/fetched"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

const table = "keys"

// A reference does the same as Records by the SDK's own client.
type reference struct{ client *dynamodb.Client }

func newReference(c awsclient.Config) apikey.Records {
	return reference{dynamodb.New(dynamodb.Options{
		Region:       c.Region,
		Credentials:  c.Credentials,
		BaseEndpoint: c.BaseEndpoint(),
		HTTPClient:   c.SDKClient(),
		Retryer:      c.NewRetryer(retry.IsErrorRetryableFunc(records.IsConflict)),
	})}
}

func newRecords(c awsclient.Config) apikey.Records {
	return records.New(records.Config{Config: c, Table: table})
}

func (r reference) getItem(ctx context.Context, partition, sort string) (stored.Item, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: keyOf(partition, sort), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, records.Classify(err)
	}
	return fetched.Item(out.Item), nil
}

func (r reference) Lookup(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	item, err := r.getItem(ctx, schema.KeyPartition(at.Namespace.String(), at.ID.String()), schema.KeyItem)
	if err != nil {
		return apikey.Key{}, err
	}
	return stored.Key(item)
}

func (r reference) LookupAccount(ctx context.Context, at apikey.AccountLocator) (apikey.Account, error) {
	item, err := r.getItem(ctx, schema.AccountPartition(at.Namespace.String(), at.ID.String()), schema.AccountItem)
	if err != nil {
		return apikey.Account{}, err
	}
	return stored.Account(item)
}

func (r reference) NoteUse(ctx context.Context, at apikey.Locator, used, unlessSince time.Time) error {
	_, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                aws.String(table),
		Key:                      keyOf(schema.KeyPartition(at.Namespace.String(), at.ID.String()), schema.UseItem),
		UpdateExpression:         aws.String("SET #used = :used"),
		ConditionExpression:      aws.String("#used <= :since"),
		ExpressionAttributeNames: map[string]string{"#used": schema.UsedAt},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":used": numberOf(used), ":since": numberOf(unlessSince),
		},
	})
	if _, since := errors.AsType[*types.ConditionalCheckFailedException](err); since || err == nil {
		return nil
	}
	return records.Classify(err)
}

func keyOf(partition, sort string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: partition},
		schema.SortKey:      &types.AttributeValueMemberS{Value: sort},
	}
}

func numberOf(at time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(at.UnixMicro(), 10)}
}

// subjects do all that there is to do; each gives what it was answered.
var subjects = awsjsontest.Subjects[apikey.Records]{
	Clients: map[string]func(awsclient.Config) apikey.Records{"ours": newRecords, awsjsontest.OfSDK: newReference},
	Actions: map[string]func(context.Context, apikey.Records) (string, error){
		"Lookup": func(ctx context.Context, r apikey.Records) (string, error) {
			key, err := r.Lookup(ctx, keyAt)
			return fmt.Sprintf("%+v", key), err
		},
		"LookupAccount": func(ctx context.Context, r apikey.Records) (string, error) {
			account, err := r.LookupAccount(ctx, accountAt)
			return fmt.Sprintf("%+v", account), err
		},
		"NoteUse": func(ctx context.Context, r apikey.Records) (string, error) {
			return "", r.NoteUse(ctx, keyAt, noon, noon.Add(-time.Minute))
		},
	},
}

const uuid = "0199a5b4-7a00-7000-8000-000000000000"

var (
	noon      = time.Date(2026, 5, 6, 12, 0, 0, 123456789, time.UTC)
	keyAt     = apikey.Locator{Namespace: parse("a.b-c"), ID: parseID(uuid)}
	accountAt = apikey.AccountLocator{Namespace: parse("a.b-c"), ID: parseID(uuid)}
)

func parse(path string) namespace.Namespace {
	ns, err := namespace.Parse(path)
	if err != nil {
		panic(err)
	}
	return ns
}

func parseID(text string) apikey.ID {
	id, ok := apikey.ParseID(text)
	if !ok {
		panic(text)
	}
	return id
}

// A member is a value as DynamoDB writes it.
type member = map[string]any

func text(value string) member { return member{"S": value} }

// attributes are those of a key and of an account at once, so that one answer is good for
// every action.
func attributes() map[string]any {
	moment := text(noon.Format(time.RFC3339Nano))
	actor := member{"M": map[string]any{"id": text(uuid), "name": text("“maker” \\ \u0000 é")}}
	digest := member{"B": base64.StdEncoding.EncodeToString(make([]byte, 32))}
	return map[string]any{
		"pk": text("a.b-c#account/" + uuid), "sk": text("key"), "tenant": text("a"), "path": text("a$b-c#" + uuid),
		"name": text("ci/cd"), "user": text("somebody"), "digest": digest, "previous": digest,
		"rotated_at": moment, "retain_minutes": member{"N": "5"}, "owner": text("a.b-c#account/" + uuid),
		"grant": member{"M": map[string]any{
			"roles":  member{"L": []any{text("SYSTEM_ROLE_READ_ONLY"), text("SYSTEM_ROLE_SYNC_ORG")}},
			"rules":  member{"M": map[string]any{"*": member{"N": "3"}, "scan_profile": member{"N": "1"}}},
			"except": member{"L": []any{text("secret")}},
		}},
		"expires_at": moment, "created_at": moment, "updated_at": moment, "created_by": actor, "updated_by": actor,
		"version": member{"N": "12"}, "purge_at": member{"N": "1780000000"}, "propagate": member{"BOOL": true},
		"has_texts": member{"BOOL": false}, "has_avatar": member{"BOOL": true}, "full_name": text("The CI"),
		"later": member{"SS": []any{"x"}}, "nothing": member{"NULL": true},
	}
}

// answerOf is what DynamoDB answers to all the actions at once.
func answerOf(attributes map[string]any) string {
	answer, err := json.Marshal(map[string]any{
		"ConsumedCapacity": map[string]any{"CapacityUnits": 1, "TableName": table}, "Item": attributes,
	})
	if err != nil {
		panic(err)
	}
	return string(answer)
}

// changed is an answer with one attribute that is another.
func changed(name string, value any) string {
	all := attributes()
	all[name] = value
	return answerOf(all)
}
