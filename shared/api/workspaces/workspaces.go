// Package workspaces speaks the API-key API of KubeSlice EGS: /api/v1/api-key and
// /api/v1/auth.
//
// Every answer has one envelope, whose members are exactly statusCode, status,
// message, data and, on errors, error; its statusCode is the HTTP status. The
// vendor's client reads the code from the body and fails on any other member.
//
// # Where keys live
//
// A workspace is a namespace right below the caller's. A key with a workspace lives
// there, or in the caller's own namespace if that has the workspace's name; a key
// without one lives in the caller's own. An Owner's key propagates, an Editor's and a
// Viewer's does not.
//
// # Roles
//
//	role     what it may do                                          in the namespaces API
//	Owner    everything                                              SYSTEM_ROLE_ADMIN
//	Editor   read everything, and write what is neither a key nor    its rules
//	         a service account
//	Viewer   read everything                                         SYSTEM_ROLE_READ_ONLY
//
// The other way round, a key that was made elsewhere shows as Owner if it may do
// everything, as Editor if it may write anything, and as Viewer otherwise.
//
// # Decisions
//
// Where the vendor says nothing, this is decided:
//   - unknown members of a body are ignored, because documents and clients disagree on
//     names, but none may be there twice; of a member that has two names, both may be
//     given if they agree;
//   - a key is valid to the end of its last day, UTC; 9999-12-31 means that it never
//     expires, and is how such a key is listed;
//   - a description has at most 4,096 bytes, a userName 255. The namespaces API, which
//     allows less of new ones, shows what this one has made, and takes an update of such
//     a key that leaves name and description alone;
//   - a list shows a key's public identifier as its apiKey: nothing that is stored
//     gives the secret back. Its id is the key's id in 32 hex digits;
//   - the workspace of a listed key is its namespace, without the caller's, and may
//     then have dots, which no list can be asked for; of a key in the caller's own
//     namespace it is the last segment of that, and nothing for an Owner's;
//   - a list holds all keys in one answer; one over 5 MB, or one that takes reading more
//     than 40 MB of the keys' texts, is an error;
//   - a deletion asks for the right to delete, and not for the key's secret; what the
//     caller does not reach does not exist.
package workspaces

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/api/bearer"
	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

// tokenLifetime is that of a session token which this API gives.
const tokenLifetime = 900 * time.Second

// What the vendor says of a credential, and its client looks for.
const (
	unauthenticatedText = "Unauthenticated"
	expiredText         = "Api Key has expired"
	malformedText       = "Api Key Configuration is invalid. Request a new API-key or contact administrator"
)

// An answerer answers the operations of this API.
type answerer struct{ wiring.Config }

// CreateWorkspaceKey is the endpoint of operation.CreateWorkspaceKey.
func CreateWorkspaceKey(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Create, (*answerer).create)
}

// ListWorkspaceKeys is the endpoint of operation.ListWorkspaceKeys.
func ListWorkspaceKeys(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Read, (*answerer).list)
}

// DeleteWorkspaceKey is the endpoint of operation.DeleteWorkspaceKey.
func DeleteWorkspaceKey(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Delete, (*answerer).delete)
}

// ExchangeWorkspaceKey is the endpoint of operation.ExchangeWorkspaceKey.
func ExchangeWorkspaceKey(b wiring.Bearer) wiring.Endpoint { return endpoint((&exchanger{b}).exchange) }

// An exchanger gives tokens for keys.
type exchanger struct{ wiring.Bearer }

func endpoint(h web.Handler) wiring.Endpoint { return wiring.Endpoint{Handler: h, Envelope: Envelope} }

// A call is a request whose caller is known and may do such a thing in his own
// namespace.
type call struct {
	*web.Request
	caller access.Caller
}

// managed authenticates the caller and asks whether he may do this to keys at all,
// before anything else of the request is looked at. What do returns is the data of a
// success.
func managed(
	c wiring.Config, method access.Method, do func(*answerer, context.Context, call) (any, error),
) wiring.Endpoint {
	a := &answerer{c}
	return endpoint(func(ctx context.Context, r *web.Request) (web.Response, error) {
		caller, err := a.authenticate(ctx, r)
		if err != nil {
			return web.Response{}, err
		}
		if err := caller.Require(method, access.APIKey, caller.Namespace); err != nil {
			return web.Response{}, err
		}
		data, err := do(a, ctx, call{Request: r, caller: caller})
		if err != nil {
			return web.Response{}, err
		}
		return success(data)
	})
}

