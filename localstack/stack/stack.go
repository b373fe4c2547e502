// Package stack assembles the local stack: an emulator of DynamoDB, the table,
// what stands in for KMS, the function host, the gateway, what TTL does, and what gives
// the changes of the table to functions. Beside it is an example of an API that Latchkey
// protects. The program localstack and the end-to-end tests start the same stack.
//
// What a stack must remember lies in its state directory, in files that only
// their owner may read:
//
//	lock                held while a stack runs: one stack for one directory
//	dynamodb.db         the emulator's data
//	root-key            the full key of the namespace demo's first administrator
//	session-keys        the private keys that session tokens are signed with, a file for each
//	stream.json         how much of the table's changes the functions have been given
//	dead-letters.jsonl  the changes that a function could not handle, if any; see package stream
//	stack.json          where the running stack is to be found
//	.gitignore          in a directory that a stack has made: none of this is to be committed
//
// Without a directory everything is in memory.
//
// The root key is made by the bootstrap function, like the first key of a
// deployment. Nobody but the root-key file holds it, so data without that file get
// one more key. A file whose key the validate-api-key function calls invalid at a
// start, because the data are others now or the key was deleted, is replaced.
package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"latchkey/infra/example"
	"latchkey/localstack/emulator"
	"latchkey/localstack/gateway"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/stream"
	"latchkey/localstack/table"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// Namespace is the namespace whose first administrator's key a stack makes.
const Namespace = "demo"

// Defaults of a Config.
const (
	DefaultAddr        = "127.0.0.1:8080"
	DefaultExampleAddr = "127.0.0.1:8081"
	DefaultTable       = "latchkey"
)

// How long a server lets a connection keep it waiting. A request may take all
// of readTimeout to arrive and all of the gateway's limit to be answered.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = readTimeout + gateway.DefaultTimeout
	idleTimeout       = 60 * time.Second
)

// Config says what to start. Only FunctionsDir must be set.
type Config struct {
	FunctionsDir string    // one binary per operation, named after it, and the example's
	Addr         string    // of the HTTP API; empty: DefaultAddr; port 0: a free one
	ExampleAddr  string    // of the example's API; empty: DefaultExampleAddr; port 0: a free one
	DataDir      string    // the state directory; empty: in memory
	Log          io.Writer // nil: nowhere
	MaxProcesses int       // of one function; 0: lambdahost.DefaultMaxProcesses

	DynamoDBEndpoint string        // replaces the emulator and leaves TTL to it
	Table            string        // its name; empty: DefaultTable
	WithoutStream    bool          // for load tests; nothing is given to functions
	SweepInterval    time.Duration // 0: table.SweepInterval
	Now              func() time.Time

	// NewSessionKey makes one more session key, which signs from this start on. Tokens
	// that older ones have signed are good until they expire.
	NewSessionKey bool

	// Environment adds to the variables of an operation's processes, or
	// replaces them. Nil: nothing.
	Environment func(operation.Operation) map[string]string
}

// A Stack serves until it is closed.
type Stack struct {
	config   Config
	state    *state
	host     *lambdahost.Host
	endpoint string
	url      string
	firstKey string

	exampleURL   string
	protectedAPI string // what the authorizer is told of the example

	keyService  string         // its URL
	sessionKeys []string       // the newest, which signs, first
	closers     []func() error // the last one first
}

// Start starts a stack and returns when it serves. The context bounds the start
// only; Close ends the stack.
func Start(ctx context.Context, config Config) (*Stack, error) {
	s := &Stack{config: withDefaults(config)}
	log := &syncWriter{out: s.config.Log}
	s.config.Log = log
	s.onClose(log.close)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func withDefaults(config Config) Config {
	config.Addr = cmp.Or(config.Addr, DefaultAddr)
	config.ExampleAddr = cmp.Or(config.ExampleAddr, DefaultExampleAddr)
	config.Table = cmp.Or(config.Table, DefaultTable)
	config.SweepInterval = cmp.Or(config.SweepInterval, table.SweepInterval)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Environment == nil {
		config.Environment = func(operation.Operation) map[string]string { return nil }
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	return config
}

// start puts what can be refused at once before what takes time.
func (s *Stack) start(ctx context.Context) error {
	var err error
	if s.state, err = openState(s.config.DataDir); err != nil {
		return err
	}
	s.onClose(s.state.close)
	listener, err := s.listen(s.config.Addr, "HTTP API", "ADDR=127.0.0.1:18080")
	if err != nil {
		return err
	}
	exampleListener, err := s.listen(s.config.ExampleAddr, "example", "EXAMPLE_ADDR=127.0.0.1:18081")
	if err != nil {
		return err
	}
	s.url, s.exampleURL = urlOf(listener), urlOf(exampleListener)
	if err := s.startParts(ctx); err != nil {
		return err
	}
	if err := s.serve(listener, gateway.Routes(), "HTTP API"); err != nil {
		return err
	}
	if err := s.serveExample(exampleListener); err != nil {
		return err
	}
	return s.state.tellRunning(Running{
		URL: s.url, ExampleURL: s.exampleURL, InvokeURL: s.InvokeURL(), DynamoDB: s.endpoint, Table: s.config.Table,
		PID: os.Getpid(),
	})
}

// startParts starts what the gateways need.
func (s *Stack) startParts(ctx context.Context) error {
	if err := s.startKeyService(); err != nil {
		return err
	}
	if err := s.startFunctions(); err != nil {
		return err
	}
	if err := s.startDynamoDB(ctx); err != nil {
		return err
	}
	if err := s.ensureRootKey(ctx); err != nil {
		return err
	}
	return s.startStream(ctx)
}

// listen takes an address of what is named, or says which other one to choose.
func (s *Stack) listen(address, what, other string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use: stop what uses it, or choose another one with "+
			"`make run %s`", address, other)
	}
	if err != nil {
		return nil, fmt.Errorf("address of the %s: %w", what, err)
	}
	s.onClose(func() error { return ignoreClosed(listener.Close()) })
	return listener, nil
}

