package dynamo

import (
	"bytes"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/stored"
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

// isLive is of a record that is there and not marked as deleted.
var isLive = condition{
	text:  aws.String(*isThere.text + " AND attribute_not_exists(#removed)"),
	names: map[string]string{"#removed": schema.RemovedAt},
}

func isAt(version int64) condition {
	return condition{
		text:   aws.String("#version = :read"),
		names:  map[string]string{"#version": schema.Version},
		values: item{":read": number(version)},
	}
}

// isNamed is of a record that is there, with a name, and not marked as deleted.
func isNamed(name string) condition {
	return condition{
		text:   aws.String("#name = :name AND attribute_not_exists(#removed)"),
		names:  map[string]string{"#name": schema.Name, "#removed": schema.RemovedAt},
		values: item{":name": text(name)},
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
	key.HasTexts = !key.Texts.IsZero()
	record, err := s.encodeNewKey(key)
	if err != nil {
		return err
	}
	refused := func(there item, cause error) error { return created(there, cause, key) }
	if !key.HasTexts && key.Account.IsZero() {
		return s.putNew(ctx, record, refused)
	}
	writes := []write{s.putIf(isNew, record, refused)}
	if key.HasTexts {
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

// Update replaces a key by a changed one; see apikey.Store. Texts that are not changed are
// left alone: that is cheaper, and Get may have shown them beside a record of another
// version.
func (s *Store) Update(ctx context.Context, read, changed apikey.Key) error {
	changed.Version = read.Version + 1
	var texts []write
	if !changed.Texts.Equal(read.Texts) {
		replaced, err := s.replaceTexts(changed)
		if err != nil {
			return err
		}
		texts, changed.HasTexts = []write{replaced}, !changed.Texts.IsZero()
	}
	writes := append(texts, s.putIf(isAt(read.Version), s.encodeKey(changed), keyChanged))
	if changed.Account.IsZero() || changed.Name == read.Name {
		return s.transact(ctx, writes...)
	}
	writes = append(writes, s.checkAccount(changed))
	return s.transactNamed(ctx, s.nameOfKey(changed), s.nameOfKey(read), writes...)
}

// keyChanged tells why a key's record did not meet a write's condition.
func keyChanged(there item, cause error) error {
	if there == nil {
		return fault.Wrap(fault.NotFound, cause, stored.NoKey)
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

// Switch sets what it sets and nothing else; see apikey.Store.
func (s *Store) Switch(ctx context.Context, key apikey.Key) error {
	return s.transact(ctx, s.update(isLive, partitionOf(key.Locator), schema.KeyItem, switching(key.Disabled, item{
		schema.UpdatedAt: moment(key.UpdatedAt), schema.UpdatedBy: encodeActor(key.UpdatedBy),
	}), gone(stored.NoKey)))
}

// Delete removes a key and all that belongs to it; see apikey.Store. It goes by the name
// of an account's key, which it frees. Somebody who renames the key all the time cannot
// hold off its end: its last name is left to whoever wants it, or purges the account.
func (s *Store) Delete(ctx context.Context, read apikey.Key) error {
	partition := partitionOf(read.Locator)
	texts := s.delete(partition, schema.AboutItem)
	if read.Account.IsZero() {
		return s.transact(ctx, s.deleteIf(isThere, partition, schema.KeyItem, gone(stored.NoKey)), texts)
	}
	use := s.delete(partition, schema.UseItem)
	for range namingAttempts {
		record := s.deleteIf(isNamed(read.Name), partition, schema.KeyItem, renamed(stored.NoKey))
		err := s.transactNamed(ctx, nil, s.nameOfKey(read), record, texts, use)
		other, isRenamed := errors.AsType[*renamedError](err)
		if !isRenamed {
			return err
		}
		read.Name = other.name
	}
	return s.transact(ctx, s.deleteIf(isThere, partition, schema.KeyItem, gone(stored.NoKey)), texts, use)
}

// A renamedError says that a record has another name than was read.
type renamedError struct {
	name  string
	cause error
}

func (e *renamedError) Error() string { return "record of another name: " + e.cause.Error() }

func renamed(missing string) func(item, error) error {
	return func(there item, cause error) error {
		if _, removed := there[schema.RemovedAt]; removed || there == nil {
			return fault.Wrap(fault.NotFound, cause, missing)
		}
		return &renamedError{textIn(there, schema.Name), cause}
	}
}

func gone(missing string) func(item, error) error {
	return func(_ item, cause error) error { return fault.Wrap(fault.NotFound, cause, missing) }
}

// conflictAttempts is how often a transaction is sent, each time with all of the SDK's
// tries, while others write the same items.
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
		if attempt == conflictAttempts-1 || !metAnother(err) || pause(ctx, attempt) != nil {
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
