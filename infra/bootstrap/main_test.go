package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// A call is a request to Lambda, and a reply is what it gives.
type call struct{ Method, Path, Body string }

type reply struct {
	status int
	header map[string]string
	body   string
}

const made = `{"namespace":"demo","uuid":"0198c0de-0000-7000-8000-000000000001",` +
	`"key":"the key","secret":"the secret","full_key":"the full key"}`

// lambdaAPI stands in for Lambda: it gives one reply and remembers the calls.
func lambdaAPI(t *testing.T, reply reply) (url string, calls *[]call) {
	t.Helper()
	calls = new([]call)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*calls = append(*calls, call{Method: r.Method, Path: r.URL.Path, Body: string(body)})
		for name, value := range reply.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(reply.status)
		io.WriteString(w, reply.body)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

// isolate keeps the settings and credentials of whoever runs the test out of it.
func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY",
		"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL_LAMBDA"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func withCredentials() func(*config.LoadOptions) error {
	return config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("id", "secret", ""))
}

func TestKeyIsPrintedAlone(t *testing.T) {
	isolate(t)
	for name, test := range map[string]struct {
		args []string
		path string
	}{
		"default stack": {[]string{"-namespace", "demo"}, "/2015-03-31/functions/latchkey-bootstrap/invocations"},
		"another stack": {[]string{"-namespace", "demo", "-stack", "staging"}, "/2015-03-31/functions/staging-bootstrap/invocations"},
	} {
		t.Run(name, func(t *testing.T) {
			url, calls := lambdaAPI(t, reply{status: http.StatusOK, body: made})
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), test.args, &stdout, &stderr,
				config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"), withCredentials())
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "the full key\n", stdout.String())
			compare(t, "An administrator's key of namespace demo and all below it, "+
				"uuid 0198c0de-0000-7000-8000-000000000001. It is shown this once:\n", stderr.String())
			compare(t, []call{{Method: "POST", Path: test.path, Body: `{"namespace":"demo"}`}}, *calls)
		})
	}
}

func TestFailures(t *testing.T) {
	isolate(t)
	functionError := map[string]string{"X-Amz-Function-Error": "Unhandled"}
	for name, test := range map[string]struct {
		reply reply
		want  string
	}{
		"function error": {
			reply{status: http.StatusOK, header: functionError, body: `{"errorMessage":"the table is away","errorType":"Unavailable"}`},
			"latchkey-bootstrap: the table is away (Unavailable)",
		},
		"function error without words": {
			reply{status: http.StatusOK, header: functionError, body: `null`},
			"latchkey-bootstrap: Unhandled error without a message",
		},
		"answer without a key": {
			reply{status: http.StatusOK, body: `{"secret":"the secret"}`},
			"latchkey-bootstrap: an answer without a key",
		},
		"answer that is no JSON": {
			reply{status: http.StatusOK, body: `the secret`},
			"latchkey-bootstrap: an answer without a key",
		},
		"no such function": {
			apiError(http.StatusNotFound, "ResourceNotFoundException"),
			`no function latchkey-bootstrap in eu-central-1: deploy the stack with "make deploy", or name another with -stack`,
		},
		"not allowed": {
			apiError(http.StatusForbidden, "AccessDeniedException"),
			"these credentials may not invoke latchkey-bootstrap: allow them lambda:InvokeFunction on it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, calls := lambdaAPI(t, test.reply)
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), []string{"-namespace", "demo"}, &stdout, &stderr,
				config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"), withCredentials())
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			compare(t, "", stdout.String()+stderr.String())
			compare(t, 1, len(*calls))
		})
	}
}

// A second attempt could make a second key.
func TestOneAttempt(t *testing.T) {
	isolate(t)
	url, calls := lambdaAPI(t, apiError(http.StatusInternalServerError, "ServiceException"))
	err := run(t.Context(), []string{"-namespace", "demo"}, io.Discard, io.Discard,
		config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"), withCredentials())
	if err == nil || !strings.HasPrefix(err.Error(), "invocation of latchkey-bootstrap: ") {
		t.Errorf("error %v, want that of the invocation", err)
	}
	compare(t, 1, len(*calls))
}

func TestMissingSettings(t *testing.T) {
	isolate(t)
	url, calls := lambdaAPI(t, reply{status: http.StatusOK, body: made})
	for name, test := range map[string]struct {
		option func(*config.LoadOptions) error
		want   string
	}{
		"no region":      {withCredentials(), "no AWS region: set AWS_REGION"},
		"no credentials": {config.WithRegion("eu-central-1"), "no AWS credentials: set AWS_PROFILE"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), []string{"-namespace", "demo"}, io.Discard, io.Discard, config.WithBaseEndpoint(url), test.option)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s…", err, test.want)
			}
			compare(t, 0, len(*calls))
		})
	}
}

func TestRefusedArguments(t *testing.T) {
	isolate(t)
	url, calls := lambdaAPI(t, reply{status: http.StatusOK, body: made})
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
			err := run(t.Context(), test.args, io.Discard, io.Discard,
				config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"), withCredentials())
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
			compare(t, 0, len(*calls))
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

func apiError(status int, code string) reply {
	return reply{status: status, header: map[string]string{"X-Amzn-ErrorType": code}, body: `{"Message":"no"}`}
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
