package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

// For how often a name is taken over, or found to be somebody else's, before a write
// that wants it gives up.
const namingAttempts = 4

// No key may be longer, nor be asked for.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// A name is what one thing alone has among its like: an item that says who.
type name struct {
	partition, sort string // of the item
	holder          string // the id of what has it
	purgeAt         int64  // of the holder's record; 0: never
	now             int64  // seconds since 1970

	recordOf func(holder string) (partition, sort string)
	taken    string // what a client is told whom it is refused
}

func (s *Store) nameOfKey(key apikey.Key) *name {
	ns := key.Locator.Namespace.String()
	return &name{
		partition: schema.AccountPartition(ns, key.Account.String()),
		sort:      schema.KeyNameItem(key.Name),
		holder:    key.Locator.ID.String(),
		purgeAt:   s.purgeAt(key),
		now:       key.UpdatedAt.Unix(),
		recordOf:  func(id string) (string, string) { return schema.KeyPartition(ns, id), schema.KeyItem },
		taken:     "the service account has a key of this name already",
	}
}

func nameOfAccount(account apikey.Account) *name {
	ns := account.Namespace.String()
	return &name{
		partition: schema.AccountNamePartition(ns, account.Name),
		sort:      schema.AccountNameItem,
		holder:    account.ID.String(),
		now:       account.UpdatedAt.Unix(),
		recordOf:  func(id string) (string, string) { return schema.AccountPartition(ns, id), schema.AccountItem },
		taken:     "a service account of this name exists already",
	}
}

// A heldError says that a name is another's.
type heldError struct {
	holder string
	cause  error
}

func (e *heldError) Error() string { return "name of " + e.holder + ": " + e.cause.Error() }

var errNotHolder = errors.New("name that has another holder")

// transactNamed writes all or nothing, and with it takes one name and frees another;
// either may be nil. A name whose holder is gone, because TTL has removed its record
// first, is taken over from that holder; one that another has taken over is left to it.
func (s *Store) transactNamed(ctx context.Context, taken, freed *name, writes ...write) error {
	over := ""
	for range namingAttempts {
		err := s.transact(ctx, s.withNames(writes, taken, over, freed)...)
		held, isHeld := errors.AsType[*heldError](err)
		switch {
		case errors.Is(err, errNotHolder):
			freed = nil
			continue
		case !isHeld:
			return err
		}
		partition, sort := taken.recordOf(held.holder)
		record, err := s.getItem(ctx, partition, sort)
		switch {
		case err != nil:
			return err
		case record != nil:
			return fault.Wrap(fault.Exists, held, taken.taken)
		}
		over = held.holder
	}
	return fault.New(fault.Conflict, "others are taking the same name, try again")
}

func (s *Store) withNames(writes []write, taken *name, over string, freed *name) []write {
	all := slices.Clone(writes)
	if taken != nil {
		all = append(all, s.take(*taken, over))
	}
	if freed != nil {
		all = append(all, s.free(*freed))
	}
	return all
}

// take takes a name that nobody has, or whose holder TTL may have removed, or which a
// certain one has.
func (s *Store) take(n name, over string) write {
	record := primaryKey(n.partition, n.sort)
	record[schema.Holder] = text(n.holder)
	if n.purgeAt > 0 {
		record[schema.PurgeAt] = number(n.purgeAt)
	}
	allowed := condition{
		text:   aws.String(*isNew.text + " OR #purge <= :now"),
		names:  map[string]string{"#purge": schema.PurgeAt},
		values: item{":now": number(n.now)},
	}
	if over != "" {
		allowed = isHeldBy(over)
	}
	return s.putIf(allowed, record, func(there item, cause error) error {
		return &heldError{holder: textIn(there, schema.Holder), cause: cause}
	})
}

// free gives up a name, unless another has it.
func (s *Store) free(n name) write {
	held := isHeldBy(n.holder)
	held.text = aws.String(*isNew.text + " OR " + *held.text)
	return s.deleteIf(held, n.partition, n.sort, func(item, error) error { return errNotHolder })
}

func isHeldBy(holder string) condition {
	return condition{
		text:   aws.String("#holder = :holder"),
		names:  map[string]string{"#holder": schema.Holder},
		values: item{":holder": text(holder)},
	}
}

// KeyNamed reads which key has a name; see apikey.Store.
func (s *Store) KeyNamed(ctx context.Context, of apikey.AccountLocator, name string) (apikey.ID, error) {
	return s.holderOf(ctx, accountPartitionOf(of), schema.KeyNameItem(name), "the key does not exist")
}

// AccountNamed reads which account has a name; see apikey.Store.
func (s *Store) AccountNamed(ctx context.Context, ns namespace.Namespace, name string) (apikey.ID, error) {
	return s.holderOf(ctx, schema.AccountNamePartition(ns.String(), name), schema.AccountNameItem,
		"the service account does not exist")
}

func (s *Store) holderOf(ctx context.Context, partition, sort, missing string) (apikey.ID, error) {
	if len(partition) > maxPartitionKeyBytes || len(sort) > maxSortKeyBytes {
		return apikey.ID{}, fault.New(fault.NotFound, missing)
	}
	record, err := s.getItem(ctx, partition, sort)
	if err != nil {
		return apikey.ID{}, err
	}
	id, ok := apikey.ParseID(textIn(record, schema.Holder))
	if !ok {
		return apikey.ID{}, fault.New(fault.NotFound, missing)
	}
	return id, nil
}

// checkAccount is the condition that a key's account is there when the key is made or
// renamed: who removes a deleted account goes by its keys' names.
func (s *Store) checkAccount(key apikey.Key) write {
	at := apikey.AccountLocator{Namespace: key.Locator.Namespace, ID: key.Account}
	return write{part: types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName:                s.table,
		Key:                      primaryKey(accountPartitionOf(at), schema.AccountItem),
		ConditionExpression:      aws.String(*isThere.text + " AND attribute_not_exists(#removed)"),
		ExpressionAttributeNames: map[string]string{"#removed": schema.RemovedAt},
	}}, refused: func(_ item, cause error) error {
		return fault.Wrap(fault.NotFound, cause, "the service account does not exist")
	}}
}
