package apikey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// MaxNameLength is the length of the longest name, in characters.
const MaxNameLength = 255

// The texts of a key are one item of the store, which takes 400 KB. One API alone allows
// less than this; what several have written may be more together.
const maxTextBytes = 380_000

// RFC 3339, in which times are stored and shown, has no later year.
const lastYear = 9999

// A Store keeps keys and service accounts. Its errors have the kinds named here,
// Unavailable when the store did not answer, and none, which is Internal, otherwise. An
// account that is marked as deleted is, but for PurgeAccount, not there.
type Store interface {
	Records

	// Create stores a new key, whole or not at all. Exists: its locator is taken
	// by another key, or its name by another one of its account. Invalid: its record would
	// be too large. NotFound: its account is not there.
	Create(context.Context, Key) error

	// Get reads a whole key and when it was used, in one read that sees every write before
	// it. NotFound: there is none.
	Get(context.Context, Locator) (Key, error)

	// GetAtOnce is Get as of one moment: Get may show a key's texts of one version beside a
	// record of another, which must not be written back.
	GetAtOnce(context.Context, Locator) (Key, error)

	// List reads a selection, without the keys' texts. It may miss the latest writes.
	List(context.Context, Selection) (Page, error)

	// AddTexts completes the first keys of a page and says how many: all, unless that
	// would be more than one answer may hold.
	AddTexts(context.Context, []Key) (int, error)

	// Namespaces reads which namespaces hold keys. It may miss the latest writes.
	Namespaces(context.Context, NamespaceSelection) (NamespacePage, error)

	// Update replaces a key by a changed one, if it is still at the version that was
	// read, and counts the version up. Conflict: it is not. NotFound: there is none.
	// Exists: another key of its account has the name.
	Update(ctx context.Context, read, changed Key) error

	// Switch stores whether a key is disabled, and when and by whom that was changed,
	// whatever else was changed since it was read: whoever may change a key must not be able
	// to hold off that it is switched off. NotFound: there is none.
	Switch(context.Context, Key) error

	// Delete removes a key and all that belongs to it, whatever was changed since it was
	// read. NotFound: there is none.
	Delete(ctx context.Context, read Key) error

	// AddUses completes keys with when they were used.
	AddUses(context.Context, []Key) error

	// KeyNamed reads which key of an account has a name. NotFound: none.
	KeyNamed(ctx context.Context, of AccountLocator, name string) (ID, error)

	// AccountNamed reads which account has a name. NotFound: none.
	AccountNamed(ctx context.Context, ns namespace.Namespace, name string) (ID, error)

	// CreateAccount stores a new account. Exists: its name is taken.
	CreateAccount(context.Context, Account) error

	// GetAccount reads a whole account as LookupAccount does.
	GetAccount(context.Context, AccountLocator) (Account, error)

	// GetAccountAtOnce is to accounts what GetAtOnce is to keys.
	GetAccountAtOnce(context.Context, AccountLocator) (Account, error)

	// UpdateAccount is to accounts what Update is to keys.
	UpdateAccount(ctx context.Context, read, changed Account) error

	// SwitchAccount is to accounts what Switch is to keys.
	SwitchAccount(context.Context, Account) error

	// MarkAccount marks an account as deleted and frees its name, whatever was changed since
	// it was read. NotFound: there is none.
	MarkAccount(ctx context.Context, read Account, at time.Time) error

	// PurgeAccount removes a marked account and all that belongs to it. Conflict: it is
	// not marked.
	PurgeAccount(context.Context, AccountLocator) error

	// Accounts reads the accounts of a namespace, without their texts. It may miss the
	// latest writes.
	Accounts(context.Context, namespace.Namespace) iter.Seq2[Account, error]

	// AddAccountTexts is to accounts what AddTexts is to keys.
	AddAccountTexts(context.Context, []Account) (int, error)

	// AccountKeys reads the keys of an account, without their texts and uses. It may miss
	// the latest writes.
	AccountKeys(context.Context, AccountLocator) iter.Seq2[Key, error]

	// SubtreeKeys reads of the keys of a namespace and of all below it what Delete needs, which
	// is their locator, name and account, in order of namespace and creation. It reads nothing
	// else, so that no other damage of a record hides the keys behind it. It may miss the
	// latest writes.
	SubtreeKeys(context.Context, namespace.Namespace) iter.Seq2[Key, error]

	// SubtreeAccounts is to accounts what SubtreeKeys is to keys: it reads what MarkAccount
	// needs, which is where they are and their names.
	SubtreeAccounts(context.Context, namespace.Namespace) iter.Seq2[Account, error]
}

