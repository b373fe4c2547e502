package dynamo

import (
	"context"
	"errors"
	"iter"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo/fetched"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

// CreateAccount stores a new account; see apikey.Store.
func (s *Store) CreateAccount(ctx context.Context, account apikey.Account) error {
	account.NoteTexts()
	writes := []write{s.putIf(isNew, encodeAccount(account), func(_ item, cause error) error {
		return fault.Wrap(fault.Exists, cause, "the service account exists already")
	})}
	if account.HasTexts {
		texts, err := encodeAccountTexts(account)
		if err != nil {
			return err
		}
		writes = append(writes, s.put(texts))
	}
	return s.transactNamed(ctx, nameOfAccount(account), nil, writes...)
}

// GetAccount reads a whole account; see apikey.Store.
func (s *Store) GetAccount(ctx context.Context, at apikey.AccountLocator) (apikey.Account, error) {
	items, err := s.readPartition(ctx, accountPartitionOf(at), schema.AccountItems(), 0)
	if err != nil {
		return apikey.Account{}, err
	}
	return assembleAccount(items)
}

// GetAccountAtOnce reads a whole account in one transaction; see apikey.Store.
func (s *Store) GetAccountAtOnce(ctx context.Context, at apikey.AccountLocator) (apikey.Account, error) {
	items, err := s.readAtOnce(ctx, accountPartitionOf(at), schema.AccountItem, schema.AboutItem)
	if err != nil {
		return apikey.Account{}, err
	}
	return assembleAccount(items)
}

func assembleAccount(items []item) (apikey.Account, error) {
	byKind := bySort(items)
	account, err := stored.Account(fetched.Item(byKind[schema.AccountItem]))
	if err != nil {
		return apikey.Account{}, err
	}
	if about, ok := byKind[schema.AboutItem]; ok {
		account.Texts, err = decodeAccountTexts(about)
	}
	return account, err
}

// UpdateAccount replaces an account by a changed one; see apikey.Store.
func (s *Store) UpdateAccount(ctx context.Context, read, changed apikey.Account) error {
	changed.Version = read.Version + 1
	var texts []write
	if changed.Texts != read.Texts {
		replaced, err := s.replaceAccountTexts(changed)
		if err != nil {
			return err
		}
		texts = []write{replaced}
		changed.NoteTexts()
	}
	writes := append(texts, s.putIf(isAt(read.Version), encodeAccount(changed), accountChanged))
	if changed.Name == read.Name {
		return s.transact(ctx, writes...)
	}
	return s.transactNamed(ctx, nameOfAccount(changed), nameOfAccount(read), writes...)
}

// accountChanged tells why an account's record did not meet a write's condition.
func accountChanged(there item, cause error) error {
	if _, removed := there[schema.RemovedAt]; removed || there == nil {
		return fault.Wrap(fault.NotFound, cause, stored.NoAccount)
	}
	return fault.Wrap(fault.Conflict, cause, "the service account was changed meanwhile, read it again")
}

func (s *Store) replaceAccountTexts(account apikey.Account) (write, error) {
	if account.Texts == (apikey.AccountTexts{}) {
		return s.delete(accountPartitionOf(account.Locator()), schema.AboutItem), nil
	}
	texts, err := encodeAccountTexts(account)
	return s.put(texts), err
}

// SwitchAccount sets what it sets and nothing else; see apikey.Store.
func (s *Store) SwitchAccount(ctx context.Context, account apikey.Account) error {
	return s.transact(ctx, s.update(isLive, accountPartitionOf(account.Locator()), schema.AccountItem,
		switching(account.Disabled, item{schema.UpdatedAt: moment(account.UpdatedAt)}), gone(stored.NoAccount)))
}

// MarkAccount takes an account out of the index and out of its name; see apikey.Store.
// The mark is what the stream shows. As in Delete, who renames the account all the time
// cannot hold it off: the last name is freed by PurgeAccount then.
func (s *Store) MarkAccount(ctx context.Context, read apikey.Account, at time.Time) error {
	partition := accountPartitionOf(read.Locator())
	mark := change{set: item{schema.RemovedAt: moment(at)}, remove: []string{schema.Tenant, schema.Path}}
	for range namingAttempts {
		record := s.update(isNamed(read.Name), partition, schema.AccountItem, mark, renamed(stored.NoAccount))
		err := s.transactNamed(ctx, nil, nameOfAccount(read), record)
		other, isRenamed := errors.AsType[*renamedError](err)
		if !isRenamed {
			return err
		}
		read.Name = other.name
	}
	return s.transact(ctx, s.update(isLive, partition, schema.AccountItem, mark, gone(stored.NoAccount)))
}

// Accounts reads the accounts of a namespace from the index; see apikey.Store.
func (s *Store) Accounts(ctx context.Context, ns namespace.Namespace) iter.Seq2[apikey.Account, error] {
	return decoded(s.walk(ctx, accountsOf(ns), schema.NamespaceRange(ns.String())), stored.ListedAccount)
}

// SubtreeAccounts reads the accounts of a subtree from the index; see apikey.Store.
func (s *Store) SubtreeAccounts(ctx context.Context, ns namespace.Namespace) iter.Seq2[apikey.Account, error] {
	return decoded(s.walk(ctx, accountsOf(ns), schema.SubtreeRange(ns.String())), stored.AccountHandle)
}

// accountsOf is the partition that holds a namespace's accounts.
func accountsOf(ns namespace.Namespace) listing {
	return listing{schema.ByNamespace, schema.AccountsTenantOf(ns.String())}
}

// AccountKeys reads an account's keys from the index; see apikey.Store.
func (s *Store) AccountKeys(ctx context.Context, of apikey.AccountLocator) iter.Seq2[apikey.Key, error] {
	in := listing{schema.ByOwner, accountPartitionOf(of)}
	return decoded(s.walk(ctx, in, schema.NamespaceRange(of.Namespace.String())), stored.Listed)
}

// AddAccountTexts reads the texts of the accounts that have any; see apikey.Store.
func (s *Store) AddAccountTexts(ctx context.Context, accounts []apikey.Account) (int, error) {
	partitions := make([]string, len(accounts))
	for i, account := range accounts {
		if account.HasTexts {
			partitions[i] = accountPartitionOf(account.Locator())
		}
	}
	return s.addTexts(ctx, partitions, func(i int, about item) (err error) {
		accounts[i].Texts, err = decodeAccountTexts(about)
		return err
	})
}

func accountPartitionOf(at apikey.AccountLocator) string {
	return schema.AccountPartition(at.Namespace.String(), at.ID.String())
}

func encodeAccount(account apikey.Account) item {
	ns, id := account.Namespace.String(), account.ID.String()
	record := primaryKey(schema.AccountPartition(ns, id), schema.AccountItem)
	record[schema.Tenant] = text(schema.AccountsTenantOf(ns))
	record[schema.Path] = text(schema.PathOf(ns, id))
	record[schema.Name] = text(account.Name)
	record[schema.CreatedAt] = moment(account.CreatedAt)
	record[schema.UpdatedAt] = moment(account.UpdatedAt)
	record[schema.Version] = number(account.Version)
	if account.FullName != "" {
		record[schema.FullName] = text(account.FullName)
	}
	setIf(record, schema.Disabled, account.Disabled)
	setIf(record, schema.HasTexts, account.HasTexts)
	setIf(record, schema.HasAvatar, account.HasAvatar)
	return record
}

func encodeAccountTexts(account apikey.Account) (item, error) {
	return encodeAbout(aboutItem{
		Partition:   accountPartitionOf(account.Locator()),
		Description: account.Texts.Description,
		AvatarURL:   account.Texts.AvatarURL,
	})
}

func decodeAccountTexts(encoded item) (apikey.AccountTexts, error) {
	about, err := decodeAbout(encoded)
	return apikey.AccountTexts{Description: about.Description, AvatarURL: about.AvatarURL}, err
}
