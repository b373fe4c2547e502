package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/fetched"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/schema"
)

// Get reads a whole key; see apikey.Store.
func (s *Store) Get(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	items, err := s.readPartition(ctx, partitionOf(at), schema.Range{}, 0)
	if err != nil {
		return apikey.Key{}, err
	}
	return assemble(items)
}

// GetAtOnce reads a whole key in one transaction; see apikey.Store.
func (s *Store) GetAtOnce(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	items, err := s.readAtOnce(ctx, partitionOf(at), schema.KeyItem, schema.AboutItem, schema.UseItem)
	if err != nil {
		return apikey.Key{}, err
	}
	return assemble(items)
}

// readAtOnce reads those items of a partition that are there, as they are at one moment.
func (s *Store) readAtOnce(ctx context.Context, partition string, sorts ...string) ([]item, error) {
	var gets []types.TransactGetItem
	for _, sort := range sorts {
		gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: s.table, Key: primaryKey(partition, sort)}})
	}
	out, err := s.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
	if err != nil {
		return nil, classify(err)
	}
	var items []item
	for _, response := range out.Responses {
		if response.Item != nil {
			items = append(items, response.Item)
		}
	}
	return items, nil
}

// assemble makes one key of the items of its partition.
func assemble(items []item) (apikey.Key, error) {
	byKind := bySort(items)
	key, err := stored.Key(fetched.Item(byKind[schema.KeyItem]))
	if err != nil {
		return apikey.Key{}, err
	}
	if about, ok := byKind[schema.AboutItem]; ok {
		key.Texts, err = decodeTexts(about)
	}
	key.UsedAt = stored.UsedAt(fetched.Item(byKind[schema.UseItem]))
	return key, err
}

func bySort(items []item) map[string]item {
	byKind := make(map[string]item, len(items))
	for _, it := range items {
		byKind[textIn(it, schema.SortKey)] = it
	}
	return byKind
}

// readPartition reads a range of a partition, the zero Range for all, strongly
// consistent; at most limit items, unless that is zero.
func (s *Store) readPartition(ctx context.Context, partition string, within schema.Range, limit int) ([]item, error) {
	in := &dynamodb.QueryInput{
		TableName:                 s.table,
		KeyConditionExpression:    aws.String(schema.PartitionKey + " = :partition"),
		ExpressionAttributeValues: item{":partition": text(partition)},
		ConsistentRead:            aws.Bool(true),
	}
	if within != (schema.Range{}) {
		*in.KeyConditionExpression += " AND " + schema.SortKey + " BETWEEN :from AND :to"
		in.ExpressionAttributeValues[":from"], in.ExpressionAttributeValues[":to"] = text(within.From), text(within.To)
	}
	if limit > 0 {
		in.Limit = aws.Int32(int32(limit))
	}
	out, err := s.client.Query(ctx, in)
	if err != nil {
		return nil, classify(err)
	}
	return out.Items, nil
}
