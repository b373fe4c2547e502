package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/infra/invoke/invoketest"
	"latchkey/shared/operation"
)

func deleted(keys, accounts int, complete bool) invoketest.Reply {
	return invoketest.Reply{Body: fmt.Sprintf(`{"deleted":{"keys":%d,"accounts":%d},"complete":%v}`, keys, accounts, complete)}
}

var acme = []string{"-namespace", "acme", "-confirm", "acme"}

const (
	unavailable  = `{"errorMessage":"the key store did not answer, try again","errorType":"unavailable"}`
	onceMore     = "Run this once more in a minute: what was made in the last moment may show only then.\n"
	confirmation = "all keys and service accounts of acme and of all below it will be deleted for good: " +
		"to confirm that, name it again, with CONFIRM=acme or -confirm acme"
)

// It goes on until the function is complete, and tells how far it is.
func TestDeletion(t *testing.T) {
	for name, test := range map[string]struct {
		args    []string
		stack   string
		replies []invoketest.Reply
		want    string
	}{
		"of nothing": {acme, "latchkey", []invoketest.Reply{deleted(0, 0, true)},
			"Nothing is left of acme and of what was below it: 0 keys and 0 service accounts were deleted.\n" + onceMore},
		"in three calls": {acme, "latchkey", []invoketest.Reply{deleted(1000, 0, false), deleted(70, 3, false), deleted(0, 0, true)},
			"1000 keys and 0 service accounts deleted so far\n1070 keys and 3 service accounts deleted so far\n" +
				"Nothing is left of acme and of what was below it: 1070 keys and 3 service accounts were deleted.\n" + onceMore},
		"in another stack": {append(acme, "-stack", "staging"), "staging", []invoketest.Reply{deleted(0, 1, false), deleted(0, 0, true)},
			"0 keys and 1 service accounts deleted so far\n" +
				"Nothing is left of acme and of what was below it: 0 keys and 1 service accounts were deleted.\n" + onceMore},
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
		"left over":        {append(acme, "other"), usage},
		"unknown flag":     {[]string{"-name", "acme"}, "flag provided but not defined: -name; " + usage},
		"bad namespace":    {[]string{"-namespace", "a..b", "-confirm", "a..b"}, `namespace "a..b" must be segments of`},
		"not confirmed":    {acme[:2], confirmation},
		"of another":       {[]string{"-namespace", "acme", "-confirm", "acme.app"}, confirmation},
		"in other letters": {[]string{"-namespace", "acme", "-confirm", "Acme"}, confirmation},
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

// What cannot be shown is not gone on with in silence.
func TestProgressThatCannotBePrinted(t *testing.T) {
	lambda := invoketest.Start(t, deleted(1, 0, false))
	if err := run(t.Context(), acme, closed{}, io.Discard, lambda.Options()...); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
	compare(t, 1, len(lambda.Calls))
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

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
