package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// What is done how often, in percent. What is left changes how many keys there are.
const (
	validations  = 60
	refusals     = 10 // validations of what is to be refused
	lists        = 2
	accountLists = 2
	rotations    = 6
)

// prepare makes the namespace and its service accounts.
func (r *run) prepare(ctx context.Context) error {
	var err error
	if r.client, err = newClient(ctx, r.config, r.record); err != nil {
		return fmt.Errorf("administrator's key: %w", err)
	}
	for i := range accounts {
		id, err := r.client.createAccount(ctx, fmt.Sprintf("load-%d", i))
		if err != nil {
			return fmt.Errorf("service account: %w", err)
		}
		r.accounts = append(r.accounts, id)
	}
	return nil
}

// step is one of a client's, by chance.
func (r *run) step(ctx context.Context) {
	chance := rand.IntN(100)
	for _, choice := range []struct {
		percent int
		do      func(context.Context)
	}{
		{validations, r.validate},
		{refusals, r.validateRefused},
		{lists, r.list},
		{accountLists, r.listAccount},
		{rotations, r.rotate},
		{100, r.changeCount},
	} {
		if chance < choice.percent {
			choice.do(ctx)
			return
		}
		chance -= choice.percent
	}
}

// changeCount keeps the number of keys about where it is to be.
func (r *run) changeCount(ctx context.Context) {
	few := r.ledger.count(alive)+r.ledger.count(pending) < r.config.Keys
	switch {
	case few && r.mayMake():
		r.create(ctx)
	case !few:
		r.remove(ctx)
	}
}

// mayMake reports whether the ledger has room for one more secret.
func (r *run) mayMake() bool { return r.ledger.made() < r.config.Made }

// create makes a key of the namespace or, as often, of an account.
func (r *run) create(ctx context.Context) {
	if rand.IntN(2) == 0 {
		k := r.ledger.begin("")
		full, err := r.client.createKey(ctx, k.name, "SYSTEM_ROLE_READ_ONLY")
		r.ledger.created(k, full, err)
		return
	}
	k := r.ledger.begin(r.anyAccount())
	full, err := r.client.createAccountKey(ctx, k.account, k.name)
	r.ledger.created(k, full, err)
}

func (r *run) anyAccount() string { return r.accounts[rand.IntN(len(r.accounts))] }

func (r *run) remove(ctx context.Context) {
	if k := r.ledger.toDelete(); k != nil {
		r.ledger.deleted(k, r.client.remove(ctx, k.account, k.id))
	}
}

func (r *run) rotate(ctx context.Context) {
	if !r.mayMake() {
		return
	}
	if k := r.ledger.toRotate(); k != nil {
		full, err := r.client.rotate(ctx, k.account, k.id)
		r.ledger.rotated(k, full, err)
	}
}

// validate holds a good key's verdict to the ledger, unless somebody was changing it.
func (r *run) validate(ctx context.Context) {
	seen, ok := r.ledger.glance(alive)
	if !ok {
		return
	}
	valid, err := r.client.validate(ctx, seen.full)
	if err == nil && !valid && r.ledger.isSettled(seen) {
		r.record.breach(LiveRefused, seen.key.id)
	}
}

// validateRefused asks about a key that is gone, or a secret that was replaced. Nothing
// can make them good again.
func (r *run) validateRefused(ctx context.Context) {
	seen, ok := r.ledger.glance(gone)
	breach := DeletedAccepted
	if rand.IntN(2) == 0 {
		seen, ok = r.ledger.glanceReplaced()
		breach = ReplacedAccepted
	}
	if !ok {
		return
	}
	if valid, err := r.client.validate(ctx, seen.full); err == nil && valid {
		r.record.breach(breach, seen.key.id)
	}
}

func (r *run) list(ctx context.Context) {
	r.compare("", func() ([]listed, error) { return r.client.list(ctx) })
}

func (r *run) listAccount(ctx context.Context) {
	account := r.anyAccount()
	r.compare(account, func() ([]listed, error) { return r.client.listAccount(ctx, account) })
}

// compare holds a list of an account's keys, or of all, to the ledger.
func (r *run) compare(account string, list func() ([]listed, error)) {
	before := time.Now().Add(-r.config.ListDelay)
	present := r.ledger.present(account, before)
	shown, err := list()
	if err != nil {
		return
	}
	times := map[string]int{}
	for _, key := range shown {
		times[key.id]++
		if times[key.id] == 2 {
			r.record.breach(ShownTwice, key.id)
		}
		if r.ledger.wasGone(key.id, before) {
			r.record.breach(DeletedShown, key.id)
		}
	}
	for _, id := range present {
		if times[id] == 0 && r.ledger.isStaying(id) {
			r.record.breach(LiveNotShown, id)
		}
	}
}
