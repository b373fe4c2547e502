package authorizer

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/policy"
	"latchkey/shared/protected"
)

// nobody is the principal of a request without a good key; the platform wants one.
const nobody = "nobody"

// A policyAnswer is what REST and WebSocket APIs take, and HTTP APIs unless they want
// simple answers.
type policyAnswer struct {
	PrincipalID        string          `json:"principalId"`
	PolicyDocument     policy.Document `json:"policyDocument"`
	Context            *identity       `json:"context,omitzero"`
	UsageIdentifierKey string          `json:"usageIdentifierKey,omitzero"`
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
// nothing but texts, which is all that every platform passes on. The name and, without an
// account, the owner are what the key's maker has written.
type identity struct {
	Namespace string `json:"namespace"`
	KeyID     string `json:"keyId"`
	KeyName   string `json:"keyName"`
	Owner     string `json:"owner"`     // the service account's id, or whom the key's maker says it is for; empty: nobody
	Account   string `json:"account"`   // the service account's id; empty: the key is of none
	Roles     string `json:"roles"`     // separated by commas
	ExpiresAt string `json:"expiresAt"` // RFC 3339; empty: never
}

// isNone reports whether there is no good key.
func isNone(key apikey.Key) bool { return key.Locator == apikey.Locator{} }

func identityOf(key apikey.Key) *identity {
	if isNone(key) {
		return nil
	}
	account := ""
	if !key.Account.IsZero() {
		account = key.Account.String()
	}
	return &identity{
		Namespace: key.Locator.Namespace.String(),
		KeyID:     key.Locator.ID.String(),
		KeyName:   key.Name,
		Owner:     cmp.Or(account, key.User),
		Account:   account,
		Roles:     rolesOf(key),
		ExpiresAt: expiryOf(key),
	}
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
		return json.Marshal(appSyncAnswer{isAllowed, identityOf(key), a.secondsToKeep(key)})
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

// secondsToKeep is for how long AppSync may keep an answer: no longer than the key lives.
func (a *Authorizer) secondsToKeep(key apikey.Key) int {
	if key.ExpiresAt.IsZero() {
		return a.api.CacheSeconds
	}
	return max(0, min(a.api.CacheSeconds, int(key.ExpiresAt.Sub(a.clock()).Seconds())))
}

// policy tells what a key may do, zero for none, one of which is the request.
func (a *Authorizer) policy(r request, key apikey.Key, isAllowed bool) policy.Document {
	if isNone(key) {
		return policy.Of(policy.Deny(r.target.stage + "/*"))
	}
	if r.shape != webSocket && len(a.table.Rows()) > 0 {
		if whole, ok := a.ofTable(r, key, isAllowed); ok {
			return whole
		}
	}
	if isAllowed {
		return policy.Of(policy.Allow(policy.Literally(r.target.arn)))
	}
	return policy.Of(policy.Deny(policy.Covering(r.target.arn)))
}

// ofTable is the policy of every route of the table, provided that it says of the request
// what was decided. A pattern might reach what is asked for and is no route of the table:
// that is denied by name. False: no policy of this size can say it.
func (a *Authorizer) ofTable(r request, key apikey.Key, isAllowed bool) (policy.Document, bool) {
	caller := key.Caller()
	whole, ok := a.grid.In(r.target.stage, func(right protected.Right) bool { return a.holds(caller, right) })
	if !ok || whole.Allows(r.target.arn) == isAllowed {
		return whole, ok
	}
	if isAllowed {
		return whole, false
	}
	whole.Statement = append(whole.Statement, policy.Deny(policy.Covering(r.target.arn)))
	return whole, whole.Fits() && !whole.Allows(r.target.arn)
}

// usageIdentifier is the API key of a usage plan that a request counts for. Only REST
// APIs have such plans.
func (a *Authorizer) usageIdentifier(r request, keyID string) string {
	if a.api.UsageIdentifier && (r.shape == restToken || r.shape == restRequest) {
		return keyID
	}
	return ""
}
