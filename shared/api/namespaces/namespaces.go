// Package namespaces speaks the API-key API of Endor Labs:
// /v1/namespaces/{namespace}/api-keys, /v1/namespaces/{namespace}/namespaces and
// /v1/auth, where keys are validated and exchanged for session tokens.
//
// Names are in snake case and enums are strings. An answer has all members, also
// empty ones; a request whose Content-Type is application/jsoncompact gets one
// without those. Bodies are read as JSON whatever the content type says. An unknown
// member of a request is an error; a read-only one is ignored. Errors are
// google.rpc.Status.
//
// Where the vendor says nothing, this is decided:
//   - meta.parent_kind and meta.parent_uuid are stored and shown, and mean nothing;
//   - except_resources needs a rule for "*": it takes nothing from roles;
//   - a key has at most 100 tags and 100 annotations;
//   - SYSTEM_ROLE_UNSPECIFIED beside another role is dropped, alone it is an error;
//   - delete_parameters.action and delete_parameters.force are taken and mean
//     nothing: no deletion needs to be forced;
//   - PATCH on the collection, which the vendor has for other kinds, changes a key's
//     name, description, tags and annotations, on the version that it read: code 10
//     with status 409 says that somebody else was faster. Who may update and not read
//     is shown what he has written;
//   - a key has at most 100 rules and 100 exceptions;
//   - a list parameter that is not offered is code 3, but list_all, which the vendor's
//     client adds, means nothing;
//   - a body over the limit is code 3 with status 413;
//   - a parameter of ours that is given twice is an error.
package namespaces

import (
	"context"
	"net/http"

	"latchkey/shared/access"
	"latchkey/shared/api/bearer"
	"latchkey/shared/api/namespaces/query"
	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/web"
)

const (
	getPrefix    = "get_parameters."
	deletePrefix = "delete_parameters."
)

// An answerer answers the operations of this API, but for ValidateAPIKey.
type answerer struct{ wiring.Config }

// CreateAPIKey is the endpoint of operation.CreateAPIKey.
func CreateAPIKey(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Create, (*answerer).create)
}

// ListAPIKeys is the endpoint of operation.ListAPIKeys.
func ListAPIKeys(c wiring.Config) wiring.Endpoint { return managed(c, access.Read, (*answerer).list) }

// GetAPIKey is the endpoint of operation.GetAPIKey.
func GetAPIKey(c wiring.Config) wiring.Endpoint { return managed(c, access.Read, (*answerer).get) }

// UpdateAPIKey is the endpoint of operation.UpdateAPIKey.
func UpdateAPIKey(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Update, (*answerer).update)
}

// DeleteAPIKey is the endpoint of operation.DeleteAPIKey.
func DeleteAPIKey(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Delete, (*answerer).delete)
}

// ListNamespaces is the endpoint of operation.ListNamespaces.
func ListNamespaces(c wiring.Config) wiring.Endpoint {
	return managed(c, access.Read, (*answerer).listNamespaces)
}

// A welcomer answers those who ask for a token or who they are.
type welcomer struct{ wiring.Bearer }

// ExchangeAPIKey is the endpoint of operation.ExchangeAPIKey.
func ExchangeAPIKey(b wiring.Bearer) wiring.Endpoint { return endpoint((&welcomer{b}).exchange) }

// WhoAmI is the endpoint of operation.WhoAmI.
func WhoAmI(b wiring.Bearer) wiring.Endpoint { return endpoint((&welcomer{b}).whoAmI) }

func endpoint(h web.Handler) wiring.Endpoint { return wiring.Endpoint{Handler: h, Envelope: Envelope} }

// A call is a request whose caller is known and may do what the route says.
type call struct {
	*web.Request
	caller    access.Caller
	namespace namespace.Namespace
}

// managed authenticates the caller and asks whether he may use the route at all,
// before anything else of the request is looked at.
func managed(
	c wiring.Config, method access.Method, do func(*answerer, context.Context, call) (any, error),
) wiring.Endpoint {
	a := &answerer{c}
	return endpoint(func(ctx context.Context, r *web.Request) (web.Response, error) {
		key, err := bearer.Of(ctx, r, a.Sessions)
		if err != nil {
			return web.Response{}, err
		}
		caller := key.Caller()
		ns, err := namespace.Parse(r.PathValues["namespace"])
		if err != nil {
			return web.Response{}, fault.InvalidField("tenant_meta.namespace", "value "+err.Error())
		}
		if err := caller.Require(method, access.APIKey, ns); err != nil {
			return web.Response{}, err
		}
		answer, err := do(a, ctx, call{Request: r, caller: caller, namespace: ns})
		if err != nil {
			return web.Response{}, err
		}
		return web.JSON(http.StatusOK, answer, isCompact(r))
	})
}

func (a *answerer) create(ctx context.Context, c call) (any, error) {
	var request createRequest
	if err := web.DecodeJSON(c.Body, &request); err != nil {
		return nil, err
	}
	draft, found := request.draft(c.namespace)
	for _, field := range a.Keys.Problems(draft) {
		found.AddUnlessNamed(wireNames[field.Name], field.Problem)
	}
	if len(found.Fields) > 0 {
		return nil, fault.InvalidFields(found.Fields...)
	}
	issued, err := a.Keys.Issue(ctx, c.caller, draft)
	if err != nil {
		return nil, err
	}
	c.Note("key", issued.Key.Locator.ID.String())
	c.Note("namespace", c.namespace.String())
	answer := apiKeyOf(issued.Key)
	_, answer.Spec.Secret = issued.FullKey.RevealPair()
	return answer, nil
}

func (a *answerer) get(ctx context.Context, c call) (any, error) {
	given, err := parametersOf(c.Request, getPrefix, "mask")
	if err != nil {
		return nil, err
	}
	var mask query.Mask
	if given["mask"] != "" {
		if mask, err = keySchema().Mask(given["mask"]); err != nil {
			return nil, fault.InvalidField(getPrefix+"mask", err.Error())
		}
	}
	at, err := c.locator(c.PathValues["uuid"])
	if err != nil {
		return nil, err
	}
	key, err := a.Keys.Get(ctx, c.caller, apikey.At(at))
	if err != nil {
		return nil, err
	}
	return masked(apiKeyOf(key), mask, isCompact(c.Request))
}

func (a *answerer) delete(ctx context.Context, c call) (any, error) {
	given, err := parametersOf(c.Request, deletePrefix, "action", "force")
	if err != nil {
		return nil, err
	}
	if force := given["force"]; force != "" && force != "true" && force != "false" {
		return nil, fault.InvalidField(deletePrefix+"force", notABoolean)
	}
	at, err := c.locator(c.PathValues["uuid"])
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.Keys.Delete(ctx, c.caller, apikey.At(at))
}

// locator is the key with this uuid in the path's namespace.
func (c call) locator(uuid string) (apikey.Locator, error) {
	id, ok := apikey.ParseID(uuid)
	if !ok {
		return apikey.Locator{}, fault.New(fault.NotFound, "the key does not exist")
	}
	c.Note("key", id.String())
	c.Note("namespace", c.namespace.String())
	return apikey.Locator{Namespace: c.namespace, ID: id}, nil
}
