// Package emulator runs dynoxide, a DynamoDB emulator over SQLite that is one
// static binary, and keeps it running.
//
// A test package starts one in memory:
//
//	e, err := emulator.Start(ctx, emulator.Config{})
//	...
//	defer e.Close()
//
// and talks to e.Endpoint() with any static credentials and any region.
//
// The local stack runs one on a file. If that dies it is started again on its
// file and its port, with a line in the log: no acknowledged write is lost, and
// clients only see a broken connection. One in memory is not started again,
// because an empty database in its place would answer wrongly.
//
// The emulator never outlives the process that started it; see package child.
//
// Nothing guards its data but the random number of its port. It listens on
// loopback only, but takes any credentials and lets every web page read its
// answers (access-control-allow-origin: *), and dynoxide has no option against
// either. So a page that a developer visits can read and write all data if it
// finds the port, and so can every user of the machine. Local data are for
// development: keep nothing in them that matters.
package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/localstack/child"
)

const (
	loopback     = "127.0.0.1"
	startTimeout = 10 * time.Second
	probeEvery   = 2 * time.Millisecond
	stopGrace    = 2 * time.Second
	restartDelay = 200 * time.Millisecond
	portAttempts = 5

	// What the emulator prints once the port is its own. An answer alone could
	// come from someone else who took the port first.
	listening = "listening on"
)

// Config says how to run the emulator. The zero Config is a good one for tests.
type Config struct {
	Path   string    // the database file; empty: in memory
	Binary string    // empty: the one that Find finds
	Log    io.Writer // a line when the emulator died; nil: none
}

// An Emulator is a running emulator.
type Emulator struct {
	config  Config
	port    int
	client  *http.Client
	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex
	process *child.Process
}

// Start starts an emulator on a free loopback port and waits until it answers.
// The context bounds the start only; Close ends the emulator.
func Start(ctx context.Context, config Config) (*Emulator, error) {
	if config.Binary == "" {
		binary, err := Find()
		if err != nil {
			return nil, err
		}
		config.Binary = binary
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	e := &Emulator{config: config, client: &http.Client{Timeout: startTimeout}, stopped: make(chan struct{})}
	if err := e.startOnFreePort(ctx); err != nil {
		return nil, fmt.Errorf("DynamoDB emulator: %w", err)
	}
	supervised, stop := context.WithCancel(context.Background())
	e.stop = stop
	go e.supervise(supervised)
	return e, nil
}

// Endpoint is the emulator's URL.
func (e *Emulator) Endpoint() string {
	return "http://" + net.JoinHostPort(loopback, strconv.Itoa(e.port))
}

// PID is the process id of the emulator that runs now.
func (e *Emulator) PID() int { return e.current().PID() }

// Close ends the emulator and returns when it has ended.
func (e *Emulator) Close() error {
	e.stop()
	<-e.stopped
	e.client.CloseIdleConnections()
	return nil
}

func (e *Emulator) current() *child.Process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process
}

// startOnFreePort tries again on another port, because somebody may take a port
// between its being found free and its being used.
func (e *Emulator) startOnFreePort(ctx context.Context) error {
	var last error
	for range portAttempts {
		port, err := freePort()
		if err != nil {
			return err
		}
		e.port = port
		last = e.launch(ctx)
		if last == nil || !errors.Is(last, errEnded) {
			return last
		}
	}
	return last
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// launch starts the process and waits until it answers.
func (e *Emulator) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	said := &output{}
	process, err := child.Start(e.command(said))
	if err != nil {
		return err
	}
	if err := e.waitUntilAnswering(ctx, process, said); err != nil {
		process.Kill()
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.process = process
	return nil
}

func (e *Emulator) command(said io.Writer) *exec.Cmd {
	cmd := exec.Command(e.config.Binary, "--host", loopback, "--port", strconv.Itoa(e.port))
	if e.config.Path != "" {
		cmd.Args = append(cmd.Args, "--db-path", e.config.Path)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd
}

var errEnded = errors.New("it ended at once")

func (e *Emulator) waitUntilAnswering(ctx context.Context, process *child.Process, said *output) error {
	for !strings.Contains(said.String(), listening) || !e.answers(ctx) {
		select {
		case <-process.Done():
			return fmt.Errorf("%w: %s", errEnded, strings.TrimSpace(said.String()))
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", ctx.Err())
		case <-time.After(probeEvery):
		}
	}
	return nil
}

func (e *Emulator) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Endpoint(), nil)
	if err != nil {
		return false
	}
	response, err := e.client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// supervise starts the emulator again whenever it ends, until it is to stop.
func (e *Emulator) supervise(ctx context.Context) {
	defer close(e.stopped)
	for {
		process := e.current()
		select {
		case <-ctx.Done():
			process.Stop(stopGrace)
			return
		case <-process.Done():
		}
		if e.config.Path == "" {
			fmt.Fprintf(e.config.Log, "DynamoDB emulator: ended (%v), and its data in memory with it\n", process.Err())
			<-ctx.Done()
			return
		}
		fmt.Fprintf(e.config.Log, "DynamoDB emulator: ended (%v), starting it again on its data\n", process.Err())
		if !e.relaunch(ctx) {
			return
		}
	}
}

// relaunch tries until the emulator answers again. It reports false when the
// emulator is to stop.
func (e *Emulator) relaunch(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := e.launch(ctx)
		if err == nil {
			return true
		}
		fmt.Fprintf(e.config.Log, "DynamoDB emulator: no restart: %v\n", err)
		select {
		case <-ctx.Done():
		case <-time.After(restartDelay):
		}
	}
	return false
}

// An output keeps the beginning of what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const keptOutput = 4096

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() < keptOutput {
		o.text.Write(text)
	}
	return len(text), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
