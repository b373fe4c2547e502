package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"latchkey/shared/operation"
)

// How memory is judged. In the first quarter of a load processes start, pools and caches
// fill, and heaps find their size. After it the median of the last quarter may exceed that
// of the second by what is allowed:
//
//   - to every program 3 MiB. None keeps more on purpose: that the use of 10,000 keys was
//     noted is a megabyte
//   - to a function's process whatever it is up to 36 MiB. With the catalogue's setting of
//     Go's runtime a heap is collected for the first time at 16 MB, when the process has
//     some 30, and that comes late to a function that is seldom called
//   - to the emulator a kibibyte besides for each change of a key in the half of the load
//     that lies between the middles of these quarters: it remembers the token of each
//     transaction for ten minutes, as DynamoDB does [token], which takes about 530 bytes
//
// So what keeps eight kilobytes of each validation is found within a minute on two cores,
// and what keeps less by a longer load.
//
// [token]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	looks            = 240 // in a load
	lookAtLeast      = 100 * time.Millisecond
	minJudged        = 30 * time.Second
	minInQuarter     = 5
	allowed          = 3 << 20  // bytes
	allowedForChange = 1 << 10  // bytes
	uncollected      = 36 << 20 // bytes
)

// A Growth is how the memory of a program's largest process has changed, in bytes.
type Growth struct {
	Program      string
	Second, Last int64 // medians of the quarters of the load
	Allowed      int64 // by which the last may exceed the second
	InAnyCase    int64 // up to which it may have grown however much
}

// IsTooMuch reports whether it is more than what is allowed.
func (g Growth) IsTooMuch() bool { return g.Last-g.Second > g.Allowed && g.Last > g.InAnyCase }

// A memory has the sizes of the stack's processes.
type memory struct {
	root     int
	emulator string
	duration time.Duration
	sizes    map[string][]size
	problem  error
}

type size struct {
	at    time.Duration
	bytes int64
}

func newMemory(config Config) *memory {
	return &memory{root: config.PID, emulator: config.Emulator, duration: config.Duration, sizes: map[string][]size{}}
}

// watch looks until the context ends, or once if it cannot.
func (m *memory) watch(ctx context.Context) {
	if m.root == 0 {
		return
	}
	began := time.Now()
	ticker := time.NewTicker(max(lookAtLeast, m.duration/looks))
	defer ticker.Stop()
	for m.problem == nil {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.look(time.Since(began))
		}
	}
}

func (m *memory) look(at time.Duration) {
	all, err := processes()
	if err != nil {
		m.problem = fmt.Errorf("memory: %w", err)
		return
	}
	largest := map[string]int64{}
	for _, p := range below(all, m.root) {
		largest[p.program] = max(largest[p.program], p.resident)
	}
	for program, bytes := range largest {
		m.add(program, at, bytes)
	}
}

func (m *memory) add(program string, at time.Duration, bytes int64) {
	m.sizes[program] = append(m.sizes[program], size{at, bytes})
}

// growths are of the programs that were seen often enough in both quarters, by name.
func (m *memory) growths(changes int) []Growth {
	var all []Growth
	for _, program := range slices.Sorted(maps.Keys(m.sizes)) {
		second, enough1 := m.median(program, m.duration/4, m.duration/2)
		last, enough2 := m.median(program, m.duration*3/4, m.duration)
		if enough1 && enough2 {
			growth := Growth{Program: program, Second: second, Last: last, Allowed: m.allowed(program, changes)}
			if _, isFunction := operation.Named(program); isFunction {
				growth.InAnyCase = uncollected
			}
			all = append(all, growth)
		}
	}
	return all
}

func (m *memory) allowed(program string, changes int) int64 {
	if program != m.emulator {
		return allowed
	}
	return allowed + int64(changes/2)*allowedForChange
}

func (m *memory) median(program string, from, to time.Duration) (bytes int64, enough bool) {
	var within []int64
	for _, s := range m.sizes[program] {
		if from <= s.at && s.at < to {
			within = append(within, s.bytes)
		}
	}
	if len(within) < minInQuarter {
		return 0, false
	}
	slices.Sort(within)
	return within[len(within)/2], true
}

// unjudged is why memory is not judged, empty where it is.
func (m *memory) unjudged() string {
	switch {
	case m.root == 0:
		return "nobody said whose"
	case m.duration < minJudged:
		return fmt.Sprintf("a load of less than %v is all warm-up", minJudged)
	default:
		return ""
	}
}
