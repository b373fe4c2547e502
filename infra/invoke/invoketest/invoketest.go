// Package invoketest stands in for Lambda in the tests of what invokes functions.
package invoketest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"latchkey/infra/invoke"
)

// Region is where the stand-in is.
const Region = "eu-central-1"

// A Call is a request to Lambda.
type Call struct{ Method, Path, Body string }

// A Reply is what Lambda gives. The zero Status is 200.
type Reply struct {
	Status int
	Header map[string]string
	Body   string
}

// FunctionError is the reply to the invocation of a function that failed.
func FunctionError(payload string) Reply {
	return Reply{Header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, Body: payload}
}

// Refusal is the reply to an invocation that Lambda refuses.
func Refusal(status int, code string) Reply {
	return Reply{Status: status, Header: map[string]string{"X-Amzn-ErrorType": code}, Body: `{"Message":"no"}`}
}

// A Lambda gives its replies in turn, and the last of them again and again.
type Lambda struct {
	Calls   []Call
	url     string
	replies []Reply
}

// Start starts a stand-in, and keeps the settings and credentials of whoever runs the test
// out of it.
func Start(t *testing.T, replies ...Reply) *Lambda {
	t.Helper()
	isolate(t)
	l := &Lambda{replies: replies}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		reply := l.replies[min(len(l.Calls), len(l.replies)-1)]
		l.Calls = append(l.Calls, Call{Method: r.Method, Path: r.URL.Path, Body: string(body)})
		for name, value := range reply.Header {
			w.Header().Set(name, value)
		}
		if reply.Status != 0 {
			w.WriteHeader(reply.Status)
		}
		if _, err := io.WriteString(w, reply.Body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// Options lead a client to the stand-in.
func (l *Lambda) Options() []invoke.Option {
	return []invoke.Option{l.Endpoint(), config.WithRegion(Region), WithCredentials()}
}

// Endpoint is the one option of them that says where the stand-in is.
func (l *Lambda) Endpoint() invoke.Option { return config.WithBaseEndpoint(l.url) }

// WithCredentials is the one that says who invokes.
func WithCredentials() invoke.Option {
	return config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
	}))
}

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
