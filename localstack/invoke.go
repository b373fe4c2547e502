package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"latchkey/localstack/event"
	"latchkey/localstack/sourcetree"
	"latchkey/localstack/stack"
	"latchkey/shared/operation"
)

// invoke sends one event to a function of a running stack.
func invoke(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("localstack invoke", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("op", "", "operation to invoke")
	file := flags.String("event", "", "event to send (default: the operation's sample event)")
	dataDir := flags.String("data", defaultDataDir, "state directory of the stack")
	if err := parse(flags, args); err != nil {
		return err
	}
	op, ok := operation.Named(*name)
	if !ok {
		return fmt.Errorf("no operation %q: -op takes one of %s", *name, strings.Join(names(), ", "))
	}
	running, err := stack.Find(*dataDir)
	if err != nil {
		return err
	}
	send := func(op operation.Operation, text []byte) ([]byte, error) {
		return post(ctx, running.InvokeURL, op, text)
	}
	text, err := fill(*file, op, *dataDir, send)
	if err != nil {
		return err
	}
	response, err := send(op, text)
	if err != nil {
		return err
	}
	_, err = stdout.Write(append(bytes.TrimRight(response, "\n"), '\n'))
	return err
}

func names() []string {
	var all []string
	for _, op := range operation.All {
		all = append(all, op.Name)
	}
	return all
}

// fill reads the event's file and fills its placeholders.
func fill(
	file string, op operation.Operation, dataDir string, send func(operation.Operation, []byte) ([]byte, error),
) ([]byte, error) {
	if file == "" {
		file = samplePath(op)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("event: %w; the sample events are events/%s*.json", err, op.Name)
	}
	values := event.KeyValues(func() (string, error) { return stack.ReadRootKey(dataDir) })
	sample := func(op operation.Operation) ([]byte, error) { return os.ReadFile(samplePath(op)) }
	maps.Copy(values, event.Created(sample, values, send))
	return event.Fill(text, values)
}

// samplePath is where the sample event of an operation lies in the source tree
// around the working directory.
func samplePath(op operation.Operation) string {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	return filepath.Join(sourcetree.Root(dir), "events", op.Name+".json")
}

// post calls Lambda's Invoke API.
func post(ctx context.Context, url string, op operation.Operation, text []byte) ([]byte, error) {
	path := url + "/2015-03-31/functions/" + op.Name + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("invocation: %w", err)
	}
	defer response.Body.Close()
	payload, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("invocation: %w", err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Amz-Function-Error") != "" {
		return nil, fmt.Errorf("the invocation failed, and the function's log, where the stack runs, may say more: %s", payload)
	}
	return payload, nil
}
