package load

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"latchkey/shared/apikey"
)

// A state is what is known of a key.
type state int

const (
	pending state = iota // its creation has no answer yet
	alive                // its creation was acknowledged
	gone                 // its deletion was acknowledged
	doubted              // a change of it was not acknowledged, and may have happened
	states
)

// A key is a line of the ledger. Its name and account never change, nor does its id once it
// is there; all else belongs to the ledger's lock.
type key struct {
	name    string
	account string // its id; empty: the namespace itself
	id      string // from its creation on

	state    state
	since    time.Time        // when it came to its state
	place    int              // among those of its state
	full     apikey.FullKey   // the newest that was acknowledged
	replaced []apikey.FullKey // by rotations

	changing bool // somebody rotates or deletes it
	deleting bool
	changes  int // that were begun
}

// A ledger has what was acknowledged.
type ledger struct {
	mu      sync.Mutex
	begun   int // creations
	byState [states][]*key
	byID    map[string]*key

	secrets   int // that were ever made, or may have been
	rotations int // that were acknowledged
}

func newLedger() *ledger { return &ledger{byID: map[string]*key{}} }

// move files a key under another state.
func (l *ledger) move(k *key, to state) {
	from := l.byState[k.state]
	last := from[len(from)-1]
	from[k.place], last.place = last, k.place
	l.byState[k.state] = from[:len(from)-1]
	l.file(k, to)
}

func (l *ledger) file(k *key, to state) {
	k.state, k.place, k.since = to, len(l.byState[to]), time.Now()
	l.byState[to] = append(l.byState[to], k)
}

// begin enters a key that is about to be created.
func (l *ledger) begin(account string) *key {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := &key{name: fmt.Sprintf("load-%d", l.begun), account: account}
	l.begun++
	l.secrets++
	l.file(k, pending)
	return k
}

// created enters the outcome of a creation.
func (l *ledger) created(k *key, full apikey.FullKey, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.move(k, doubted)
		return
	}
	k.full, k.id = full, full.Locator.ID.String()
	l.byID[k.id] = k
	l.move(k, alive)
}

// toDelete is a key that is the caller's alone to delete, nil where chance finds none.
// Others may go on to validate it.
func (l *ledger) toDelete() *key {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.unchanging(func(*key) bool { return true })
	if k != nil {
		k.deleting = true
	}
	return k
}

// toRotate is the same of a key to rotate, which one of an account is.
func (l *ledger) toRotate() *key {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unchanging(func(k *key) bool { return k.account != "" })
}

func (l *ledger) unchanging(suits func(*key) bool) *key {
	const tries = 16
	for range tries {
		k := l.any(alive)
		if k != nil && !k.changing && suits(k) {
			k.changing, k.changes = true, k.changes+1
			return k
		}
	}
	return nil
}

// any is a key of a state by chance, nil where there is none.
func (l *ledger) any(of state) *key {
	keys := l.byState[of]
	if len(keys) == 0 {
		return nil
	}
	return keys[rand.IntN(len(keys))]
}

// deleted enters the outcome of a deletion.
func (l *ledger) deleted(k *key, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.changing, k.deleting = false, false
	if err != nil {
		l.move(k, doubted)
		return
	}
	l.move(k, gone)
}

// rotated enters the outcome of a rotation.
func (l *ledger) rotated(k *key, full apikey.FullKey, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets++
	k.changing = false
	if err != nil {
		l.move(k, doubted)
		return
	}
	k.replaced = append(k.replaced, k.full)
	k.full = full
	l.rotations++
}

// A glimpse is what a key was like when somebody began to look at it.
type glimpse struct {
	key      *key
	full     apikey.FullKey
	changing bool
	changes  int
}

func (l *ledger) look(k *key) glimpse {
	return glimpse{key: k, full: k.full, changing: k.changing, changes: k.changes}
}

// glance looks at a key of a state by chance. It reports false where there is none.
func (l *ledger) glance(of state) (glimpse, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.any(of)
	if k == nil {
		return glimpse{}, false
	}
	return l.look(k), true
}

// glanceReplaced looks at a secret by chance that a rotation has replaced. What has
// happened to its key since then does not matter.
func (l *ledger) glanceReplaced() (glimpse, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.any(alive)
	if k == nil || len(k.replaced) == 0 {
		return glimpse{}, false
	}
	g := l.look(k)
	g.full = k.replaced[rand.IntN(len(k.replaced))]
	return g, true
}

// isSettled reports whether nobody was changing the key at any time since.
func (l *ledger) isSettled(g glimpse) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !g.changing && g.changes == g.key.changes
}

// present is the ids of the keys of an account, or of all with an empty one, that were
// alive before a time.
func (l *ledger) present(account string, before time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for _, k := range l.byState[alive] {
		if (account == "" || account == k.account) && k.since.Before(before) {
			ids = append(ids, k.id)
		}
	}
	return ids
}

// isStaying reports whether the key with an id is alive, and nobody has tried to end that.
func (l *ledger) isStaying(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.byID[id]
	return k != nil && k.state == alive && !k.deleting
}

// wasGone reports whether the key with an id was deleted before a time.
func (l *ledger) wasGone(id string, before time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.byID[id]
	return k != nil && k.state == gone && k.since.Before(before)
}

// names is those of the keys that were made, or may have been.
func (l *ledger) names() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := map[string]bool{}
	for _, of := range []state{alive, gone, doubted} {
		for _, k := range l.byState[of] {
			names[k.name] = true
		}
	}
	return names
}

func (l *ledger) count(of state) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byState[of])
}

// made is how many secrets were ever made, or may have been.
func (l *ledger) made() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.secrets
}

// hasAll reports whether there was a creation, a rotation and a deletion.
func (l *ledger) hasAll() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byID) > 0 && l.rotations > 0 && len(l.byState[gone]) > 0
}
