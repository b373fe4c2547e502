package invoke

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"latchkey/infra/names"
	"latchkey/shared/namespace"
)

// A Run is what a command does with its arguments. Tests give it other options than its
// surroundings have.
type Run func(ctx context.Context, args []string, stdout, stderr io.Writer, options ...Option) error

// Main runs a command until it is done or interrupted, and ends the process if it fails.
func Main(name string, run Run) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

// A Target is the namespace that a command is about, and the stack that has it.
type Target struct {
	Namespace namespace.Namespace
	Stack     string
}

// ParseTarget reads -namespace and -stack, and the flags that a command has defined. Its
// error is flag.ErrHelp where help is asked for, and otherwise says what is wrong.
func ParseTarget(flags *flag.FlagSet, args []string, usage string) (Target, error) {
	flags.SetOutput(io.Discard)
	path := flags.String("namespace", "", "")
	stack := flags.String("stack", names.Stack, "")
	if err := flags.Parse(args); err != nil {
		return Target{}, fmt.Errorf("%w; %s", err, usage)
	}
	if *path == "" || *stack == "" || flags.NArg() > 0 {
		return Target{}, errors.New(usage)
	}
	parsed, err := namespace.Parse(*path)
	if err != nil {
		return Target{}, fmt.Errorf("namespace %q %w", *path, err)
	}
	return Target{Namespace: parsed, Stack: *stack}, nil
}
