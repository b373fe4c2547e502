package serviceaccounts

import (
	"time"

	"latchkey/shared/apikey"
)

// An entity is how every thing is shown. What stands in the body of one kind stands in
// its metadata of another only if the thing was asked for as a whole.
type entity[Body, Metadata any] struct {
	Body             Body      `json:"body"`
	Metadata         *Metadata `json:"metadata"`
	Resources        *string   `json:"resources"`
	ID               string    `json:"id"`
	PermissionDenied bool      `json:"permission_denied"`
	Name             string    `json:"name"`
}

type (
	accountAnswer = entity[accountBody, accountMetadata]
	keyAnswer     = entity[keyBody, keyMetadata]
	userAnswer    = entity[userBody, userMetadata]
)

type accountBody struct {
	Created   string  `json:"created"`
	Updated   string  `json:"updated"`
	FullName  string  `json:"full_name"`
	Active    bool    `json:"active"`
	AvatarURL *string `json:"avatar_url"`
}

type accountMetadata struct {
	Description    string  `json:"description"`
	ExternalUserID *string `json:"external_user_id"`
}

type keyBody struct {
	Created        string        `json:"created"`
	Updated        string        `json:"updated"`
	Key            *string       `json:"key"`
	Active         bool          `json:"active"`
	ServiceAccount accountAnswer `json:"service_account"`
}

type keyMetadata struct {
	Description         string  `json:"description"`
	RetainPeriodMinutes int64   `json:"retain_period_minutes"`
	LastLogin           *string `json:"last_login"`
	LastRotated         *string `json:"last_rotated"`
}

func accountOf(account apikey.Account, hydrate bool) accountAnswer {
	answer := accountAnswer{
		Body: accountBody{
			Created:   naive(account.CreatedAt),
			Updated:   naive(account.UpdatedAt),
			FullName:  account.FullName,
			Active:    !account.Disabled,
			AvatarURL: unlessEmpty(account.Texts.AvatarURL),
		},
		ID:   account.ID.String(),
		Name: account.Name,
	}
	if hydrate {
		answer.Metadata = &accountMetadata{Description: account.Texts.Description}
	}
	return answer
}

func keyOf(key apikey.Key, account apikey.Account, hydrate bool) keyAnswer {
	answer := keyAnswer{
		Body: keyBody{
			Created:        naive(key.CreatedAt),
			Updated:        naive(updatedAt(key)),
			Active:         !key.Disabled,
			ServiceAccount: accountOf(account, false),
		},
		ID:   key.Locator.ID.String(),
		Name: key.Name,
	}
	if hydrate {
		answer.Metadata = &keyMetadata{
			Description:         key.Texts.Description,
			RetainPeriodMinutes: key.RetainMinutes,
			LastLogin:           naiveOrNull(key.UsedAt),
			LastRotated:         naiveOrNull(key.RotatedAt),
		}
	}
	return answer
}

// updatedAt counts a use as an update, as ZenML's server does.
func updatedAt(key apikey.Key) time.Time {
	if key.UsedAt.After(key.UpdatedAt) {
		return key.UsedAt
	}
	return key.UpdatedAt
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func naiveOrNull(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	text := naive(at)
	return &text
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
