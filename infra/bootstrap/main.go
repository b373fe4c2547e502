// Command bootstrap asks a deployment for the first administrator's key of a
// namespace, or for one more:
//
//	go run ./infra/bootstrap -namespace demo [-stack latchkey]
//
// It invokes the deployed bootstrap function with the credentials and the region
// that every AWS tool would use. The function has no route: whoever may invoke it
// may have a key. The full key, and nothing else, goes to standard output, once;
// what there is to say about it goes to standard error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"latchkey/infra/invoke"
	"latchkey/infra/names"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
)

const usage = "usage: go run ./infra/bootstrap -namespace x [-stack " + names.Stack + "]"

// Longer than the function itself may take.
const patience = 30 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bootstrap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, options ...invoke.Option) error {
	request, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, usage)
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	made, err := request.send(ctx, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "An administrator's key of namespace %s and all below it, uuid %s. It is shown this once:\n",
		made.Namespace, made.UUID)
	_, err = fmt.Fprintln(stdout, made.FullKey)
	return err
}

// A request names a namespace, and the function to ask for its key.
type request struct {
	namespace namespace.Namespace
	function  string
}

func parse(args []string) (request, error) {
	flags := flag.NewFlagSet("bootstrap", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	path := flags.String("namespace", "", "")
	stack := flags.String("stack", names.Stack, "")
	if err := flags.Parse(args); err != nil {
		return request{}, fmt.Errorf("%w; %s", err, usage)
	}
	if *path == "" || *stack == "" || flags.NArg() > 0 {
		return request{}, errors.New(usage)
	}
	parsed, err := namespace.Parse(*path)
	if err != nil {
		return request{}, fmt.Errorf("namespace %q %w", *path, err)
	}
	return request{namespace: parsed, function: names.Function(*stack, operation.Bootstrap)}, nil
}
