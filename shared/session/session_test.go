package session_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/keyservice"
	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/kms"
	"latchkey/shared/namespace"
	"latchkey/shared/session"
)

var database dynamotest.Database

func TestMain(m *testing.M) { os.Exit(database.Run(m)) }

var noon = time.Date(2026, 5, 6, 12, 0, 0, 123456789, time.UTC)

const (
	issuer   = "https://latchkey.example"
	audience = "latchkey"
)

// A fixture is the keys of a real store and session keys behind KMS's wire protocol,
// with a clock that tests set.
type fixture struct {
	keys     *apikey.Service
	store    *dynamo.Store
	meter    *dynamotest.Meter
	root     apikey.Key
	signers  *keyservice.Keys
	endpoint string
	calls    atomic.Int64 // to the key service
	now      time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	signers, err := keyservice.Open("")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{signers: signers, now: noon}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		signers.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.endpoint = server.URL
	config := database.NewTable(t)
	f.meter = dynamotest.Measure(&config)
	f.store = dynamo.New(config)
	f.keys = apikey.NewService(apikey.Config{Store: f.store, Clock: f.clock, Random: rand.Reader})
	root, err := f.keys.Bootstrap(t.Context(), parse(t, "demo"))
	if err != nil {
		t.Fatal(err)
	}
	f.root = root.Key
	return f
}

func (f *fixture) clock() time.Time { return f.now }

