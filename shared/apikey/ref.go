package apikey

import (
	"context"
	"fmt"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// A Handle is how somebody asks for an account, or for a key of one: by its id or by its
// name.
type Handle struct {
	id   ID
	name *string
}

// ByID asks for what has an id. The zero ID is of nothing.
func ByID(id ID) Handle { return Handle{id: id} }

// ByName asks for what has a name.
func ByName(name string) Handle { return Handle{name: &name} }

// fits reports whether a record is the one that was asked for.
func (h Handle) fits(id ID, name string) bool {
	if h.name != nil {
		return name == *h.name
	}
	return id == h.id
}

// An AccountRef is somebody asking for an account.
type AccountRef struct {
	Namespace namespace.Namespace
	Handle    Handle
}

// A Ref is somebody asking for a key: for the one at a place, or for one of an account.
type Ref struct {
	namespace namespace.Namespace
	handle    Handle
	account   *Account // whose it must be; nil: anybody's
}

// At asks for the key at a locator, whosesoever it is.
func At(at Locator) Ref { return Ref{namespace: at.Namespace, handle: ByID(at.ID)} }

// Key asks for a key of this account. The account is one that OpenAccount gave.
func (a Account) Key(h Handle) Ref { return Ref{namespace: a.Namespace, handle: h, account: &a} }

// require asks before anything is read. A key of an account manages its account's keys
// by way of the account.
func (r Ref) require(caller access.Caller, method access.Method) error {
	owner := ""
	if r.account != nil {
		owner = r.account.ID.String()
	}
	return caller.RequireOf(owner, method, access.APIKey, r.namespace)
}

// load reads a key for a caller who is going to do method to it. Forbidden: he may not.
// NotFound: there is no such key, or its account is gone.
func (s *Service) load(
	ctx context.Context, caller access.Caller, method access.Method, ref Ref,
	read func(context.Context, Locator) (Key, error),
) (Key, error) {
	if err := ref.require(caller, method); err != nil {
		return Key{}, err
	}
	at, err := s.locate(ctx, ref)
	if err != nil {
		return Key{}, err
	}
	key, err := read(ctx, at)
	if err != nil {
		return Key{}, fmt.Errorf("key that is asked for: %w", err)
	}
	if err := s.checkOwner(ctx, key, ref); err != nil {
		return Key{}, err
	}
	return key, nil
}

func (s *Service) locate(ctx context.Context, ref Ref) (Locator, error) {
	at := Locator{Namespace: ref.namespace, ID: ref.handle.id}
	if ref.handle.name == nil {
		return at, nil
	}
	id, err := s.store.KeyNamed(ctx, ref.account.Locator(), *ref.handle.name)
	if err != nil {
		return Locator{}, fmt.Errorf("name of a key: %w", err)
	}
	at.ID = id
	return at, nil
}

// checkOwner holds a key to what was asked for. A key whose account is being deleted is
// gone with it, however much of it is still there.
func (s *Service) checkOwner(ctx context.Context, key Key, ref Ref) error {
	switch {
	case ref.account != nil:
		if key.Account == ref.account.ID && ref.handle.fits(key.Locator.ID, key.Name) {
			return nil
		}
		return fault.New(fault.NotFound, "the key does not exist")
	case key.Account.IsZero():
		return nil
	}
	if _, err := s.store.LookupAccount(ctx, key.owner()); err != nil {
		return fmt.Errorf("account of a key: %w", err)
	}
	return nil
}
