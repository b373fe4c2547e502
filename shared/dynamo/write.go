package dynamo

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// A condition is what must hold of the item that is there for a write to be done.
type condition struct {
	text   *string
	names  map[string]string
	values item
}

var (
	isNew   = condition{text: aws.String("attribute_not_exists(" + schema.PartitionKey + ")")}
	isThere = condition{text: aws.String("attribute_exists(" + schema.PartitionKey + ")")}
)

func isAt(version int64) condition {
	return condition{
		text:   aws.String("#version = :read"),
		names:  map[string]string{"#version": schema.Version},
		values: item{":read": number(version)},
	}
}

// A write is one part of a transaction. Refused tells what it means that its condition did
// not hold, of the item that was there; nil is that all is well nevertheless.
type write struct {
	part    types.TransactWriteItem
	refused func(there item, cause error) error
}

// Create stores a new key; see apikey.Store.
func (s *Store) Create(ctx context.Context, key apikey.Key) error {
	record, err := s.encodeNewKey(key)
	if err != nil {
		return err
	}
	refused := func(there item, cause error) error { return created(there, cause, key) }
	if key.Texts.IsZero() && key.Account.IsZero() {
		return s.putNew(ctx, record, refused)
	}
	writes := []write{s.putIf(isNew, record, refused)}
	if !key.Texts.IsZero() {
		texts, err := s.encodeTexts(key)
		if err != nil {
			return err
		}
		writes = append(writes, s.put(texts))
	}
	if key.Account.IsZero() {
		return s.transact(ctx, writes...)
	}
	writes = append(writes, s.put(s.encodeUse(key)), s.checkAccount(key))
	return s.transactNamed(ctx, s.nameOfKey(key), nil, writes...)
}

func (s *Store) putNew(ctx context.Context, record item, refused func(item, error) error) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           s.table,
		Item:                                record,
		ConditionExpression:                 isNew.text,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return refused(failed.Item, err)
	}
	if err != nil {
		return classify(err)
	}
	return nil
}

// created tells what a record means that was in the way of a creation. It is the key's
// own if it has its digest: an earlier try was stored, and only its answer lost.
func created(there item, cause error, key apikey.Key) error {
	if digest, ok := there[schema.Digest].(*types.AttributeValueMemberB); ok && bytes.Equal(digest.Value, key.Digest[:]) {
		return nil
	}
	return fault.Wrap(fault.Exists, cause, "the key exists already")
}

// Update replaces a key by a changed one; see apikey.Store.
func (s *Store) Update(ctx context.Context, read, changed apikey.Key) error {
	changed.Version = read.Version + 1
	writes := []write{s.putIf(isAt(read.Version), s.encodeKey(changed), keyChanged)}
	if !read.Texts.IsZero() || !changed.Texts.IsZero() {
		texts, err := s.replaceTexts(changed)
		if err != nil {
			return err
		}
		writes = append(writes, texts)
	}
	if changed.Account.IsZero() || changed.Name == read.Name {
		return s.transact(ctx, writes...)
	}
	writes = append(writes, s.checkAccount(changed))
	return s.transactNamed(ctx, s.nameOfKey(changed), s.nameOfKey(read), writes...)
}

// keyChanged and accountChanged are of a record that is not at the version that was read.
func keyChanged(there item, cause error) error {
	if there == nil {
		return fault.Wrap(fault.NotFound, cause, "the key does not exist")
	}
	return fault.Wrap(fault.Conflict, cause, "the key was changed meanwhile, read it again")
}

func (s *Store) replaceTexts(key apikey.Key) (write, error) {
	if key.Texts.IsZero() {
		return s.delete(partitionOf(key.Locator), schema.AboutItem), nil
	}
	texts, err := s.encodeTexts(key)
	return s.put(texts), err
}

// Delete removes a key and all that belongs to it; see apikey.Store.
func (s *Store) Delete(ctx context.Context, read apikey.Key) error {
	partition := partitionOf(read.Locator)
	texts := s.delete(partition, schema.AboutItem)
	if read.Account.IsZero() {
		return s.transact(ctx, s.deleteIf(isThere, partition, schema.KeyItem, keyChanged), texts)
	}
	return s.transactNamed(ctx, nil, s.nameOfKey(read),
		s.deleteIf(isAt(read.Version), partition, schema.KeyItem, keyChanged),
		texts, s.delete(partition, schema.UseItem))
}

// NoteUse updates an item that is made and deleted with its key: it cannot come back
// behind it. See apikey.Store.
func (s *Store) NoteUse(ctx context.Context, at apikey.Locator, used, unlessSince time.Time) error {
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table,
		Key:                       primaryKey(partitionOf(at), schema.UseItem),
		UpdateExpression:          aws.String("SET #used = :used"),
		ConditionExpression:       aws.String("#used <= :since"),
		ExpressionAttributeNames:  map[string]string{"#used": schema.UsedAt},
		ExpressionAttributeValues: item{":used": number(used.UnixMicro()), ":since": number(unlessSince.UnixMicro())},
	})
	if _, since := errors.AsType[*types.ConditionalCheckFailedException](err); since || err == nil {
		return nil
	}
	return classify(err)
}

// For how often in all a transaction is sent that meets others on its items, beyond what
// the SDK's client does each time.
const conflictAttempts = 4

// transact writes all or nothing. The SDK adds one client request token for all
// its tries, so that one that follows a success succeeds too. One that met another on its
// items has written nothing, and waits for longer than other failures are worth: many may
// want one name, or make keys of one account.
func (s *Store) transact(ctx context.Context, writes ...write) error {
	parts := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		parts[i] = w.part
	}
	var err error
	for attempt := range conflictAttempts {
		_, err = s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: parts})
		if err == nil {
			return nil
		}
		if !metAnother(err) || pause(ctx, attempt) != nil {
			break
		}
	}
	if i, there := failedCondition(err); i >= 0 && writes[i].refused != nil {
		return writes[i].refused(there, err)
	}
	return classify(err)
}

func (s *Store) put(record item) write {
	return write{part: types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: record}}}
}

func (s *Store) putIf(c condition, record item, refused func(item, error) error) write {
	return write{part: types.TransactWriteItem{Put: &types.Put{
		TableName:                           s.table,
		Item:                                record,
		ConditionExpression:                 c.text,
		ExpressionAttributeNames:            c.names,
		ExpressionAttributeValues:           c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused: refused}
}

func (s *Store) delete(partition, sort string) write {
	return s.deleteIf(condition{}, partition, sort, nil)
}

func (s *Store) deleteIf(c condition, partition, sort string, refused func(item, error) error) write {
	return write{part: types.TransactWriteItem{Delete: &types.Delete{
		TableName:                           s.table,
		Key:                                 primaryKey(partition, sort),
		ConditionExpression:                 c.text,
		ExpressionAttributeNames:            c.names,
		ExpressionAttributeValues:           c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused: refused}
}
