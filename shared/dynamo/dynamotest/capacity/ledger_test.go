package capacity_test

import (
	"context"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/dynamo/dynamotest/capacity"
	"latchkey/shared/schema"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

// A kept table is one that a ledger is kept of.
type kept struct {
	*dynamodb.Client
	ledger *capacity.Ledger
	name   *string
}

func keep(t *testing.T) kept {
	t.Helper()
	config := database.NewTable(t)
	ledger := capacity.Keep(&config)
	client := dynamodb.New(dynamodb.Options{
		Region: config.Region, Credentials: config.Credentials, BaseEndpoint: config.BaseEndpoint(), HTTPClient: config.SDKClient(),
	})
	return kept{Client: client, ledger: ledger, name: &config.Table}
}

// A charged request gives what the emulator says that it consumed.
type charged func(context.Context, kept) (float64, error)

const total = types.ReturnConsumedCapacityTotal

func one(consumed *types.ConsumedCapacity) float64 { return aws.ToFloat64(consumed.CapacityUnits) }

func sum(consumed []types.ConsumedCapacity) (units float64) {
	for _, each := range consumed {
		units += one(&each)
	}
	return units
}

func put(item capacity.Item) charged {
	return func(ctx context.Context, k kept) (float64, error) {
		out, err := k.PutItem(ctx, &dynamodb.PutItemInput{TableName: k.name, Item: item, ReturnConsumedCapacity: total})
		if err != nil {
			return 0, err
		}
		return one(out.ConsumedCapacity), nil
	}
}

func update(expression string) charged {
	return func(ctx context.Context, k kept) (float64, error) {
		out, err := k.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: k.name, Key: item(), UpdateExpression: &expression, ReturnConsumedCapacity: total,
		})
		if err != nil {
			return 0, err
		}
		return one(out.ConsumedCapacity), nil
	}
}

func get(ctx context.Context, k kept) (float64, error) {
	out, err := k.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: k.name, Key: item(), ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: total,
	})
	if err != nil {
		return 0, err
	}
	return one(out.ConsumedCapacity), nil
}

func query(ctx context.Context, k kept) (float64, error) {
	out, err := k.Query(ctx, &dynamodb.QueryInput{
		TableName: k.name, IndexName: &schema.ByNamespace.Name, ReturnConsumedCapacity: total,
		KeyConditionExpression:    aws.String(schema.Tenant + " = :t"),
		ExpressionAttributeValues: capacity.Item{":t": text("t")},
	})
	if err != nil {
		return 0, err
	}
	return one(out.ConsumedCapacity), nil
}

func transact(parts func(table *string) []types.TransactWriteItem) charged {
	return func(ctx context.Context, k kept) (float64, error) {
		out, err := k.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: parts(k.name), ReturnConsumedCapacity: total,
		})
		if err != nil {
			return 0, err
		}
		return sum(out.ConsumedCapacity), nil
	}
}

func other() capacity.Item {
	return capacity.Item{schema.PartitionKey: text("p"), schema.SortKey: text("other")}
}

func putAndCheck(put capacity.Item) charged {
	return transact(func(table *string) []types.TransactWriteItem {
		return []types.TransactWriteItem{
			{Put: &types.Put{TableName: table, Item: put}},
			{ConditionCheck: &types.ConditionCheck{
				TableName: table, Key: other(), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			}},
		}
	})
}

func updateAndDelete(table *string) []types.TransactWriteItem {
	return []types.TransactWriteItem{
		{Update: &types.Update{TableName: table, Key: item(), UpdateExpression: aws.String("REMOVE digest, tenant")}},
		{Delete: &types.Delete{TableName: table, Key: other()}},
	}
}

func getAtOnce(ctx context.Context, k kept) (float64, error) {
	out, err := k.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{ReturnConsumedCapacity: total, TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: k.name, Key: item()}}, {Get: &types.Get{TableName: k.name, Key: other()}},
	}})
	if err != nil {
		return 0, err
	}
	return sum(out.ConsumedCapacity), nil
}

