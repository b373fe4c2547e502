// Package serviceaccounts speaks a part of the API of ZenML's server: /api/v1/login and
// /api/v1/current-user, for keys that belong to no service account.
//
// An error is {"detail": ["<exception class>", "<message>"]}. The client takes the
// class from it, and the status where it does not know the class. A path that does
// not exist is {"detail": "Not Found"}, as the framework below ZenML says it; so are
// some other refusals a text alone.
//
// # Login
//
// A login exchanges a key for a session token, by the form of OAuth 2's password grant
// (RFC 6749, section 4.3): the key is the password, without a username. There are no
// human users and no devices here, so that what those would send is refused.
//
// Whoever bears such a token, or the key itself, is that key: current-user shows its id
// and its name, and whether it may do everything.
package serviceaccounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"latchkey/shared/api/bearer"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// tokenLifetime is that of a session token which this API gives.
const tokenLifetime = time.Hour

// A Config says what an API is made of. All of it must be set.
type Config struct {
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
		operation.Login.Name:       a.login,
		operation.CurrentUser.Name: a.currentUser,
	}
}

// The grants of a login.
const (
	passwordGrant = "password"
	apiKeyGrant   = "zenml-api-key"
	deviceGrant   = "urn:ietf:params:oauth:grant-type:device_code"
)

type loginAnswer struct {
	AccessToken    string  `json:"access_token"`
	TokenType      string  `json:"token_type"`
	ExpiresIn      int     `json:"expires_in"` // seconds
	RefreshToken   *string `json:"refresh_token"`
	Scope          *string `json:"scope"`
	CookieName     *string `json:"cookie_name"`
	DeviceID       *string `json:"device_id"`
	DeviceMetadata *string `json:"device_metadata"`
	CSRFToken      *string `json:"csrf_token"`
}

func (a *API) login(ctx context.Context, r *web.Request) (web.Response, error) {
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return refusal("Invalid request: the body is no form.")
	}
	switch grant := grantOf(form); {
	case grant == apiKeyGrant && form.Get("password") == "":
		return refusal("API key is required.")
	case grant == apiKeyGrant:
		return a.loginWithKey(ctx, r, form.Get("password"))
	case grant == passwordGrant && form.Get("username") == "":
		return refusal("Invalid request: username is required.")
	case grant == passwordGrant:
		return web.Response{}, fault.New(fault.Unauthenticated, "there are no users here: log in with an API key")
	case grant == deviceGrant:
		return refusal("Invalid request: no device can be authorized here.")
	default:
		return refusal(fmt.Sprintf("Unsupported grant type: %.100s", grant))
	}
}

// grantOf is what a form asks for where it does not say so.
func grantOf(form url.Values) string {
	switch {
	case form.Get("grant_type") != "":
		return form.Get("grant_type")
	case form.Get("username") != "":
		return passwordGrant
	case form.Get("password") != "":
		return apiKeyGrant
	case form.Get("device_code") != "":
		return deviceGrant
	}
	return passwordGrant
}

// refusal is the framework's own way to say no: a text, which no exception stands behind.
func refusal(detail string) (web.Response, error) {
	return web.MustJSON(http.StatusBadRequest, map[string]string{"detail": detail}), nil
}

func (a *API) loginWithKey(ctx context.Context, r *web.Request, text string) (web.Response, error) {
	presented, err := apikey.ParseFullKey(text)
	if err != nil {
		return web.Response{}, invalid(session.Refuse(err))
	}
	bearer.NotePresented(r, presented.Locator)
	token, _, err := a.Sessions.Exchange(ctx, presented, tokenLifetime)
	if err != nil {
		return web.Response{}, invalid(err)
	}
	return web.JSON(http.StatusOK, loginAnswer{
		AccessToken: token.Text,
		TokenType:   "bearer",
		ExpiresIn:   int(token.ExpiresAt.Sub(a.Clock()).Seconds()),
	}, false)
}

// invalid says of every refused credential what this API does.
func invalid(err error) error {
	if errors.Is(err, fault.Unauthenticated) {
		return fault.Wrap(fault.Unauthenticated, err, "Authentication error: the credential is not valid")
	}
	return err
}

type userAnswer struct {
	Body             userBody     `json:"body"`
	Metadata         userMetadata `json:"metadata"`
	Resources        *string      `json:"resources"`
	ID               string       `json:"id"`
	PermissionDenied bool         `json:"permission_denied"`
	Name             string       `json:"name"`
}

type userBody struct {
	Created          string  `json:"created"`
	Updated          string  `json:"updated"`
	Active           bool    `json:"active"`
	ActivationToken  *string `json:"activation_token"`
	FullName         string  `json:"full_name"`
	EmailOptedIn     bool    `json:"email_opted_in"`
	IsServiceAccount bool    `json:"is_service_account"`
	IsAdmin          bool    `json:"is_admin"`
	AvatarURL        *string `json:"avatar_url"`
}

type userMetadata struct {
	Email          *string `json:"email"`
	ExternalUserID *string `json:"external_user_id"`
}

func (a *API) currentUser(ctx context.Context, r *web.Request) (web.Response, error) {
	if _, given := r.Header["authorization"]; !given {
		return web.Response{}, errNotAuthenticated
	}
	key, err := bearer.Of(ctx, r, a.Sessions)
	if err != nil {
		return web.Response{}, invalid(err)
	}
	return web.JSON(http.StatusOK, userAnswer{
		Body: userBody{
			Created: naive(key.CreatedAt),
			Updated: naive(key.UpdatedAt),
			Active:  true, // or it would not be here
			IsAdmin: key.Grant.IsEverything(),
		},
		ID:   key.Locator.ID.String(),
		Name: key.Name,
	}, false)
}

// naive writes a time as Python writes one without a zone: UTC, with microseconds
// unless there are none.
func naive(at time.Time) string {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Nanosecond() == 0 {
		return at.Format("2006-01-02T15:04:05")
	}
	return at.Format("2006-01-02T15:04:05.000000")
}
