package stored

import (
	"fmt"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

// What is said of a record that is not there.
const (
	NoKey     = "the key does not exist"
	NoAccount = "the service account does not exist"
)

// Handle reads what a key is deleted by: where it is, its name and whose it is. A deletion
// reads no more, so that nothing else in a record, however damaged, stops it.
func Handle(record Item) (apikey.Key, error) {
	at, err := LocatorIn(record.text(schema.Path))
	if err != nil {
		return apikey.Key{}, err
	}
	r := reader{record: record}
	return apikey.Key{Locator: at, Name: record.text(schema.Name), Account: r.account()}, r.err
}

// Listed reads what an index holds of a key's record.
func Listed(record Item) (apikey.Key, error) {
	key, err := Handle(record)
	if err != nil {
		return apikey.Key{}, err
	}
	r := reader{record: record}
	key.Disabled = record.Has(schema.Disabled)
	key.User = record.text(schema.User)
	key.Grant = r.grant()
	key.Propagate = record.isTrue(schema.Propagate)
	key.ExpiresAt = r.time(schema.ExpiresAt)
	key.CreatedAt = r.time(schema.CreatedAt)
	key.CreatedBy = record.actor(schema.CreatedBy)
	key.Version = record.number(schema.Version)
	key.HasTexts = record.isTrue(schema.HasTexts)
	key.RotatedAt = r.time(schema.RotatedAt)
	key.RetainMinutes = record.number(schema.Retain)
	key.UpdatedAt, key.UpdatedBy = key.CreatedAt, key.CreatedBy
	if record.Has(schema.UpdatedAt) {
		key.UpdatedAt = r.time(schema.UpdatedAt)
		key.UpdatedBy = record.actor(schema.UpdatedBy)
	}
	return key, r.err
}

// Key reads a key's record from the table, which has a digest. NotFound: there is none.
func Key(record Item) (apikey.Key, error) {
	if record == nil {
		return apikey.Key{}, fault.New(fault.NotFound, NoKey)
	}
	key, err := Listed(record)
	if err != nil {
		return apikey.Key{}, err
	}
	r := reader{record: record}
	key.Digest = r.digest(schema.Digest)
	if record.Has(schema.Previous) {
		key.Previous = r.digest(schema.Previous)
	}
	return key, r.err
}

// UsedAt reads when a key was used; zero for never, and where there is no such item.
func UsedAt(use Item) time.Time {
	if used := use.number(schema.UsedAt); used > 0 {
		return time.UnixMicro(used).UTC()
	}
	return time.Time{}
}

// AccountHandle is to accounts what Handle is to keys.
func AccountHandle(record Item) (apikey.Account, error) {
	at, err := AccountIn(record.text(schema.PartitionKey))
	if err != nil {
		return apikey.Account{}, err
	}
	return apikey.Account{Namespace: at.Namespace, ID: at.ID, Name: record.text(schema.Name)}, nil
}

// ListedAccount reads what an index holds of an account's record.
func ListedAccount(record Item) (apikey.Account, error) {
	account, err := AccountHandle(record)
	if err != nil {
		return apikey.Account{}, err
	}
	r := reader{record: record}
	account.Disabled = record.Has(schema.Disabled)
	account.FullName = record.text(schema.FullName)
	account.CreatedAt = r.time(schema.CreatedAt)
	account.UpdatedAt = r.time(schema.UpdatedAt)
	account.Version = record.number(schema.Version)
	account.HasTexts = record.isTrue(schema.HasTexts)
	account.HasAvatar = record.isTrue(schema.HasAvatar)
	return account, r.err
}

// Account reads an account's record from the table. NotFound: there is none, or it is
// marked as deleted.
func Account(record Item) (apikey.Account, error) {
	if record == nil || record.Has(schema.RemovedAt) {
		return apikey.Account{}, fault.New(fault.NotFound, NoAccount)
	}
	return ListedAccount(record)
}

// AccountIn reads where an account is from the partition key of its items, as the table's
// stream shows it too.
func AccountIn(partition string) (apikey.AccountLocator, error) {
	ns, id, ok := placeIn(schema.SplitAccountPartition(partition))
	if !ok {
		return apikey.AccountLocator{}, fmt.Errorf("stored partition %q is of no account", partition)
	}
	return apikey.AccountLocator{Namespace: ns, ID: id}, nil
}

// LocatorIn reads where a key is from its place in an index.
func LocatorIn(path string) (apikey.Locator, error) {
	ns, id, ok := placeIn(schema.SplitPath(path))
	if !ok {
		return apikey.Locator{}, fmt.Errorf("stored path %q is of no key", path)
	}
	return apikey.Locator{Namespace: ns, ID: id}, nil
}

func placeIn(nsText, idText string, ok bool) (namespace.Namespace, apikey.ID, bool) {
	ns, err := namespace.Parse(nsText)
	id, idOK := apikey.ParseID(idText)
	return ns, id, ok && err == nil && idOK
}
