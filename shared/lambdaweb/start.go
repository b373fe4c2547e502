package lambdaweb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Start serves a function until the platform ends the process, or until the process is
// spent, which is asked behind each invocation. That one is still answered, and the platform
// starts another process for the next.
//
// The platform's library prints every error that a function gives, whose text is for the
// invoker and may repeat what he sent. A function has told of it already, so that this is
// kept back.
func Start(f Function, isSpent func() bool) {
	log.SetOutput(discreet{os.Stderr})
	lambda.Start(mortal{f, isSpent})
}

// A mortal function ends its process behind the answer to which it is spent.
type mortal struct {
	Function
	isSpent func() bool
}

// Invoke answers one event. The library asks for the next one right behind an answer, which
// whoever ends the process later would take with him: so the last answer is given here. An
// error can say itself that it is the last.
func (m mortal) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := m.Function.Invoke(ctx, payload)
	if !m.isSpent() {
		return answer, err
	}
	log.Print("the process ends: its credentials have expired, and the next one gets fresh ones")
	if told, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		told.ShouldExit = true
		return nil, told
	}
	if err == nil && give(ctx, answer) == nil {
		os.Exit(1)
	}
	return answer, err
}

// give gives the platform the answer to the invocation that is under way.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-response
func give(ctx context.Context, answer []byte) error {
	invocation, _ := lambdacontext.FromContext(ctx)
	if invocation == nil {
		return errors.New("answer to no invocation")
	}
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/" + invocation.AwsRequestID + "/response"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(answer))
	if err != nil {
		return fmt.Errorf("last answer: %w", err)
	}
	request.Header.Set("Content-Type", "application/octet-stream") // as the library does
	transport := &http.Transport{}                                 // by no proxy
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("last answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("last answer: %s", response.Status)
	}
	return nil
}

type discreet struct{ out io.Writer }

// Write writes a line unless it is an error that a function gave. Of a panic that it did
// not survive nothing else tells.
func (d discreet) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`{"errorMessage":`)) && !bytes.Contains(line, []byte(`"stackTrace":`)) {
		return len(line), nil
	}
	return d.out.Write(line)
}