func (a *answerer) authenticate(ctx context.Context, r *web.Request) (access.Caller, error) {
	key, err := bearer.Of(ctx, r, a.Sessions)
	if err != nil {
		return access.Caller{}, inVendorsWords(err, unauthenticatedText)
	}
	return key.Caller(), nil
}

// inVendorsWords says of a refused credential what the vendor's client looks for.
func inVendorsWords(err error, text string) error {
	if errors.Is(err, fault.Unauthenticated) {
		return fault.Wrap(fault.Unauthenticated, err, text)
	}
	return err
}

type createData struct {
	APIKey string `json:"apiKey"`
}

func (a *answerer) create(ctx context.Context, c call) (any, error) {
	var request createRequest
	if err := web.DecodeOpenJSON(c.Body, &request); err != nil {
		return nil, err
	}
	draft, found := request.draft(c.caller.Namespace, a.Clock())
	for _, field := range a.Keys.Problems(draft) {
		found.AddUnlessNamed(cmp.Or(wireNames[field.Name], field.Name), field.Problem)
	}
	if len(found.Fields) > 0 {
		return nil, fault.InvalidFields(found.Fields...)
	}
	issued, err := a.Keys.Issue(ctx, c.caller, draft)
	if err != nil {
		return nil, err
	}
	c.Note("key", issued.Key.Locator.ID.String())
	c.Note("namespace", issued.Key.Locator.Namespace.String())
	return createData{APIKey: issued.FullKey.Reveal()}, nil
}

func (a *answerer) delete(ctx context.Context, c call) (any, error) {
	var request keyRequest
	if err := web.DecodeOpenJSON(c.Body, &request); err != nil {
		return nil, err
	}
	text, found := request.key()
	if text == "" && len(found.Fields) == 0 {
		found.Add("apiKey", "value is required")
	}
	if len(found.Fields) > 0 {
		return nil, fault.InvalidFields(found.Fields...)
	}
	at, ok := apikey.LocatorIn(text)
	if !ok || !c.caller.Reaches(at.Namespace) {
		return nil, errNotFound
	}
	bearer.NotePresented(c.Request, at)
	err := a.Keys.Delete(ctx, c.caller, apikey.At(at))
	if errors.Is(err, fault.NotFound) {
		return nil, errNotFound
	}
	return nil, err
}

// errNotFound is the same for a key that is not there and for one that the caller does
// not reach.
var errNotFound = fault.New(fault.NotFound, "API Key not found")

type exchangeData struct {
	Token string `json:"token"`
}

// exchange gives a session token for a full key. The vendor's client asks for one
// before each operation.
func (e *exchanger) exchange(ctx context.Context, r *web.Request) (web.Response, error) {
	presented, err := presentedIn(r.Body)
	if err != nil {
		bearer.Judge(r, err)
		return web.Response{}, err
	}
	token, _, err := bearer.Exchange(ctx, r, e.Sessions, presented, tokenLifetime)
	switch {
	case errors.Is(err, apikey.Expired):
		return web.Response{}, inVendorsWords(err, expiredText)
	case err != nil:
		return web.Response{}, inVendorsWords(err, unauthenticatedText)
	}
	return success(exchangeData{Token: token.Text})
}

// presentedIn reads the key in a body. Whatever cannot be one is told in one way.
func presentedIn(body []byte) (apikey.FullKey, error) {
	var request keyRequest
	if err := web.DecodeOpenJSON(body, &request); err != nil {
		return apikey.FullKey{}, fault.Wrap(fault.Malformed, err, malformedText)
	}
	text, found := request.key()
	if len(found.Fields) > 0 {
		return apikey.FullKey{}, fault.InvalidFields(found.Fields...)
	}
	presented, err := apikey.ParseFullKey(text)
	if err != nil {
		return apikey.FullKey{}, fault.Wrap(fault.Malformed, err, malformedText)
	}
	return presented, nil
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Status     string `json:"status"`
	Message    string `json:"message"`
	Data       any    `json:"data"`
}

func success(data any) (web.Response, error) {
	return web.JSON(http.StatusOK, answer{http.StatusOK, "OK", "Success", data}, false)
}
