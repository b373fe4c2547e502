package invoke_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/invoke"
	"latchkey/infra/invoke/invoketest"
)

const function = "latchkey-health"

func ask(t *testing.T, options []invoke.Option) (string, error) {
	t.Helper()
	client, err := invoke.NewClient(t.Context(), options...)
	if err != nil {
		return "", err
	}
	answer, err := client.Invoke(t.Context(), function, map[string]string{"a": "b"})
	return string(answer), err
}

func TestAnswer(t *testing.T) {
	lambda := invoketest.Start(t, invoketest.Reply{Body: `{"c":"d"}`})
	answer, err := ask(t, lambda.Options())
	if err != nil || answer != `{"c":"d"}` {
		t.Errorf("%s, %v", answer, err)
	}
	want := []invoketest.Call{{Method: "POST", Path: "/2015-03-31/functions/latchkey-health/invocations", Body: `{"a":"b"}`}}
	if diff := cmp.Diff(want, lambda.Calls); diff != "" {
		t.Error(diff)
	}
}

// Whatever fails is said, once and without a second attempt.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		reply invoketest.Reply
		want  string
	}{
		"function error": {
			invoketest.FunctionError(`{"errorMessage":"the table is away","errorType":"Unavailable"}`),
			"latchkey-health: the table is away (Unavailable)",
		},
		"function error without words": {
			invoketest.FunctionError(`null`),
			"latchkey-health: Unhandled error without a message",
		},
		"function error that is no JSON": {
			invoketest.FunctionError(`the secret`),
			"latchkey-health: Unhandled error without a message",
		},
		"no such function": {
			invoketest.Refusal(http.StatusNotFound, "ResourceNotFoundException"),
			`no function latchkey-health in eu-central-1: deploy the stack with "make deploy", or name another with -stack`,
		},
		"not allowed": {
			invoketest.Refusal(http.StatusForbidden, "AccessDeniedException"),
			"these credentials may not invoke latchkey-health: allow them lambda:InvokeFunction on it",
		},
		"Lambda's own": {
			invoketest.Refusal(http.StatusInternalServerError, "ServiceException"),
			"invocation of latchkey-health: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, test.reply)
			answer, err := ask(t, lambda.Options())
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "secret") || answer != "" {
				t.Errorf("answer %q, error %v, want %s", answer, err, test.want)
			}
			if len(lambda.Calls) != 1 {
				t.Errorf("%d attempts", len(lambda.Calls))
			}
		})
	}
}

func TestMissingSettings(t *testing.T) {
	for name, test := range map[string]struct {
		option invoke.Option
		want   string
	}{
		"no region":      {invoketest.WithCredentials(), "no AWS region: set AWS_REGION"},
		"no credentials": {config.WithRegion(invoketest.Region), "no AWS credentials: set AWS_PROFILE"},
	} {
		t.Run(name, func(t *testing.T) {
			lambda := invoketest.Start(t, invoketest.Reply{})
			_, err := ask(t, []invoke.Option{lambda.Endpoint(), test.option})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s…", err, test.want)
			}
			if len(lambda.Calls) > 0 {
				t.Errorf("calls %v", lambda.Calls)
			}
		})
	}
}
