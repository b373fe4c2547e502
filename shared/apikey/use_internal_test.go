package apikey

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of many uses at once a process notes one, however many keys it remembers; and it
// remembers no more than it may.
func TestNotebook(t *testing.T) {
	noon := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	n := notebook{noted: map[Locator]time.Time{}}
	var due atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			if n.isDue(Locator{}, noon, useInterval) {
				due.Add(1)
			}
		})
	}
	group.Wait()
	if due.Load() != 1 {
		t.Errorf("%d of 64 uses at once are to be noted", due.Load())
	}
	for i := range 3 * maxNoted {
		var at Locator
		binary.BigEndian.PutUint64(at.ID[:], uint64(i+1))
		if !n.isDue(at, noon, useInterval) || n.isDue(at, noon.Add(useInterval-1), useInterval) {
			t.Fatalf("the first use of key %d, and no second one, is to be noted", i)
		}
		if len(n.noted) > maxNoted {
			t.Fatalf("%d keys are remembered", len(n.noted))
		}
	}
}
