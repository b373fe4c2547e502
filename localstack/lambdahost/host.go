// Package lambdahost runs function binaries as Lambda runs them: each is built
// for Lambda and does not notice the difference.
//
// One loopback listener serves two of Lambda's APIs:
//
//   - the Runtime API, from which a function process fetches its events. Each
//     process has a path of its own, so that the host knows who asks:
//     AWS_LAMBDA_RUNTIME_API=127.0.0.1:<port>/w/<process>
//   - the Invoke API, so that the AWS SDK's Lambda client can call a function:
//     AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:<port>
//
// Every function has a pool of processes, with one event in each at a time. A
// process is started when an event finds all others busy, up to a limit; then
// the event waits, because in Lambda there would be more processes. A process
// that has been idle for a while is ended, one that exceeds the function's
// timeout is killed, and one that has ended is replaced with the next event.
//
// An event is never given to two processes. So a process that dies while it is
// idle can cost an event: until the host has noticed, the process's open request
// for its next event still takes one. Nobody can tell then whether the process
// began to work on it, so the caller gets the error of a crash, behind the gateway
// a 500, and no other process gets the event.
//
// A web page that a developer visits can send requests to loopback addresses.
// So the listener refuses what carries an Origin, or a Host that is not its own;
// and the name of a process is random. The DynamoDB emulator beside it has no such
// guard: a page that finds its port can read and write all data, as package
// emulator says. Local data are for development only.
//
// What is as in Lambda, and where that is written:
//
//	a process handles one event at a time            [runtime]
//	next, response, error and init error; headers    [api]
//	413 for a response that is too large             [api]
//	init takes 10 s at most                          [runtime]
//	a failed process is replaced                     [runtime]
//	6 MB for event and response                      [quotas]
//	Invoke's headers, status codes and errors        [invoke]
//	the variables that every function has            [variables]
//
// What no page of AWS's states and is not verified: the texts of errorMessage for
// a crash, a timeout and a response that is too large; that 6 MB means 6,291,456
// bytes of an event and 100 more of a response; that no payload at all arrives
// as {}.
//
//	[runtime]   https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
//	[api]       https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
//	[quotas]    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
//	[invoke]    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
//	[variables] https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
package lambdahost

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"latchkey/shared/operation"
)

// The sizes in bytes up to which Lambda takes an event and a response.
const (
	MaxEvent    = 6 << 20
	MaxResponse = MaxEvent + 100
)

// Defaults of a Config.
const (
	DefaultMaxProcesses = 8
	DefaultIdle         = 60 * time.Second
)

const (
	defaultAddr       = "127.0.0.1:0"
	readHeaderTimeout = 10 * time.Second
)

// ErrUnknownFunction says that no operation has the name.
var ErrUnknownFunction = errors.New("unknown function")

// ErrEventTooLarge says that an event exceeds MaxEvent.
var ErrEventTooLarge = errors.New("event over 6 MB")

// ErrClosed says that the host has been closed.
var ErrClosed = errors.New("functions are stopped")

// Config says what to host. Only Dir must be set.
type Config struct {
	Dir          string                // holds one binary per operation, named after it
	Operations   []operation.Operation // nil: the whole catalogue
	Addr         string                // where to listen; empty: a free loopback port
	MaxProcesses int                   // of one function; 0: DefaultMaxProcesses
	Idle         time.Duration         // after which a process is ended; 0: DefaultIdle
	Log          io.Writer             // what functions print, line by line; nil: nowhere

	// Environment adds to the variables of an operation's processes, or
	// replaces them. Nil: nothing.
	Environment func(operation.Operation) map[string]string
}

// A Host runs functions until it is closed.
type Host struct {
	config   Config
	listener net.Listener
	server   *http.Server
	pools    map[string]*pool
	log      *lineLog

	// starting is held for reading while a process is started, and for writing
	// to forbid that.
	starting sync.RWMutex
	closed   bool
	watchers sync.WaitGroup // added to while starting is held

	mu      sync.Mutex
	workers map[string]*worker
}

// Start checks that every operation has its binary and serves both APIs. No
// process runs before the first event.
func Start(config Config) (*Host, error) {
	config = withDefaults(config)
	if err := checkBinaries(config); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("function host: %w", err)
	}
	h := &Host{
		config: config, listener: listener, log: &lineLog{out: config.Log},
		pools: map[string]*pool{}, workers: map[string]*worker{},
	}
	for _, op := range config.Operations {
		h.pools[op.Name] = newPool(h, op, config.MaxProcesses)
	}
	h.server = &http.Server{Handler: h.guard(h.routes()), ReadHeaderTimeout: readHeaderTimeout}
	go h.serve()
	return h, nil
}

func withDefaults(config Config) Config {
	config.MaxProcesses = cmp.Or(config.MaxProcesses, DefaultMaxProcesses)
	config.Idle = cmp.Or(config.Idle, DefaultIdle)
	config.Addr = cmp.Or(config.Addr, defaultAddr)
	if config.Operations == nil {
		config.Operations = operation.All
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	if config.Environment == nil {
		config.Environment = func(operation.Operation) map[string]string { return nil }
	}
	return config
}

func checkBinaries(config Config) error {
	for _, op := range config.Operations {
		info, err := os.Stat(filepath.Join(config.Dir, op.Name))
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("no binary of the function %s in %s: run `make build`", op.Name, config.Dir)
		}
	}
	return nil
}

func (h *Host) serve() {
	if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
		h.log.printf("function host: %v", err)
	}
}

// URL is the base URL of both APIs, without a slash at its end.
func (h *Host) URL() string { return "http://" + h.address() }

func (h *Host) address() string { return h.listener.Addr().String() }

// Close ends every process at once, then the listener. After it nothing is
// written to the log.
func (h *Host) Close() error {
	h.starting.Lock()
	h.closed = true
	h.starting.Unlock()

	var ended sync.WaitGroup
	for _, w := range h.running() {
		ended.Go(w.process.Kill)
	}
	ended.Wait()
	h.watchers.Wait()
	err := h.server.Close()
	h.log.close()
	return err
}

// Processes is the number of processes that a function has now.
func (h *Host) Processes(op operation.Operation) int {
	count := 0
	for _, w := range h.running() {
		if w.pool.op.Name == op.Name {
			count++
		}
	}
	return count
}

func (h *Host) running() []*worker {
	h.mu.Lock()
	defer h.mu.Unlock()
	workers := make([]*worker, 0, len(h.workers))
	for _, w := range h.workers {
		workers = append(workers, w)
	}
	return workers
}

func (h *Host) worker(id string) (*worker, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w, ok := h.workers[id]
	return w, ok
}

// Invoke gives an event to a function and returns its response. An error of the
// function itself, be it reported, a crash or a timeout, is a *FunctionError.
//
// When the context ends first, Invoke returns, and the function goes on, as in
// Lambda, where the caller's going away does not end an invocation.
func (h *Host) Invoke(ctx context.Context, op operation.Operation, event []byte) ([]byte, error) {
	p, ok := h.pools[op.Name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", op.Name, ErrUnknownFunction)
	}
	if len(event) > MaxEvent {
		return nil, fmt.Errorf("%s: %w", op.Name, ErrEventTooLarge)
	}
	w, err := p.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	done := make(chan outcome, 1)
	go func() { done <- p.run(ctx, w, newInvocation(event)) }()
	select {
	case out := <-done:
		return out.payload, out.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", op.Name, ctx.Err())
	}
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
