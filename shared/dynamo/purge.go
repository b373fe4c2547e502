package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// As many as one batch may write.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
const purgeBatch = 25

// PurgeAccount removes a marked account; see apikey.Store.
//
// The names of the account's keys, which a strongly consistent query finds, lead to the
// keys: none is made or renamed after the mark. Whatever is needed to find the rest goes
// after it: a key's items before its name, all names before the account. So it can be
// killed anywhere, and done again.
func (s *Store) PurgeAccount(ctx context.Context, at apikey.AccountLocator) error {
	partition := accountPartitionOf(at)
	// By a query, as all else that is read here: the function may do nothing else.
	record, err := s.readPartition(ctx, partition, schema.Range{From: schema.AccountItem, To: schema.AccountItem}, 1)
	if err != nil || len(record) == 0 {
		return err
	}
	if _, removed := record[0][schema.RemovedAt]; !removed {
		return fault.New(fault.Conflict, "the service account has not been deleted")
	}
	for {
		names, err := s.readPartition(ctx, partition, schema.KeyNames(), purgeBatch)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			break
		}
		if err := s.purgeKeys(ctx, at, names); err != nil {
			return err
		}
	}
	if err := s.deleteBatch(ctx, []item{primaryKey(partition, schema.AboutItem)}); err != nil {
		return err
	}
	if err := s.freeNameOf(ctx, at, record[0]); err != nil {
		return err
	}
	return s.deleteBatch(ctx, []item{primaryKey(partition, schema.AccountItem)})
}

// freeNameOf frees the name of a marked account, if the mark could not.
func (s *Store) freeNameOf(ctx context.Context, at apikey.AccountLocator, record item) error {
	name := nameOfAccount(apikey.Account{Namespace: at.Namespace, ID: at.ID, Name: textIn(record, schema.Name)})
	err := s.transact(ctx, s.free(*name))
	if errors.Is(err, errNotHolder) {
		return nil
	}
	return err
}

// purgeKeys removes the keys that names lead to, and the names.
func (s *Store) purgeKeys(ctx context.Context, of apikey.AccountLocator, names []item) error {
	ns := of.Namespace.String()
	for _, sort := range []string{schema.KeyItem, schema.AboutItem, schema.UseItem} {
		items := make([]item, len(names))
		for i, name := range names {
			items[i] = primaryKey(schema.KeyPartition(ns, textIn(name, schema.Holder)), sort)
		}
		if err := s.deleteBatch(ctx, items); err != nil {
			return err
		}
	}
	items := make([]item, len(names))
	for i, name := range names {
		items[i] = primaryKey(textIn(name, schema.PartitionKey), textIn(name, schema.SortKey))
	}
	return s.deleteBatch(ctx, items)
}

// deleteBatch deletes items, and tries again with those that DynamoDB left unprocessed.
func (s *Store) deleteBatch(ctx context.Context, items []item) error {
	var writes []types.WriteRequest
	for _, it := range items {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: it}})
	}
	for attempt := range batchAttempts {
		out, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{*s.table: writes},
		})
		if err != nil {
			return classify(err)
		}
		if writes = out.UnprocessedItems[*s.table]; len(writes) == 0 {
			return nil
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return classify(errors.New("deletions of a batch were left unprocessed"))
}
