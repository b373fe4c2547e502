// Command delete-namespace deletes all keys and service accounts of a deployment's
// namespace and of all below it, for good:
//
//	go run ./infra/delete-namespace -namespace acme -confirm acme [-stack latchkey]
//
// It invokes the deployed function until that has found nothing more to delete, and again
// after a pause until there is nothing right after one, with the credentials and the region
// that every AWS tool would use. It prints where it deletes and how it goes on. The
// function has no route: whoever may invoke it may delete any namespace. Wherever it ends,
// it can be run again.
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

const usage = "usage: go run ./infra/delete-namespace -namespace x -confirm x [-stack " + names.Stack + "] [-pause 15s]"

// Longer than one call of the function may take.
const patience = 90 * time.Second

// Longer than a creation may be under way, which is its function's time-out, and the index
// be behind the table, which is a fraction of a second "under normal conditions".
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
const pause = 15 * time.Second

func main() { invoke.Main("delete-namespace", run) }

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
	if err := request.checkConfirmation(client); err != nil {
		return err
	}
	return request.deleteAll(ctx, client, stdout)
}

// A request names a namespace, and the function that deletes it.
type request struct {
	namespace namespace.Namespace
	confirmed string // as it was typed
	function  string
	pause     time.Duration
}

// place says whose namespace it is.
func (r request) place(client *invoke.Client) string {
	return fmt.Sprintf("%s in %s", r.function, client.Region())
}

func (r request) checkConfirmation(client *invoke.Client) error {
	if r.confirmed == r.namespace.String() {
		return nil
	}
	return fmt.Errorf("%s will delete all keys and service accounts of %s and of all below it for good: "+
		"to confirm that, name it again, with CONFIRM=%[2]s or -confirm %[2]s", r.place(client), r.namespace)
}

func parse(args []string) (request, error) {
	flags := flag.NewFlagSet("delete-namespace", flag.ContinueOnError)
	confirmed := flags.String("confirm", "", "")
	between := flags.Duration("pause", pause, "")
	target, err := invoke.ParseTarget(flags, args, usage)
	switch {
	case err != nil:
		return request{}, err
	case *between <= 0:
		return request{}, errors.New(usage)
	}
	return request{
		namespace: target.Namespace, confirmed: *confirmed, pause: *between,
		function: names.Function(target.Stack, operation.DeleteNamespace),
	}, nil
}
