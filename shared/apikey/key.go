package apikey

import (
	"maps"
	"slices"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// A Key is the record of an API key. Times are UTC.
type Key struct {
	Locator   Locator
	Name      string
	User      string // whom it is for, where its maker has said so
	Grant     access.Grant
	Propagate bool      // whether it may be used below its namespace
	ExpiresAt time.Time // zero: never
	Disabled  bool
	Account   ID // the service account that it belongs to; zero: none
	Texts     Texts

	CreatedAt time.Time
	CreatedBy Actor
	UpdatedAt time.Time
	UpdatedBy Actor
	Version   int64 // counts the writes, from 1

	Digest Digest // of its secret; zero in a listing

	// Previous is the digest of the secret before the last rotation, zero in a listing.
	// That secret is good for so many minutes more; none, if not positive.
	Previous      Digest
	RotatedAt     time.Time // zero: never
	RetainMinutes int64

	UsedAt time.Time // of an account's key, where it was asked for; zero: never

	// HasTexts says of a stored key that it has texts, wherever they are not read with it.
	HasTexts bool
}

// Texts are what a key carries for people and is not needed to verify it.
type Texts struct {
	Description string
	Tags        []string
	Annotations map[string]string
	Parent      Parent
}

// A Parent is the resource that a key was made for, if its maker names one.
// Latchkey only carries it.
type Parent struct {
	Kind string
	UUID string
}

// IsZero reports whether there are no texts at all.
func (t Texts) IsZero() bool {
	return t.Description == "" && len(t.Tags) == 0 && len(t.Annotations) == 0 && t.Parent == Parent{}
}

// Equal reports whether two keys carry the same.
func (t Texts) Equal(other Texts) bool {
	return t.Description == other.Description && t.Parent == other.Parent &&
		slices.Equal(t.Tags, other.Tags) && maps.Equal(t.Annotations, other.Annotations)
}

// Size is how long the texts are together, in bytes.
func (t Texts) Size() int {
	size := len(t.Description) + len(t.Parent.Kind) + len(t.Parent.UUID)
	for _, tag := range t.Tags {
		size += len(tag)
	}
	for key, value := range t.Annotations {
		size += len(key) + len(value)
	}
	return size
}

// An Actor is who made or changed a key: another key, or somebody with IAM rights.
type Actor struct {
	ID   string // of the key; empty for IAM
	Name string // "<name of the key>@api-key", or "bootstrap@iam"
}

// ActorOf is a caller as what he makes and changes names him.
func ActorOf(caller access.Caller) Actor {
	return Actor{ID: caller.ID, Name: caller.Name + "@api-key"}
}

// Caller is who holds the key.
func (k Key) Caller() access.Caller {
	return access.Caller{
		ID:        k.Locator.ID.String(),
		Name:      k.Name,
		Account:   k.accountText(),
		Namespace: k.Locator.Namespace,
		Propagate: k.Propagate,
		Grant:     k.Grant,
	}
}

// problems are of what an edit can make of a key. Only an account's may have no name.
func (k Key) problems() []fault.Field {
	fields := lengthProblems("name", k.Name)
	if k.Account.IsZero() {
		fields = nameProblems(k.Name)
	}
	if k.Texts.Size() > maxTextBytes {
		fields = append(fields, fault.Field{Name: "description", Problem: "value is too long beside tags and annotations"})
	}
	return fields
}

// owner is the account of a key that has one.
func (k Key) owner() AccountLocator {
	return AccountLocator{Namespace: k.Locator.Namespace, ID: k.Account}
}

func (k Key) accountText() string {
	if k.Account.IsZero() {
		return ""
	}
	return k.Account.String()
}

// isProvedBy tells whether a secret is the key's. It compares twice whatever the key is
// like: with the zero digest where there is no previous secret.
func (k Key) isProvedBy(digest Digest, now time.Time) bool {
	current, previous := k.Digest.matches(digest), k.Previous.matches(digest)
	return current || previous && k.retains(now)
}

// retains counts whole minutes, because that many may be more than a Duration holds.
// RetainMinutes comes first: a clock that lags behind the rotation must not bring back a
// secret that was not kept.
func (k Key) retains(now time.Time) bool {
	return k.RetainMinutes > 0 && int64(now.Sub(k.RotatedAt)/time.Minute) < k.RetainMinutes
}

// state tells what a key is worth whose secret has been proved.
func (k Key) state(now time.Time) Reason {
	switch {
	case k.Disabled:
		return Disabled
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return Expired
	}
	return Valid
}

// A Draft is what the maker of a key decides.
type Draft struct {
	Namespace namespace.Namespace
	Name      string
	User      string
	Grant     access.Grant
	Propagate bool
	ExpiresAt time.Time // zero: never
	Texts     Texts
}

// An Edit changes a key. What is nil stays as it is; what is there and empty is
// cleared.
type Edit struct {
	Name        *string
	Description *string
	Tags        *[]string
	Annotations *map[string]string
	Disabled    *bool
}

// isSwitched tells a change that only switches a key off or on.
func (k Key) isSwitched(changed Key) bool {
	return changed.Disabled != k.Disabled && changed.Name == k.Name && changed.Texts.Equal(k.Texts)
}

func (e Edit) touchesTexts() bool {
	return e.Description != nil || e.Tags != nil || e.Annotations != nil
}

func (e Edit) apply(key *Key) {
	set(&key.Name, e.Name)
	set(&key.Texts.Description, e.Description)
	set(&key.Texts.Tags, e.Tags)
	set(&key.Texts.Annotations, e.Annotations)
	set(&key.Disabled, e.Disabled)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Issued is a new key and, this once, the text that proves it.
type Issued struct {
	Key     Key
	FullKey FullKey
}
