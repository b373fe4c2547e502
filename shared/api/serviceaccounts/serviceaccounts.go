// Package serviceaccounts speaks the API of ZenML's server, as far as it is about service
// accounts, their keys, logging in with one, and who is logged in. What a client of ZenML
// sends to these endpoints needs no change.
//
// ZenML knows no namespaces: a service account lives in the namespace of whoever made
// it, and for callers of any other, those above included, it is not there. Its keys have
// no grant; see package access for what they may do. They manage their account's keys by
// way of this API alone.
//
// # Bodies
//
// An answer is 200, also of a creation or a deletion, whose body is null. Things are
// shown as entities, whose metadata is shown or null as hydrate says: by default it is
// shown when one thing is read, and not in lists. Creations and updates show it, a
// rotation does not. Times are UTC without a zone, as Python writes them. A key's text
// is ZenML's outer form of a full key, and stands in the answers of its creation and its
// rotation alone. When a key was last used is last_login, by whatever API, and counts as
// an update. An avatar_url that is empty is null.
//
// A request's body is read as pydantic reads it: unknown members do not matter, flags and
// numbers may be texts. Members of an update that are null or missing change nothing. Three
// limits are ours: a body has 256 KiB, an avatar_url 32,768 characters, and no member may
// be there twice.
//
// # Errors
//
// An error is {"detail": ["<exception class>", "<message>"]}. The client takes the
// class from it, and the status where it does not know the class. A request that the
// framework below ZenML refuses has a bare list instead, or a text alone. Each fault
// kind has one form; where ZenML has several for what is one kind here, an exception in
// the fault's chain says which.
//
// Authentication comes first, then what the caller and the route alone decide, then the
// account, then the rest.
//
// # Login
//
// A login exchanges a key for a session token, by the form of OAuth 2's password grant
// (RFC 6749, section 4.3): the key is the password, without a username. There are no
// human users and no devices here, so that what those would send is refused.
//
// Whoever bears such a token, or the key itself, is the key's service account. Keys that
// belong to none log in too, and are themselves: current-user shows their id and name,
// and whether they may do everything.
//
// # Lists
//
// Package query is the language of lists. A list reads the keys of one account, or the
// accounts of one namespace, counts what matches and keeps what is shown; to sort
// otherwise than by creation, it keeps up to 10,000. The uses of keys, and the texts of
// either, are read for the page, and for all only if they decide.
package serviceaccounts

import (
	"context"
	"net/http"

	"latchkey/shared/access"
	"latchkey/shared/api/bearer"
	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/web"
)

// An answerer answers the operations of this API.
type answerer struct{ wiring.Config }

// CreateServiceAccount is the endpoint of operation.CreateServiceAccount.
func CreateServiceAccount(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).createAccount)
}

// ListServiceAccounts is the endpoint of operation.ListServiceAccounts.
func ListServiceAccounts(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).listAccounts)
}

// GetServiceAccount is the endpoint of operation.GetServiceAccount.
func GetServiceAccount(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).getAccount)
}

// UpdateServiceAccount is the endpoint of operation.UpdateServiceAccount.
func UpdateServiceAccount(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).updateAccount)
}

// DeleteServiceAccount is the endpoint of operation.DeleteServiceAccount.
func DeleteServiceAccount(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).deleteAccount)
}

// CreateAccountKey is the endpoint of operation.CreateAccountKey.
func CreateAccountKey(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).createKey)
}

// ListAccountKeys is the endpoint of operation.ListAccountKeys.
func ListAccountKeys(c wiring.Config) wiring.Endpoint { return authenticated(c, (*answerer).listKeys) }

// GetAccountKey is the endpoint of operation.GetAccountKey.
func GetAccountKey(c wiring.Config) wiring.Endpoint { return authenticated(c, (*answerer).getKey) }

// UpdateAccountKey is the endpoint of operation.UpdateAccountKey.
func UpdateAccountKey(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).updateKey)
}

// RotateAccountKey is the endpoint of operation.RotateAccountKey.
func RotateAccountKey(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).rotateKey)
}

// DeleteAccountKey is the endpoint of operation.DeleteAccountKey.
func DeleteAccountKey(c wiring.Config) wiring.Endpoint {
	return authenticated(c, (*answerer).deleteKey)
}

// CurrentUser is the endpoint of operation.CurrentUser.
func CurrentUser(c wiring.Config) wiring.Endpoint { return authenticated(c, (*answerer).currentUser) }

// Login is the endpoint of operation.Login.
func Login(b wiring.Bearer) wiring.Endpoint { return endpoint((&exchanger{b}).login) }

// An exchanger gives tokens for keys.
type exchanger struct{ wiring.Bearer }

func endpoint(h web.Handler) wiring.Endpoint { return wiring.Endpoint{Handler: h, Envelope: Envelope} }

// A call is a request whose caller is known.
type call struct {
	*web.Request
	key       apikey.Key
	caller    access.Caller
	namespace namespace.Namespace // where the caller's accounts are
}

func authenticated(c wiring.Config, do func(*answerer, context.Context, call) (any, error)) wiring.Endpoint {
	a := &answerer{c}
	return endpoint(func(ctx context.Context, r *web.Request) (web.Response, error) {
		if _, err := r.Bearer(); err != nil {
			return web.Response{}, errNotAuthenticated
		}
		key, err := bearer.Of(ctx, r, a.Sessions)
		if err != nil {
			return web.Response{}, invalid(err)
		}
		answer, err := do(a, ctx, call{
			Request: r, key: key, caller: key.Caller(), namespace: key.Locator.Namespace,
		})
		if err != nil {
			return web.Response{}, err
		}
		return web.JSON(http.StatusOK, answer, false)
	})
}
