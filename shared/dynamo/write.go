package dynamo

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

var (
	isNew    = aws.String("attribute_not_exists(" + schema.PartitionKey + ")")
	isThere  = aws.String("attribute_exists(" + schema.PartitionKey + ")")
	isAsRead = aws.String("#version = :read")
)

// Create stores a new key; see apikey.Store.
func (s *Store) Create(ctx context.Context, key apikey.Key) error {
	record, err := s.encodeNewKey(key)
	if err != nil {
		return err
	}
	if key.Texts.IsZero() {
		return created(s.putNew(ctx, record), key)
	}
	texts, err := s.encodeTexts(key)
	if err != nil {
		return err
	}
	return created(s.transact(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName:                           s.table,
		Item:                                record,
		ConditionExpression:                 isNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, s.put(texts)), key)
}

func (s *Store) putNew(ctx context.Context, record item) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           s.table,
		Item:                                record,
		ConditionExpression:                 isNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

// created tells what became of a creation. The record that was in its way is its
// own if it has its digest: an earlier try was stored, and only its answer lost.
func created(err error, key apikey.Key) error {
	if err == nil {
		return nil
	}
	there, failed := failedCondition(err)
	if !failed {
		return classify(err)
	}
	if digest, ok := there[schema.Digest].(*types.AttributeValueMemberB); ok && bytes.Equal(digest.Value, key.Digest[:]) {
		return nil
	}
	return fault.Wrap(fault.Exists, err, "the key exists already")
}

// Update replaces a key by a changed one; see apikey.Store.
func (s *Store) Update(ctx context.Context, key apikey.Key) error {
	read := key.Version
	key.Version++
	texts, err := s.replaceTexts(key)
	if err != nil {
		return err
	}
	err = s.transact(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName:                           s.table,
		Item:                                s.encodeKey(key),
		ConditionExpression:                 isAsRead,
		ExpressionAttributeNames:            map[string]string{"#version": schema.Version},
		ExpressionAttributeValues:           item{":read": number(read)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, texts)
	switch there, failed := failedCondition(err); {
	case err == nil:
		return nil
	case failed && there == nil:
		return fault.Wrap(fault.NotFound, err, "the key does not exist")
	case failed:
		return fault.Wrap(fault.Conflict, err, "the key was changed meanwhile, read it again")
	}
	return classify(err)
}

func (s *Store) replaceTexts(key apikey.Key) (types.TransactWriteItem, error) {
	if key.Texts.IsZero() {
		return s.delete(partitionOf(key.Locator), schema.AboutItem, nil), nil
	}
	texts, err := s.encodeTexts(key)
	return s.put(texts), err
}

// Delete removes a key and its texts; see apikey.Store.
func (s *Store) Delete(ctx context.Context, at apikey.Locator) error {
	partition := partitionOf(at)
	err := s.transact(ctx,
		s.delete(partition, schema.KeyItem, isThere),
		s.delete(partition, schema.AboutItem, nil))
	if err == nil {
		return nil
	}
	if _, failed := failedCondition(err); failed {
		return fault.Wrap(fault.NotFound, err, "the key does not exist")
	}
	return classify(err)
}

// transact writes all or nothing. The SDK adds one client request token for all
// its tries, so that one that follows a success succeeds too.
func (s *Store) transact(ctx context.Context, writes ...types.TransactWriteItem) error {
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	return err
}

func (s *Store) put(record item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: record}}
}

func (s *Store) delete(partition, sort string, condition *string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{
		TableName:           s.table,
		Key:                 primaryKey(partition, sort),
		ConditionExpression: condition,
	}}
}
