// Package gateway stands in for an API Gateway HTTP API whose routes have Lambda
// integrations of payload format 2.0, on the $default stage, without CORS: it turns
// requests into the events that functions get in AWS, and their responses into HTTP.
// Routes may have Lambda authorizers of type REQUEST, with payload format 2.0 as well.
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
// And of authorizers:
//
//	no identity source, or an empty one: 401, and the
//	function is not asked                                  [authref]   TestIdentitySources
//	names of headers in any case, of parameters as given   [auth]      TestIdentitySources
//	the event's fields                                     [auth]      TestAuthorizerEvent
//	simple answers or policies, whichever is configured    [auth]      TestSimpleAnswers, TestPolicies
//	a Deny before any Allow; neither is a Deny             [deny]      TestPolicies
//	* is any text, also with slashes, and ? one character  [resource]  TestPolicies
//	${*}, ${?} and ${$} are the characters                 [variables] TestPolicies
//	actions in any case, with wildcards                    [action]    TestPolicies
//	a function that cannot be asked, an error of it, an
//	answer in another form: 500                            [auth]      TestFailingAuthorizers
//	10 s for the answer                                    [quotas]    TestAuthorizerTimeout
//	an answer is kept by the identity sources for the TTL
//	and used on every route with the authorizer            [auth]      TestKeptAnswers
//	$context.routeKey has answers kept for each route      [auth]      TestKeptAnswers
//	nothing is kept without an identity source             [auth]      TestBadAuthorizers
//	nor for more than an hour                              [authref]   TestBadAuthorizers
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
// Of authorizers that is: 403 {"message":"Forbidden"} as the answer to a refused request,
// and the texts of 401 and 500; that the function behind an authorizer finds the answer's
// context, with nothing added, in requestContext.authorizer.lambda (aws-lambda-go has it
// there); that routeArn has the path decoded, like rawPath; that fields without a value
// are null in an authorizer's event; that refusals are kept for the TTL, and errors are
// not; that a body is read before an authorizer is asked; that the values of a parameter
// that is there twice are joined with a comma in identitySource too; that * reaches over
// colons everywhere, where IAM promises it at the end of a segment; that a policy must
// have a version and the answer a principalId.
//
// What is left out: a Content-Type that AWS adds to a request without a payload,
// and throttling; identity sources from stage variables and from the rest of $context;
// of policies NotAction, NotResource, Condition and variables. A policy with one of them,
// or with anything else that is not known here, is malformed.
//
//	[routes]    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
//	[lambda]    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//	[errors]    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
//	[quotas]    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//	[lambdaq]   https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
//	[auth]      https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
//	[authref]   https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
//	[deny]      https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
//	[resource]  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
//	[action]    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
//	[variables] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
//	[tool]      https://github.com/aws/aws-lambda-dotnet/tree/master/Tools/LambdaTestTool-v2
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

// How long an HTTP API waits for a function, and for an authorizer.
const (
	DefaultTimeout           = 30 * time.Second
	DefaultAuthorizerTimeout = 10 * time.Second
)

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
	Region  string           // of the ARNs that authorizers are told; set where there are any
	Timeout time.Duration    // 0: DefaultTimeout
	Now     func() time.Time // nil: time.Now
	Log     io.Writer        // why the gateway itself answered 500 or 503; nil: nowhere

	AuthorizerTimeout time.Duration // 0: DefaultAuthorizerTimeout
}

// A Gateway is an http.Handler.
type Gateway struct {
	config Config
	table  route.Table[Route]
	guards map[*Authorizer]*guard
}

// New checks the routes and makes a gateway.
func New(config Config) (*Gateway, error) {
	table, err := newTable(config.Routes)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	guards, err := newGuards(config)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.AuthorizerTimeout = cmp.Or(config.AuthorizerTimeout, DefaultAuthorizerTimeout)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	return &Gateway{config: config, table: table, guards: guards}, nil
}

// ServeHTTP answers one request through the function of its route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	w.Header().Set("Apigw-Requestid", id)
	match, ok := g.match(r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	if headerSize(r) > MaxHeader {
		refuse(w, http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	event, err := g.admit(r, match, id)
	if err != nil {
		g.fail(w, r, match, err)
		return
	}
	g.integrate(w, r, match, event)
}

// admit makes the event for the function of a request that may have it.
func (g *Gateway) admit(r *http.Request, match match, id string) ([]byte, error) {
	request, err := g.request(r, match, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if err := g.authorize(r.Context(), match.route.Authorizer, &request); err != nil {
		return nil, err
	}
	return encode(request)
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
	g.fail(w, r, match, err)
}

// fail answers a request that no function has answered.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, match match, err error) {
	if r.Context().Err() != nil {
		return // the client is gone
	}
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		g.logf("%s: %v", match.route.Key, err)
	}
	refuse(w, status)
}

// statuses say what a request is answered that fails, the first that fits. Any other
// error is the gateway's or a function's, be it an authorizer's.
var statuses = []struct {
	of     error
	status int
}{
	{errTooLarge, http.StatusRequestEntityTooLarge},
	{errUnreadable, http.StatusBadRequest},
	{errNoIdentity, http.StatusUnauthorized},
	{errRefused, http.StatusForbidden},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
}

func statusOf(err error) int {
	for _, row := range statuses {
		if errors.Is(err, row.of) {
			return row.status
		}
	}
	return http.StatusInternalServerError
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
func refuse(w http.ResponseWriter, status int) {
	body, err := json.Marshal(map[string]string{"message": http.StatusText(status)})
	if err != nil {
		panic(err) // strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is no concern of ours
}
