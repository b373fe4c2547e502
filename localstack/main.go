// Command localstack runs Latchkey on one machine, without Docker and without an
// AWS account: the function binaries that go to Lambda, behind an HTTP API like
// API Gateway's, on an emulator of DynamoDB and a stand-in for KMS.
//
//	localstack [-addr 127.0.0.1:8080] [-example-addr 127.0.0.1:8081] [-data .local]
//	           [-functions dir] [-max-processes 8] [-new-session-key] [-without-stream]
//	localstack invoke -op name [-event file] [-data .local]
//	localstack reset [-data .local]
//	localstack load [-duration 1m] [-clients 8] [-keys 400] [-functions dir]
//
// The first form serves until it is interrupted: Latchkey, and at another address an API
// that it protects. What it prints on standard output is for the user; the functions'
// logs go to standard error. With
// AWS_ENDPOINT_URL_DYNAMODB in its environment it uses the DynamoDB there, with
// made-up credentials, instead of starting an emulator. -new-session-key makes a new
// key that signs session tokens from now on; what older ones have signed is good until
// it expires.
//
// The second form sends one event to a function of the stack that runs on the
// state directory and prints the response. See package event for what may stand
// in an event's file. The third form forgets the data of the state directory. The fourth
// puts a stack of its own under load, and fails unless it keeps its word; see package load.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"latchkey/localstack/lambdahost"
	"latchkey/localstack/stack"
	"latchkey/shared/operation"
)

const defaultDataDir = ".local"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "localstack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "invoke":
		return invoke(ctx, args[1:], stdout, stderr)
	case "reset":
		return reset(args[1:], stderr)
	case "load":
		return underLoad(ctx, args[1:], stdout, stderr)
	default:
		return serve(ctx, args, stdout, stderr)
	}
}

// reset forgets the data of a state directory.
func reset(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("localstack reset", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dataDir := flags.String("data", defaultDataDir, "state directory")
	if err := parse(flags, args); err != nil {
		return err
	}
	return stack.Reset(*dataDir)
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	config := stack.Config{Log: stderr, DynamoDBEndpoint: os.Getenv(operation.DynamoDBVariable)}
	flags := flag.NewFlagSet("localstack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&config.Addr, "addr", stack.DefaultAddr, "address of the HTTP API")
	flags.StringVar(&config.ExampleAddr, "example-addr", stack.DefaultExampleAddr, "address of the example's API")
	flags.StringVar(&config.DataDir, "data", defaultDataDir, "state directory")
	flags.StringVar(&config.FunctionsDir, "functions", programDir(), "directory of the function binaries")
	flags.IntVar(&config.MaxProcesses, "max-processes", lambdahost.DefaultMaxProcesses,
		"processes of one function at most")
	flags.BoolVar(&config.NewSessionKey, "new-session-key", false,
		"sign session tokens with a new key from now on")
	flags.BoolVar(&config.WithoutStream, "without-stream", false, "make a table without a stream, for load")
	if err := parse(flags, args); err != nil {
		return err
	}
	if config.MaxProcesses < 1 {
		return errors.New("-max-processes must be at least 1")
	}
	if config.DataDir == "" {
		return errors.New("-data must name a directory")
	}
	warnIfPublic(config.Addr, stderr)
	warnIfPublic(config.ExampleAddr, stderr)
	s, err := stack.Start(ctx, config)
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	if err := s.Greet(stdout); err != nil {
		return errors.Join(err, s.Close())
	}
	<-ctx.Done()
	return s.Close()
}

// parse refuses arguments that are no flags; flags has printed what is wrong
// with a flag.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}

// unlessInterrupted takes an interruption during the start for a wish, not for
// an error.
func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func programDir() string {
	program, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(program)
}

func warnIfPublic(addr string, stderr io.Writer) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "localhost" {
		return
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		fmt.Fprintf(stderr, "warning: %s can be reached from other machines\n", addr)
	}
}
