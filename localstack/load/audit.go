package load

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"latchkey/shared/apikey"
)

// audit looks at every key that is alive or gone, now that nobody changes any, and returns
// how many it has looked at. Where that is not all of them, the report says so.
func (r *run) audit(ctx context.Context) int {
	time.Sleep(r.config.ListDelay) // so that lists show the last changes
	r.auditLists(ctx)
	all := slices.Concat(r.ledger.byState[alive], r.ledger.byState[gone])
	var next, done atomic.Int64
	r.phase(ctx, "audit", func(ctx context.Context) {
		for r.record.troubles() < enough {
			i := next.Add(1) - 1
			if i >= int64(len(all)) || ctx.Err() != nil {
				return
			}
			if r.auditKey(ctx, all[i]) {
				done.Add(1)
			}
		}
	})
	return int(done.Load())
}

// auditLists wants the lists to show what is alive and, of all else, what is in doubt and
// the administrator's key at most.
func (r *run) auditLists(ctx context.Context) {
	made := r.ledger.names()
	r.compare("", func() ([]listed, error) {
		shown, err := r.client.list(ctx)
		for _, key := range shown {
			if !made[key.name] && key.id != r.client.bearer.Locator.ID.String() {
				r.record.breach(StrangerShown, key.id)
			}
		}
		return shown, err
	})
	for _, account := range r.accounts {
		r.compare(account, func() ([]listed, error) { return r.client.listAccount(ctx, account) })
	}
}

// auditKey holds a key to the ledger. It reports false where it could not.
func (r *run) auditKey(ctx context.Context, k *key) bool {
	if k.state == alive {
		return r.wantFound(ctx, k, true, LiveNotFound) && r.wantValid(ctx, k, k.full, true, LiveRefused) &&
			r.wantReplacedRefused(ctx, k)
	}
	return r.wantFound(ctx, k, false, DeletedFound) && r.wantValid(ctx, k, k.full, false, DeletedAccepted) &&
		r.wantReplacedRefused(ctx, k)
}

func (r *run) wantFound(ctx context.Context, k *key, want bool, otherwise Breach) bool {
	found, err := r.client.exists(ctx, k.id)
	if err == nil && found != want {
		r.record.breach(otherwise, k.id)
	}
	return err == nil
}

func (r *run) wantValid(ctx context.Context, k *key, full apikey.FullKey, want bool, otherwise Breach) bool {
	valid, err := r.client.validate(ctx, full)
	if err == nil && valid != want {
		r.record.breach(otherwise, k.id)
	}
	return err == nil
}

func (r *run) wantReplacedRefused(ctx context.Context, k *key) bool {
	for _, full := range k.replaced {
		if !r.wantValid(ctx, k, full, false, ReplacedAccepted) {
			return false
		}
	}
	return true
}
