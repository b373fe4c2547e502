// Package web is the seam between a request and the domain: it knows HTTP and
// JSON, and neither Lambda nor DynamoDB.
//
// A handler decodes, calls and encodes in a few lines, and returns an error for
// everything that is no success. Server does around it what must never differ: it
// limits the body, stops before the platform's time-out, recovers from a panic,
// renders a fault in the envelope of its API, adds the headers that RFC 6750 and RFC
// 9110 want, and writes one log line.
//
// A client may give an answer less time than the platform does, by Request-Timeout.
// When that is over the handler's context is, and what the handler fails with is
// TimedOut: the client's choice, where the platform's time-out is a failure of ours.
//
// No cache may keep an answer, unless its handler says otherwise: answers hold
// credentials, and what one caller alone may see. A large one is compressed where
// the client takes that.
//
// A log line holds what the handlers note: ids, namespaces, verdicts. It holds no
// header, path, query or body, where a key might be, and an error's text only if
// the failure is ours or may be, or a credential was refused.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"latchkey/shared/credential"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

// MaxBodyBytes is the size of the largest body that is read.
const MaxBodyBytes = 256 << 10

// MaxAnswerBytes bounds the body of an answer, as WireSize counts it before it is
// compressed. The platform takes 6 MB with everything around it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxAnswerBytes = 5_000_000

// A Request is what a handler sees of an HTTP request.
type Request struct {
	ID         string // given by the gateway
	Operation  operation.Operation
	Method     string
	Path       string
	PathValues map[string]string
	RawQuery   string
	Header     map[string]string // by lower-case name
	Body       []byte

	telemetry.Entry // of the request's line in the log
}

// Parameters gives the query's parameters whose names begin with a prefix, without
// it. Others are not looked at. Invalid: a value is malformed, or given twice.
func (r *Request) Parameters(prefix string) (map[string]string, error) {
	return r.parameters(func(name string) (string, bool) { return strings.CutPrefix(name, prefix) })
}

// ParametersNamed is Parameters for names that are known.
func (r *Request) ParametersNamed(names ...string) (map[string]string, error) {
	return r.parameters(func(name string) (string, bool) { return name, slices.Contains(names, name) })
}

func (r *Request) parameters(wanted func(name string) (short string, ok bool)) (map[string]string, error) {
	parameters := map[string]string{}
	for pair := range strings.SplitSeq(r.RawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		short, ok := wanted(name)
		if err != nil || !ok {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, fault.InvalidField(name, "value is malformed")
		}
		if _, twice := parameters[short]; twice {
			return nil, fault.InvalidField(name, "value is given more than once")
		}
		parameters[short] = value
	}
	return parameters, nil
}

// Bearer gives the credential of the Authorization header (RFC 6750, section 2.1).
// Unauthenticated: there is none, or one of another scheme.
func (r *Request) Bearer() (string, error) {
	header, ok := r.Header["authorization"]
	if !ok {
		return "", fault.New(fault.Unauthenticated, "Missing authorization header")
	}
	text, ok := credential.Bearer(header)
	if !ok {
		return "", fault.New(fault.Unauthenticated, "Invalid authorization header: Bearer")
	}
	return text, nil
}

// A Response is an answer. A handler makes a new one for each request, as the Server
// adds to its header. Its body is text until the Server gives it a Content-Encoding.
type Response struct {
	Status int
	Header map[string]string // by canonical name
	Body   []byte
	Gzip   []byte // the body, compressed once by who gives it often; nil: the Server does it
}

// A Handler answers a request. Its error is rendered as a fault.
type Handler func(context.Context, *Request) (Response, error)

// An Envelope renders a fault in the form of one API.
type Envelope func(*Request, *fault.Error) Response

// A Config says what a Server is made of. All of it must be set.
type Config struct {
	Handler  Handler
	Envelope Envelope
	Recorder *telemetry.Recorder
}

// A Server runs one handler.
type Server struct {
	config Config
}

// NewServer returns a server that is made of c.
func NewServer(c Config) *Server { return &Server{config: c} }

// Recorder is what tells of requests.
func (s *Server) Recorder() *telemetry.Recorder { return s.config.Recorder }

