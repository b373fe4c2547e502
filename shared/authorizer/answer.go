package authorizer

import (
	"encoding/json"
	"strings"
	"time"

	"latchkey/shared/apikey"
)

// nobody is the principal of a request without a good key; the platform wants one.
const nobody = "nobody"

// A policyAnswer is what REST and WebSocket APIs take, and HTTP APIs unless they want
// simple answers.
type policyAnswer struct {
	PrincipalID        string    `json:"principalId"`
	PolicyDocument     policy    `json:"policyDocument"`
	Context            *identity `json:"context,omitzero"`
	UsageIdentifierKey string    `json:"usageIdentifierKey,omitzero"`
}

// A simpleAnswer is what HTTP APIs take that want it.
type simpleAnswer struct {
	IsAuthorized bool      `json:"isAuthorized"`
	Context      *identity `json:"context,omitzero"`
}

// An appSyncAnswer is AppSync's.
type appSyncAnswer struct {
	IsAuthorized    bool      `json:"isAuthorized"`
	ResolverContext *identity `json:"resolverContext,omitzero"`
	TTLOverride     int       `json:"ttlOverride"` // in seconds
}

// An identity tells the backend whose key it was. All of it is there at any time, and
// nothing but texts, which is all that every platform passes on.
type identity struct {
	Namespace string `json:"namespace"`
	KeyID     string `json:"keyId"`
	KeyName   string `json:"keyName"`
	Owner     string `json:"owner"`     // the service account's id, or whom the key is for; empty: nobody
	Roles     string `json:"roles"`     // separated by commas
	ExpiresAt string `json:"expiresAt"` // RFC 3339; empty: never
}

func identityOf(key apikey.Key) *identity {
	if key.Locator == (apikey.Locator{}) {
		return nil
	}
	return &identity{
		Namespace: key.Locator.Namespace.String(),
		KeyID:     key.Locator.ID.String(),
		KeyName:   key.Name,
		Owner:     ownerOf(key),
		Roles:     rolesOf(key),
		ExpiresAt: expiryOf(key),
	}
}

func ownerOf(key apikey.Key) string {
	if !key.Account.IsZero() {
		return key.Account.String()
	}
	return key.User
}

func rolesOf(key apikey.Key) string {
	roles := make([]string, len(key.Grant.Roles))
	for i, role := range key.Grant.Roles {
		roles[i] = string(role)
	}
	return strings.Join(roles, ",")
}

func expiryOf(key apikey.Key) string {
	if key.ExpiresAt.IsZero() {
		return ""
	}
	return key.ExpiresAt.Format(time.RFC3339Nano)
}

// answer says in the event's form whether a request may pass, of a key that is zero if
// there is no good one.
func (a *Authorizer) answer(r request, key apikey.Key, isAllowed bool) ([]byte, error) {
	switch {
	case r.shape == appSync:
		return json.Marshal(appSyncAnswer{isAllowed, identityOf(key), a.api.CacheSeconds})
	case r.shape == httpV2 && a.api.Simple:
		return json.Marshal(simpleAnswer{isAllowed, identityOf(key)})
	}
	answer := policyAnswer{PrincipalID: nobody, PolicyDocument: a.policy(r, key, isAllowed)}
	if answer.Context = identityOf(key); answer.Context != nil {
		answer.PrincipalID = answer.Context.KeyID
		answer.UsageIdentifierKey = a.usageIdentifier(r, answer.Context.KeyID)
	}
	return json.Marshal(answer)
}

// usageIdentifier is the API key of a usage plan that a request counts for. Only REST
// APIs have such plans.
func (a *Authorizer) usageIdentifier(r request, keyID string) string {
	if a.api.UsageIdentifier && (r.shape == restToken || r.shape == restRequest) {
		return keyID
	}
	return ""
}
