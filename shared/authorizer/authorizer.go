// Package authorizer decides for API Gateway and AppSync whether a request to another
// API may pass. It is a Lambda authorizer: the platform sends it an event before each
// request, or uses what it answered before.
//
// # Events
//
// One function takes every event there is, and tells them apart by what is in them:
//
//	REST API, TOKEN            the credential, and the ARN of what is asked for
//	REST API, REQUEST          the request without its body
//	HTTP API, payload 1.0      the same
//	HTTP API, payload 2.0      the same, in another form
//	WebSocket API, $connect    the same, without a method
//	AppSync                    the credential and the query
//
// Any other event is an error.
//
// # Credential
//
// A full key or a session token, in the one header that the API has chosen. A request
// that bears two is refused: the platform might keep the answer for the other one. The
// query string is looked at for $connect alone, and only if the API says so.
//
// # Rights
//
// The key must live in the API's namespace, or above it and reach below; and its roles
// and rules must allow what the route asks for, by package protected. Whose service
// account a key is of counts for Latchkey's own resources, not for those of others.
//
// # Answers
//
// What could not be decided is an error, which every platform answers with a 500 and
// keeps nowhere. Otherwise:
//
//	                            no or a bad key             not allowed    allowed
//	REST API, WebSocket API     the error "Unauthorized":   a policy: 403  a policy
//	                            401
//	HTTP API with policies      a policy: 403               a policy: 403  a policy
//	HTTP API, simple            isAuthorized false: 403     false: 403     true
//	AppSync                     isAuthorized false          false          true
//
// An HTTP API itself answers 401 where the header is absent.
//
// A gateway may keep a policy for a credential and apply it to requests for other
// routes. So where the API has a table of routes, a policy says of each of them whether
// this key may use it, whichever was asked for. IAM's patterns know no segments: the one
// of /orders/{id} is orders/*, which is orders/1/items too. What a pattern reaches that
// the key may not use is denied, as far as patterns can tell it apart from what the key
// may use:
//
//   - of the table's routes, always. Where patterns cannot tell, as between a greedy
//     route that is allowed and one below it that has parameters and is not, the policy is
//     of the requested route alone;
//   - of what lies deeper than a parameter and is in no route of the table, unless an
//     allowed route lies there as well. A request for it is refused in any case, but a kept
//     policy might let it pass: the table must have every route that the authorizer
//     stands before.
//
// A policy that is too large for the platform gives way to that of the requested route
// as well. Without a table it always is: such answers must not be kept.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
// https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
package authorizer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/protected"
	"latchkey/shared/route"
	"latchkey/shared/session"
)

// A Config says what an Authorizer is made of. All of it must be set.
type Config struct {
	API      protected.API
	Sessions *session.Service
	Log      *slog.Logger
}

// An Authorizer stands before one API. It is safe for concurrent use.
type Authorizer struct {
	api       protected.API
	namespace namespace.Namespace
	table     route.Table[protected.Right]
	grid      grid
	sessions  *session.Service
	log       *slog.Logger
}

// New returns an authorizer that is made of c. Its error is what is wrong with the API.
func New(c Config) (*Authorizer, error) {
	ns, err := namespace.Parse(c.API.Namespace)
	if err != nil {
		return nil, fmt.Errorf("protected API: namespace %w", err)
	}
	table, err := c.API.Table()
	if err != nil {
		return nil, err
	}
	return &Authorizer{
		api: c.API, namespace: ns, table: table, grid: newGrid(table), sessions: c.Sessions, log: c.Log,
	}, nil
}

// Authorize answers one event. Unauthenticated, with the message "Unauthorized": the
// platform wants a missing or bad key as this error. Any other error says that it could
// not be decided.
func (a *Authorizer) Authorize(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := read(payload)
	if err != nil {
		return nil, err
	}
	key, err := a.authenticate(ctx, r)
	switch {
	case errors.Is(err, fault.Unauthenticated):
		return a.refuse(ctx, r, err)
	case err != nil:
		return nil, err
	}
	isAllowed := a.allows(key, r)
	a.note(ctx, r, outcomeOf(isAllowed), key.Locator)
	return a.answer(r, key, isAllowed)
}

func (a *Authorizer) authenticate(ctx context.Context, r request) (apikey.Key, error) {
	credential, ok := r.credential(a.api)
	if !ok {
		return apikey.Key{}, session.Refuse(errors.New("no credential, or more than one"))
	}
	return a.sessions.Authenticate(ctx, credential)
}

// refuse answers a request without a good key.
func (a *Authorizer) refuse(ctx context.Context, r request, why error) ([]byte, error) {
	switch r.shape {
	case restToken, restRequest, webSocket:
		return nil, fault.Wrap(fault.Unauthenticated, why, "Unauthorized")
	}
	a.note(ctx, r, "unauthenticated", apikey.Locator{}, slog.String("error", why.Error()))
	return a.answer(r, apikey.Key{}, false)
}

// allows reports whether a good key may do what is asked for.
func (a *Authorizer) allows(key apikey.Key, r request) bool {
	right, ok := a.rightFor(r)
	return ok && a.holds(key, right)
}

func (a *Authorizer) holds(key apikey.Key, right protected.Right) bool {
	if right.AnyKey {
		return key.Caller().Reaches(a.namespace)
	}
	return key.Caller().RequireGranted(right.Method, right.Kind, a.namespace) == nil
}

// rightFor is what a request asks for. Of a route that the table has, as the gateway
// calls it, what the table says: the backend gets the request by that route. Otherwise
// of the route that takes its path.
func (a *Authorizer) rightFor(r request) (protected.Right, bool) {
	if r.shape == webSocket || r.shape == appSync {
		return a.api.Right.For("")
	}
	if len(a.table.Rows()) == 0 {
		return a.api.Default(r.routeKey(), r.target.method)
	}
	row, ok := a.rowFor(r)
	if !ok {
		return protected.Right{}, false
	}
	return row.Value.For(r.target.method)
}

func (a *Authorizer) rowFor(r request) (route.Row[protected.Right], bool) {
	if row, ok := a.table.Find(r.route); ok {
		return row, true
	}
	row, _, ok := a.table.Match(r.target.method, r.target.path)
	return row, ok
}

func outcomeOf(isAllowed bool) string {
	if isAllowed {
		return "allowed"
	}
	return "forbidden"
}

// note writes the one line about an answer. What is refused by an error is logged with
// that.
func (a *Authorizer) note(ctx context.Context, r request, outcome string, by apikey.Locator, more ...slog.Attr) {
	attributes := append(more, slog.String("event", r.shape.String()), slog.String("outcome", outcome))
	if r.route != "" {
		attributes = append(attributes, slog.String("route", r.route))
	}
	if by != (apikey.Locator{}) {
		attributes = append(attributes,
			slog.String("caller_key", by.ID.String()), slog.String("caller_namespace", by.Namespace.String()))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "authorization", attributes...)
}