func (f *fixture) newSigner(t *testing.T) string {
	t.Helper()
	id, err := f.signers.Create()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sessions is a fresh process, so to speak.
func (f *fixture) sessions(keyIDs ...string) *session.Service {
	return session.NewService(f.config(keyIDs...))
}

func (f *fixture) config(keyIDs ...string) session.Config {
	return session.Config{
		Keys:     f.keys,
		KeyStore: kms.New(clientOf(f.endpoint)),
		KeyIDs:   keyIDs,
		Issuer:   issuer,
		Audience: audience,
		Clock:    f.clock,
	}
}

func clientOf(endpoint string) awsclient.Config {
	return awsclient.Config{
		Region: "local", Endpoint: endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
}

// issue makes a key that expires after a while, or never where that is zero.
func (f *fixture) issue(t *testing.T, expires time.Duration) apikey.Issued {
	t.Helper()
	draft := apikey.Draft{Namespace: parse(t, "demo"), Name: "ci", Grant: access.Grant{Roles: []access.Role{access.ReadOnly}}}
	if expires > 0 {
		draft.ExpiresAt = f.now.Add(expires)
	}
	issued, err := f.keys.Issue(t.Context(), f.root.Caller(), draft)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func token(t *testing.T, s *session.Service, key apikey.Key, lifetime time.Duration) session.Token {
	t.Helper()
	issued, err := s.Issue(t.Context(), key, lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func TestBothCredentialsTellTheSameKey(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	issued := f.issue(t, 24*time.Hour)
	for name, credential := range map[string]string{
		"full key": issued.FullKey.Reveal(),
		"token":    token(t, s, issued.Key, time.Hour).Text,
	} {
		f.meter.Take()
		key, err := s.Authenticate(t.Context(), credential)
		if err != nil || key.Locator != issued.Key.Locator || key.Name != "ci" {
			t.Errorf("%s: %v, %v", name, key.Locator, err)
		}
		once := []dynamotest.Call{{Action: "GetItem", Units: 1}}
		if diff := cmp.Diff(once, f.meter.Take()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// What is in a token, for those who verify it themselves.
func TestToken(t *testing.T) {
	f := newFixture(t)
	id := f.newSigner(t)
	s := f.sessions(id)
	issued := f.issue(t, 24*time.Hour)
	text := token(t, s, issued.Key, time.Hour).Text

	var claims jwt.MapClaims
	parsed, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) {
		keys, err := s.PublicKeys(t.Context())
		return keys[0].Key, err
	}, jwt.WithTimeFunc(f.clock))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"alg": "RS256", "typ": "JWT", "kid": id}, parsed.Header); diff != "" {
		t.Error(diff)
	}
	want := jwt.MapClaims{
		"iss": issuer, "aud": []any{audience}, "sub": issued.Key.Locator.ID.String(), "namespace": "demo",
		"iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 3600),
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Error(diff)
	}
}

func TestLifetime(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	second := noon.Truncate(time.Second)
	for _, test := range []struct {
		name     string
		expires  time.Duration // of the key
		lifetime time.Duration
		want     time.Time
	}{
		{"of a key that never expires", 0, time.Hour, second.Add(time.Hour)},
		{"the longest", 0, session.MaxLifetime, second.Add(4 * time.Hour)},
		{"longer than the longest", 0, 5 * time.Hour, second.Add(4 * time.Hour)},
		{"of a key that outlives it", 2 * time.Hour, time.Hour, second.Add(time.Hour)},
		{"never past the key's expiry", time.Hour, 4 * time.Hour, second.Add(time.Hour)},
		{"nor a part of a second past it", 90*time.Minute - 200*time.Millisecond, 4 * time.Hour, second.Add(90*time.Minute - time.Second)},
	} {
		issued := f.issue(t, test.expires)
		got := token(t, s, issued.Key, test.lifetime)
		if !got.ExpiresAt.Equal(test.want) {
			t.Errorf("%s: until %v, want %v", test.name, got.ExpiresAt, test.want)
		}
		for _, at := range []time.Time{noon, test.want.Add(-1), test.want} {
			f.now = at
			_, err := s.Authenticate(t.Context(), got.Text)
			if wanted := at.Before(test.want); (err == nil) != wanted || err != nil && !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("%s, at %v: %v", test.name, at, err)
			}
		}
		f.now = noon
	}
}

// The key counts, not the token.
func TestEachUseReadsTheKey(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	for _, test := range []struct {
		name string
		do   func(t *testing.T, key apikey.Key)
		want bool
	}{
		{"nothing", func(*testing.T, apikey.Key) {}, true},
		{"deleted", func(t *testing.T, key apikey.Key) {
			if err := f.keys.Delete(t.Context(), f.root.Caller(), key.Locator); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"disabled", func(t *testing.T, key apikey.Key) {
			key.Disabled = true
			if err := f.store.Update(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"expires sooner", func(t *testing.T, key apikey.Key) {
			key.ExpiresAt = f.now
			if err := f.store.Update(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		issued := f.issue(t, 24*time.Hour)
		text := token(t, s, issued.Key, time.Hour).Text
		test.do(t, issued.Key)
		_, err := s.Authenticate(t.Context(), text)
		if (err == nil) != test.want || err != nil && !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// A forger of tokens, who knows all that is public.
type forger struct {
	header  map[string]any
	claims  map[string]any
	private *rsa.PrivateKey
	public  *rsa.PublicKey // of the real signer
}

func TestRefusedTokens(t *testing.T) {
	f := newFixture(t)
	id, other := f.newSigner(t), f.newSigner(t)
	s := f.sessions(id)
	issued := f.issue(t, 24*time.Hour)
	good := token(t, s, issued.Key, time.Hour).Text
	parts := strings.Split(good, ".")
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	published, err := s.PublicKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	forged := func(method jwt.SigningMethod, change func(*forger)) string {
		forge := &forger{header: decode(t, parts[0]), claims: decode(t, parts[1]), private: stranger, public: published[0].Key}
		forge.header["alg"] = method.Alg()
		change(forge)
		return forge.sign(t, method)
	}
	// signed is by the real key, with other claims.
	signed := func(change func(claims map[string]any)) string {
		claims := decode(t, parts[1])
		change(claims)
		return signReal(t, kms.New(clientOf(f.endpoint)), id, decode(t, parts[0]), claims)
	}
	nothing := func(*forger) {}
	withConfig := func(change func(*session.Config)) string {
		config := f.config(id)
		change(&config)
		return token(t, session.NewService(config), issued.Key, time.Hour).Text
	}
	if _, err := s.Authenticate(t.Context(), signed(func(map[string]any) {})); err != nil {
		t.Fatalf("the helper does not sign as the service does: %v", err)
	}
	for name, text := range map[string]string{
		"another's signature":            forged(jwt.SigningMethodRS256, nothing),
		"alg none":                       forged(jwt.SigningMethodNone, nothing),
		"alg none, with a signature":     forged(jwt.SigningMethodNone, nothing) + parts[2],
		"HS256 over the public key":      forged(jwt.SigningMethodHS256, nothing),
		"RS512":                          forged(jwt.SigningMethodRS512, nothing),
		"PS256":                          forged(jwt.SigningMethodPS256, nothing),
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"a changed signature":            parts[0] + "." + parts[1] + "." + flipped(parts[2]),
		"a changed claim":                parts[0] + "." + flipped(parts[1]) + "." + parts[2],
		"a key that is not configured":   token(t, f.sessions(other), issued.Key, time.Hour).Text,
		"a kid that is not configured":   forged(jwt.SigningMethodRS256, func(f *forger) { f.header["kid"] = other }),
		"no kid":                         forged(jwt.SigningMethodRS256, func(f *forger) { delete(f.header, "kid") }),
		"a kid that is a number":         forged(jwt.SigningMethodRS256, func(f *forger) { f.header["kid"] = 1 }),
		"another issuer":                 withConfig(func(c *session.Config) { c.Issuer = "https://other.example" }),
		"another audience":               withConfig(func(c *session.Config) { c.Audience = "other" }),
		"no issuer":                      signed(func(claims map[string]any) { delete(claims, "iss") }),
		"no audience":                    signed(func(claims map[string]any) { delete(claims, "aud") }),
		"no expiry":                      signed(func(claims map[string]any) { delete(claims, "exp") }),
		"expired":                        signed(func(claims map[string]any) { claims["exp"] = noon.Unix() }),
		"no key":                         signed(func(claims map[string]any) { delete(claims, "sub") }),
		"no namespace":                   signed(func(claims map[string]any) { delete(claims, "namespace") }),
		"the same key elsewhere":         signed(func(claims map[string]any) { claims["namespace"] = "demo.app" }),
		"a malformed namespace":          signed(func(claims map[string]any) { claims["namespace"] = "demo..app" }),
		"line breaks in it":              good[:20] + "\n" + good[20:],
		"a part more":                    good + "." + parts[2],
		"nothing but dots":               "..",
		"a token of an excessive length": good + strings.Repeat("A", 4096),
	} {
		key, err := s.Authenticate(t.Context(), text)
		if !errors.Is(err, fault.Unauthenticated) || key.Name != "" {
			t.Errorf("%s: %v, %v", name, key.Locator, err)
		} else if fault.Of(err).Message != "Invalid credential" {
			t.Errorf("%s: the client is told %q", name, fault.Of(err).Message)
		}
	}
}

func (f *forger) sign(t *testing.T, method jwt.SigningMethod) string {
	t.Helper()
	forged := &jwt.Token{Header: f.header, Claims: jwt.MapClaims(f.claims), Method: method}
	var key any = f.private
	switch method {
	case jwt.SigningMethodNone:
		key = jwt.UnsafeAllowNoneSignatureType
	case jwt.SigningMethodHS256:
		key = f.public.N.Bytes()
	}
	text, err := forged.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRefusedFullKeys(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	expired, disabled, deleted := f.issue(t, time.Minute), f.issue(t, 0), f.issue(t, 0)
	disabled.Key.Disabled = true
	if err := f.store.Update(t.Context(), disabled.Key); err != nil {
		t.Fatal(err)
	}
	if err := f.keys.Delete(t.Context(), f.root.Caller(), deleted.Key.Locator); err != nil {
		t.Fatal(err)
	}
	f.now = noon.Add(time.Hour)
	wrong := apikey.FullKey{Locator: f.root.Locator, Secret: expired.FullKey.Secret}
	for name, credential := range map[string]string{
		"expired": expired.FullKey.Reveal(), "disabled": disabled.FullKey.Reveal(), "unknown": deleted.FullKey.Reveal(),
		"wrong secret": wrong.Reveal(), "malformed": "lk_x", "empty": "",
	} {
		key, err := s.Authenticate(t.Context(), credential)
		if !errors.Is(err, fault.Unauthenticated) || key.Name != "" {
			t.Errorf("%s: %v, %v", name, key.Locator, err)
		} else if fault.Of(err).Message != "Invalid credential" {
			t.Errorf("%s: the client is told %q", name, fault.Of(err).Message)
		}
	}
}

// One signature serves a key for a minute, and a public key is fetched once.
func TestCallsToTheKeyService(t *testing.T) {
	f := newFixture(t)
	id := f.newSigner(t)
	s := f.sessions(id)
	one, other := f.issue(t, 24*time.Hour).Key, f.issue(t, 24*time.Hour).Key
	first := token(t, s, one, time.Hour)
	for _, step := range []struct {
		name     string
		key      apikey.Key
		lifetime time.Duration
		after    time.Duration
		same     bool
	}{
		{"at once", one, time.Hour, 0, true},
		{"within the minute", one, time.Hour, time.Minute - 1, true},
		{"another key", other, time.Hour, 0, false},
		{"another lifetime", one, 15 * time.Minute, 0, false},
		{"after the minute", one, time.Hour, time.Minute, false},
	} {
		f.now = noon.Add(step.after)
		before := f.calls.Load()
		again := token(t, s, step.key, step.lifetime)
		if same := again == first; same != step.same || same != (f.calls.Load() == before) {
			t.Errorf("%s: the same token %v, %d calls", step.name, same, f.calls.Load()-before)
		}
	}
	verifier := f.sessions(id)
	before := f.calls.Load()
	for range 3 {
		if _, err := verifier.Authenticate(t.Context(), first.Text); err != nil {
			t.Error(err)
		}
	}
	if calls := f.calls.Load() - before; calls != 1 {
		t.Errorf("three tokens made %d calls", calls)
	}
}

// A token that is about to expire is not handed out again.
func TestReuseEndsWithTheToken(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	key := f.issue(t, 0).Key
	first := token(t, s, key, 10*time.Second)
	f.now = first.ExpiresAt
	if again := token(t, s, key, 10*time.Second); again == first {
		t.Error("an expired token was handed out")
	}
}

func TestRotation(t *testing.T) {
	f := newFixture(t)
	previous := f.newSigner(t)
	key := f.issue(t, 0).Key
	old := token(t, f.sessions(previous), key, time.Hour)

	next := f.newSigner(t)
	announced := f.sessions(previous, next)
	if text := token(t, announced, key, time.Hour).Text; kidOf(t, text) != previous {
		t.Error("a key that is only announced signs")
	}
	rotated := f.sessions(next, "arn:aws:kms:local:000000000000:key/"+previous)
	fresh := token(t, rotated, key, time.Hour)
	if kid := kidOf(t, fresh.Text); kid != next {
		t.Errorf("%s signs, want %s", kid, next)
	}
	for name, s := range map[string]*session.Service{"announced": announced, "rotated": rotated} {
		for _, text := range []string{old.Text, fresh.Text} {
			if _, err := s.Authenticate(t.Context(), text); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	published, err := rotated.PublicKeys(t.Context())
	if err != nil || len(published) != 2 || published[0].ID != next || published[1].ID != previous {
		t.Errorf("published are %v, %v", published, err)
	}
	f.now = old.ExpiresAt
	if _, err := rotated.Authenticate(t.Context(), old.Text); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("an old token after its expiry: %v", err)
	}
	f.now = noon
	if _, err := f.sessions(next).Authenticate(t.Context(), old.Text); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("a token of a key that was taken away: %v", err)
	}
}

// Without the key service nothing is known about a token; keys are not concerned.
func TestOutageOfTheKeyService(t *testing.T) {
	f := newFixture(t)
	id := f.newSigner(t)
	issued := f.issue(t, 0)
	text := token(t, f.sessions(id), issued.Key, time.Hour).Text
	for name, test := range map[string]struct {
		status int
		body   string
		want   fault.Kind
	}{
		"throttled":     {400, `{"__type":"ThrottlingException","message":"slow down"}`, fault.Unavailable},
		"broken":        {500, `{"__type":"KMSInternalException","message":"ouch"}`, fault.Unavailable},
		"not permitted": {400, `{"__type":"AccessDeniedException","message":"no"}`, fault.Internal},
		"disabled":      {400, `{"__type":"DisabledException","message":"no"}`, fault.Internal},
		"nonsense":      {502, `<html>`, fault.Unavailable},
	} {
		config := f.config(id)
		config.KeyStore = kms.New(answering(f.endpoint, test.status, test.body))
		s := session.NewService(config)
		for what, err := range map[string]error{
			"authenticate": second(s.Authenticate(t.Context(), text)),
			"issue":        second(s.Issue(t.Context(), issued.Key, time.Hour)),
			"public keys":  second(s.PublicKeys(t.Context())),
		} {
			if got := fault.Of(err).Kind; got != test.want {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if _, err := s.Authenticate(t.Context(), issued.FullKey.Reveal()); err != nil {
			t.Errorf("%s: a full key: %v", name, err)
		}
	}
}

// answering is a client whose every request is answered alike.
func answering(endpoint string, status int, body string) awsclient.Config {
	config := clientOf(endpoint)
	config.Wrap = func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
				Body: io.NopCloser(strings.NewReader(body)), Request: r,
			}, nil
		})
	}
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// No text is a credential by accident. Without session keys none needs a call to tell.
func FuzzAuthenticate(f *testing.F) {
	s := session.NewService(session.Config{Issuer: issuer, Audience: audience, Clock: time.Now})
	f.Add("lk_0.0.0")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.Authenticate(t.Context(), text); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func decode(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func kidOf(t *testing.T, text string) string {
	t.Helper()
	header, _, _ := strings.Cut(text, ".")
	kid, _ := decode(t, header)["kid"].(string)
	return kid
}

// flipped changes a character in the middle.
func flipped(part string) string {
	i := len(part) / 2
	if part[i] == 'A' {
		return part[:i] + "B" + part[i+1:]
	}
	return part[:i] + "A" + part[i+1:]
}

func digestOf(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return digest[:]
}

func second[A any](_ A, err error) error { return err }

func parse(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// signReal signs a token with a session key, as nobody but the service can.
func signReal(t *testing.T, keys *kms.Keys, id string, header, claims map[string]any) string {
	t.Helper()
	unsigned := &jwt.Token{Header: header, Claims: jwt.MapClaims(claims), Method: jwt.SigningMethodRS256}
	text, err := unsigned.SigningString()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := keys.Sign(t.Context(), id, digestOf(text))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + unsigned.EncodeSegment(signature)
}