func getBatch(ctx context.Context, k kept) (float64, error) {
	out, err := k.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		ReturnConsumedCapacity: total,
		RequestItems:           map[string]types.KeysAndAttributes{*k.name: {Keys: []capacity.Item{item(), other()}}},
	})
	if err != nil {
		return 0, err
	}
	return sum(out.ConsumedCapacity), nil
}

func deleteBatch(ctx context.Context, k kept) (float64, error) {
	var writes []types.WriteRequest
	for _, key := range []capacity.Item{item(), other()} {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
	}
	out, err := k.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		ReturnConsumedCapacity: total, RequestItems: map[string][]types.WriteRequest{*k.name: writes},
	})
	if err != nil {
		return 0, err
	}
	return sum(out.ConsumedCapacity), nil
}

// The ledger and the emulator, which has its own idea of AWS's rules, agree on each of a
// sequence of requests.
func TestLedgerAndEmulatorAgree(t *testing.T) {
	k := keep(t)
	action := func(name string, items int, read, written, indexed float64) capacity.Entry {
		return capacity.Entry{Action: name, Items: items, Read: read, Written: written, Indexed: indexed}
	}
	ofIndex := action("Query", 1, 1, 0, 0)
	ofIndex.Index = schema.ByNamespace.Name
	for _, test := range []struct {
		name string
		send charged
		want capacity.Entry
	}{
		{"no item", get, action("GetItem", 1, 1, 0, 0)},
		{"new", put(listed("name", "n")), action("PutItem", 1, 0, 2, 1)},
		{"again", put(listed("name", "n")), action("PutItem", 1, 0, 1, 0)},
		{"renamed", put(listed("name", "m")), action("PutItem", 1, 0, 2, 1)},
		{"in both indexes", put(listed("name", "m", schema.Owner, "o")), action("PutItem", 1, 0, 3, 2)},
		{"renamed and moved", put(item(schema.Tenant, "t", schema.Path, "b", schema.Owner, "o")), action("PutItem", 1, 0, 5, 4)},
		{"large", put(listed("digest", long(1500), "name", long(5000))), action("PutItem", 1, 0, 7+(1+5)+1, (1+5)+1)},
		{"a read", get, action("GetItem", 1, 2, 0, 0)},
		{"an index", query, ofIndex},
		{"two at once", getAtOnce, action("TransactGetItems", 2, 2*2+2, 0, 0)},
		{"two", getBatch, action("BatchGetItem", 2, 1+0.5, 0, 0)},
		{"smaller", putAndCheck(listed("digest", long(1500), "name", "n")), action("TransactWriteItems", 2, 0, 2*7+2+5, 5)},
		{"out of the index", transact(updateAndDelete), action("TransactWriteItems", 2, 0, 2*2+2+1, 1)},
		{"into it", update("SET tenant = sk"), action("UpdateItem", 1, 0, 2, 1)},
		{"deleted", deleteBatch, action("BatchWriteItem", 2, 0, 1+1+1, 1)},
	} {
		consumed, err := test.send(t.Context(), k)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff([]capacity.Entry{test.want}, k.ledger.Take()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if consumed != test.want.Read+test.want.Written {
			t.Errorf("%s: the emulator says %g", test.name, consumed)
		}
	}
}

// What a refusal costs is not worked out, and may not pass for nothing.
func TestRefused(t *testing.T) {
	k := keep(t)
	_, err := k.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: k.name, Item: item(), ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	want := []capacity.Entry{{Action: "PutItem", Items: 1, Refused: true}}
	if diff := cmp.Diff(want, k.ledger.Take()); err == nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A request that is not known is not passed on.
func TestUnknownAction(t *testing.T) {
	k := keep(t)
	if _, err := k.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: k.name}); err == nil {
		t.Error("it was answered")
	}
	if entries := k.ledger.Take(); len(entries) > 0 {
		t.Errorf("entered %v", entries)
	}
}
