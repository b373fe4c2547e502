package serviceaccounts

import (
	"context"
	"errors"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/session"
)

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
func (a *answerer) currentUser(ctx context.Context, c call) (any, error) {
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
