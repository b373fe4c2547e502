package lambdaweb

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
)

// A fixed function always gives the same.
type fixed struct {
	answer string
	err    error
}

func (f fixed) Invoke(context.Context, []byte) ([]byte, error) { return []byte(f.answer), f.err }

// platform takes answers with a status, and gives the context of an invocation.
func platform(t *testing.T, status int, took func(*http.Request, string)) context.Context {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		took(r, string(text))
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(server.URL, "http://"))
	return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r1"})
}

// The last answer goes where the platform's library sends answers, and as it does.
func TestLastAnswer(t *testing.T) {
	given := 0
	ctx := platform(t, http.StatusAccepted, func(r *http.Request, text string) {
		given++
		to, kind := r.Method+" "+r.URL.Path, r.Header.Get("Content-Type")
		if to != "POST /2018-06-01/runtime/invocation/r1/response" || kind != "application/octet-stream" || text != "answer" {
			t.Errorf("%s: %s of type %q", to, text, kind)
		}
	})
	if err := give(ctx, []byte("answer")); err != nil || given != 1 {
		t.Errorf("given %d times: %v", given, err)
	}
	if err := give(t.Context(), []byte("answer")); err == nil || given != 1 {
		t.Errorf("to no invocation, given %d times: %v", given, err)
	}
}

// An answer that the platform does not take is left to its library, and the process lives
// on. This test would end with it.
func TestAnswerThatIsNotTaken(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusInternalServerError} {
		given := 0
		ctx := platform(t, status, func(*http.Request, string) { given++ })
		answer, err := mortal{fixed{answer: "answer"}, func() bool { return true }}.Invoke(ctx, nil)
		if string(answer) != "answer" || err != nil || given != 1 {
			t.Errorf("%d: %q, %v, given %d times", status, answer, err, given)
		}
	}
}

// An error is the last one only of a process that is spent, and tells the invoker the same.
func TestLastError(t *testing.T) {
	for _, isSpent := range []bool{false, true} {
		told := messages.InvokeResponse_Error{Message: "Unauthorized", Type: "unauthenticated"}
		_, err := mortal{fixed{err: told}, func() bool { return isSpent }}.Invoke(t.Context(), nil)
		told.ShouldExit = isSpent
		if diff := cmp.Diff(error(told), err); diff != "" {
			t.Errorf("spent %v:\n%s", isSpent, diff)
		}
		if _, err := (mortal{fixed{err: io.EOF}, func() bool { return isSpent }}).Invoke(t.Context(), nil); err != io.EOF {
			t.Errorf("spent %v: %v", isSpent, err)
		}
	}
}
