// Command delete-namespace deletes all keys and service accounts of a deployment's
// namespace and of all below it, for good:
//
//	go run ./infra/delete-namespace -namespace acme -confirm acme [-stack latchkey]
//
// It invokes the deployed function until that has found nothing more to delete, with the
// credentials and the region that every AWS tool would use, and prints how it goes on. The
// function has no route: whoever may invoke it may delete any namespace. Wherever it ends,
// it can be run again.
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

const usage = "usage: go run ./infra/delete-namespace -namespace x -confirm x [-stack " + names.Stack + "]"

// Longer than one call of the function may take.
const patience = 90 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "delete-namespace:", err)
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
	client, err := invoke.NewClient(ctx, options...)
	if err != nil {
		return err
	}
	return request.deleteAll(ctx, client, stdout)
}

// A request names a namespace, and the function that deletes it.
type request struct {
	namespace namespace.Namespace
	function  string
}

func parse(args []string) (request, error) {
	flags := flag.NewFlagSet("delete-namespace", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	path := flags.String("namespace", "", "")
	confirmed := flags.String("confirm", "", "")
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
	if *confirmed != *path {
		return request{}, fmt.Errorf("all keys and service accounts of %s and of all below it will be deleted for good: "+
			"to confirm that, name it again, with CONFIRM=%[1]s or -confirm %[1]s", *path)
	}
	return request{namespace: parsed, function: names.Function(*stack, operation.DeleteNamespace)}, nil
}
