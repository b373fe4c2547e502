package apikey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// MaxNameLength is the length of the longest name, in characters.
const MaxNameLength = 255

// RFC 3339, in which times are stored and shown, has no later year.
const lastYear = 9999

// A Store keeps keys. Its errors have the kinds named here, Unavailable when the
// store did not answer, and none, which is Internal, otherwise.
type Store interface {
	// Create stores a new key, whole or not at all. Exists: its locator is taken
	// by another key. Invalid: its record would be too large.
	Create(context.Context, Key) error

	// Lookup reads what verification needs of a key, without its texts, in one
	// read that sees every write before it. NotFound: there is none.
	Lookup(context.Context, Locator) (Key, error)

	// Get reads a whole key, in one read that sees every write before it.
	// NotFound: there is none.
	Get(context.Context, Locator) (Key, error)

	// List reads a selection, without the keys' texts. It may miss the latest writes.
	List(context.Context, Selection) (Page, error)

	// AddTexts completes the first keys of a page and says how many: all, unless that
	// would be more than one answer may hold.
	AddTexts(context.Context, []Key) (int, error)

	// Namespaces reads which namespaces hold keys. It may miss the latest writes.
	Namespaces(context.Context, NamespaceSelection) (NamespacePage, error)

	// Update replaces a key by a changed one, if it is still at the version that was
	// read, and counts the version up. Conflict: it is not. NotFound: there is none.
	Update(context.Context, Key) error

	// Delete removes a key and all that belongs to it. NotFound: there is none.
	Delete(context.Context, Locator) error
}

// A Config says what a Service is made of. All of it must be set.
type Config struct {
	Store  Store
	Clock  func() time.Time
	Random io.Reader
}

// A Service issues, reads, lists, updates, deletes and verifies keys.
type Service struct {
	store  Store
	clock  func() time.Time
	random io.Reader
}

// NewService returns a service that is made of c.
func NewService(c Config) *Service {
	return &Service{store: c.Store, clock: c.Clock, random: c.Random}
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
	return s.issue(ctx, ActorOf(caller), draft)
}

// Bootstrap makes an administrator's key that reaches everything below a
// namespace and never expires. It asks for no caller: who may invoke it is IAM's
// decision.
func (s *Service) Bootstrap(ctx context.Context, ns namespace.Namespace) (Issued, error) {
	return s.issue(ctx, Actor{Name: "bootstrap@iam"}, Draft{
		Namespace: ns,
		Name:      "bootstrap",
		Grant:     access.Grant{Roles: []access.Role{access.Admin}},
		Propagate: true,
	})
}

func (s *Service) issue(ctx context.Context, by Actor, draft Draft) (Issued, error) {
	if fields := s.Problems(draft); len(fields) > 0 {
		return Issued{}, fault.InvalidFields(fields...)
	}
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
		Texts:     draft.Texts,
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
	fields := nameProblems(d.Name)
	switch {
	case d.ExpiresAt.IsZero():
	case !d.ExpiresAt.After(s.clock()):
		fields = append(fields, fault.Field{Name: "expires_at", Problem: "value must be in the future"})
	case d.ExpiresAt.UTC().Year() > lastYear:
		fields = append(fields, fault.Field{Name: "expires_at", Problem: "value must be before the year 10000"})
	}
	return fields
}

func nameProblems(name string) []fault.Field {
	switch length := utf8.RuneCountInString(name); {
	case length == 0:
		return []fault.Field{{Name: "name", Problem: "value is required"}}
	case length > MaxNameLength:
		problem := "value length must be at most " + strconv.Itoa(MaxNameLength) + " characters"
		return []fault.Field{{Name: "name", Problem: problem}}
	}
	return nil
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

// Get reads one key. Forbidden: the caller may not read keys there. NotFound:
// there is none.
func (s *Service) Get(ctx context.Context, caller access.Caller, at Locator) (Key, error) {
	if err := caller.Require(access.Read, access.APIKey, at.Namespace); err != nil {
		return Key{}, err
	}
	return s.store.Get(ctx, at)
}

// Update changes what people see of a key, and nothing that it may do. Forbidden: the
// caller may not update keys there. Invalid: the field name. NotFound: there is none.
// Conflict: somebody else changed it meanwhile.
func (s *Service) Update(ctx context.Context, caller access.Caller, at Locator, edit Edit) (Key, error) {
	if err := caller.Require(access.Update, access.APIKey, at.Namespace); err != nil {
		return Key{}, err
	}
	if edit.Name != nil {
		if fields := nameProblems(*edit.Name); len(fields) > 0 {
			return Key{}, fault.InvalidFields(fields...)
		}
	}
	key, err := s.store.Get(ctx, at)
	if err != nil {
		return Key{}, fmt.Errorf("key to update: %w", err)
	}
	edit.apply(&key)
	key.UpdatedAt, key.UpdatedBy = s.clock().UTC(), ActorOf(caller)
	if err := s.store.Update(ctx, key); err != nil {
		return Key{}, fmt.Errorf("updated key: %w", err)
	}
	key.Version++
	return key, nil
}

// Delete removes one key; from its return on the key is refused. Forbidden: the
// caller may not delete keys there. NotFound: there is none.
func (s *Service) Delete(ctx context.Context, caller access.Caller, at Locator) error {
	if err := caller.Require(access.Delete, access.APIKey, at.Namespace); err != nil {
		return err
	}
	return s.store.Delete(ctx, at)
}

// Verify tells whether a key is good now. Its error is a fault that says why that
// could not be told; a bad key is no error.
func (s *Service) Verify(ctx context.Context, presented FullKey) (Verdict, error) {
	digest := presented.Secret.Digest()
	key, err := s.store.Lookup(ctx, presented.Locator)
	unknown := errors.Is(err, fault.NotFound)
	if err != nil && !unknown {
		return Verdict{}, fmt.Errorf("key to verify: %w", err)
	}
	// An unknown key is compared with the zero digest: the same work.
	matches := key.Digest.matches(digest)
	switch {
	case unknown:
		return Verdict{Reason: Unknown}, nil
	case !matches:
		return Verdict{Reason: WrongSecret}, nil
	}
	return Verdict{Reason: key.state(s.clock()), Key: key}, nil
}

// Check tells whether the key at a locator is good now, for somebody who has proved
// before that he holds it. Its error is as Verify's.
func (s *Service) Check(ctx context.Context, at Locator) (Verdict, error) {
	key, err := s.store.Lookup(ctx, at)
	switch {
	case errors.Is(err, fault.NotFound):
		return Verdict{Reason: Unknown}, nil
	case err != nil:
		return Verdict{}, fmt.Errorf("key to check: %w", err)
	}
	return Verdict{Reason: key.state(s.clock()), Key: key}, nil
}
