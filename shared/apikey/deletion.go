package apikey

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// deletionReserve is how long before its caller's deadline DeleteNamespace begins nothing
// new. One deletion takes some milliseconds, and up to so long while the store hardly
// answers.
const deletionReserve = 20 * time.Second

// A Deletion is what one call of DeleteNamespace has come to.
type Deletion struct {
	Keys     int  // that it deleted
	Accounts int  // that it deleted
	Complete bool // it looked for everything and found nothing to delete
}

// DeleteNamespace deletes the keys and then the service accounts of a namespace and of all
// below it, at most so many together and as many as there is time for until the context's
// deadline. It is to be called again until it is complete, also after an error, with which
// it tells what it has deleted all the same, and then once more after a pause: what was
// being made may show only then. Whoever makes keys as fast as it deletes them can hold it
// off; see the package comment. It asks for no caller: who may invoke it is IAM's decision.
func (s *Service) DeleteNamespace(ctx context.Context, ns namespace.Namespace, most int) (Deletion, error) {
	soon, cancel := endingSooner(ctx, deletionReserve)
	defer cancel()
	allowed := &allowance{left: most, isLate: func() bool { return soon.Err() != nil }}
	var done Deletion
	var err error
	done.Keys, err = deleteEach(allowed, s.store.SubtreeKeys(ctx, ns), func(key Key) error {
		return s.store.Delete(ctx, key)
	})
	if err != nil {
		return done, fmt.Errorf("keys of a namespace to delete: %w", err)
	}
	done.Accounts, err = deleteEach(allowed, s.store.SubtreeAccounts(ctx, ns), func(account Account) error {
		return s.removeAccount(ctx, account)
	})
	if err != nil {
		return done, fmt.Errorf("accounts of a namespace to delete: %w", err)
	}
	done.Complete = !allowed.isExceeded && done.Keys+done.Accounts == 0
	return done, nil
}

// endingSooner gives a context that ends so long before another's deadline.
func endingSooner(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}

// removeAccount deletes an account and does not wait for others to purge it.
func (s *Service) removeAccount(ctx context.Context, account Account) error {
	if err := s.store.MarkAccount(ctx, account, s.clock().UTC()); err != nil {
		return err
	}
	return s.PurgeAccount(ctx, account.Locator())
}

// An allowance says how much may still be deleted.
type allowance struct {
	left       int
	isLate     func() bool
	isExceeded bool // something was left for the next time, or may have been
}

func (a *allowance) has() bool {
	a.isExceeded = a.isExceeded || a.left <= 0 || a.isLate()
	return !a.isExceeded
}

// deleteEach deletes what is listed, as far as is allowed, and counts what it deleted. What
// a listing still shows of things that are gone is nothing to delete.
func deleteEach[T any](allowed *allowance, listed iter.Seq2[T, error], remove func(T) error) (int, error) {
	if !allowed.has() {
		return 0, nil
	}
	deleted := 0
	for each, err := range listed {
		if err != nil {
			return deleted, err
		}
		if !allowed.has() {
			break
		}
		switch err := remove(each); {
		case errors.Is(err, fault.NotFound):
		case err != nil:
			return deleted, err
		default:
			deleted++
			allowed.left--
		}
	}
	return deleted, nil
}
