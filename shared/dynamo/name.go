package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

// namingAttempts is how often a write asks for a name that changes hands.
const namingAttempts = 4

// No key may be longer, nor be asked for.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// A reservation is an item that says who has a name, which only one may have among its
// like.
type reservation struct {
	partition, sort string // of the item
	holder          string // the id of what has it
	purgeAt         int64  // of the holder's record; 0: never
	now             int64  // seconds since 1970

	// recordOf is the partition of a holder's record; nil if that never goes without its
	// name.
	recordOf func(holder string) string
	refusal  string // what a client is told that is refused the name
}

func (s *Store) nameOfKey(key apikey.Key) *reservation {
	ns := key.Locator.Namespace.String()
	return &reservation{
		partition: schema.AccountPartition(ns, key.Account.String()),
		sort:      schema.KeyNameItem(key.Name),
		holder:    key.Locator.ID.String(),
		purgeAt:   s.purgeAt(key),
		now:       key.UpdatedAt.Unix(),
		recordOf:  func(id string) string { return schema.KeyPartition(ns, id) },
		refusal:   "the service account has a key of this name already",
	}
}

func nameOfAccount(account apikey.Account) *reservation {
	ns := account.Namespace.String()
	return &reservation{
		partition: schema.AccountNamePartition(ns, account.Name),
		sort:      schema.AccountNameItem,
		holder:    account.ID.String(),
		now:       account.UpdatedAt.Unix(),
		refusal:   "a service account of this name exists already",
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
// either may be nil. A key's name whose holder is gone, because TTL has removed its record
// first, is taken over from that holder, as long as the record stays away; one that
// another has taken over is left to it.
func (s *Store) transactNamed(ctx context.Context, taken, freed *reservation, writes ...write) error {
	from := "" // whom the name is taken over from
	for range namingAttempts {
		err := s.transact(ctx, s.withNames(writes, taken, from, freed)...)
		held, isHeld := errors.AsType[*heldError](err)
		switch {
		case errors.Is(err, errNotHolder):
			freed = nil
			continue
		case !isHeld:
			return err
		}
		isLeft, err := s.isLeft(ctx, taken, held.holder)
		switch {
		case err != nil:
			return err
		case !isLeft:
			return fault.Wrap(fault.Exists, held, taken.refusal)
		}
		from = held.holder
	}
	return fault.New(fault.Conflict, "others are taking the same name, try again")
}

// isLeft reports whether the record of a name's holder is gone.
func (s *Store) isLeft(ctx context.Context, r *reservation, holder string) (bool, error) {
	if r.recordOf == nil {
		return false, nil
	}
	record, err := s.getItem(ctx, r.recordOf(holder), schema.KeyItem)
	return record == nil, err
}

func (s *Store) withNames(writes []write, taken *reservation, from string, freed *reservation) []write {
	all := slices.Clone(writes)
	if taken != nil {
		all = append(all, s.take(*taken, from))
	}
	if from != "" {
		all = append(all, s.checkLeft(*taken, from))
	}
	if freed != nil {
		all = append(all, s.free(*freed))
	}
	return all
}

// checkLeft is the condition that a holder's record is not there. The read before may have
// come between the two halves of the transaction that is making it.
func (s *Store) checkLeft(r reservation, holder string) write {
	return write{part: types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName:           s.table,
		Key:                 primaryKey(r.recordOf(holder), schema.KeyItem),
		ConditionExpression: isNew.text,
	}}, refused: func(_ item, cause error) error { return fault.Wrap(fault.Exists, cause, r.refusal) }}
}

// take takes a name that nobody has, or whose holder TTL may have removed, or which a
// certain one has.
func (s *Store) take(r reservation, from string) write {
	record := primaryKey(r.partition, r.sort)
	record[schema.Holder] = text(r.holder)
	if r.purgeAt > 0 {
		record[schema.PurgeAt] = number(r.purgeAt)
	}
	allowed := condition{
		text:   aws.String(*isNew.text + " OR #purge <= :now"),
		names:  map[string]string{"#purge": schema.PurgeAt},
		values: item{":now": number(r.now)},
	}
	if from != "" {
		allowed = isHeldBy(from)
	}
	return s.putIf(allowed, record, func(there item, cause error) error {
		return &heldError{holder: textIn(there, schema.Holder), cause: cause}
	})
}

// free gives up a name, unless another has it.
func (s *Store) free(r reservation) write {
	held := isHeldBy(r.holder)
	held.text = aws.String(*isNew.text + " OR " + *held.text)
	return s.deleteIf(held, r.partition, r.sort, func(item, error) error { return errNotHolder })
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
	return s.holderOf(ctx, accountPartitionOf(of), schema.KeyNameItem(name), stored.NoKey)
}

// AccountNamed reads which account has a name; see apikey.Store.
func (s *Store) AccountNamed(ctx context.Context, ns namespace.Namespace, name string) (apikey.ID, error) {
	return s.holderOf(ctx, schema.AccountNamePartition(ns.String(), name), schema.AccountNameItem, stored.NoAccount)
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
		ConditionExpression:      isLive.text,
		ExpressionAttributeNames: isLive.names,
	}}, refused: func(_ item, cause error) error {
		return fault.Wrap(fault.NotFound, cause, stored.NoAccount)
	}}
}