// A Config says what a Service is made of. All of it must be set.
type Config struct {
	Store  Store
	Clock  func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// A Service issues, reads, lists, updates, rotates, deletes and verifies keys, and looks
// after the service accounts that some belong to. It is safe for concurrent use.
type Service struct {
	*Verifier

	store  Store
	clock  func() time.Time
	random io.Reader
}

// NewService returns a service that is made of c.
func NewService(c Config) *Service {
	return &Service{
		Verifier: NewVerifier(VerifierConfig{Records: c.Store, Clock: c.Clock, Log: c.Log}),
		store:    c.Store, clock: c.Clock, random: c.Random,
	}
}

// Issue makes a key. Forbidden: the caller may not create keys in the draft's
// namespace, or does not hold what it would grant. Invalid: a field of the draft
// is wrong; fields are called name, expires_at and grant.
func (s *Service) Issue(ctx context.Context, caller access.Caller, draft Draft) (Issued, error) {
	if err := caller.Require(access.Create, access.APIKey, draft.Namespace); err != nil {
		return Issued{}, err
	}
	if err := caller.RequireHolds(draft.Grant, draft.Namespace, draft.Propagate); err != nil {
		return Issued{}, err
	}
	return s.issueUnowned(ctx, ActorOf(caller), draft)
}

// Bootstrap makes an administrator's key that reaches everything below a
// namespace and never expires. It asks for no caller: who may invoke it is IAM's
// decision.
func (s *Service) Bootstrap(ctx context.Context, ns namespace.Namespace) (Issued, error) {
	return s.issueUnowned(ctx, Actor{Name: "bootstrap@iam"}, Draft{
		Namespace: ns,
		Name:      "bootstrap",
		Grant:     access.Grant{Roles: []access.Role{access.Admin}},
		Propagate: true,
	})
}

func (s *Service) issueUnowned(ctx context.Context, by Actor, draft Draft) (Issued, error) {
	if fields := s.Problems(draft); len(fields) > 0 {
		return Issued{}, fault.InvalidFields(fields...)
	}
	return s.issue(ctx, by, draft, ID{})
}

func (s *Service) issue(ctx context.Context, by Actor, draft Draft, account ID) (Issued, error) {
	now := s.clock().UTC()
	full, err := s.mint(draft.Namespace, now)
	if err != nil {
		return Issued{}, err
	}
	key := Key{
		Locator:   full.Locator,
		Name:      draft.Name,
		User:      draft.User,
		Grant:     draft.Grant,
		Propagate: draft.Propagate,
		ExpiresAt: draft.ExpiresAt.UTC(),
		Account:   account,
		Texts:     draft.Texts,
		HasTexts:  !draft.Texts.IsZero(),
		CreatedAt: now, CreatedBy: by,
		UpdatedAt: now, UpdatedBy: by,
		Version: 1,
		Digest:  full.Secret.Digest(),
	}
	if err := s.store.Create(ctx, key); err != nil {
		return Issued{}, fmt.Errorf("new key: %w", err)
	}
	return Issued{Key: key, FullKey: full}, nil
}

// Problems gives every field of a draft that Issue would refuse, so that an API
// can name them together with its own.
func (s *Service) Problems(d Draft) []fault.Field {
	return append(nameProblems(d.Name), s.expiryProblems(d.ExpiresAt)...)
}

func (s *Service) expiryProblems(at time.Time) []fault.Field {
	switch {
	case at.IsZero():
	case !at.After(s.clock()):
		return []fault.Field{{Name: "expires_at", Problem: "value must be in the future"}}
	case at.UTC().Year() > lastYear:
		return []fault.Field{{Name: "expires_at", Problem: "value must be before the year 10000"}}
	}
	return nil
}

func nameProblems(name string) []fault.Field {
	if name == "" {
		return []fault.Field{{Name: "name", Problem: "value is required"}}
	}
	return lengthProblems("name", name)
}

func (s *Service) mint(ns namespace.Namespace, now time.Time) (FullKey, error) {
	id, err := newID(now, s.random)
	if err != nil {
		return FullKey{}, err
	}
	secret, err := newSecret(s.random)
	if err != nil {
		return FullKey{}, err
	}
	return FullKey{Locator: Locator{Namespace: ns, ID: id}, Secret: secret}, nil
}

// Get reads one key, and of an account's key when it was used. Forbidden: the caller may
// not read it. NotFound: there is none.
func (s *Service) Get(ctx context.Context, caller access.Caller, ref Ref) (Key, error) {
	return s.load(ctx, caller, access.Read, ref, s.store.Get)
}

// Update changes a key, and nothing that it may do. Forbidden: the caller may not update
// it. Invalid: the field name. NotFound: there is none. Exists: another key of its
// account has the name. Conflict: others changed it each time meanwhile.
func (s *Service) Update(ctx context.Context, caller access.Caller, ref Ref, edit Edit) (Key, error) {
	read := s.store.Get
	if edit.touchesTexts() {
		read = s.store.GetAtOnce
	}
	return untilSettled(func() (Key, error) {
		key, err := s.load(ctx, caller, access.Update, ref, read)
		if err != nil {
			return Key{}, err
		}
		changed := key
		edit.apply(&changed)
		if fields := changed.problems(); len(fields) > 0 {
			return Key{}, fault.InvalidFields(fields...)
		}
		changed.UpdatedAt = s.clock().UTC()
		return s.replace(ctx, caller, key, changed)
	})
}

// settleAttempts is how often a change is tried while others change the same record.
const settleAttempts = 10

// untilSettled tries a change again that somebody else's came before. It reads what it
// changes each time.
func untilSettled[T any](change func() (T, error)) (T, error) {
	for range settleAttempts - 1 {
		if changed, err := change(); !errors.Is(err, fault.Conflict) {
			return changed, err
		}
	}
	return change()
}

// replace stores a key that the caller has changed.
func (s *Service) replace(ctx context.Context, caller access.Caller, key, changed Key) (Key, error) {
	changed.UpdatedBy = ActorOf(caller)
	var err error
	if key.isSwitched(changed) {
		err = s.store.Switch(ctx, changed)
	} else {
		err = s.store.Update(ctx, key, changed)
	}
	if err != nil {
		return Key{}, fmt.Errorf("updated key: %w", err)
	}
	if !changed.Texts.Equal(key.Texts) {
		changed.HasTexts = !changed.Texts.IsZero()
	}
	changed.Version++
	return changed, nil
}

// Rotate gives a key a new secret. The one before is good for so many minutes more, and
// not at all if they are not positive; the one before that is not good any more. All else
// stays, tokens too. Forbidden: the caller may not update the key, or does not hold all
// that it does, which the new secret is worth. Conflict: somebody else changed it
// meanwhile; of two who rotate at once one is told so, since he would be shown a secret
// that the other has replaced. Otherwise as Update.
func (s *Service) Rotate(ctx context.Context, caller access.Caller, ref Ref, retainMinutes int64) (Issued, error) {
	key, err := s.load(ctx, caller, access.Update, ref, s.store.Get)
	if err != nil {
		return Issued{}, err
	}
	if err := requireWorth(caller, key); err != nil {
		return Issued{}, err
	}
	secret, err := newSecret(s.random)
	if err != nil {
		return Issued{}, err
	}
	changed, now := key, s.clock().UTC()
	changed.Digest, changed.Previous = secret.Digest(), key.Digest
	changed.RotatedAt, changed.RetainMinutes, changed.UpdatedAt = now, retainMinutes, now
	if changed, err = s.replace(ctx, caller, key, changed); err != nil {
		return Issued{}, err
	}
	return Issued{Key: changed, FullKey: FullKey{Locator: key.Locator, Secret: secret}}, nil
}

// requireWorth asks for all that who has the key's secret may do.
func requireWorth(caller access.Caller, key Key) error {
	if !key.Account.IsZero() {
		return caller.RequireHoldsAccount(key.accountText(), key.Locator.Namespace)
	}
	return caller.RequireHolds(key.Grant, key.Locator.Namespace, key.Propagate)
}

// Delete removes one key; from its return on the key is refused. Forbidden: the
// caller may not delete it. NotFound: there is none.
func (s *Service) Delete(ctx context.Context, caller access.Caller, ref Ref) error {
	key, err := s.load(ctx, caller, access.Delete, ref, s.store.Lookup)
	if err != nil {
		return err
	}
	return s.store.Delete(ctx, key)
}
