package apikey

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"latchkey/shared/access"
)

const (
	// Of the uses of a key one in so long is noted, and each login.
	useInterval   = time.Minute
	loginInterval = 0
	// An answer does not wait longer for the note that a key was used.
	useWait = time.Second
	// How many keys a process remembers to have noted, about a hundred bytes each.
	maxNoted = 10_000
)

// A notebook remembers when this process last noted a key's use.
type notebook struct {
	mu    sync.Mutex
	noted map[Locator]time.Time
}

// isDue tells whether a use at now is to be noted, of which one in an interval is enough,
// and takes it for noted then: a store that does not answer is not asked again at once.
func (n *notebook) isDue(at Locator, now time.Time, interval time.Duration) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.noted[at]; ok && now.Sub(last) < interval {
		return false
	}
	if len(n.noted) >= maxNoted {
		clear(n.noted)
	}
	n.noted[at] = now
	return true
}

// noteUse stores that a key was used, unless it was within the interval, before the
// answer, as a process may be frozen behind it. Only an account's key shows when it was
// used. That it could not be stored is a line in the log: the key is as good as before.
func (v *Verifier) noteUse(ctx context.Context, key Key, interval time.Duration) {
	now := v.clock().UTC()
	if key.Account.IsZero() || !v.notebook.isDue(key.Locator, now, interval) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, useWait)
	defer cancel()
	if err := v.records.NoteUse(ctx, key.Locator, now, now.Add(-interval)); err != nil {
		v.log.LogAttrs(ctx, slog.LevelWarn, "use of a key was not noted",
			slog.String("key", key.Locator.ID.String()), slog.String("error", err.Error()))
	}
}

// AddUses completes keys with when they were last used. Forbidden: the caller may not
// read one of them.
func (s *Service) AddUses(ctx context.Context, caller access.Caller, keys []Key) error {
	for _, key := range keys {
		if err := caller.Require(access.Read, access.APIKey, key.Locator.Namespace); err != nil {
			return err
		}
	}
	if err := s.store.AddUses(ctx, keys); err != nil {
		return fmt.Errorf("uses of keys: %w", err)
	}
	return nil
}
