package apikey

import (
	"context"
	"fmt"
	"iter"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// CreateAccount makes a service account. Forbidden: the caller may not. Exists: an
// account of the namespace has the name. Invalid: the fields name and full_name.
func (s *Service) CreateAccount(ctx context.Context, caller access.Caller, draft AccountDraft) (Account, error) {
	if err := caller.Require(access.Create, access.ServiceAccount, draft.Namespace); err != nil {
		return Account{}, err
	}
	now := s.clock().UTC()
	id, err := newID(now, s.random)
	if err != nil {
		return Account{}, err
	}
	account := Account{
		Namespace: draft.Namespace,
		ID:        id,
		Name:      draft.Name,
		FullName:  draft.FullName,
		Disabled:  draft.Disabled,
		Texts:     draft.Texts,
		CreatedAt: now,
		UpdatedAt: now,
		Version:   1,
	}
	if fields := account.problems(); len(fields) > 0 {
		return Account{}, fault.InvalidFields(fields...)
	}
	account.NoteTexts()
	if err := s.store.CreateAccount(ctx, account); err != nil {
		return Account{}, fmt.Errorf("new account: %w", err)
	}
	return account, nil
}

// OpenAccount reads an account for a caller who is going to do method to it or, with the
// kind APIKey, to its keys. Forbidden: he may not. NotFound: there is none, or it is
// being deleted.
func (s *Service) OpenAccount(
	ctx context.Context, caller access.Caller, method access.Method, kind string, ref AccountRef,
) (Account, error) {
	// Whose account a name is is known only once it is read. Until then the caller has the
	// rights of its own; they are asked for again with the id.
	owner := caller.Account
	if ref.Handle.name == nil {
		owner = ref.Handle.id.String()
	}
	if err := caller.RequireOf(owner, method, kind, ref.Namespace); err != nil {
		return Account{}, err
	}
	account, err := s.account(ctx, ref)
	if err != nil {
		return Account{}, err
	}
	return account, caller.RequireOf(account.ID.String(), method, kind, ref.Namespace)
}

func (s *Service) account(ctx context.Context, ref AccountRef) (Account, error) {
	at := AccountLocator{Namespace: ref.Namespace, ID: ref.Handle.id}
	if ref.Handle.name != nil {
		id, err := s.store.AccountNamed(ctx, ref.Namespace, *ref.Handle.name)
		if err != nil {
			return Account{}, fmt.Errorf("name of an account: %w", err)
		}
		at.ID = id
	}
	account, err := s.store.GetAccount(ctx, at)
	if err != nil {
		return Account{}, fmt.Errorf("account that is asked for: %w", err)
	}
	if !ref.Handle.fits(account.ID, account.Name) {
		return Account{}, fault.New(fault.NotFound, "the service account does not exist")
	}
	return account, nil
}

// UpdateAccount changes an account that OpenAccount gave. Forbidden: the caller may not.
// Exists: another account has the new name. Invalid: the fields name and full_name.
// NotFound: it is gone. Conflict: others changed it each time meanwhile.
func (s *Service) UpdateAccount(
	ctx context.Context, caller access.Caller, account Account, edit AccountEdit,
) (Account, error) {
	if err := caller.RequireOf(account.ID.String(), access.Update, access.ServiceAccount, account.Namespace); err != nil {
		return Account{}, err
	}
	isFresh := !edit.touchesTexts() // as far as the edit goes
	return untilSettled(func() (Account, error) {
		if !isFresh {
			var err error
			if account, err = s.store.GetAccountAtOnce(ctx, account.Locator()); err != nil {
				return Account{}, fmt.Errorf("account to update: %w", err)
			}
		}
		isFresh = false
		changed := account
		edit.apply(&changed)
		if fields := changed.problems(); len(fields) > 0 {
			return Account{}, fault.InvalidFields(fields...)
		}
		changed.UpdatedAt = s.clock().UTC()
		return s.replaceAccount(ctx, account, changed)
	})
}

func (s *Service) replaceAccount(ctx context.Context, account, changed Account) (Account, error) {
	var err error
	if account.isSwitched(changed) {
		err = s.store.SwitchAccount(ctx, changed)
	} else {
		err = s.store.UpdateAccount(ctx, account, changed)
	}
	if err != nil {
		return Account{}, fmt.Errorf("updated account: %w", err)
	}
	if changed.Texts != account.Texts {
		changed.NoteTexts()
	}
	changed.Version++
	return changed, nil
}

// DeleteAccount deletes an account that OpenAccount gave: from its return on the account
// is gone for every reader, its keys are refused and its name is free. What else it
// leaves behind PurgeAccount removes. Forbidden: the caller may not. NotFound: it is
// gone.
func (s *Service) DeleteAccount(ctx context.Context, caller access.Caller, account Account) error {
	if err := caller.RequireOf(account.ID.String(), access.Delete, access.ServiceAccount, account.Namespace); err != nil {
		return err
	}
	return s.store.MarkAccount(ctx, account, s.clock().UTC())
}

// PurgeAccount removes all that a deleted account has left behind. It can be repeated,
// whatever became of an earlier try. It asks for no caller: the account was deleted by
// somebody who was allowed to. Conflict: the account has not been deleted.
func (s *Service) PurgeAccount(ctx context.Context, at AccountLocator) error {
	if err := s.store.PurgeAccount(ctx, at); err != nil {
		return fmt.Errorf("what a deleted account left behind: %w", err)
	}
	return nil
}

// Accounts gives every service account of a namespace, in order of creation and without
// its texts. It is eventually consistent. Forbidden: the caller may not read them.
func (s *Service) Accounts(
	ctx context.Context, caller access.Caller, ns namespace.Namespace,
) iter.Seq2[Account, error] {
	if err := caller.Require(access.Read, access.ServiceAccount, ns); err != nil {
		return failing[Account](err)
	}
	return s.store.Accounts(ctx, ns)
}

// AddAccountTexts completes accounts of a listing, as AddTexts does keys.
func (s *Service) AddAccountTexts(ctx context.Context, caller access.Caller, accounts []Account) (int, error) {
	for _, account := range accounts {
		if err := caller.Require(access.Read, access.ServiceAccount, account.Namespace); err != nil {
			return 0, err
		}
	}
	count, err := s.store.AddAccountTexts(ctx, accounts)
	if err != nil {
		return 0, fmt.Errorf("texts of accounts: %w", err)
	}
	return count, nil
}

// AccountKeys gives every key of an account that OpenAccount gave, in order of creation,
// without its texts and its use. It is eventually consistent. Forbidden: the caller may
// not read them.
func (s *Service) AccountKeys(ctx context.Context, caller access.Caller, account Account) iter.Seq2[Key, error] {
	if err := caller.RequireOf(account.ID.String(), access.Read, access.APIKey, account.Namespace); err != nil {
		return failing[Key](err)
	}
	return s.store.AccountKeys(ctx, account.Locator())
}

func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

// IssueFor makes a key of an account that OpenAccount gave. Forbidden: the caller may
// not, or does not hold what such a key does. Exists: a key of the account has the name.
// Invalid: the fields name and expires_at. NotFound: the account is gone.
func (s *Service) IssueFor(
	ctx context.Context, caller access.Caller, account Account, draft AccountKeyDraft,
) (Issued, error) {
	owner := account.ID.String()
	if err := caller.RequireOf(owner, access.Create, access.APIKey, account.Namespace); err != nil {
		return Issued{}, err
	}
	if err := caller.RequireHoldsAccount(owner, account.Namespace); err != nil {
		return Issued{}, err
	}
	fields := append(lengthProblems("name", draft.Name), s.expiryProblems(draft.ExpiresAt)...)
	if len(fields) > 0 {
		return Issued{}, fault.InvalidFields(fields...)
	}
	return s.issue(ctx, ActorOf(caller), Draft{
		Namespace: account.Namespace,
		Name:      draft.Name,
		ExpiresAt: draft.ExpiresAt,
		Texts:     Texts{Description: draft.Description},
	}, account.ID)
}
