// Package load puts a stack under load and then looks whether it has kept its word.
//
// Clients create, validate, list, rotate and delete keys, of a namespace and of service
// accounts in it, each one request at a time. A ledger has what was acknowledged: which
// keys there are, with which secrets, and which are gone. While the load runs, answers
// are held to it:
//
//   - a key that nobody was changing meanwhile is valid with its secret
//   - a key that was deleted, and a secret that was replaced, is refused
//   - a list shows every key that was there throughout, once, and none that was deleted
//     before it began; a key counts as one a second after its creation or deletion, as
//     lists are eventually consistent
//
// Then every request gets its answer, and the audit looks at all that was acknowledged:
//
//   - what is alive is found by its id, shown by the lists, and valid
//   - what was deleted is neither found nor shown, and refused
//   - every secret that was replaced is refused; rotations keep the old one for no time
//   - the list of the namespace shows nothing that the ledger does not have
//
// A change that was not answered, or not with 200, may have happened or not: also a 404
// may be the answer to the second try of a deletion whose first one was done, and whose
// answer got lost between a function and its table. It is an error, and its key is in doubt
// from then on: nobody touches it, and nothing is said of it.
//
// Everything is bounded: the clients, the keys alive at once, the keys and secrets ever
// made, which the ledger holds, and by a limit the time of it all. Each run has a
// namespace of its own, so that it can share a stack with others.
//
// Memory is the resident set of the largest process of each program below the stack's,
// as newcomers to a pool would lower an average; see Growth for what it may do.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"latchkey/shared/apikey"
)

// Defaults of a Config.
const (
	DefaultDuration = time.Minute
	DefaultClients  = 8
	DefaultKeys     = 400
)

// Bounds of a Config. A service account's keys are listed in one page, of MaxKeys at most.
const (
	MaxClients = 256
	MaxKeys    = 10_000
)

const (
	defaultMade   = 100_000 // half a kilobyte each
	progressEvery = 5 * time.Second
	// On DynamoDB it is a fraction of that.
	defaultListDelay = time.Second
	accounts         = 4
	// A run whose errors and breaches are so many has nothing more to tell.
	enough = 1_000
)

// Config says whom to put under how much load. URL and Key must be set.
type Config struct {
	URL string         // of the HTTP API, without a slash at its end
	Key apikey.FullKey // an administrator's, which reaches below its namespace

	PID      int    // of the stack's process; 0: memory is not looked at
	Emulator string // the name of its program, which may remember transactions; empty: none

	Duration time.Duration // of the load, without the audit; 0: DefaultDuration
	Limit    time.Duration // of load and audit; 0: twice the duration and a minute
	Clients  int           // 0: DefaultClients; MaxClients at most
	Keys     int           // alive at once, about; 0: DefaultKeys; MaxKeys at most
	Made     int           // keys and secrets ever made, about; 0: 100,000

	ListDelay time.Duration // how long lists may be behind; 0: a second

	Transport http.RoundTripper // nil: connections of its own
	Progress  io.Writer         // a line every five seconds; nil: nowhere
}

func (c Config) check() error {
	switch {
	case c.Clients < 1 || c.Clients > MaxClients:
		return fmt.Errorf("clients: %d is not between 1 and %d", c.Clients, MaxClients)
	case c.Keys < 1 || c.Keys > MaxKeys:
		return fmt.Errorf("keys: %d is not between 1 and %d", c.Keys, MaxKeys)
	case c.Made <= c.Keys:
		return fmt.Errorf("made: %d leaves nothing to delete of %d keys", c.Made, c.Keys)
	case c.Duration < 0 || c.Limit < c.Duration:
		return errors.New("the load takes no time, or more than its limit")
	}
	return nil
}

func withDefaults(config Config) Config {
	config.Duration = cmp.Or(config.Duration, DefaultDuration)
	config.Limit = cmp.Or(config.Limit, 2*config.Duration+time.Minute)
	config.Clients = cmp.Or(config.Clients, DefaultClients)
	config.Keys = cmp.Or(config.Keys, DefaultKeys)
	config.Made = cmp.Or(config.Made, defaultMade)
	config.ListDelay = cmp.Or(config.ListDelay, defaultListDelay)
	if config.Transport == nil {
		config.Transport = &http.Transport{MaxIdleConns: config.Clients, MaxIdleConnsPerHost: config.Clients}
	}
	if config.Progress == nil {
		config.Progress = io.Discard
	}
	return config
}

// A run is one load and its audit.
type run struct {
	config   Config
	client   *client
	accounts []string // ids
	ledger   *ledger
	record   *recorder
	memory   *memory
	began    time.Time
}

// Run puts a stack under load and audits it. What the stack did wrong is in the report;
// an error says that there was no load at all.
func Run(ctx context.Context, config Config) (*Report, error) {
	config = withDefaults(config)
	if err := config.check(); err != nil {
		return nil, err
	}
	r := &run{config: config, ledger: newLedger(), record: newRecorder(), memory: newMemory(config)}
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("preparation of the load: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	r.began = time.Now()
	r.load(limited)
	took := time.Since(r.began)
	audited := r.audit(limited)
	return r.report(limited, took, audited), nil
}

// load has the clients work until the time is over, and waits for their last answers. A
// load that is too short for one of each change goes on for so long.
func (r *run) load(ctx context.Context) {
	r.phase(ctx, "load", func(ctx context.Context) {
		for time.Since(r.began) < r.config.Duration || !r.ledger.hasAll() {
			if ctx.Err() != nil || r.record.troubles() >= enough {
				return
			}
			r.step(ctx)
		}
	}, r.memory.watch)
}

// phase has every client work, while progress is told and others watch.
func (r *run) phase(ctx context.Context, name string, work func(context.Context), watch ...func(context.Context)) {
	watched, stop := context.WithCancel(ctx)
	var clients, watchers sync.WaitGroup
	watchers.Go(func() { r.tell(watched, name) })
	for _, watch := range watch {
		watchers.Go(func() { watch(watched) })
	}
	for range r.config.Clients {
		clients.Go(func() { work(ctx) })
	}
	clients.Wait()
	stop()
	watchers.Wait()
}

// tell writes a line of progress now and then.
func (r *run) tell(ctx context.Context, phase string) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	requests := r.record.requests()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		before := requests
		requests = r.record.requests()
		fmt.Fprintf(r.config.Progress, "%5.0fs  %s: %d requests, %.0f/s, %d errors and breaches, %d keys alive\n",
			time.Since(r.began).Seconds(), phase, requests, float64(requests-before)/progressEvery.Seconds(),
			r.record.troubles(), r.ledger.count(alive))
	}
}
