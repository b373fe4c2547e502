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
	"time"

	"latchkey/infra/invoke"
	"latchkey/infra/names"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
)

const usage = "usage: go run ./infra/bootstrap -namespace x [-stack " + names.Stack + "]"

// Longer than the function itself may take.
const patience = 30 * time.Second

func main() { invoke.Main("bootstrap", run) }

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
	target, err := invoke.ParseTarget(flag.NewFlagSet("bootstrap", flag.ContinueOnError), args, usage)
	if err != nil {
		return request{}, err
	}
	return request{namespace: target.Namespace, function: names.Function(target.Stack, operation.Bootstrap)}, nil
}
