package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// Lookup reads a key's record; see apikey.Store.
func (s *Store) Lookup(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	record, err := s.getItem(ctx, partitionOf(at), schema.KeyItem)
	if err != nil {
		return apikey.Key{}, err
	}
	if record == nil {
		return apikey.Key{}, notFound()
	}
	return decodeRecord(record)
}

// Get reads a whole key; see apikey.Store.
func (s *Store) Get(ctx context.Context, at apikey.Locator) (apikey.Key, error) {
	out, err := s.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 s.table,
		KeyConditionExpression:    aws.String(schema.PartitionKey + " = :partition"),
		ExpressionAttributeValues: item{":partition": text(partitionOf(at))},
		ConsistentRead:            aws.Bool(true),
	})
	if err != nil {
		return apikey.Key{}, classify(err)
	}
	return assemble(out.Items)
}

// assemble makes one key of the items of its partition.
func assemble(items []item) (apikey.Key, error) {
	byKind := make(map[string]item, len(items))
	for _, it := range items {
		byKind[textIn(it, schema.SortKey)] = it
	}
	record, ok := byKind[schema.KeyItem]
	if !ok {
		return apikey.Key{}, notFound()
	}
	key, err := decodeRecord(record)
	if err != nil {
		return apikey.Key{}, err
	}
	if about, ok := byKind[schema.AboutItem]; ok {
		key.Texts, err = decodeTexts(about)
	}
	return key, err
}

func notFound() error {
	return fault.New(fault.NotFound, "the key does not exist")
}
