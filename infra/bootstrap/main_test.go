package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/infra/invoke/invoketest"
)

const made = `{"namespace":"demo","uuid":"0198c0de-0000-7000-8000-000000000001",` +
	`"key":"the key","secret":"the secret","full_key":"the full key"}`

func TestKeyIsPrintedAlone(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		path string
	}{
		"default stack": {[]string{"-namespace", "demo"}, "/2015-03-31/functions/latchkey-bootstrap/invocations"},
		"another stack": {[]string{"-namespace", "demo", "-stack", "staging"}, "/2015-03-31/functions/staging-bootstrap/invocations"},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, invoketest.Reply{Body: made})
			var stdout, stderr bytes.Buffer
			if err := run(t.Context(), test.args, &stdout, &stderr, lambda.Options()...); err != nil {
				t.Fatal(err)
			}
			compare(t, "the full key\n", stdout.String())
			compare(t, "An administrator's key of namespace demo and all below it, "+
				"uuid 0198c0de-0000-7000-8000-000000000001. It is shown this once:\n", stderr.String())
			compare(t, []invoketest.Call{{Method: "POST", Path: test.path, Body: `{"namespace":"demo"}`}}, lambda.Calls)
		})
	}
}

// A second attempt could make a second key.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		reply invoketest.Reply
		want  string
	}{
		"function error": {
			invoketest.FunctionError(`{"errorMessage":"the table is away","errorType":"Unavailable"}`),
			"latchkey-bootstrap: the table is away (Unavailable)",
		},
		"answer without a key":   {invoketest.Reply{Body: `{"secret":"the secret"}`}, "latchkey-bootstrap: an answer without a key"},
		"answer that is no JSON": {invoketest.Reply{Body: `the secret`}, "latchkey-bootstrap: an answer without a key"},
		"no such function": {
			invoketest.Refusal(http.StatusNotFound, "ResourceNotFoundException"),
			`no function latchkey-bootstrap in eu-central-1: deploy the stack with "make deploy", or name another with -stack`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, test.reply)
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), []string{"-namespace", "demo"}, &stdout, &stderr, lambda.Options()...)
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			compare(t, "", stdout.String()+stderr.String())
			compare(t, 1, len(lambda.Calls))
		})
	}
}

func TestRefusedArguments(t *testing.T) {
	lambda := invoketest.Start(t, invoketest.Reply{Body: made})
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no namespace":  {nil, usage},
		"no stack":      {[]string{"-namespace", "demo", "-stack", ""}, usage},
		"left over":     {[]string{"-namespace", "demo", "other"}, usage},
		"unknown flag":  {[]string{"-name", "demo"}, "flag provided but not defined: -name; " + usage},
		"bad namespace": {[]string{"-namespace", "a..b"}, `namespace "a..b" must be segments of`},
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
