package session_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

	signerDir string       // where the private keys are
	calls     atomic.Int64 // to the key service
	now       time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	signers, err := keyservice.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{signers: signers, signerDir: dir, now: noon}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		signers.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.endpoint = server.URL
	config := database.NewTable(t)
	f.meter = dynamotest.Measure(&config)
	f.store = dynamo.New(config)
	f.keys = apikey.NewService(apikey.Config{Store: f.store, Clock: f.clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
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
		Verifier: f.keys.Verifier,
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

func token(t *testing.T, s *session.Service, key apikey.FullKey, lifetime time.Duration) session.Token {
	t.Helper()
	issued, _, err := s.Exchange(t.Context(), key, lifetime)
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
		"token":    token(t, s, issued.FullKey, time.Hour).Text,
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
	text := token(t, s, issued.FullKey, time.Hour).Text

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
		got := token(t, s, issued.FullKey, test.lifetime)
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

// A key that expires within the second is as good as expired here.
func TestLastSecondOfAKey(t *testing.T) {
	f := newFixture(t)
	key := f.issue(t, 500*time.Millisecond).FullKey
	_, _, err := f.sessions(f.newSigner(t)).Exchange(t.Context(), key, time.Hour)
	if !errors.Is(err, fault.Unauthenticated) || !errors.Is(err, apikey.Expired) {
		t.Error(err)
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
			if err := f.keys.Delete(t.Context(), f.root.Caller(), apikey.At(key.Locator)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"disabled", func(t *testing.T, key apikey.Key) {
			key.Disabled = true
			if err := f.store.Update(t.Context(), key, key); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"expires sooner", func(t *testing.T, key apikey.Key) {
			key.ExpiresAt = f.now
			if err := f.store.Update(t.Context(), key, key); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		issued := f.issue(t, 24*time.Hour)
		text := token(t, s, issued.FullKey, time.Hour).Text
		test.do(t, issued.Key)
		_, err := s.Authenticate(t.Context(), text)
		if (err == nil) != test.want || err != nil && !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Each token is signed with the real key, in the way that its header says, and is wrong in
// one thing alone.
func TestRefusedTokens(t *testing.T) {
	f, private := newFixtureWithKey(t)
	id, other := f.signers.IDs()[0], f.newSigner(t)
	s := f.sessions(id)
	issued := f.issue(t, 24*time.Hour)
	good := token(t, s, issued.FullKey, time.Hour).Text
	parts := strings.Split(good, ".")
	signed := func(method jwt.SigningMethod, key any, change func(header, claims map[string]any)) string {
		header, claims := decode(t, parts[0]), decode(t, parts[1])
		header["alg"] = method.Alg()
		change(header, claims)
		text, err := (&jwt.Token{Header: header, Claims: jwt.MapClaims(claims), Method: method}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	with := func(change func(header, claims map[string]any)) string {
		return signed(jwt.SigningMethodRS256, private, change)
	}
	nothing := func(_, _ map[string]any) {}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), with(nothing)); err != nil {
		t.Fatalf("what the test signs is no token of the service's: %v", err)
	}
	for name, text := range map[string]string{
		"alg none":                     signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nothing),
		"alg none, with a signature":   signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nothing) + parts[2],
		"HS256 over the public key":    signed(jwt.SigningMethodHS256, public, nothing),
		"RS384":                        signed(jwt.SigningMethodRS384, private, nothing),
		"RS512":                        signed(jwt.SigningMethodRS512, private, nothing),
		"PS256":                        signed(jwt.SigningMethodPS256, private, nothing),
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"a changed signature":          parts[0] + "." + parts[1] + "." + flipped(parts[2]),
		"a changed claim":              parts[0] + "." + flipped(parts[1]) + "." + parts[2],
		"another spelling":             good[:len(good)-1] + nextSpelling(good[len(good)-1]),
		"line breaks in it":            good[:20] + "\n" + good[20:],
		"a part more":                  good + "." + parts[2],
		"nothing but dots":             "..",
		"another's signature":          token(t, f.sessions(other), issued.FullKey, time.Hour).Text,
		"a kid that is not configured": with(func(header, _ map[string]any) { header["kid"] = other }),
		"no kid":                       with(func(header, _ map[string]any) { delete(header, "kid") }),
		"a kid that is a number":       with(func(header, _ map[string]any) { header["kid"] = 1 }),
		"another issuer":               with(func(_, claims map[string]any) { claims["iss"] = "https://other.example" }),
		"no issuer":                    with(func(_, claims map[string]any) { delete(claims, "iss") }),
		"another audience":             with(func(_, claims map[string]any) { claims["aud"] = []string{"other"} }),
		"no audience":                  with(func(_, claims map[string]any) { delete(claims, "aud") }),
		"no expiry":                    with(func(_, claims map[string]any) { delete(claims, "exp") }),
		"expired":                      with(func(_, claims map[string]any) { claims["exp"] = noon.Unix() }),
		"no key":                       with(func(_, claims map[string]any) { delete(claims, "sub") }),
		"no namespace":                 with(func(_, claims map[string]any) { delete(claims, "namespace") }),
		"the same key elsewhere":       with(func(_, claims map[string]any) { claims["namespace"] = "demo.app" }),
		"a malformed namespace":        with(func(_, claims map[string]any) { claims["namespace"] = "demo..app" }),
		"an excessive length":          with(func(_, claims map[string]any) { claims["more"] = strings.Repeat("A", 4096) }),
	} {
		key, err := s.Authenticate(t.Context(), text)
		if !errors.Is(err, fault.Unauthenticated) || key.Name != "" {
			t.Errorf("%s: %v, %v", name, key.Locator, err)
		} else if fault.Of(err).Message != "Invalid credential" {
			t.Errorf("%s: the client is told %q", name, fault.Of(err).Message)
		}
	}
}

// The log is told why a token is refused, and nothing that it quotes.
func TestReasonsQuoteNothing(t *testing.T) {
	f, private := newFixtureWithKey(t)
	header := map[string]any{"alg": "RS256", "kid": f.signers.IDs()[0]}
	claims := jwt.MapClaims{"exp": json.Number(strings.Repeat("9", 2500))}
	text, err := (&jwt.Token{Header: header, Claims: claims, Method: jwt.SigningMethodRS256}).SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.sessions(f.signers.IDs()...).Authenticate(t.Context(), text); err == nil || len(err.Error()) > 100 {
		t.Errorf("%v", err)
	}
}

// newFixtureWithKey has one session key, whose private half the test knows as well.
func newFixtureWithKey(t *testing.T) (*fixture, *rsa.PrivateKey) {
	t.Helper()
	f := newFixture(t)
	id := f.newSigner(t)
	text, err := os.ReadFile(filepath.Join(f.signerDir, id+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return f, private.(*rsa.PrivateKey)
}

// nextSpelling changes a character in the bits that a decoder may pass over.
func nextSpelling(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)+1])
}

func TestRefusedFullKeys(t *testing.T) {
	f := newFixture(t)
	s := f.sessions(f.newSigner(t))
	expired, disabled, deleted := f.issue(t, time.Minute), f.issue(t, 0), f.issue(t, 0)
	disabled.Key.Disabled = true
	if err := f.store.Update(t.Context(), disabled.Key, disabled.Key); err != nil {
		t.Fatal(err)
	}
	if err := f.keys.Delete(t.Context(), f.root.Caller(), apikey.At(deleted.Key.Locator)); err != nil {
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
	one, other := f.issue(t, 24*time.Hour), f.issue(t, 24*time.Hour)
	first := token(t, s, one.FullKey, time.Hour)
	for _, step := range []struct {
		name     string
		key      apikey.FullKey
		lifetime time.Duration
		after    time.Duration
		same     bool
	}{
		{"at once", one.FullKey, time.Hour, 0, true},
		{"within the minute", one.FullKey, time.Hour, time.Minute - 1, true},
		{"another key", other.FullKey, time.Hour, 0, false},
		{"another lifetime", one.FullKey, 15 * time.Minute, 0, false},
		{"after the minute", one.FullKey, time.Hour, time.Minute, false},
	} {
		f.now = noon.Add(step.after)
		before := f.calls.Load()
		again := token(t, s, step.key, step.lifetime)
		if same := again == first; same != step.same || same != (f.calls.Load() == before) {
			t.Errorf("%s: the same token %v, %d calls", step.name, same, f.calls.Load()-before)
		}
	}
	one.Key.ExpiresAt = noon.Add(30 * time.Minute)
	if err := f.store.Update(t.Context(), one.Key, one.Key); err != nil {
		t.Fatal(err)
	}
	if cut := token(t, s, one.FullKey, time.Hour); !cut.ExpiresAt.Equal(one.Key.ExpiresAt.Truncate(time.Second)) {
		t.Errorf("after the key's expiry was changed its token lives until %v", cut.ExpiresAt)
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
	key := f.issue(t, 0).FullKey
	first := token(t, s, key, 10*time.Second)
	f.now = first.ExpiresAt
	if again := token(t, s, key, 10*time.Second); again == first {
		t.Error("an expired token was handed out")
	}
}

func TestRotation(t *testing.T) {
	f := newFixture(t)
	previous := f.newSigner(t)
	key := f.issue(t, 0).FullKey
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
	text := token(t, f.sessions(id), issued.FullKey, time.Hour).Text
	for name, test := range map[string]struct {
		status int
		body   string
		want   fault.Kind
	}{
		"throttled":     {400, `{"__type":"ThrottlingException","message":"slow down"}`, fault.Unavailable},
		"broken":        {500, `{"__type":"KMSInternalException","message":"ouch"}`, fault.Unavailable},
		"not permitted": {400, `{"__type":"AccessDeniedException","message":"no"}`, fault.Internal},
		"nonsense":      {502, `<html>`, fault.Unavailable},
	} {
		config := f.config(id)
		config.KeyStore = kms.New(answering(f.endpoint, test.status, test.body))
		s := session.NewService(config)
		for what, err := range map[string]error{
			"authenticate": second(s.Authenticate(t.Context(), text)),
			"issue":        third(s.Exchange(t.Context(), issued.FullKey, time.Hour)),
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

// A key that is gone takes its tokens with it, and nothing else. It is not asked for
// again with each token that claims to be of it.
func TestSessionKeyThatIsGone(t *testing.T) {
	f := newFixture(t)
	id, lost := f.newSigner(t), "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	issued := f.issue(t, 0)
	s := f.sessions(id, lost)
	header, rest, _ := strings.Cut(token(t, s, issued.FullKey, time.Hour).Text, ".")
	claiming := strings.Replace(string(decodeText(t, header)), id, lost, 1)
	forged := base64.RawURLEncoding.EncodeToString([]byte(claiming)) + "." + rest
	before := f.calls.Load()
	for range 3 {
		if _, err := s.Authenticate(t.Context(), forged); !errors.Is(err, fault.Unauthenticated) {
			t.Error(err)
		}
	}
	if calls := f.calls.Load() - before; calls != 1 {
		t.Errorf("three tokens made %d calls", calls)
	}
	if published, err := s.PublicKeys(t.Context()); err != nil || len(published) != 1 || published[0].ID != id {
		t.Errorf("published are %v, %v", published, err)
	}
	if _, _, err := f.sessions(lost).Exchange(t.Context(), issued.FullKey, time.Hour); fault.Of(err).Kind != fault.Internal {
		t.Errorf("signed with a key that is gone: %v", err)
	}
	f.now = noon.Add(time.Minute)
	if _, err := s.Authenticate(t.Context(), forged); !errors.Is(err, fault.Unauthenticated) || f.calls.Load()-before < 2 {
		t.Errorf("after a minute it is not asked for again: %v", err)
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

func decodeText(t *testing.T, part string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decode(t *testing.T, part string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(decodeText(t, part), &value); err != nil {
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

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

func parse(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// Of a credential that is refused, the log is told which key it named, if it named one.
func TestRefusedCredentialsNameTheirKey(t *testing.T) {
	f := newFixture(t)
	signer := f.newSigner(t)
	issued := f.issue(t, time.Hour)
	s := f.sessions(signer)
	text := token(t, s, issued.FullKey, time.Hour).Text
	f.now = f.now.Add(time.Hour)
	for name, test := range map[string]struct {
		credential string
		want       apikey.Locator
	}{
		"an expired key":      {issued.FullKey.Reveal(), issued.Key.Locator},
		"no key":              {"lk_", apikey.Locator{}},
		"a token that is bad": {text[:len(text)-4] + "AAAA", apikey.Locator{}},
	} {
		_, err := s.Authenticate(t.Context(), test.credential)
		if at, ok := session.LocatorOf(err); err == nil || at != test.want || ok != (test.want != apikey.Locator{}) {
			t.Errorf("%s: %v, %v, %v", name, at, ok, err)
		}
	}
}
