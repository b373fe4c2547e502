package apikey

import (
	"time"

	"latchkey/shared/access"
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
	Texts     Texts

	CreatedAt time.Time
	CreatedBy Actor
	UpdatedAt time.Time
	UpdatedBy Actor
	Version   int64 // counts the writes, from 1

	Digest Digest // of its secret; zero in a listing

	// HasTexts says of a key in a listing that AddTexts would find some.
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
		Namespace: k.Locator.Namespace,
		Propagate: k.Propagate,
		Grant:     k.Grant,
	}
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
}

func (e Edit) apply(key *Key) {
	set(&key.Name, e.Name)
	set(&key.Texts.Description, e.Description)
	set(&key.Texts.Tags, e.Tags)
	set(&key.Texts.Annotations, e.Annotations)
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
