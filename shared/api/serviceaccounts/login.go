package serviceaccounts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"latchkey/shared/api/bearer"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// tokenLifetime is that of a session token which this API gives.
const tokenLifetime = time.Hour

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

func (e *exchanger) login(ctx context.Context, r *web.Request) (web.Response, error) {
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return refusal("Invalid request: the body is no form.")
	}
	switch grant := grantOf(form); {
	case grant == apiKeyGrant && form.Get("password") == "":
		return refusal("API key is required.")
	case grant == apiKeyGrant:
		return e.loginWithKey(ctx, r, form.Get("password"))
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

func (e *exchanger) loginWithKey(ctx context.Context, r *web.Request, text string) (web.Response, error) {
	presented, err := apikey.ParseFullKey(text)
	if err != nil {
		bearer.Judge(r, err)
		return web.Response{}, invalid(session.Refuse(err))
	}
	token, _, err := bearer.Exchange(ctx, r, e.Sessions, presented, tokenLifetime)
	if err != nil {
		return web.Response{}, invalid(err)
	}
	return web.JSON(http.StatusOK, loginAnswer{
		AccessToken: token.Text,
		TokenType:   "bearer",
		ExpiresIn:   int(math.Ceil(token.ExpiresAt.Sub(e.Clock()).Seconds())), // which has whole seconds itself
	}, false)
}

// invalid says of every refused credential what this API does.
func invalid(err error) error {
	if errors.Is(err, fault.Unauthenticated) {
		return fault.Wrap(fault.Unauthenticated, err, "Authentication error: the credential is not valid")
	}
	return err
}
