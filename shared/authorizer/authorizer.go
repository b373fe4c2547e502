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
// and rules must allow what the route asks for, by package protected. That a key belongs
// to a service account gives it rights to Latchkey's own resources alone.
//
// Which route that is, the gateway tells in most events, and the backend gets the request
// by it: so its row of the table counts, whatever the path looks like, and a route that the
// table does not have is refused. Only where the gateway leaves it to the path, because it
// tells no route, or a greedy one or the default, beside which a table may have finer ones,
// the row counts that takes the path, and that of any other spelling by which a backend may
// know it; a path with dots or escaped slashes is refused. Without a table, it is the
// gateway's route or none.
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
// this key may use it, whichever was asked for; package policy tells how far patterns can
// say that. Where they cannot, or not in as little space as there is, it is of the
// requested route alone; without a table it always is, and such answers must not be kept.
// A simple answer is of the requested route at any time: it is kept by method and path,
// or not at all.
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
	"slices"
	"strings"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/policy"
	"latchkey/shared/protected"
	"latchkey/shared/route"
	"latchkey/shared/session"
	"latchkey/shared/telemetry"
)

// A Config says what an Authorizer is made of. All of it must be set.
type Config struct {
	API      protected.API
	Sessions *session.Service
	Clock    func() time.Time
}

// An Authorizer stands before one API. It is safe for concurrent use.
type Authorizer struct {
	api       protected.API
	namespace namespace.Namespace
	table     route.Table[protected.Right]
	grid      policy.Grid
	sessions  *session.Service
	clock     func() time.Time
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
		api: c.API, namespace: ns, table: table, grid: policy.NewGrid(table),
		sessions: c.Sessions, clock: c.Clock,
	}, nil
}

// Authorize answers one event, and notes what it answers. Unauthenticated, with the message "Unauthorized": the
// platform wants a missing or bad key as this error. Any other error says that it could
// not be decided.
func (a *Authorizer) Authorize(ctx context.Context, entry *telemetry.Entry, payload []byte) ([]byte, error) {
	r, err := read(payload)
	if err != nil {
		return nil, err
	}
	r.note(entry)
	key, err := a.authenticate(ctx, entry, r)
	switch {
	case errors.Is(err, fault.Unauthenticated):
		return a.refuse(entry, r, err)
	case err != nil:
		return nil, err
	}
	isAllowed := a.allows(key, r)
	noteDecision(entry, key.Locator, isAllowed)
	return a.answer(r, key, isAllowed)
}

func (a *Authorizer) authenticate(ctx context.Context, entry *telemetry.Entry, r request) (apikey.Key, error) {
	credential, ok := r.credential(a.api)
	if !ok {
		return apikey.Key{}, session.Refuse(errors.New("no credential, or more than one"))
	}
	key, err := a.sessions.Authenticate(ctx, credential)
	entry.Judge(session.VerdictOf(err))
	return key, err
}

// refuse answers a request without a good key. What is refused by an error is noted with
// that.
func (a *Authorizer) refuse(entry *telemetry.Entry, r request, why error) ([]byte, error) {
	entry.Note("outcome", "unauthenticated")
	if at, ok := session.LocatorOf(why); ok {
		entry.Note("key", at.ID.String())
		entry.Note("namespace", at.Namespace.String())
	}
	switch r.shape {
	case restToken, restRequest, webSocket:
		return nil, fault.Wrap(fault.Unauthenticated, why, "Unauthorized")
	}
	entry.Note("error", why.Error())
	return a.answer(r, apikey.Key{}, false)
}

// allows reports whether a good key may do what is asked for.
func (a *Authorizer) allows(key apikey.Key, r request) bool {
	rights, caller := a.rightsFor(r), key.Caller()
	return len(rights) > 0 && !slices.ContainsFunc(rights, func(right protected.Right) bool { return !a.holds(caller, right) })
}

// holds reports whether who bears a key has a right, which nobody has that is incomplete: a grant for
// every kind would also be one for none.
func (a *Authorizer) holds(caller access.Caller, right protected.Right) bool {
	switch {
	case right.AnyKey:
		return caller.Reaches(a.namespace)
	case !access.IsKind(right.Kind):
		return false
	}
	return caller.IsGranted(right.Method, right.Kind, a.namespace)
}

// rightsFor is what a request asks for, all of it. Empty: its route is not known, and it is
// refused. The zero Right is held by nobody.
func (a *Authorizer) rightsFor(r request) []protected.Right {
	switch {
	case r.shape == webSocket || r.shape == appSync:
		return []protected.Right{a.api.Right}
	case len(a.table.Rows()) == 0:
		return a.defaultFor(r)
	case r.isOpen():
		return a.rightsByPath(r.target)
	}
	return a.rightsByRoute(r)
}

// defaultFor is what follows from the route that the gateway has chosen. Where it does not
// tell, nothing does: in the path, who asks could choose the kind.
func (a *Authorizer) defaultFor(r request) []protected.Right {
	key, err := route.Parse(r.route)
	if err != nil {
		return nil
	}
	right, _ := a.api.Default(key, r.target.method)
	return []protected.Right{right}
}

// rightsByRoute is that of the row of the route that the gateway has chosen, by which the
// backend gets the request. A REST API does not tell whether that is for any method.
func (a *Authorizer) rightsByRoute(r request) []protected.Right {
	_, path, _ := strings.Cut(r.route, " ")
	for _, method := range []string{r.target.method, route.Any} {
		if row, ok := a.table.Find(method + " " + path); ok {
			right, _ := row.Value.For(r.target.method)
			return []protected.Right{right}
		}
	}
	return nil
}

// rightsByPath are those of the rows that take the path as it is spelled, and as a backend
// may read it.
func (a *Authorizer) rightsByPath(t target) []protected.Right {
	spellings, ok := spellingsOf(t.path)
	if !ok {
		return nil
	}
	var rights []protected.Right
	for _, path := range spellings {
		if row, _, ok := a.table.Match(t.method, path); ok {
			right, _ := row.Value.For(t.method)
			rights = append(rights, right)
		}
	}
	return rights
}

func (r request) note(entry *telemetry.Entry) {
	entry.Note("event", r.shape.String())
	if r.route != "" {
		entry.Note("route", r.route)
	}
}

func noteDecision(entry *telemetry.Entry, by apikey.Locator, isAllowed bool) {
	outcome := "forbidden"
	if isAllowed {
		outcome = "allowed"
	}
	entry.Note("outcome", outcome)
	entry.Note("caller_key", by.ID.String())
	entry.Note("caller_namespace", by.Namespace.String())
}
