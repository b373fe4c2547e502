package platform

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"latchkey/shared/api/wiring"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// For how long others may keep the public session keys. Whoever rotates waits for as long
// between announcing a key and letting it sign.
const sessionKeysMaxAge = 5 * time.Minute

// A jwkSet is a JSON Web Key Set (RFC 7517, section 5).
type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// A jwk is an RSA public key (RFC 7518, section 6.3.1).
type jwk struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

// SessionKeys is the endpoint of operation.SessionKeys.
func SessionKeys(b wiring.Bearer) wiring.Endpoint { return endpoint(publish(b.Sessions)) }

// publish publishes the keys that session tokens can be verified with, the one that
// signs first. A token that verifies is of a key that was good when it was issued;
// whether it still is, only Latchkey can tell.
func publish(sessions *session.Service) web.Handler {
	return func(ctx context.Context, _ *web.Request) (web.Response, error) {
		keys, err := sessions.PublicKeys(ctx)
		if err != nil {
			return web.Response{}, err
		}
		set := jwkSet{Keys: make([]jwk, len(keys))}
		for i, key := range keys {
			set.Keys[i] = jwkOf(key)
		}
		response, err := web.JSON(http.StatusOK, set, false)
		if err != nil {
			return web.Response{}, err
		}
		response.Header["Content-Type"] = "application/jwk-set+json"
		response.Header["Cache-Control"] = fmt.Sprintf("public, max-age=%d", int(sessionKeysMaxAge.Seconds()))
		return response, nil
	}
}

func jwkOf(key session.PublicKey) jwk {
	return jwk{
		Type:      "RSA",
		Use:       "sig",
		Algorithm: "RS256",
		ID:        key.ID,
		Modulus:   base64.RawURLEncoding.EncodeToString(key.Key.N.Bytes()),
		Exponent:  base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.Key.E)).Bytes()),
	}
}
