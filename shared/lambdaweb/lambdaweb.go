// Package lambdaweb turns Lambda's events into requests of package web, and its
// responses into Lambda's. No other package of the service knows aws-lambda-go.
//
// An HTTP API sends payload format 2.0: lower-case header names, a body that may
// be base64, decoded path parameters. An answer's body may be base64 too, and the
// client gets what that stands for. Direct and Stream are for functions that no route
// leads to.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package lambdaweb

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// A Function is what Lambda invokes with an event's bytes.
type Function = lambda.Handler

// HTTP is the function of an operation that has a route.
func HTTP(op operation.Operation, server *web.Server) Function {
	return httpFunction{operation: op, server: server}
}

type httpFunction struct {
	operation operation.Operation
	server    *web.Server
}

// Invoke answers one event of an HTTP API.
func (f httpFunction) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := f.server.Recorder().Now()
	request, err := read(f.operation, payload)
	if err != nil {
		return nil, finish(ctx, f.server.Recorder(), new(telemetry.Entry), f.operation, began, err)
	}
	return encode(f.server.Serve(ctx, request))
}

// A Call answers an invocation with its payload, and says in the entry what the log is to
// tell of it. Its errors are faults.
type Call = func(context.Context, *telemetry.Entry, []byte) ([]byte, error)

// Direct is the function of an operation without a route, which is invoked with
// its request and answers with its response. The invoker sees the kind of an error and
// what a client may see.
func Direct(op operation.Operation, call Call, recorder *telemetry.Recorder) Function {
	return directFunction{operation: op, call: call, recorder: recorder}
}

type directFunction struct {
	operation operation.Operation
	call      Call
	recorder  *telemetry.Recorder
}

// Invoke answers one invocation.
func (f directFunction) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var entry telemetry.Entry
	began := f.recorder.Now()
	answer, err := f.recovered(ctx, &entry, payload)
	return answer, finish(ctx, f.recorder, &entry, f.operation, began, err)
}

// finish tells of an invocation that is over, and gives what the invoker sees of its error.
func finish(
	ctx context.Context, recorder *telemetry.Recorder, entry *telemetry.Entry, op operation.Operation, began time.Time, err error,
) error {
	level := slog.LevelInfo
	if err != nil {
		level = web.NoteFailure(entry, err)
	}
	recorder.Record(ctx, entry, telemetry.Outcome{
		Level: level, Message: "invocation", Operation: op.Name, RequestID: requestID(ctx), Began: began,
		IsFault: level >= slog.LevelError,
	})
	if err == nil {
		return nil
	}
	return shown(fault.Of(err))
}

// requestID is the one that Lambda has given.
func requestID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// shown is what the invoker sees of a failure.
func shown(failure *fault.Error) error {
	message := failure.Message
	for _, field := range failure.Fields {
		message += "; " + field.Name + ": " + field.Problem
	}
	return messages.InvokeResponse_Error{Message: message, Type: failure.Kind.Error()}
}

func (f directFunction) recovered(ctx context.Context, entry *telemetry.Entry, payload []byte) (answer []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	return f.call(ctx, entry, payload)
}
