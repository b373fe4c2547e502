package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"latchkey/localstack/child"
	"latchkey/localstack/emulator"
	"latchkey/localstack/load"
	"latchkey/localstack/stack"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

const (
	startTimeout = 30 * time.Second
	startLook    = 20 * time.Millisecond
	stopGrace    = 10 * time.Second
	shownLines   = 20
)

// errBroken says that the report, which was printed, tells of a fault.
var errBroken = errors.New("the stack has not kept its word under load")

// underLoad puts a stack under load that is its own: a process by itself, so that its
// memory is not that of the clients, with an emulator, ports and data that go with it.
func underLoad(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	config := load.Config{Progress: stdout}
	flags := flag.NewFlagSet("localstack load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&config.Duration, "duration", load.DefaultDuration, "of the load, without the audit after it")
	flags.IntVar(&config.Clients, "clients", load.DefaultClients, "clients, each with one request at a time")
	flags.IntVar(&config.Keys, "keys", load.DefaultKeys, "keys alive at once, about")
	functions := flags.String("functions", programDir(), "directory of the function binaries")
	if err := parse(flags, args); err != nil {
		return err
	}
	dataDir, err := os.MkdirTemp("", "latchkey-load")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dataDir)
	process, err := startStack(dataDir, *functions, stderr)
	if err != nil {
		return err
	}
	defer process.Stop(stopGrace)
	config.PID, config.Emulator = process.PID(), emulatorName()
	if err := await(ctx, process, dataDir, &config); err != nil {
		return err
	}
	return loadAndReport(ctx, config, stdout)
}

func loadAndReport(ctx context.Context, config load.Config, stdout io.Writer) error {
	report, err := load.Run(ctx, config)
	if err != nil {
		return err
	}
	if err := report.Print(stdout); err != nil {
		return err
	}
	if !report.Passed() {
		return errBroken
	}
	return nil
}

// startStack starts this program again. What it greets with holds a key and goes nowhere.
func startStack(dataDir, functions string, stderr io.Writer) (*child.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-without-stream", "-data", dataDir, "-functions", functions,
		"-addr", "127.0.0.1:0", "-example-addr", "127.0.0.1:0")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, operation.DynamoDBVariable+"=") // which may be somebody's
	})
	cmd.Stderr = &worseLines{out: stderr}
	return child.Start(cmd)
}

// emulatorName is how the emulator's process is called. Where there is none, the stack
// says so.
func emulatorName() string {
	program, err := emulator.Find()
	if err != nil {
		return ""
	}
	return filepath.Base(program)
}

// await waits until the stack serves, and completes where it is and how it is called.
func await(ctx context.Context, process *child.Process, dataDir string, config *load.Config) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if running, err := stack.Find(dataDir); err == nil {
			config.URL = running.URL
			break
		}
		select {
		case <-process.Done():
			return fmt.Errorf("stack: ended at its start: %w", process.Err())
		case <-ctx.Done():
			return fmt.Errorf("stack: not serving: %w", ctx.Err())
		case <-time.After(startLook):
		}
	}
	text, err := stack.ReadRootKey(dataDir)
	if err != nil {
		return err
	}
	config.Key, err = apikey.ParseFullKey(text)
	return err
}

// worseLines passes on the first few lines of a stack that are not of level INFO, of which
// each request writes one.
type worseLines struct {
	mu    sync.Mutex
	out   io.Writer
	shown int
}

// Write takes whole lines, as a stack writes them.
func (w *worseLines) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range bytes.Lines(text) {
		if w.shown < shownLines && !bytes.Contains(line, []byte(`"level":"INFO"`)) {
			w.shown++
			_, _ = w.out.Write(line) // there is nowhere to report that it is broken
		}
	}
	return len(text), nil
}
