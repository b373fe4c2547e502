package load

import (
	"math"
	"slices"
	"sync"
	"time"
)

// A Breach is a way not to keep one's word.
type Breach string

// The breaches.
const (
	LiveRefused      Breach = "a key that is alive is refused"
	LiveNotFound     Breach = "a key that is alive is not found by its id"
	LiveNotShown     Breach = "a key that is alive is not in a list"
	DeletedAccepted  Breach = "a key that was deleted is accepted"
	DeletedFound     Breach = "a key that was deleted is found by its id"
	DeletedShown     Breach = "a key that was deleted is in a list"
	ReplacedAccepted Breach = "a secret that was replaced is accepted"
	ShownTwice       Breach = "a key is twice in a list"
	StrangerShown    Breach = "a key that nobody has made is in a list"
)

const maxExamples = 5 // of each breach

// A Tally is how often a breach was seen.
type Tally struct {
	Count int
	Keys  []string // the ids of the first few
}

// A recorder counts what happens. Its size does not grow with how often.
type recorder struct {
	mu         sync.Mutex
	operations map[string]*latencies
	failed     map[string]int // by operation
	errors     map[string]int // by operation and what was wrong
	breaches   map[Breach]Tally
	sum        int // of requests
	trouble    int // errors and breaches
}

func newRecorder() *recorder {
	return &recorder{
		operations: map[string]*latencies{}, failed: map[string]int{}, errors: map[string]int{},
		breaches: map[Breach]Tally{},
	}
}

// add enters an answer of an operation, or that there was none.
func (r *recorder) add(operation string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.operations[operation] == nil {
		r.operations[operation] = &latencies{}
	}
	r.operations[operation].add(took)
	r.sum++
}

func (r *recorder) fail(operation, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[operation]++
	r.errors[operation+": "+what]++
	r.trouble++
}

// breach enters a breach about a key.
func (r *recorder) breach(what Breach, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tally := r.breaches[what]
	if tally.Count++; len(tally.Keys) < maxExamples && !slices.Contains(tally.Keys, id) {
		tally.Keys = append(tally.Keys, id)
	}
	r.breaches[what] = tally
	r.trouble++
}

func (r *recorder) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sum
}

func (r *recorder) troubles() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

// latencies are counted by size, each size 2 % larger than the one before, from a
// microsecond to ten minutes.
type latencies struct {
	count  int
	max    time.Duration
	bySize [sizes]int
}

const (
	sizes  = 1024
	growth = 1.02
)

func (l *latencies) add(took time.Duration) {
	size := int(math.Log(max(1, float64(took)/float64(time.Microsecond))) / math.Log(growth))
	l.bySize[min(size, sizes-1)]++
	l.count++
	l.max = max(l.max, took)
}

// quantile is the time within which a part of all has happened, at most 2 % too long.
func (l *latencies) quantile(part float64) time.Duration {
	rank, seen := int(math.Ceil(part*float64(l.count))), 0
	for size, count := range l.bySize {
		if seen += count; seen >= rank {
			upper := math.Pow(growth, float64(size+1)) * float64(time.Microsecond)
			return min(l.max, time.Duration(upper))
		}
	}
	return l.max
}