// Serve answers a request, whatever happens.
func (s *Server) Serve(ctx context.Context, r *Request) Response {
	began := s.config.Recorder.Now()
	ctx, cancelPlatform := withinPlatformTime(ctx)
	defer cancelPlatform()
	ctx, cancelClient := withinClientTime(ctx, r)
	defer cancelClient()
	response, err := s.handle(ctx, r)
	if err == nil && WireSize(response.Body) > MaxAnswerBytes {
		err = fmt.Errorf("an answer of %d bytes is more than the platform takes", len(response.Body))
	}
	if err != nil {
		response = s.config.Envelope(r, fault.Of(err))
		addErrorHeaders(r, &response)
	}
	finish(r, &response)
	s.record(ctx, r, began, response.Status, err)
	return response
}

func (s *Server) handle(ctx context.Context, r *Request) (response Response, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	if len(r.Body) > MaxBodyBytes {
		return Response{}, fault.New(fault.TooLarge, fmt.Sprintf("the body is over the limit of %d bytes", MaxBodyBytes))
	}
	response, err = s.config.Handler(ctx, r)
	return response, blameClientTime(ctx, err)
}

// addErrorHeaders adds what an error's status demands in every API.
func addErrorHeaders(r *Request, response *Response) {
	switch response.Status {
	case http.StatusUnauthorized:
		response.Header["WWW-Authenticate"] = challenge(r)
	case http.StatusForbidden:
		response.Header["WWW-Authenticate"] = realm + `, error="insufficient_scope"`
	case http.StatusMethodNotAllowed:
		response.Header["Allow"] = strings.Join(operation.Methods(r.Path), ", ")
	}
}

// finish adds what no answer may lack, and compresses a large one on request.
//
// https://www.rfc-editor.org/rfc/rfc6749#section-5.1
// https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
func finish(r *Request, response *Response) {
	if response.Header == nil {
		response.Header = map[string]string{}
	}
	if _, ok := response.Header["Cache-Control"]; !ok {
		response.Header["Cache-Control"] = "no-store"
	}
	if len(response.Body) < minCompressedBytes {
		return
	}
	response.Header["Vary"] = "Accept-Encoding"
	if acceptsGzip(r.Header["accept-encoding"]) {
		compress(response)
	}
}

const realm = `Bearer realm="latchkey"`

// challenge names an error only where a credential of this scheme was presented
// (RFC 6750, section 3.1).
func challenge(r *Request) string {
	if _, err := r.Bearer(); err != nil {
		return realm
	}
	return realm + `, error="invalid_token"`
}

func (s *Server) record(ctx context.Context, r *Request, began time.Time, status int, err error) {
	r.Add(slog.Int("status", status))
	level := slog.LevelInfo
	if err != nil {
		level = NoteFailure(&r.Entry, err)
	}
	s.config.Recorder.Record(ctx, &r.Entry, telemetry.Outcome{
		Level: level, Message: "request", Operation: r.Operation.Name, RequestID: r.ID, Began: began,
		IsFault: level >= slog.LevelError, IsDeclined: status >= http.StatusInternalServerError && level < slog.LevelError,
	})
}

// NoteFailure notes an error's kind and gives the level of the line. Its text is noted only if
// the failure is ours or may be, or a credential was refused: any other might repeat what
// was sent. Only a failure of ours is an error: what a client can bring about at will must
// not look like one, and wake nobody up.
func NoteFailure(entry *telemetry.Entry, err error) slog.Level {
	failure := fault.Of(err)
	entry.Note("fault", failure.Kind.Error())
	switch failure.Kind {
	case fault.Internal, fault.Unavailable:
		entry.Note("error", err.Error())
		return slog.LevelError
	case fault.TimedOut: // behind an impatient client an outage may hide
		if cause := errors.Unwrap(failure); cause != nil && fault.Of(cause).Kind.IsOurs() {
			entry.Note("error", err.Error())
			return slog.LevelWarn
		}
	case fault.Unauthenticated:
		entry.Note("error", err.Error())
	}
	return slog.LevelInfo
}
