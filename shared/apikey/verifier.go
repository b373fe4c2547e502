package apikey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/shared/fault"
)

// Records are what verification reads, and where it notes a use: the part of a Store that
// functions need on which others wait. Their errors have the kinds of a Store's.
type Records interface {
	// Lookup reads what verification needs of a key, without its texts, in one
	// read that sees every write before it. NotFound: there is none.
	Lookup(context.Context, Locator) (Key, error)

	// LookupAccount reads an account without its texts, in one read that sees every write
	// before it. NotFound: there is none.
	LookupAccount(context.Context, AccountLocator) (Account, error)

	// NoteUse stores when a key was used, unless it was after a time already or is gone.
	NoteUse(ctx context.Context, at Locator, used, unlessSince time.Time) error
}

// A VerifierConfig says what a Verifier is made of. All of it must be set.
type VerifierConfig struct {
	Records Records
	Clock   func() time.Time
	Log     *slog.Logger
}

// A Verifier tells whether keys are good. It is safe for concurrent use.
type Verifier struct {
	records  Records
	clock    func() time.Time
	log      *slog.Logger
	notebook notebook
}

// NewVerifier returns a verifier that is made of c.
func NewVerifier(c VerifierConfig) *Verifier {
	return &Verifier{
		records: c.Records, clock: c.Clock, log: c.Log,
		notebook: notebook{noted: map[Locator]time.Time{}},
	}
}

// Verify tells whether a key is good now. Its error is a fault that says why that
// could not be told; a bad key is no error.
func (v *Verifier) Verify(ctx context.Context, presented FullKey) (Verdict, error) {
	return v.verify(ctx, presented, useInterval)
}

// Login is Verify for who is given a token for the key, which counts as its use each
// time.
func (v *Verifier) Login(ctx context.Context, presented FullKey) (Verdict, error) {
	return v.verify(ctx, presented, loginInterval)
}

func (v *Verifier) verify(ctx context.Context, presented FullKey, interval time.Duration) (Verdict, error) {
	digest := presented.Secret.Digest()
	key, err := v.records.Lookup(ctx, presented.Locator)
	unknown := errors.Is(err, fault.NotFound)
	if err != nil && !unknown {
		return Verdict{}, fmt.Errorf("key to verify: %w", err)
	}
	// An unknown key is compared with zero digests: the same work.
	isProved := key.isProvedBy(digest, v.clock())
	switch {
	case unknown:
		return Verdict{Reason: Unknown}, nil
	case !isProved:
		return Verdict{Reason: WrongSecret}, nil
	}
	return v.judge(ctx, key, interval)
}

// Check tells whether the key at a locator is good now, for somebody who has proved
// before that he holds it. Its error is as Verify's.
func (v *Verifier) Check(ctx context.Context, at Locator) (Verdict, error) {
	key, err := v.records.Lookup(ctx, at)
	switch {
	case errors.Is(err, fault.NotFound):
		return Verdict{Reason: Unknown}, nil
	case err != nil:
		return Verdict{}, fmt.Errorf("key to check: %w", err)
	}
	return v.judge(ctx, key, useInterval)
}

// judge tells what a key is worth that somebody holds, and notes that it was used, unless
// it was within the interval.
func (v *Verifier) judge(ctx context.Context, key Key, interval time.Duration) (Verdict, error) {
	reason := key.state(v.clock())
	if reason == Valid && !key.Account.IsZero() {
		account, err := v.records.LookupAccount(ctx, key.owner())
		switch {
		case errors.Is(err, fault.NotFound):
			reason = AccountRemoved
		case err != nil:
			return Verdict{}, fmt.Errorf("account of a key to verify: %w", err)
		case account.Disabled:
			reason = AccountDisabled
		}
	}
	if reason == Valid {
		v.noteUse(ctx, key, interval)
	}
	return Verdict{Reason: reason, Key: key}, nil
}
