package serviceaccounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"latchkey/shared/access"
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

// currentUser shows the service account that the bearer's key belongs to or, of a key
// that belongs to none, the key itself.
func (a *API) currentUser(ctx context.Context, c call) (any, error) {
	if c.key.Account.IsZero() {
		return userOf(c.key), nil
	}
	account, err := a.Keys.OpenAccount(ctx, c.caller, access.Read, access.ServiceAccount, apikey.AccountRef{
		Namespace: c.namespace, Handle: apikey.ByID(c.key.Account),
	})
	if errors.Is(err, fault.NotFound) { // deleted since the key was verified
		err = invalid(session.Refuse(apikey.AccountRemoved))
	}
	if err != nil {
		return nil, err
	}
	return userOfAccount(account), nil
}

func userOf(key apikey.Key) userAnswer {
	return userAnswer{
		Body: userBody{
			Created: naive(key.CreatedAt),
			Updated: naive(key.UpdatedAt),
			Active:  true, // or it would not be here
			IsAdmin: key.Grant.IsEverything(),
		},
		Metadata: &userMetadata{},
		ID:       key.Locator.ID.String(),
		Name:     key.Name,
	}
}

func userOfAccount(account apikey.Account) userAnswer {
	return userAnswer{
		Body: userBody{
			Created:          naive(account.CreatedAt),
			Updated:          naive(account.UpdatedAt),
			Active:           true,
			FullName:         account.FullName,
			IsServiceAccount: true,
			AvatarURL:        unlessEmpty(account.Texts.AvatarURL),
		},
		Metadata: &userMetadata{},
		ID:       account.ID.String(),
		Name:     account.Name,
	}
}
