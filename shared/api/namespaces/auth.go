package namespaces

import (
	"context"
	"net/http"
	"strings"

	"latchkey/shared/api/bearer"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// authenticationSource names how the bearer of a key or token has proved who he is.
const authenticationSource = "api-key"

// A pairRequest presents a key by its two halves.
type pairRequest struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
}

// problems are the halves that are not there.
func (r pairRequest) problems() []fault.Field {
	var found problems
	if r.Key == "" {
		found.Add("key", "value is required")
	}
	if r.Secret == "" {
		found.Add("secret", "value is required")
	}
	return found.Fields
}

type exchangeAnswer struct {
	AuthenticationSource string    `json:"authentication_source"`
	Token                string    `json:"token"`
	ExpirationTime       timestamp `json:"expiration_time"`
	User                 *user     `json:"user"`
}

type userInfo struct {
	AuthenticationSource string      `json:"authentication_source"`
	ExpirationTime       timestamp   `json:"expiration_time"`
	User                 *user       `json:"user"`
	Tenants              []tenant    `json:"tenants"`
	Permissions          permissions `json:"permissions"`
	Namespaces           []string    `json:"namespaces"`
}

type tenant struct {
	UUID        string    `json:"uuid"`
	Name        string    `json:"name"`
	Expiry      timestamp `json:"expiry"`
	LicenseType string    `json:"license_type"`
}

// exchange gives a session token for a pair. Every refusal of a well-formed pair is the
// same.
func (w *welcomer) exchange(ctx context.Context, r *web.Request) (web.Response, error) {
	var request pairRequest
	if err := web.DecodeJSON(r.Body, &request); err != nil {
		return web.Response{}, err
	}
	if problems := request.problems(); len(problems) > 0 {
		return web.Response{}, fault.InvalidFields(problems...)
	}
	presented, err := apikey.ParsePair(request.Key, request.Secret)
	if err != nil {
		bearer.Judge(r, err)
		return web.Response{}, session.Refuse(err)
	}
	token, key, err := bearer.Exchange(ctx, r, w.Sessions, presented, session.MaxLifetime)
	if err != nil {
		return web.Response{}, err
	}
	return web.JSON(http.StatusOK, exchangeAnswer{
		AuthenticationSource: authenticationSource,
		Token:                token.Text,
		ExpirationTime:       timestamp{token.ExpiresAt},
		User:                 bearerOf(key),
	}, isCompact(r))
}

// whoAmI tells who the bearer of a key or token is. He needs no right for it.
func (w *welcomer) whoAmI(ctx context.Context, r *web.Request) (web.Response, error) {
	key, err := bearer.Of(ctx, r, w.Sessions)
	if err != nil {
		return web.Response{}, err
	}
	ns := key.Locator.Namespace.String()
	first, _, _ := strings.Cut(ns, ".")
	return web.JSON(http.StatusOK, userInfo{
		AuthenticationSource: authenticationSource,
		ExpirationTime:       expirationOf(key),
		User:                 bearerOf(key),
		Tenants:              []tenant{{Name: first}},
		Permissions:          permissionsOf(key.Grant),
		Namespaces:           []string{ns},
	}, isCompact(r))
}

// bearerOf is a key's holder, as what he makes will name him.
func bearerOf(key apikey.Key) *user { return userOf(apikey.ActorOf(key.Caller())) }
