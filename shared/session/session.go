// Package session exchanges keys for short-lived signed tokens, and tells who presents
// either.
//
// A token is a JWT (RFC 7519), signed with RS256. Its header names the session key
// that signed it; its claims are
//
//	iss, aud    the deployment, as it is configured
//	sub         the id of the key that it was exchanged for
//	namespace   the namespace that this key lives in
//	iat, exp    at most the lifetime asked for apart, and never past the key's expiry
//
// A token tells who somebody is and not what he may do: each use reads the key again,
// so that deletion, deactivation and expiry act at once, and so does a changed grant.
// Others can verify a token with the public keys, as far as a signature goes.
//
// # Keys
//
// The private half of a session key stays in its KeyStore; one signature is a call
// over the network, against a quota in the hundreds a second. So a process hands out
// the same token for one key for up to reuse. A public half is fetched when the first
// token that it signed arrives, and then kept for the life of the process. A fetch
// that fails says nothing about the token and is an error, not a refusal; that a key
// is gone refuses its tokens, and is not asked again for as long as reuse.
//
// Several session keys can be configured; the first signs, all verify. To rotate, add
// the new one behind the old one everywhere; put it first when others who verify have
// fetched the public keys again; and take the old one away once the last token that it
// signed has expired. To stop a key at once, take it out of the configuration:
// processes that know its public half go on without asking the KeyStore.
package session

import (
	"context"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/telemetry"
)

// MaxLifetime is the longest that a token may live.
const MaxLifetime = 4 * time.Hour

// A KeyStore holds session keys, each known by an id. Its errors have the kind NotFound
// for a key that was deleted or disabled, Unavailable when it did not answer, and none,
// which is Internal, otherwise.
type KeyStore interface {
	// Sign signs a SHA-256 digest with RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
	Sign(ctx context.Context, id string, digest []byte) ([]byte, error)

	// PublicKey gives the public half of a key.
	PublicKey(ctx context.Context, id string) (*rsa.PublicKey, error)
}

// A Config says what a Service is made of. All of it must be set, but for an operation
// that takes no credential and gives none.
type Config struct {
	Verifier *apikey.Verifier
	KeyStore KeyStore
	KeyIDs   []string // of the session keys; the first signs
	Issuer   string
	Audience string
	Clock    func() time.Time
}

// A Service issues tokens and verifies credentials. It is safe for concurrent use.
type Service struct {
	config Config
	parser *jwt.Parser

	mu     sync.Mutex
	public map[string]fetched // by id
	issued map[issuedFor]issued
}

// NewService returns a service that is made of c. It sends nothing.
func NewService(c Config) *Service {
	return &Service{
		config: c,
		parser: newParser(c),
		public: map[string]fetched{},
		issued: map[issuedFor]issued{},
	}
}

// Authenticate tells whose credential is presented, a full key or a token.
// Unauthenticated: it is neither, or is refused, and the fault does not say why.
func (s *Service) Authenticate(ctx context.Context, credential string) (apikey.Key, error) {
	if isToken(credential) {
		return s.redeem(ctx, credential)
	}
	presented, err := apikey.ParseFullKey(credential)
	if err != nil {
		return apikey.Key{}, Refuse(err)
	}
	verdict, err := s.config.Verifier.Verify(ctx, presented)
	key, err := accepted(verdict, err)
	return key, ofKey(presented.Locator, err)
}

// Exchange gives a token for a key, and the key. The token lives for lifetime, at most
// MaxLifetime, and never longer than the key. Unauthenticated: the key is refused, and
// its apikey.Reason is in the chain. Any other error is that of a store.
func (s *Service) Exchange(
	ctx context.Context, presented apikey.FullKey, lifetime time.Duration,
) (Token, apikey.Key, error) {
	verdict, err := s.config.Verifier.Login(ctx, presented)
	key, err := accepted(verdict, err)
	if err != nil {
		return Token{}, apikey.Key{}, err
	}
	token, err := s.issue(ctx, key, lifetime)
	return token, key, err
}

// redeem gives the key that a token was exchanged for, as it is now.
func (s *Service) redeem(ctx context.Context, token string) (apikey.Key, error) {
	at, err := s.verifyToken(ctx, token)
	if err != nil {
		return apikey.Key{}, err
	}
	verdict, err := s.config.Verifier.Check(ctx, at)
	key, err := accepted(verdict, err)
	return key, ofKey(at, err)
}

// A keyError is an error that came of a credential which names a key.
type keyError struct {
	error
	at apikey.Locator
}

func (e *keyError) Unwrap() error { return e.error }

func ofKey(at apikey.Locator, err error) error {
	if err == nil {
		return nil
	}
	return &keyError{err, at}
}

// LocatorOf gives the key that a credential named from which an error of Authenticate
// came, for the log: one that was read whole, or a token that was signed for it.
func LocatorOf(err error) (apikey.Locator, bool) {
	of, ok := errors.AsType[*keyError](err)
	if !ok {
		return apikey.Locator{}, false
	}
	return of.at, true
}

func accepted(verdict apikey.Verdict, err error) (apikey.Key, error) {
	switch {
	case err != nil:
		return apikey.Key{}, err
	case !verdict.IsValid():
		return apikey.Key{}, Refuse(verdict.Reason)
	}
	return verdict.Key, nil
}

// Refuse is the one way in which a credential is refused, whatever is wrong with it. The
// reason is for the log.
func Refuse(why error) error {
	return fault.Wrap(fault.Unauthenticated, why, "Invalid credential")
}

// badToken is the verdict on a token that does not even name a key to this service.
const badToken = "bad_token"

// VerdictOf gives what was decided of a credential, for telemetry, by the error that came
// of it: one of Authenticate, of Exchange or of reading a key. It is empty where nothing
// could be decided.
func VerdictOf(err error) string {
	reason, isDecided := errors.AsType[apikey.Reason](err)
	switch {
	case err == nil:
		return apikey.Valid.String()
	case isDecided:
		return reason.String()
	case errors.Is(err, apikey.ErrMalformed):
		return telemetry.MalformedVerdict
	case errors.Is(err, fault.Unauthenticated):
		return badToken
	}
	return ""
}

// isToken tells a JWT from a key: only the former has dots.
func isToken(credential string) bool { return strings.Contains(credential, ".") }
