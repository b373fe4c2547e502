package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/infra/invoke"
	"latchkey/infra/invoke/invoketest"
	"latchkey/shared/operation"
)

func deleted(keys, accounts int, complete bool) invoketest.Reply {
	return invoketest.Reply{Body: fmt.Sprintf(`{"deleted":{"keys":%d,"accounts":%d},"complete":%v}`, keys, accounts, complete)}
}

var (
	acme    = []string{"-namespace", "acme", "-confirm", "acme", "-pause", "1ms"}
	nothing = deleted(0, 0, true)
)

const (
	unavailable  = `{"errorMessage":"the key store did not answer, try again","errorType":"unavailable"}`
	deleting     = "Deleting acme and all below it with latchkey-delete-namespace in eu-central-1\n"
	onceMore     = "Looking once more in a moment, for what was being made meanwhile\n"
	confirmation = "latchkey-delete-namespace in eu-central-1 will delete all keys and service accounts of acme and of all below it for good: " +
		"to confirm that, name it again, with CONFIRM=acme or -confirm acme"
)

// It goes on until the function is complete right after a pause, and tells where it deletes
// and how far it is.
func TestDeletion(t *testing.T) {
	for name, test := range map[string]struct {
		args    []string
		stack   string
		replies []invoketest.Reply
		want    string
	}{
		"of nothing": {acme, "latchkey", []invoketest.Reply{nothing, nothing}, deleting + onceMore +
			"Nothing is left of acme and of what was below it: 0 keys and 0 service accounts were deleted.\n"},
		"in three calls": {acme, "latchkey", []invoketest.Reply{deleted(1000, 0, false), deleted(70, 3, false), nothing, nothing},
			deleting + "1000 keys and 0 service accounts deleted so far\n1070 keys and 3 service accounts deleted so far\n" + onceMore +
				"Nothing is left of acme and of what was below it: 1070 keys and 3 service accounts were deleted.\n"},
		"of what shows late": {acme, "latchkey", []invoketest.Reply{
			deleted(5, 0, false), nothing, deleted(1, 0, false), nothing, deleted(0, 1, false), nothing, nothing},
			deleting + "5 keys and 0 service accounts deleted so far\n" + onceMore + "6 keys and 0 service accounts deleted so far\n" +
				onceMore + "6 keys and 1 service accounts deleted so far\n" + onceMore +
				"Nothing is left of acme and of what was below it: 6 keys and 1 service accounts were deleted.\n"},
		"in another stack": {append(acme, "-stack", "staging"), "staging", []invoketest.Reply{deleted(0, 1, false), nothing, nothing},
			"Deleting acme and all below it with staging-delete-namespace in eu-central-1\n" +
				"0 keys and 1 service accounts deleted so far\n" + onceMore +
				"Nothing is left of acme and of what was below it: 0 keys and 1 service accounts were deleted.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, test.replies...)
			var stdout, stderr bytes.Buffer
			if err := run(t.Context(), test.args, &stdout, &stderr, lambda.Options()...); err != nil {
				t.Fatal(err)
			}
			compare(t, test.want, stdout.String())
			compare(t, "", stderr.String())
			compare(t, len(test.replies), len(lambda.Calls))
			for _, call := range lambda.Calls {
				compare(t, invoketest.Call{
					Method: "POST", Path: "/2015-03-31/functions/" + test.stack + "-delete-namespace/invocations",
					Body: `{"namespace":"acme","confirm":"acme"}`,
				}, call)
			}
		})
	}
}

// Whatever ends it before it is complete is an error, that says how far it came.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		replies []invoketest.Reply
		want    string
	}{
		"an outage": {
			[]invoketest.Reply{deleted(1000, 0, false), deleted(70, 3, false), invoketest.FunctionError(unavailable)},
			"with 1070 keys and 3 service accounts deleted: " +
				"latchkey-delete-namespace: the key store did not answer, try again (unavailable); run it again, it goes on from there",
		},
		"no progress": {
			[]invoketest.Reply{deleted(5, 0, false), deleted(0, 0, false)},
			"with 5 keys and 0 service accounts deleted: " +
				"latchkey-delete-namespace cannot go on and does not say why: look into its log",
		},
		"an outage after the pause": {
			[]invoketest.Reply{deleted(5, 0, false), nothing, invoketest.FunctionError(unavailable)},
			"with 5 keys and 0 service accounts deleted: " +
				"latchkey-delete-namespace: the key store did not answer, try again (unavailable); run it again, it goes on from there",
		},
		"no such function": {
			[]invoketest.Reply{invoketest.Refusal(http.StatusNotFound, "ResourceNotFoundException")},
			`no function latchkey-delete-namespace in eu-central-1: ` +
				`deploy the stack with "make deploy", or name another with -stack`,
		},
		"no answer":            {[]invoketest.Reply{{Body: `null`}}, unclear},
		"half an answer":       {[]invoketest.Reply{{Body: `{"complete":true}`}}, unclear},
		"the other half":       {[]invoketest.Reply{{Body: `{"deleted":{"keys":1}}`}}, unclear},
		"an answer of another": {[]invoketest.Reply{{Body: `done`}}, unclear},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, test.replies...)
			err := run(t.Context(), acme, io.Discard, io.Discard, lambda.Options()...)
			compare(t, test.want, fmt.Sprint(err))
			compare(t, len(test.replies), len(lambda.Calls))
		})
	}
}

