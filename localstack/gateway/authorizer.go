package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/operation"
)

// maxTTL is how long the answer of an authorizer can be kept at most.
const maxTTL = time.Hour

// Why a request does not pass. The texts tell nothing of what an authorizer was sent or
// has said: its own log does, as far as it wants.
var (
	errNoIdentity = errors.New("request without an identity source")
	errRefused    = errors.New("request refused by the authorizer")
)

// An Authorizer is a function that says which requests may pass. Routes that share one
// share what is kept of its answers.
type Authorizer struct {
	Operation operation.Operation

	// IdentitySources are where a request says whose it is: "$request.header.Name",
	// "$request.querystring.name", "$context.routeKey", "$context.httpMethod" and
	// "$context.path". A request that lacks one is refused before the function is asked.
	IdentitySources []string

	Simple bool          // the answers are simple ones; otherwise IAM policies
	TTL    time.Duration // for which the answer to an identity is kept; 0: it is not
}

// A guard is an authorizer at work.
type guard struct {
	Authorizer
	sources []source

	mu   sync.Mutex
	kept map[string]keptVerdict
}

// A verdict is what an authorizer has answered.
type verdict struct {
	policy  policy
	context map[string]any
}

type keptVerdict struct {
	verdict
	until time.Time
}

// newGuards makes a guard for each authorizer of the routes.
func newGuards(config Config) (map[*Authorizer]*guard, error) {
	guards := map[*Authorizer]*guard{}
	for _, route := range config.Routes {
		if route.Authorizer == nil || guards[route.Authorizer] != nil {
			continue
		}
		guard, err := newGuard(*route.Authorizer)
		if err == nil && config.Region == "" {
			err = errors.New("there is no region for the ARNs of routes")
		}
		if err != nil {
			return nil, fmt.Errorf("authorizer %s: %w", route.Authorizer.Operation.Name, err)
		}
		guards[route.Authorizer] = guard
	}
	return guards, nil
}

func newGuard(a Authorizer) (*guard, error) {
	if a.TTL < 0 || a.TTL > maxTTL {
		return nil, fmt.Errorf("answers cannot be kept for %v", a.TTL)
	}
	if a.TTL > 0 && len(a.IdentitySources) == 0 {
		return nil, errors.New("without an identity source no answer can be kept")
	}
	guard := &guard{Authorizer: a, kept: map[string]keptVerdict{}}
	for _, text := range a.IdentitySources {
		source, err := parseSource(text)
		if err != nil {
			return nil, err
		}
		guard.sources = append(guard.sources, source)
	}
	return guard, nil
}

// A source gives what one identity source selects of a request, empty if there is
// nothing.
type source func(*events.APIGatewayV2HTTPRequest) string

func parseSource(text string) (source, error) {
	if name, ok := strings.CutPrefix(text, "$request.header."); ok && name != "" {
		name = strings.ToLower(name)
		return func(r *events.APIGatewayV2HTTPRequest) string { return r.Headers[name] }, nil
	}
	if name, ok := strings.CutPrefix(text, "$request.querystring."); ok && name != "" {
		return func(r *events.APIGatewayV2HTTPRequest) string { return r.QueryStringParameters[name] }, nil
	}
	switch text {
	case "$context.routeKey":
		return func(r *events.APIGatewayV2HTTPRequest) string { return r.RouteKey }, nil
	case "$context.httpMethod":
		return func(r *events.APIGatewayV2HTTPRequest) string { return r.RequestContext.HTTP.Method }, nil
	case "$context.path":
		return func(r *events.APIGatewayV2HTTPRequest) string { return r.RequestContext.HTTP.Path }, nil
	}
	return nil, fmt.Errorf("identity source %q is none that is served", text)
}

// authorize lets a request pass or gives the error why not. What the authorizer says of
// the caller becomes part of the request.
func (g *Gateway) authorize(ctx context.Context, a *Authorizer, request *events.APIGatewayV2HTTPRequest) error {
	if a == nil {
		return nil
	}
	guard := g.guards[a]
	identity, err := guard.identify(request)
	if err != nil {
		return err
	}
	verdict, known := guard.recall(identity, g.config.Now())
	if !known {
		if verdict, err = g.ask(ctx, guard, identity, request); err != nil {
			return fmt.Errorf("authorizer %s: %w", a.Operation.Name, err)
		}
		guard.keep(identity, verdict, g.config.Now())
	}
	if !verdict.policy.allows(g.routeARN(request)) {
		return errRefused
	}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{Lambda: verdict.context}
	return nil
}

// identify gives what the identity sources select, all of which must be there.
func (g *guard) identify(request *events.APIGatewayV2HTTPRequest) ([]string, error) {
	var identity []string
	for _, source := range g.sources {
		value := source(request)
		if value == "" {
			return nil, errNoIdentity
		}
		identity = append(identity, value)
	}
	return identity, nil
}

// ask has the function answer. It is told neither the request's body nor anything of the
// function behind it.
func (g *Gateway) ask(
	ctx context.Context, guard *guard, identity []string, request *events.APIGatewayV2HTTPRequest,
) (verdict, error) {
	event, err := json.Marshal(events.APIGatewayV2CustomAuthorizerV2Request{
		Version:               "2.0",
		Type:                  "REQUEST",
		RouteArn:              g.routeARN(request),
		IdentitySource:        identity,
		RouteKey:              request.RouteKey,
		RawPath:               request.RawPath,
		RawQueryString:        request.RawQueryString,
		Cookies:               request.Cookies,
		Headers:               request.Headers,
		QueryStringParameters: request.QueryStringParameters,
		RequestContext:        request.RequestContext,
		PathParameters:        request.PathParameters,
		StageVariables:        request.StageVariables,
	})
	if err != nil {
		return verdict{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, g.config.AuthorizerTimeout)
	defer cancel()
	answer, err := g.config.Invoker.Invoke(ctx, guard.Operation, event)
	if errors.Is(err, context.DeadlineExceeded) {
		return verdict{}, errors.New("no answer in time")
	}
	if err != nil {
		return verdict{}, errors.New("an error instead of an answer")
	}
	return guard.parse(answer)
}

// routeARN names what a request asks for, as policies do.
func (g *Gateway) routeARN(request *events.APIGatewayV2HTTPRequest) string {
	http := request.RequestContext.HTTP
	return strings.Join([]string{"arn:aws:execute-api:" + g.config.Region + ":" + account + ":" + apiID,
		stage, http.Method, strings.TrimPrefix(http.Path, "/")}, "/")
}

// recall gives what was answered to an identity, if that is kept.
func (g *guard) recall(identity []string, now time.Time) (verdict, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept, ok := g.kept[keyOf(identity)]
	return kept.verdict, ok && now.Before(kept.until)
}

// keep remembers what was answered to an identity, and forgets what is too old.
func (g *guard) keep(identity []string, verdict verdict, now time.Time) {
	if g.TTL == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.kept, func(_ string, kept keptVerdict) bool { return !now.Before(kept.until) })
	g.kept[keyOf(identity)] = keptVerdict{verdict, now.Add(g.TTL)}
}

// keyOf joins texts so that no two lists become one.
func keyOf(identity []string) string { return fmt.Sprintf("%q", identity) }
