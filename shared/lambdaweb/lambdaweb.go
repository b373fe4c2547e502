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
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	jsonv2 "github.com/go-json-experiment/json"

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
	request, err := f.read(payload)
	if err != nil {
		return nil, finish(ctx, f.server.Recorder(), new(telemetry.Entry), f.operation, began, err)
	}
	return encode(f.server.Serve(ctx, request))
}

func (f httpFunction) read(payload []byte) (*web.Request, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("event of an HTTP API: %w", err)
	}
	return f.request(event)
}

// A response is the part of events.APIGatewayV2HTTPResponse that we use.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded,omitzero"`
}

// encode escapes nothing but what JSON demands: the body is JSON, the platform's
// limit is on what it becomes here, and web.WireSize counts that.
func encode(r web.Response) ([]byte, error) {
	body, isBase64 := encodeBody(r)
	answer := response{StatusCode: r.Status, Headers: r.Header, Body: body, IsBase64Encoded: isBase64}
	return jsonv2.Marshal(answer, jsonv2.Deterministic(true))
}

// encodeBody gives a compressed body in base64, as it is no text.
func encodeBody(r web.Response) (body string, isBase64 bool) {
	if r.Header["Content-Encoding"] == "" {
		return string(r.Body), false
	}
	return base64.StdEncoding.EncodeToString(r.Body), true
}

func (f httpFunction) request(event events.APIGatewayV2HTTPRequest) (*web.Request, error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			return nil, fmt.Errorf("body of an event: %w", err)
		}
		body = decoded
	}
	return &web.Request{
		ID:         event.RequestContext.RequestID,
		Operation:  f.operation,
		Method:     event.RequestContext.HTTP.Method,
		Path:       event.RawPath,
		PathValues: event.PathParameters,
		RawQuery:   event.RawQueryString,
		Header:     event.Headers,
		Body:       body,
	}, nil
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
