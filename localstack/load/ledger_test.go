package load

import (
	"errors"
	"testing"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"
)

var errLost = errors.New("lost")

// withKey has one key, of an account.
func withKey(t *testing.T) (*ledger, *key) {
	t.Helper()
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	full, err := apikey.ParseFullKey(vectors.Accepted[0].FullKey)
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger()
	k := l.begin("account")
	l.created(k, full, nil)
	return l, k
}

// What was seen of a key is only held against a verdict if nobody was changing it.
func TestSettled(t *testing.T) {
	rotate := func(err error) func(*ledger) {
		return func(l *ledger) { k := l.toRotate(); l.rotated(k, k.full, err) }
	}
	remove := func(err error) func(*ledger) {
		return func(l *ledger) { l.deleted(l.toDelete(), err) }
	}
	nothing := func(*ledger) {}
	for _, test := range []struct {
		name          string
		before, while func(*ledger)
		want          bool
	}{
		{"nothing happens", nothing, nothing, true},
		{"it was rotated before", rotate(nil), nothing, true},
		{"a rotation goes on", func(l *ledger) { l.toRotate() }, nothing, false},
		{"a rotation begins", nothing, func(l *ledger) { l.toRotate() }, false},
		{"it is rotated", nothing, rotate(nil), false},
		{"it is deleted", nothing, remove(nil), false},
		{"its deletion gets lost", nothing, remove(errLost), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := withKey(t)
			test.before(l)
			seen, ok := l.glance(alive)
			test.while(l)
			if !ok || l.isSettled(seen) != test.want {
				t.Errorf("seen: %t, settled: %t", ok, !test.want)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want state
	}{
		{"acknowledged", nil, gone},
		{"answered otherwise", &refusal{404}, doubted},
		{"lost", errLost, doubted},
	} {
		l, k := withKey(t)
		l.deleted(l.toDelete(), test.err)
		if k.state != test.want || l.count(test.want) != 1 || l.isStaying(k.id) {
			t.Errorf("a deletion that is %s: state %d", test.name, k.state)
		}
		if l.wasGone(k.id, time.Now().Add(time.Second)) != (test.want == gone) || l.wasGone(k.id, k.since) {
			t.Errorf("a deletion that is %s: gone before its time, or never", test.name)
		}
	}
}

func TestOneChangesAKeyAtATime(t *testing.T) {
	l, k := withKey(t)
	if l.toRotate() != k || l.toRotate() != nil || l.toDelete() != nil {
		t.Error("two change one key")
	}
	if !l.isStaying(k.id) {
		t.Error("a key that is being rotated may be missing in lists")
	}
	l.rotated(k, k.full, nil)
	if l.toDelete() != k || l.isStaying(k.id) {
		t.Error("a key that is being deleted must be in lists")
	}
}