// urlOf is where this machine reaches a listener.
func urlOf(listener net.Listener) string {
	addr := listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

func (s *Stack) startDynamoDB(ctx context.Context) error {
	s.endpoint = s.config.DynamoDBEndpoint
	if s.endpoint == "" {
		if err := s.state.makeDatabase(); err != nil {
			return err
		}
		e, err := emulator.Start(ctx, emulator.Config{Path: s.state.database(), Log: s.config.Log})
		if err != nil {
			return err
		}
		s.onClose(e.Close)
		s.endpoint = e.Endpoint()
	}
	var options []table.Option
	if s.config.WithoutStream {
		options = append(options, table.WithoutStream)
	}
	if err := table.Create(ctx, table.Client(s.endpoint), s.config.Table, options...); err != nil {
		return err
	}
	if s.config.DynamoDBEndpoint == "" {
		s.startSweeping()
	}
	return nil
}

func (s *Stack) startSweeping() {
	ctx, cancel := context.WithCancel(context.Background())
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		client := table.Client(s.endpoint)
		table.SweepEvery(ctx, client, s.config.Table, s.config.SweepInterval, s.config.Now, s.config.Log)
	})
	s.onClose(func() error {
		cancel()
		sweeping.Wait()
		return nil
	})
}

// startStream gives the changes of the table to the functions that want them.
func (s *Stack) startStream(ctx context.Context) error {
	poller, err := stream.Start(ctx, stream.Config{
		Tables: table.Client(s.endpoint), Streams: stream.Client(s.endpoint), Table: s.config.Table,
		Invoker: s.host, Dir: s.state.dir, Log: s.config.Log,
	})
	if err != nil {
		return err
	}
	s.onClose(poller.Close)
	return nil
}

func (s *Stack) startFunctions() error {
	var err error
	if s.protectedAPI, err = example.Sampled().Encode(); err != nil {
		return err
	}
	host, err := lambdahost.Start(lambdahost.Config{
		Dir: s.config.FunctionsDir, Operations: append(slices.Clip(operation.All), example.Orders),
		MaxProcesses: s.config.MaxProcesses, Log: s.config.Log, Environment: s.environment,
	})
	if err != nil {
		return err
	}
	s.onClose(host.Close)
	s.host = host
	return nil
}

func (s *Stack) environment(op operation.Operation) map[string]string {
	variables := map[string]string{}
	if op.Name != example.Orders.Name { // which is none of ours
		variables = map[string]string{
			operation.ServiceNameVariable:     serviceName,
			operation.DynamoDBVariable:        s.endpoint,
			operation.TableNameVariable:       s.config.Table,
			operation.KMSVariable:             s.keyService,
			operation.SessionKeysVariable:     strings.Join(s.sessionKeys, ","),
			operation.SessionIssuerVariable:   s.url,
			operation.SessionAudienceVariable: SessionAudience,
		}
	}
	if op.WritesItems() {
		variables[operation.RetentionVariable] = strconv.Itoa(schema.RetentionDays)
	}
	if op.Name == operation.Authorizer.Name {
		variables[operation.ProtectedAPIVariable] = s.protectedAPI
	}
	maps.Copy(variables, s.config.Environment(op))
	return variables
}

// serve serves routes through a gateway.
func (s *Stack) serve(listener net.Listener, routes []gateway.Route, what string) error {
	g, err := gateway.New(gateway.Config{
		Routes: routes, Invoker: s.host, Region: lambdahost.Region, Now: s.config.Now, Log: s.config.Log,
	})
	if err != nil {
		return err
	}
	s.serveOn(listener, g, what)
	return nil
}

// serveOn serves until the stack is closed.
func (s *Stack) serveOn(listener net.Listener, handler http.Handler, what string) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
	s.onClose(server.Close)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintf(s.config.Log, "%s: %v\n", what, err)
		}
	}()
}

func (s *Stack) onClose(closer func() error) { s.closers = append(s.closers, closer) }

// Close ends the stack and every process of it.
func (s *Stack) Close() error {
	var failures []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		failures = append(failures, s.closers[last]())
		s.closers = s.closers[:last]
	}
	return errors.Join(failures...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// URL is the base URL of the HTTP API, without a slash at its end.
func (s *Stack) URL() string { return s.url }

// InvokeURL is the base URL of Lambda's Invoke API.
func (s *Stack) InvokeURL() string { return s.host.URL() }

// DynamoDBEndpoint is the URL of the DynamoDB that the functions use.
func (s *Stack) DynamoDBEndpoint() string { return s.endpoint }

// Table is the name of the table.
func (s *Stack) Table() string { return s.config.Table }

// FirstKey is the full key that bootstrap made at this start, empty when there
// was one already that works.
func (s *Stack) FirstKey() string { return s.firstKey }

// Invoke gives an event to an operation's function and returns the response. An
// error of the function itself is a *lambdahost.FunctionError.
func (s *Stack) Invoke(ctx context.Context, op operation.Operation, event []byte) ([]byte, error) {
	return s.host.Invoke(ctx, op, event)
}

// A syncWriter lets the parts of a stack write to one log. A request that is cut
// off when the stack closes may still want to write: that is dropped.
type syncWriter struct {
	mu  sync.Mutex
	out io.Writer
}

// Write writes one line of a part.
func (w *syncWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(text)
}

func (w *syncWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = io.Discard
	return nil
}
