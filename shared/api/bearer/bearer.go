// Package bearer tells, for all the APIs alike, who sends a request, and notes it for the
// log. Each API says in its own words what is wrong with a credential.
package bearer

import (
	"context"

	"latchkey/shared/apikey"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// Of gives the key that a request bears, or whose token it bears. Unauthenticated: it
// bears none, or one that is refused.
func Of(ctx context.Context, r *web.Request, sessions *session.Service) (apikey.Key, error) {
	credential, err := r.Bearer()
	if err != nil {
		return apikey.Key{}, err
	}
	key, err := sessions.Authenticate(ctx, credential)
	if err != nil {
		return apikey.Key{}, err
	}
	r.Note("caller_key", key.Locator.ID.String())
	r.Note("caller_namespace", key.Locator.Namespace.String())
	return key, nil
}

// NotePresented notes which key a request is about that presents one without bearing it.
func NotePresented(r *web.Request, at apikey.Locator) {
	r.Note("key", at.ID.String())
	r.Note("namespace", at.Namespace.String())
}
