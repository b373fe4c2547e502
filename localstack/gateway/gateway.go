// Package gateway stands in for an API Gateway HTTP API whose routes have Lambda
// integrations of payload format 2.0, on the $default stage, without authorizers
// and without CORS: it turns requests into the events that functions get in AWS,
// and their responses into HTTP.
//
// What it does as AWS does, the page that says so, and the test that holds it:
//
//	behaviour                                              page        test
//	full match before greedy before $default               [routes]    TestRouting
//	{name} takes one segment, {name+} takes the rest       [routes]    TestRouting
//	ANY takes the methods that the resource has not        [routes]    TestRouting
//	no route: 404 {"message":"Not Found"}                  [routes]    TestNoRoute
//	path parameters are decoded                            [routes]    TestEvent
//	event fields; header names in lower case               [lambda]    TestEvent
//	duplicate headers and parameters joined with commas    [lambda]    TestEvent
//	cookies in a field of their own                        [lambda]    TestEvent
//	a response without statusCode is a 200 of JSON;
//	one that is a string loses its quotes                  [lambda]    TestResponses
//	statusCode, headers, cookies, base64 of a response     [lambda]    TestResponses
//	an error of the function: 500                          [errors]    TestFunctionErrors
//	a malformed response: 500                              [errors]    TestResponses
//	30 s for the integration                               [quotas]    TestTimeout
//	10 MB for a body, 10,240 bytes for line and headers    [quotas]    TestLimits
//	6 MB for the event                                     [lambdaq]   TestLimits
//
// What AWS's own emulator does, because its authors saw it in AWS, while no page
// says so [tool]: rawPath is decoded; the default content type of a response with
// a statusCode is text/plain; a request without a content type is text; the name
// of the header Apigw-Requestid; a response that is no JSON is a 200 as well.
//
// What is not verified: 413, 431 and 503 as the answers to a size, a header and
// a time that exceed the limits (a support page says 504 for the time); that a
// path is decoded before it is matched, and a slash in it with it; that a
// trailing slash makes another path; that a full match with ANY comes before a
// greedy one with the method; what AWS answers to a request that is no HTTP, such as
// the path "/%" (here net/http's own 400); which content types are text (here text/*, JSON,
// XML and JavaScript; a form is not); X-Forwarded-* as given to the function.
//
// What is left out: a Content-Type that AWS adds to a request without a payload,
// and throttling.
//
//	[routes]  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
//	[lambda]  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//	[errors]  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
//	[quotas]  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//	[lambdaq] https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
//	[tool]    https://github.com/aws/aws-lambda-dotnet/tree/master/Tools/LambdaTestTool-v2
package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"latchkey/shared/operation"
	"latchkey/shared/route"
)

// DefaultTimeout is how long an HTTP API waits for a function.
const DefaultTimeout = 30 * time.Second

// Limits in bytes.
const (
	MaxBody   = 10 << 20
	MaxEvent  = 6 << 20
	MaxHeader = 10240
)

// A body over the limit is read this far, so that the client gets to read the
// answer.
const maxDrained = 64 << 20

// An Invoker gives an event to an operation's function and returns the response.
type Invoker interface {
	Invoke(ctx context.Context, op operation.Operation, event []byte) ([]byte, error)
}

// Config says what to serve. Routes and Invoker must be set.
type Config struct {
	Routes  []Route
	Invoker Invoker
	Timeout time.Duration    // 0: DefaultTimeout
	Now     func() time.Time // nil: time.Now
	Log     io.Writer        // why the gateway itself answered 500 or 503; nil: nowhere
}

// A Gateway is an http.Handler.
type Gateway struct {
	config Config
	table  route.Table[Route]
}

// New checks the routes and makes a gateway.
func New(config Config) (*Gateway, error) {
	table, err := newTable(config.Routes)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	return &Gateway{config: config, table: table}, nil
}

// ServeHTTP answers one request through the function of its route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	w.Header().Set("Apigw-Requestid", id)
	match, ok := g.match(r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	if headerSize(r) > MaxHeader {
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	event, err := g.event(r, match, id)
	switch {
	case errors.Is(err, errTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case err != nil:
		refuse(w, http.StatusBadRequest, "Bad Request")
	default:
		g.integrate(w, r, match, event)
	}
}

// integrate has the function answer.
func (g *Gateway) integrate(w http.ResponseWriter, r *http.Request, match match, event []byte) {
	ctx, cancel := context.WithTimeout(r.Context(), g.config.Timeout)
	defer cancel()
	payload, err := g.config.Invoker.Invoke(ctx, match.route.Operation, event)
	if err == nil {
		var response response
		if response, err = parseResponse(payload); err == nil {
			response.write(w)
			return
		}
	}
	if r.Context().Err() != nil {
		return // the client is gone
	}
	g.logf("%s: %v", match.route.Key, err)
	if errors.Is(err, context.DeadlineExceeded) {
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	refuse(w, http.StatusInternalServerError, "Internal Server Error")
}

func (g *Gateway) logf(format string, arguments ...any) {
	// There is nowhere to report that the log is broken.
	_, _ = fmt.Fprintf(g.config.Log, "gateway: "+format+"\n", arguments...)
}

// headerSize is the combined size of the request line and the header values.
func headerSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  ") + len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	return size
}

// refuse is an answer of the gateway's own.
func refuse(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		panic(err) // strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is no concern of ours
}
