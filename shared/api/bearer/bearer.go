// Package bearer tells, for all the APIs alike, who sends a request, and notes it for the
// log. Each API says in its own words what is wrong with a credential.
package bearer

import (
	"context"
	"time"

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
	Judge(r, err)
	if err != nil {
		if at, ok := session.LocatorOf(err); ok {
			NotePresented(r, at)
		}
		return apikey.Key{}, err
	}
	r.Note("caller_key", key.Locator.ID.String())
	r.Note("caller_namespace", key.Locator.Namespace.String())
	return key, nil
}

// Exchange gives a session token for a key that a request presents without bearing it, as
// session.Service does.
func Exchange(
	ctx context.Context, r *web.Request, sessions *session.Service, presented apikey.FullKey, lifetime time.Duration,
) (session.Token, apikey.Key, error) {
	NotePresented(r, presented.Locator)
	token, key, err := sessions.Exchange(ctx, presented, lifetime)
	Judge(r, err)
	return token, key, err
}

// Judge notes what was decided of the credential from which an error came, or none.
func Judge(r *web.Request, err error) { r.Judge(session.VerdictOf(err)) }

// NotePresented notes which key a request is about that presents one without bearing it, or
// bears one that is refused.
func NotePresented(r *web.Request, at apikey.Locator) {
	r.Note("key", at.ID.String())
	r.Note("namespace", at.Namespace.String())
}
