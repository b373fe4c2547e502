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
	"time"

	"latchkey/shared/access"
	"latchkey/shared/api/bearer"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// A Config says what an API is made of. All of it must be set.
type Config struct {
	Keys     *apikey.Service
	Sessions *session.Service
	Clock    func() time.Time
}

// An API answers the operations of this API.
type API struct {
	Config
}

// New returns an API that is made of c.
func New(c Config) *API { return &API{c} }

// Handlers gives the handler of each operation, by its name.
func (a *API) Handlers() map[string]web.Handler {
	return map[string]web.Handler{
		operation.CreateServiceAccount.Name: a.authenticated(a.createAccount),
		operation.ListServiceAccounts.Name:  a.authenticated(a.listAccounts),
		operation.GetServiceAccount.Name:    a.authenticated(a.getAccount),
		operation.UpdateServiceAccount.Name: a.authenticated(a.updateAccount),
		operation.DeleteServiceAccount.Name: a.authenticated(a.deleteAccount),
		operation.CreateAccountKey.Name:     a.authenticated(a.createKey),
		operation.ListAccountKeys.Name:      a.authenticated(a.listKeys),
		operation.GetAccountKey.Name:        a.authenticated(a.getKey),
		operation.UpdateAccountKey.Name:     a.authenticated(a.updateKey),
		operation.RotateAccountKey.Name:     a.authenticated(a.rotateKey),
		operation.DeleteAccountKey.Name:     a.authenticated(a.deleteKey),
		operation.CurrentUser.Name:          a.authenticated(a.currentUser),
		operation.Login.Name:                a.login,
	}
}

// A call is a request whose caller is known.
type call struct {
	*web.Request
	key       apikey.Key
	caller    access.Caller
	namespace namespace.Namespace // where the caller's accounts are
}

func (a *API) authenticated(handle func(context.Context, call) (any, error)) web.Handler {
	return func(ctx context.Context, r *web.Request) (web.Response, error) {
		if _, err := r.Bearer(); err != nil {
			return web.Response{}, errNotAuthenticated
		}
		key, err := bearer.Of(ctx, r, a.Sessions)
		if err != nil {
			return web.Response{}, invalid(err)
		}
		answer, err := handle(ctx, call{
			Request: r, key: key, caller: key.Caller(), namespace: key.Locator.Namespace,
		})
		if err != nil {
			return web.Response{}, err
		}
		return web.JSON(http.StatusOK, answer, false)
	}
}
