package session

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

const (
	// For how long the same token is handed out for one key.
	reuse = time.Minute
	// How many tokens a process remembers, about a kilobyte each.
	maxIssued = 4096
	// No token of ours comes near it: the longest namespace has 255 bytes.
	maxTokenLength = 4096
)

// A Token is what a key was exchanged for.
type Token struct {
	Text      string // a secret until it expires
	ExpiresAt time.Time
}

type claims struct {
	jwt.RegisteredClaims
	Namespace string `json:"namespace"`
}

// An issuedFor tells tokens apart. The key's expiry is in it, so that no token that
// was cut for one is handed out after another was set.
type issuedFor struct {
	key       apikey.Locator
	expiresAt int64
	lifetime  time.Duration
}

type issued struct {
	token Token
	at    time.Time
}

// issue gives a token for a key that has just been verified. In its last second a key
// has as good as expired.
func (s *Service) issue(ctx context.Context, key apikey.Key, lifetime time.Duration) (Token, error) {
	now := s.config.Clock().UTC()
	wanted := issuedFor{key: key.Locator, expiresAt: key.ExpiresAt.UnixNano(), lifetime: min(lifetime, MaxLifetime)}
	if token, ok := s.recent(wanted, now); ok {
		return token, nil
	}
	expires := expiry(key, now, wanted.lifetime)
	if !expires.After(now) {
		return Token{}, Refuse(apikey.Expired)
	}
	token, err := s.sign(ctx, key, now, expires)
	if err != nil {
		return Token{}, err
	}
	s.remember(wanted, issued{token, now})
	return token, nil
}

// expiry is in whole seconds, as a token has it (RFC 7519, section 2): rounded down,
// so that it is never past the key's.
func expiry(key apikey.Key, now time.Time, lifetime time.Duration) time.Time {
	at := now.Add(lifetime)
	if !key.ExpiresAt.IsZero() && key.ExpiresAt.Before(at) {
		at = key.ExpiresAt
	}
	return at.Truncate(time.Second)
}

func (s *Service) recent(wanted issuedFor, now time.Time) (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.issued[wanted]
	return last.token, ok && now.Sub(last.at) < reuse && now.Before(last.token.ExpiresAt)
}

func (s *Service) remember(wanted issuedFor, i issued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.issued) >= maxIssued {
		clear(s.issued) // each costs one signature again, once a minute
	}
	s.issued[wanted] = i
}

func (s *Service) sign(ctx context.Context, key apikey.Key, now, expires time.Time) (Token, error) {
	signer := s.config.KeyIDs[0]
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    s.config.Issuer,
			Audience:  jwt.ClaimStrings{s.config.Audience},
			Subject:   key.Locator.ID.String(),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
		Namespace: key.Locator.Namespace.String(),
	})
	token.Header["kid"] = kidOf(signer)
	text, err := token.SigningString()
	if err != nil {
		return Token{}, fmt.Errorf("token to sign: %w", err)
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := s.config.KeyStore.Sign(ctx, signer, digest[:])
	if errors.Is(err, fault.NotFound) {
		err = fault.Wrap(fault.Internal, err, "internal error") // to the client nothing is missing
	}
	if err != nil {
		return Token{}, fmt.Errorf("signature of a token: %w", err)
	}
	return Token{Text: text + "." + token.EncodeSegment(signature), ExpiresAt: expires}, nil
}

// newParser makes a parser that holds a token to what the deployment's own look like.
func newParser(c Config) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
		jwt.WithIssuer(c.Issuer),
		jwt.WithAudience(c.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(c.Clock),
	)
}

// verifyToken gives the key that a token of ours names. Unauthenticated: it is none.
func (s *Service) verifyToken(ctx context.Context, text string) (apikey.Locator, error) {
	if len(text) > maxTokenLength {
		return apikey.Locator{}, Refuse(errors.New("token of excessive length"))
	}
	var said claims
	_, err := s.parser.ParseWithClaims(text, &said, func(token *jwt.Token) (any, error) {
		id, err := s.keyOf(token)
		if err != nil {
			return nil, err
		}
		public, err := s.publicKey(ctx, id)
		if err != nil && !errors.Is(err, fault.NotFound) {
			err = undecided{err}
		}
		return public, err
	})
	if outage, ok := errors.AsType[undecided](err); ok {
		return apikey.Locator{}, outage.error
	}
	if err != nil {
		return apikey.Locator{}, Refuse(reasonOf(err))
	}
	return said.locator()
}

// An undecided is a failure that says nothing about a token.
type undecided struct{ error }

// refusals are the library's reasons, without the parts of the token that it quotes.
var refusals = []error{
	jwt.ErrTokenMalformed, jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenExpired,
	jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenInvalidClaims,
}

func reasonOf(err error) error {
	i := slices.IndexFunc(refusals, func(reason error) bool { return errors.Is(err, reason) })
	if i < 0 {
		return errors.New("token is refused")
	}
	return refusals[i]
}

// locator is of the claims of a token that has been verified.
func (c claims) locator() (apikey.Locator, error) {
	id, ok := apikey.ParseID(c.Subject)
	ns, err := namespace.Parse(c.Namespace)
	if !ok || err != nil {
		return apikey.Locator{}, Refuse(errors.New("token that names no key"))
	}
	return apikey.Locator{Namespace: ns, ID: id}, nil
}

// keyOf is the configured key that a token's header names. A token cannot make us ask
// for any other.
func (s *Service) keyOf(token *jwt.Token) (string, error) {
	kid, _ := token.Header["kid"].(string)
	i := slices.IndexFunc(s.config.KeyIDs, func(id string) bool { return kidOf(id) == kid })
	if i < 0 {
		return "", errors.New("token of an unknown key")
	}
	return s.config.KeyIDs[i], nil
}

// kidOf is the name of a session key in a token: of an ARN it is the last part, which
// tells nothing of the account.
func kidOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// A fetched is what the key store said of a key.
type fetched struct {
	key *rsa.PublicKey
	err error // that it is gone
	at  time.Time
}

func (s *Service) publicKey(ctx context.Context, id string) (*rsa.PublicKey, error) {
	now := s.config.Clock()
	s.mu.Lock()
	known, ok := s.public[id]
	s.mu.Unlock()
	if ok && (known.err == nil || now.Sub(known.at) < reuse) {
		return known.key, known.err
	}
	key, err := s.config.KeyStore.PublicKey(ctx, id)
	if err != nil {
		err = fmt.Errorf("public session key: %w", err)
	}
	if err == nil || errors.Is(err, fault.NotFound) {
		s.mu.Lock()
		s.public[id] = fetched{key, err, now}
		s.mu.Unlock()
	}
	return key, err
}

// A PublicKey is what others need to verify tokens.
type PublicKey struct {
	ID  string // as a token's kid
	Key *rsa.PublicKey
}

// PublicKeys gives the public half of every session key that is not gone, the one that
// signs first. Its error is the key store's.
func (s *Service) PublicKeys(ctx context.Context) ([]PublicKey, error) {
	var keys []PublicKey
	for _, id := range s.config.KeyIDs {
		key, err := s.publicKey(ctx, id)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, PublicKey{ID: kidOf(id), Key: key})
	}
	return keys, nil
}