const unclear = "latchkey-delete-namespace: an answer that does not say what was deleted"

// Nothing is called before it is certain what is to be deleted.
func TestRefusedArguments(t *testing.T) {
	lambda := invoketest.Start(t, deleted(0, 0, true))
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no namespace":     {nil, usage},
		"no stack":         {append(acme, "-stack", ""), usage},
		"no pause":         {append(acme, "-pause", "0s"), usage},
		"left over":        {append(acme, "other"), usage},
		"unknown flag":     {[]string{"-name", "acme"}, "flag provided but not defined: -name; " + usage},
		"bad namespace":    {[]string{"-namespace", "a..b", "-confirm", "a..b"}, `namespace "a..b" must be segments of`},
		"not confirmed":    {acme[:2], confirmation},
		"of another":       {[]string{"-namespace", "acme", "-confirm", "acme.app"}, confirmation},
		"in other letters": {[]string{"-namespace", "acme", "-confirm", "Acme"}, confirmation},
		"in another stack": {[]string{"-namespace", "acme", "-stack", "staging"}, strings.Replace(confirmation, "latchkey", "staging", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), test.args, io.Discard, io.Discard, lambda.Options()...)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
			compare(t, 0, len(lambda.Calls))
		})
	}
}

// What was typed is what the function is told, which looks at it again.
func TestConfirmationIsPassedOn(t *testing.T) {
	lambda := invoketest.Start(t, nothing)
	client, err := invoke.NewClient(t.Context(), lambda.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	typed, err := parse([]string{"-namespace", "acme", "-confirm", "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := typed.deleteSome(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	compare(t, `{"namespace":"acme","confirm":"Acme"}`, lambda.Calls[0].Body)
}

// What cannot be shown is not gone on with in silence.
func TestProgressThatCannotBePrinted(t *testing.T) {
	replies := []invoketest.Reply{deleted(1, 0, false), nothing}
	for lines, calls := range []int{0, 1, 2, 3} {
		lambda := invoketest.Start(t, replies...)
		if err := run(t.Context(), acme, &closing{lines: lines}, io.Discard, lambda.Options()...); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d lines: error %v", lines, err)
		}
		compare(t, calls, len(lambda.Calls))
	}
}

// A closing writer takes some lines and no more.
type closing struct{ lines int }

func (c *closing) Write(line []byte) (int, error) {
	if c.lines--; c.lines < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(line), nil
}

// Who interrupts it before it has looked once more is not told that nothing is left.
func TestInterruptedPause(t *testing.T) {
	lambda := invoketest.Start(t, deleted(3, 1, false), nothing)
	ctx, interrupt := context.WithCancelCause(t.Context())
	stdout := &interrupting{at: onceMore, interrupt: func() { interrupt(errors.New("interrupted")) }}
	err := run(ctx, append(acme, "-pause", "1h"), stdout, io.Discard, lambda.Options()...)
	compare(t, "with 3 keys and 1 service accounts deleted: pause before the last look: interrupted; "+
		"run it again, it goes on from there", fmt.Sprint(err))
	compare(t, deleting+"3 keys and 1 service accounts deleted so far\n"+onceMore, stdout.String())
	compare(t, 2, len(lambda.Calls))
}

// An interrupting writer interrupts at a line.
type interrupting struct {
	bytes.Buffer
	at        string
	interrupt func()
}

func (i *interrupting) Write(line []byte) (int, error) {
	if string(line) == i.at {
		i.interrupt()
	}
	return i.Buffer.Write(line)
}

// A creation that was under way before the pause shows in the index after it.
func TestPauseOutlastsCreations(t *testing.T) {
	const lag = 5 * time.Second // much more than the index has
	made, err := parse(acme[:4])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(usage, "[-pause "+made.pause.String()+"]") {
		t.Errorf("the usage does not say that the pause is %v", made.pause)
	}
	for _, op := range []operation.Operation{operation.CreateAPIKey, operation.CreateWorkspaceKey, operation.CreateAccountKey,
		operation.CreateServiceAccount, operation.Bootstrap} {
		if made.pause < op.Timeout+lag {
			t.Errorf("%s has %v, and is waited for for %v", op.Name, op.Timeout, made.pause)
		}
	}
}

func TestPatienceOutlastsTheFunction(t *testing.T) {
	if patience <= operation.DeleteNamespace.Timeout {
		t.Errorf("the function has %v, and is waited for for %v", operation.DeleteNamespace.Timeout, patience)
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, io.Discard, &stderr); err != nil {
		t.Fatal(err)
	}
	compare(t, usage+"\n", stderr.String())
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
