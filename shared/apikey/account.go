package apikey

import (
	"strconv"
	"time"
	"unicode/utf8"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// An Account is the record of a service account: a name that keys belong to, which are
// switched off and deleted together. Times are UTC.
type Account struct {
	Namespace namespace.Namespace
	ID        ID
	Name      string // no other account of the namespace has it
	FullName  string
	Disabled  bool
	Texts     AccountTexts

	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // counts the writes, from 1

	// HasTexts and HasAvatar say of a stored account what it has, wherever that is not read
	// with it.
	HasTexts, HasAvatar bool
}

// AccountTexts are what an account carries for people.
type AccountTexts struct {
	Description string
	AvatarURL   string
}

// Locator is where the account is.
func (a Account) Locator() AccountLocator {
	return AccountLocator{Namespace: a.Namespace, ID: a.ID}
}

// An AccountLocator is where an account is.
type AccountLocator struct {
	Namespace namespace.Namespace
	ID        ID
}

// An AccountDraft is what the maker of an account decides.
type AccountDraft struct {
	Namespace namespace.Namespace
	Name      string
	FullName  string
	Disabled  bool
	Texts     AccountTexts
}

// An AccountEdit changes an account. What is nil stays as it is.
type AccountEdit struct {
	Name, FullName, Description, AvatarURL *string

	Disabled *bool
}

// isSwitched tells a change that only switches an account off or on.
func (a Account) isSwitched(changed Account) bool {
	return changed.Disabled != a.Disabled &&
		changed.Name == a.Name && changed.FullName == a.FullName && changed.Texts == a.Texts
}

// NoteTexts sets HasTexts and HasAvatar of an account whose texts are known.
func (a *Account) NoteTexts() {
	a.HasTexts, a.HasAvatar = a.Texts != AccountTexts{}, a.Texts.AvatarURL != ""
}

func (e AccountEdit) touchesTexts() bool { return e.Description != nil || e.AvatarURL != nil }

func (e AccountEdit) apply(account *Account) {
	set(&account.Name, e.Name)
	set(&account.FullName, e.FullName)
	set(&account.Texts.Description, e.Description)
	set(&account.Texts.AvatarURL, e.AvatarURL)
	set(&account.Disabled, e.Disabled)
}

// problems are of the fields that decide how large the record is, which is read with
// every verification.
func (a Account) problems() []fault.Field {
	return append(lengthProblems("name", a.Name), lengthProblems("full_name", a.FullName)...)
}

func lengthProblems(field, value string) []fault.Field {
	if utf8.RuneCountInString(value) <= MaxNameLength {
		return nil
	}
	problem := "value length must be at most " + strconv.Itoa(MaxNameLength) + " characters"
	return []fault.Field{{Name: field, Problem: problem}}
}

// An AccountKeyDraft is what the maker of an account's key decides. The key has no
// grant: what it may do follows from whose it is.
type AccountKeyDraft struct {
	Name        string // no other key of the account has it; may be empty
	Description string
	ExpiresAt   time.Time // zero: never
}
