package endtoend_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/namespace"
)

// An egsClient speaks the workspaces API as the vendor's SDK was measured to. It is
// written from the contract and shares no code with the service.
//
// It exchanges its key before every operation, as the SDK does.
type egsClient struct {
	base string
	key  string
}

// An egsException is what the SDK raises, by the name that it has there.
type egsException string

func (e egsException) Error() string { return string(e) }

const (
	egsKeyExpired   egsException = "ApiKeyExpired"
	egsKeyNotFound  egsException = "ApiKeyNotFound"
	egsKeyInvalid   egsException = "ApiKeyInvalid"
	egsUnreachable  egsException = "ServerUnreachable"
	egsUnauthorized egsException = "Unauthorized"
	egsUnhandled    egsException = "UnhandledException"
	egsValueError   egsException = "ValueError"
	egsNoKey        egsException = "ValueError: API Key not found."
	egsNoKeys       egsException = "ValueError: No API Keys found."

	// Crashes of the SDK, not answers of the service.
	egsTypeError   egsException = "TypeError"
	egsKeyError    egsException = "KeyError"
	egsDecodeError egsException = "JSONDecodeError"
)

type egsOperation string

const (
	egsAuth   egsOperation = "auth"
	egsCreate egsOperation = "create"
	egsList   egsOperation = "list"
	egsDelete egsOperation = "delete"
)

const (
	egsAuthPath = "/api/v1/auth"
	egsKeyPath  = "/api/v1/api-key"
	egsListPath = egsKeyPath + "/list"

	egsExpiredText = "Api Key has expired"
	egsInvalidText = "Api Key Configuration is invalid. Request a new API-key or contact administrator"
)

// The statuses that an operation knows; every other one is unhandled.
var egsExceptions = map[egsOperation]map[int]egsException{
	egsCreate: {
		400: egsValueError, 401: egsValueError, 403: egsValueError, 404: egsValueError,
		409: egsValueError, 422: egsValueError, 500: egsValueError, 503: egsValueError,
	},
	egsList:   {401: egsUnauthorized, 403: egsUnauthorized, 404: egsNoKeys},
	egsDelete: {401: egsUnauthorized, 403: egsUnauthorized, 404: egsNoKey},
}

type egsAnswer struct {
	status int
	body   string
}

type egsMembers map[string]json.RawMessage

// egsObject reads a body as the SDK does before it looks at anything else.
func egsObject(body string) (egsMembers, error) {
	if !json.Valid([]byte(body)) {
		return nil, fmt.Errorf("%w: %.80q", egsDecodeError, body)
	}
	var members egsMembers
	if err := json.Unmarshal([]byte(body), &members); err != nil || members == nil {
		return nil, fmt.Errorf("%w: %.80s is no object", egsTypeError, body)
	}
	return members, nil
}

// only is the SDK's way to make an object of members: by its constructor, which takes
// no name that it does not know and goes without none that it requires.
func (m egsMembers) only(required, optional []string) error {
	for _, name := range required {
		if _, ok := m[name]; !ok {
			return fmt.Errorf("%w: missing argument %q", egsTypeError, name)
		}
	}
	for name := range m {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			return fmt.Errorf("%w: unexpected argument %q", egsTypeError, name)
		}
	}
	return nil
}

func (m egsMembers) text(name string) (string, error) {
	var text *string
	if err := json.Unmarshal(m[name], &text); err != nil || text == nil {
		return "", fmt.Errorf("%w: %q", egsKeyError, name)
	}
	return *text, nil
}

// An egsEnvelope is what every answer is wrapped in.
type egsEnvelope struct {
	StatusCode int
	Status     string
	Message    string
	Data       json.RawMessage
	Error      json.RawMessage
}

func (m egsMembers) envelope() (egsEnvelope, error) {
	if err := m.only([]string{"statusCode", "status", "message"}, []string{"data", "error"}); err != nil {
		return egsEnvelope{}, err
	}
	return m.looseEnvelope()
}

// looseEnvelope lets members be missing, and be too many.
func (m egsMembers) looseEnvelope() (egsEnvelope, error) {
	e := egsEnvelope{Data: m["data"], Error: m["error"]}
	for name, into := range map[string]any{"statusCode": &e.StatusCode, "status": &e.Status, "message": &e.Message} {
		if text, ok := m[name]; ok && json.Unmarshal(text, into) != nil {
			return e, fmt.Errorf("%w: %s is %s", egsTypeError, name, text)
		}
	}
	return e, nil
}

// verdict is what an operation makes of an envelope. It goes by the status in the
// envelope, and not by HTTP's.
func (e egsEnvelope) verdict(operation egsOperation) error {
	if e.StatusCode == http.StatusOK {
		return nil
	}
	exception := cmp.Or(egsExceptions[operation][e.StatusCode], egsUnhandled)
	return fmt.Errorf("%w: %d %s", exception, e.StatusCode, e.Message)
}

// An exchange goes by HTTP's status, and looks at no envelope where it fails.

func (a egsAnswer) token() (string, error) {
	members, err := egsObject(a.body)
	if err != nil {
		return "", err
	}
	if err := a.refusal(members); err != nil {
		return "", err
	}
	envelope, err := members.envelope()
	if err != nil {
		return "", err
	}
	data, err := egsObject(string(envelope.Data))
	if err != nil {
		return "", err
	}
	if err := data.only([]string{"token"}, nil); err != nil {
		return "", err
	}
	return data.text("token")
}

func (a egsAnswer) refusal(members egsMembers) error {
	switch a.status {
	case http.StatusOK:
		return nil
	case http.StatusBadRequest:
		return egsKeyInvalid
	case http.StatusUnauthorized:
		message, err := members.text("message")
		if err == nil {
			err = egsKeyNotFound
		}
		if message == egsExpiredText {
			err = egsKeyExpired
		}
		return err
	}
	return fmt.Errorf("%w: HTTP %d", egsUnreachable, a.status)
}

// A nil body sends none.
func (c *egsClient) send(ctx context.Context, method, path, bearer string, body any) (egsAnswer, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return egsAnswer{}, err
		}
		content = strings.NewReader(string(text))
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return egsAnswer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return egsAnswer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return egsAnswer{response.StatusCode, string(text)}, err
}

func (c *egsClient) authenticate(ctx context.Context) (string, error) {
	answer, err := c.send(ctx, http.MethodPost, egsAuthPath, "", map[string]string{"apiKey": c.key})
	if err != nil {
		return "", err
	}
	return answer.token()
}

// call does an operation and gives its data.
func (c *egsClient) call(ctx context.Context, operation egsOperation, method, path string, body any) (json.RawMessage, error) {
	token, err := c.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.send(ctx, method, path, token, body)
	if err != nil {
		return nil, err
	}
	members, err := egsObject(answer.body)
	if err != nil {
		return nil, err
	}
	envelope, err := members.envelope()
	if err != nil {
		return nil, err
	}
	return envelope.Data, envelope.verdict(operation)
}

type egsNewKey struct {
	Name, Role, Validity, Workspace string
	Description                     string
	UserName                        string // empty: admin
}

// wire is the body that the SDK sends: validity for the documented validUntil, and for
// an Owner no workspace.
func (k egsNewKey) wire() map[string]string {
	body := map[string]string{
		"name": k.Name, "role": k.Role, "validity": k.Validity, "workspaceName": k.Workspace,
		"description": k.Description, "userName": cmp.Or(k.UserName, "admin"),
	}
	if k.Role == "Owner" {
		delete(body, "workspaceName")
	}
	return body
}

func (c *egsClient) create(ctx context.Context, key egsNewKey) (string, error) {
	data, err := c.call(ctx, egsCreate, http.MethodPost, egsKeyPath, key.wire())
	if err != nil {
		return "", err
	}
	members, err := egsObject(string(data))
	if err != nil {
		return "", err
	}
	return members.text("apiKey")
}

// Every member of a listed key is text, its tokenTtlSeconds too.
type egsKey map[string]string

func (c *egsClient) list(ctx context.Context, workspace string) ([]egsKey, error) {
	path := egsListPath
	if workspace != "" {
		path += "?" + url.Values{"workspaceName": {workspace}}.Encode()
	}
	data, err := c.call(ctx, egsList, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return egsKeysIn(data)
}

// egsKeysIn reads the list's data, in which the keys are data again. Where they are
// not, the SDK sees none.
func egsKeysIn(data json.RawMessage) ([]egsKey, error) {
	members, err := egsObject(string(data))
	if err != nil {
		return nil, err
	}
	inner, ok := members["data"]
	if !ok {
		return nil, nil
	}
	var keys []egsKey
	if err := json.Unmarshal(inner, &keys); err != nil || keys == nil {
		return nil, fmt.Errorf("%w: keys %.80s", egsTypeError, inner)
	}
	return keys, nil
}

// delete takes an apiKey as the list shows it.
func (c *egsClient) delete(ctx context.Context, apiKey string) (json.RawMessage, error) {
	return c.call(ctx, egsDelete, http.MethodDelete, egsKeyPath, map[string]string{"apiKey": apiKey})
}

// An egsVendor is a service that answers what it is told, and keeps what it is asked.
type egsVendor struct {
	auth, operation egsAnswer
	requests        []string
}

const egsGoodToken = `{"statusCode":200,"status":"OK","message":"Success","data":{"token":"t"}}`

func (v *egsVendor) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	v.requests = append(v.requests, strings.Join([]string{
		request.Method, request.RequestURI, request.Header.Get("Authorization"), string(body),
	}, "|"))
	answer := v.operation
	if request.URL.Path == egsAuthPath {
		answer = cmp.Or(v.auth, egsAnswer{http.StatusOK, egsGoodToken})
	}
	w.WriteHeader(answer.status)
	io.WriteString(w, answer.body)
}

func (v *egsVendor) client(t *testing.T) *egsClient {
	t.Helper()
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	return &egsClient{base: server.URL, key: "k"}
}

// do does an operation of any sort.
func (c *egsClient) do(ctx context.Context, operation egsOperation) error {
	var err error
	switch operation {
	case egsAuth:
		_, err = c.authenticate(ctx)
	case egsCreate:
		_, err = c.create(ctx, egsNewKey{Name: "n", Role: "Editor", Validity: "2026-12-31", Workspace: "w"})
	case egsList:
		_, err = c.list(ctx, "w")
	case egsDelete:
		_, err = c.delete(ctx, "a")
	}
	return err
}

// wantException wants no error where want is nil.
func wantException(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the client's exception is %v, want %v", err, want)
	}
}

func TestEGSClientReadsAnExchangeStrictly(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer egsAnswer
		want   error
	}{
		{"a token", egsAnswer{200, egsGoodToken}, nil},
		{"a member beside token", egsAnswer{200, `{"statusCode":200,"status":"OK","message":"m","data":{"token":"t","expiresIn":900}}`}, egsTypeError},
		{"no token", egsAnswer{200, `{"statusCode":200,"status":"OK","message":"m","data":{}}`}, egsTypeError},
		{"no data", egsAnswer{200, `{"statusCode":200,"status":"OK","message":"m","data":null}`}, egsTypeError},
		{"an extra top-level member", egsAnswer{200, `{"statusCode":200,"status":"OK","message":"m","data":{"token":"t"},"requestId":"r"}`}, egsTypeError},
		{"201", egsAnswer{201, egsGoodToken}, egsUnreachable},
		{"expired", egsAnswer{401, `{"message":"Api Key has expired"}`}, egsKeyExpired},
		{"expired, nearly", egsAnswer{401, `{"message":"Api Key has expired."}`}, egsKeyNotFound},
		{"another 401", egsAnswer{401, `{"message":"Unauthenticated"}`}, egsKeyNotFound},
		{"401 without a message", egsAnswer{401, `{"statusCode":401}`}, egsKeyError},
		{"400", egsAnswer{400, `{}`}, egsKeyInvalid},
		{"429", egsAnswer{429, `{}`}, egsUnreachable},
		{"500", egsAnswer{500, `{}`}, egsUnreachable},
		{"503", egsAnswer{503, `{}`}, egsUnreachable},
		{"503 in text", egsAnswer{503, `Service Unavailable`}, egsDecodeError},
		{"401 that is no object", egsAnswer{401, `null`}, egsTypeError},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantException(t, (&egsVendor{auth: test.answer}).client(t).do(t.Context(), egsAuth), test.want)
		})
	}
}

func egsSays(status int, data string) string {
	return fmt.Sprintf(`{"statusCode":%d,"status":"S","message":"m","data":%s}`, status, data)
}

func TestEGSClientReadsOperationsStrictly(t *testing.T) {
	for _, test := range []struct {
		name      string
		operation egsOperation
		answer    egsAnswer
		want      error
	}{
		{"delete, data null", egsDelete, egsAnswer{200, egsSays(200, `null`)}, nil},
		{"delete, data {}", egsDelete, egsAnswer{200, egsSays(200, `{}`)}, nil},
		{"delete, body null", egsDelete, egsAnswer{200, `null`}, egsTypeError},
		{"delete, empty body", egsDelete, egsAnswer{200, ``}, egsDecodeError},
		{"delete, 204", egsDelete, egsAnswer{204, ``}, egsDecodeError},
		{"an extra top-level member", egsDelete, egsAnswer{200, `{"statusCode":200,"status":"OK","message":"m","data":null,"requestId":"r"}`}, egsTypeError},
		{"an extra one in an error", egsDelete, egsAnswer{404, `{"statusCode":404,"status":"S","message":"m","error":{},"requestId":"r"}`}, egsTypeError},
		{"a name in another case", egsDelete, egsAnswer{200, `{"statuscode":200,"status":"OK","message":"m"}`}, egsTypeError},
		{"the gateway's own 404", egsList, egsAnswer{404, `{"message":"Not Found"}`}, egsTypeError},
		{"a 413 in text", egsCreate, egsAnswer{413, `Request Too Long`}, egsDecodeError},
		{"the envelope's 200 under HTTP 404", egsDelete, egsAnswer{404, egsSays(200, `null`)}, nil},
		{"the envelope's 404 under HTTP 200", egsDelete, egsAnswer{200, egsSays(404, `null`)}, egsNoKey},
		{"create, 200", egsCreate, egsAnswer{200, egsSays(200, `{"apiKey":"a"}`)}, nil},
		{"create, 201", egsCreate, egsAnswer{200, egsSays(201, `{"apiKey":"a"}`)}, egsUnhandled},
		{"create, no apiKey", egsCreate, egsAnswer{200, egsSays(200, `{}`)}, egsKeyError},
		{"list, no keys", egsList, egsAnswer{200, egsSays(200, `{"data":[]}`)}, nil},
		{"list, nested once", egsList, egsAnswer{200, egsSays(200, `[]`)}, egsTypeError},
		{"list, a number", egsList, egsAnswer{200, egsSays(200, `{"data":[{"tokenTtlSeconds":900}]}`)}, egsTypeError},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantException(t, (&egsVendor{operation: test.answer}).client(t).do(t.Context(), test.operation), test.want)
		})
	}
}

func TestEGSClientMapsTheEnvelopesStatus(t *testing.T) {
	for operation, statuses := range map[egsOperation]map[int]error{
		egsCreate: {
			400: egsValueError, 401: egsValueError, 403: egsValueError, 404: egsValueError, 409: egsValueError,
			422: egsValueError, 500: egsValueError, 503: egsValueError, 405: egsUnhandled, 429: egsUnhandled,
		},
		egsList: {
			400: egsUnhandled, 401: egsUnauthorized, 403: egsUnauthorized, 404: egsNoKeys, 422: egsUnhandled, 503: egsUnhandled,
		},
		egsDelete: {
			400: egsUnhandled, 401: egsUnauthorized, 403: egsUnauthorized, 404: egsNoKey, 409: egsUnhandled, 503: egsUnhandled,
		},
	} {
		for status, want := range statuses {
			t.Run(fmt.Sprint(operation, " ", status), func(t *testing.T) {
				v := &egsVendor{operation: egsAnswer{status, egsSays(status, `null`)}}
				wantException(t, v.client(t).do(t.Context(), operation), want)
			})
		}
	}
}

// Each operation is preceded by an exchange, which carries no bearer.
func TestEGSClientSendsTheSDKsBytes(t *testing.T) {
	const auth = `POST|/api/v1/auth||{"apiKey":"k"}`
	v := &egsVendor{operation: egsAnswer{200, egsSays(200, `{"apiKey":"a","data":[]}`)}}
	client := v.client(t)
	for _, operation := range []egsOperation{egsCreate, egsList, egsDelete} {
		if err := client.do(t.Context(), operation); err != nil {
			t.Fatal(err)
		}
	}
	owner := egsNewKey{Name: "n", Role: "Owner", Validity: "2026-12-31", Workspace: "w", UserName: "u", Description: "d"}
	must(client.create(t.Context(), owner))(t)
	must(client.list(t.Context(), ""))(t)
	wantEqual(t, "requests", v.requests, []string{
		auth, `POST|/api/v1/api-key|Bearer t|{"description":"","name":"n","role":"Editor","userName":"admin","validity":"2026-12-31","workspaceName":"w"}`,
		auth, `GET|/api/v1/api-key/list?workspaceName=w|Bearer t|`,
		auth, `DELETE|/api/v1/api-key|Bearer t|{"apiKey":"a"}`,
		auth, `POST|/api/v1/api-key|Bearer t|{"description":"d","name":"n","role":"Owner","userName":"u","validity":"2026-12-31"}`,
		auth, `GET|/api/v1/api-key/list|Bearer t|`,
	})
}

// An egsWorld is a world with keys that this API does not make: each test depends on
// the rule that it is about, and on no other.
type egsWorld struct {
	*world
	store *dynamo.Store
}

func newEGSWorld(t *testing.T) *egsWorld {
	t.Helper()
	w := newWorld(t)
	return &egsWorld{w, dynamo.New(dynamo.Config{Config: records.Config{Table: w.stack.Table(), Config: awsclient.Config{
		Region: "local", Endpoint: w.stack.DynamoDBEndpoint(),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}}})}
}

// keysAt is the domain, at another time than now.
func (e *egsWorld) keysAt(now time.Time) *apikey.Service {
	return apikey.NewService(apikey.Config{Store: e.store, Clock: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
}

func egsNamespace(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	return must(namespace.Parse(path))(t)
}

// egsMaker may make any key in and below a namespace.
func egsMaker(ns namespace.Namespace) access.Caller {
	return access.Caller{Name: "maker", Namespace: ns, Propagate: true, Grant: access.Grant{Roles: []access.Role{access.Admin}}}
}

func (e *egsWorld) issueAt(t *testing.T, now time.Time, path string, draft apikey.Draft) apikey.FullKey {
	t.Helper()
	draft.Namespace, draft.Name = egsNamespace(t, path), cmp.Or(draft.Name, "made elsewhere")
	return must(e.keysAt(now).Issue(t.Context(), egsMaker(draft.Namespace), draft))(t).FullKey
}

func (e *egsWorld) issue(t *testing.T, path string, roles ...access.Role) apikey.FullKey {
	t.Helper()
	return e.issueAt(t, time.Now(), path, apikey.Draft{Grant: access.Grant{Roles: roles}})
}

// expired is a key of the day before yesterday that expired yesterday.
func (e *egsWorld) expired(t *testing.T, path string) apikey.FullKey {
	t.Helper()
	now := time.Now()
	return e.issueAt(t, now.AddDate(0, 0, -2), path, apikey.Draft{
		Name: "expired", Grant: access.Grant{Roles: []access.Role{access.Viewer}}, ExpiresAt: now.AddDate(0, 0, -1),
	})
}

func (e *egsWorld) deleted(t *testing.T) apikey.FullKey {
	t.Helper()
	key := e.issue(t, "demo", access.Owner)
	if err := e.keysAt(time.Now()).Delete(t.Context(), egsMaker(key.Locator.Namespace), apikey.At(key.Locator)); err != nil {
		t.Fatal(err)
	}
	return key
}

func (e *egsWorld) ask(t *testing.T, method, path, bearer, body string) egsAnswer {
	t.Helper()
	if bearer != "" {
		bearer = "Bearer " + bearer
	}
	status, answer := send(t, e.stack, method, path, bearer, body)
	return egsAnswer{status, answer}
}

// egsDay is a date so many days from today.
func egsDay(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }

func egsAPIKey(text string) string { return fmt.Sprintf(`{"apiKey":%q}`, text) }

// egsBody is the documented body of a creation with members changed: a value is JSON,
// and an empty one leaves the member out.
func egsBody(changes ...string) string {
	members := egsMembers{
		"name": []byte(`"test"`), "role": []byte(`"Editor"`), "workspaceName": []byte(`"tiger"`),
		"validUntil": []byte(`"` + egsDay(30) + `"`),
	}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		members[name] = []byte(value)
		if value == "" {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // a test is written wrongly
	}
	return string(text)
}

// An egsSituation is one that the contract records what the SDK makes of.
type egsSituation struct {
	name   string
	ask    egsRequest
	status int
	want   error // nil: a success
	answer egsAnswer
}

// An egsRequest is one that the client might send, or somebody else.
type egsRequest struct {
	operation    egsOperation // whose rules the client reads the answer by
	method, path string
	bearer, body string
	alone        bool // without a database
}

// is completes a situation.
func (r egsRequest) is(name, body string, status int, want error) egsSituation {
	r.body = body
	return egsSituation{name: name, ask: r, status: status, want: want}
}

func (r egsRequest) by(bearer string) egsRequest {
	r.bearer = bearer
	return r
}

func (r egsRequest) to(method, path string) egsRequest {
	r.method, r.path = method, path
	return r
}

func (r egsRequest) withoutDatabase() egsRequest {
	r.alone = true
	return r
}

// egsOversized is a request that is well-formed but for its size.
func egsOversized() string { return egsBody(`description="` + strings.Repeat("x", 256<<10) + `"`) }

func (e *egsWorld) exchanges(t *testing.T) []egsSituation {
	another := apikey.FullKey{Locator: e.root.Locator, Secret: vector(t).Secret}
	good, post := egsAPIKey(e.root.Reveal()), http.MethodPost
	exchange := egsRequest{operation: egsAuth, method: post, path: egsAuthPath}
	return []egsSituation{
		exchange.is("exchange is 200", good, 200, nil),
		exchange.is("exchange of an expired key is ApiKeyExpired", egsAPIKey(e.expired(t, "demo").Reveal()), 401, egsKeyExpired),
		exchange.is("exchange of an unknown key is ApiKeyNotFound", egsAPIKey(vector(t).Reveal()), 401, egsKeyNotFound),
		exchange.is("exchange of a deleted key is ApiKeyNotFound", egsAPIKey(e.deleted(t).Reveal()), 401, egsKeyNotFound),
		exchange.is("exchange with another key's secret is ApiKeyNotFound", egsAPIKey(another.Reveal()), 401, egsKeyNotFound),
		exchange.is("exchange of a malformed key is ApiKeyInvalid", egsAPIKey("nonsense"), 400, egsKeyInvalid),
		exchange.is("exchange of the vendor's own UUID is ApiKeyInvalid", egsAPIKey("06de7aa7-01db-4510-91f6-ba591aad70a9"), 400, egsKeyInvalid),
		exchange.is("exchange of an identifier alone is ApiKeyInvalid", egsAPIKey(e.root.Locator.String()), 400, egsKeyInvalid),
		exchange.is("exchange of an empty key is ApiKeyInvalid", egsAPIKey(""), 400, egsKeyInvalid),
		exchange.is("exchange of no key is ApiKeyInvalid", `{}`, 400, egsKeyInvalid),
		exchange.is("exchange of no JSON is ApiKeyInvalid", `{`, 400, egsKeyInvalid),
		exchange.withoutDatabase().is("exchange without a database is ServerUnreachable", good, 503, egsUnreachable),
		exchange.is("exchange of too much is ServerUnreachable", egsOversized(), 413, egsUnreachable),
		exchange.to(http.MethodGet, egsAuthPath).is("exchange by another method is ServerUnreachable", "", 405, egsUnreachable),
		exchange.to(post, egsAuthPath+"/token").is("exchange at another path is ServerUnreachable", good, 404, egsUnreachable),
	}
}

func (e *egsWorld) creations(t *testing.T) []egsSituation {
	viewer, editor := e.issue(t, "demo.tiger", access.Viewer).Reveal(), e.issue(t, "demo.tiger", access.Editor).Reveal()
	create := egsRequest{operation: egsCreate, method: http.MethodPost, path: egsKeyPath, bearer: e.root.Reveal()}
	return []egsSituation{
		create.is("create is 200", egsBody(), 200, nil),
		create.is("create with malformed JSON is 400", `{"name":`, 400, egsValueError),
		create.by("").is("create without a session is 401", egsBody(), 401, egsValueError),
		create.by(viewer).is("create by a Viewer is 403", egsBody(), 403, egsValueError),
		create.by(editor).is("create by an Editor is 403", egsBody(), 403, egsValueError),
		create.is("create without a name is 422", egsBody("name="), 422, egsValueError),
		create.withoutDatabase().is("create without a database is 503", egsBody(), 503, egsValueError),
		create.is("create with too much is 413", egsOversized(), 413, egsUnhandled),
		create.to(http.MethodPut, egsKeyPath).is("create by another method is 405", egsBody(), 405, egsUnhandled),
		create.to(http.MethodPost, egsKeyPath+"/create").is("create at another path is 404", egsBody(), 404, egsValueError),
	}
}

func (e *egsWorld) lists(t *testing.T) []egsSituation {
	get := http.MethodGet
	list := egsRequest{operation: egsList, method: get, path: egsListPath, bearer: e.root.Reveal()}
	return []egsSituation{
		list.to(get, egsListPath+"?workspace=tiger").is("list is 200", "", 200, nil),
		list.to(get, egsListPath+"?workspace=nobody").is("list of an unknown workspace is 200", "", 200, nil),
		list.by("").is("list without a session is 401", "", 401, egsUnauthorized),
		list.by("nonsense").is("list with a session of nobody's is 401", "", 401, egsUnauthorized),
		list.by(e.issue(t, "demo").Reveal()).is("list by a key without rights is 403", "", 403, egsUnauthorized),
		list.to(get, egsListPath+"?workspace=a.b").is("list of what is no name is 422", "", 422, egsUnhandled),
		list.withoutDatabase().is("list without a database is 503", "", 503, egsUnhandled),
		list.to(http.MethodPost, egsListPath).is("list by another method is 405", "{}", 405, egsUnhandled),
		list.to(get, egsListPath+"/all").is("list at another path is 404", "", 404, egsNoKeys),
	}
}

func (e *egsWorld) deletions(t *testing.T) []egsSituation {
	viewer := e.issue(t, "demo.tiger", access.Viewer)
	mine, elsewhere := egsAPIKey(viewer.Reveal()), egsAPIKey(e.issue(t, "other", access.Viewer).Reveal())
	victim := egsAPIKey(e.issue(t, "demo.tiger", access.Viewer).Locator.String())
	remove := egsRequest{operation: egsDelete, method: http.MethodDelete, path: egsKeyPath, bearer: e.root.Reveal()}
	return []egsSituation{
		remove.is("delete is 200", victim, 200, nil),
		remove.is("delete of an unknown key is 404", egsAPIKey(e.deleted(t).Reveal()), 404, egsNoKey),
		remove.is("delete of a key out of reach is 404", elsewhere, 404, egsNoKey),
		remove.by("").is("delete without a session is 401", mine, 401, egsUnauthorized),
		remove.by(viewer.Reveal()).is("delete by a Viewer is 403", mine, 403, egsUnauthorized),
		remove.is("delete with malformed JSON is 400", `{`, 400, egsUnhandled),
		remove.is("delete of no key is 422", `{}`, 422, egsUnhandled),
		remove.is("delete with too much is 413", egsOversized(), 413, egsUnhandled),
		remove.withoutDatabase().is("delete without a database is 503", mine, 503, egsUnhandled),
	}
}

func (e *egsWorld) bringAbout(t *testing.T) []egsSituation {
	t.Helper()
	situations := slices.Concat(e.exchanges(t), e.creations(t), e.lists(t), e.deletions(t))
	defer e.recorder.broken.Store(false)
	for i, s := range situations {
		e.recorder.broken.Store(s.ask.alone)
		situations[i].answer = e.ask(t, s.ask.method, s.ask.path, s.ask.bearer, s.ask.body)
	}
	return situations
}

// loose reads the members of an answer whatever they are; an answer that is no object
// has none.
func (a egsAnswer) loose() (egsMembers, egsEnvelope) {
	members, _ := egsObject(a.body)
	envelope, _ := members.looseEnvelope()
	return members, envelope
}

// check wants the client to make of the answer what it is to, but for the rules that have
// a test of their own.
func (s egsSituation) check(t *testing.T) {
	members, envelope := s.answer.loose()
	status, exception := envelope.StatusCode, envelope.verdict(s.ask.operation)
	if s.ask.operation == egsAuth {
		status, exception = s.answer.status, s.answer.refusal(members)
	}
	wantException(t, exception, s.want)
	wantEqual(t, "the status that the client goes by", status, s.status)
}

// Every situation is read by the one rule that it is an example of. What holds of all
// answers is a test of its own.
func TestEGSSituations(t *testing.T) {
	situations := newEGSWorld(t).bringAbout(t)
	for _, s := range situations {
		t.Run(s.name, s.check)
	}
	for _, rule := range []struct {
		name  string
		holds func(egsSituation) bool
	}{
		{"the body is always an object", egsSituation.isObject},
		{"statusCode is always the HTTP status", egsSituation.hasEqualStatuses},
		{"there is never a member too many", egsSituation.hasNoMemberTooMany},
		{"no member is ever missing", egsSituation.hasAllMembers},
		{"message is never empty", egsSituation.hasMessage},
		{"status is always the status's word", egsSituation.hasStatusWord},
		{"data is null in every error", egsSituation.hasNoDataInError},
		{"error is in no success", egsSituation.hasNoErrorInSuccess},
		{"error repeats status and message, and holds nothing else", egsSituation.repeatsItselfInError},
	} {
		t.Run(rule.name, func(t *testing.T) {
			for _, s := range situations {
				if !rule.holds(s) {
					t.Errorf("%s: HTTP %d %.300s", s.name, s.answer.status, s.answer.body)
				}
			}
		})
	}
	for _, rule := range []struct {
		name, situation string
		holds           func(egsEnvelope) bool
	}{
		{"the data of an exchange is a token and nothing else", "exchange is 200", hasTokenAlone},
		{"the data of a creation is a key and nothing else", "create is 200", hasKeyAlone},
		{"the data of a list is doubly nested", "list is 200", hasNestedKeys},
		{"a list of nothing is an empty one", "list of an unknown workspace is 200", hasNoKeys},
		{"the data of a deletion is null", "delete is 200", hasNullData},
		{"a malformed key is told the recorded text", "exchange of a malformed key is ApiKeyInvalid", hasInvalidText},
	} {
		t.Run(rule.name, func(t *testing.T) {
			i := slices.IndexFunc(situations, func(s egsSituation) bool { return s.name == rule.situation })
			if _, envelope := situations[i].answer.loose(); !rule.holds(envelope) {
				t.Errorf("the answer is %.300s", situations[i].answer.body)
			}
		})
	}
}

// Each of these rules lets pass what another one is about.

func (s egsSituation) isObject() bool {
	_, err := egsObject(s.answer.body)
	return err == nil
}

func (s egsSituation) hasEqualStatuses() bool {
	_, envelope := s.answer.loose()
	return !s.isObject() || envelope.StatusCode == s.answer.status
}

func (s egsSituation) hasNoMemberTooMany() bool {
	members, _ := s.answer.loose()
	return members.only(nil, []string{"statusCode", "status", "message", "data", "error"}) == nil
}

func (s egsSituation) hasAllMembers() bool {
	members, envelope := s.answer.loose()
	required := []string{"statusCode", "status", "message", "data"}
	if envelope.isError() {
		required = append(required, "error")
	}
	return !s.isObject() || members.only(required, slices.Collect(maps.Keys(members))) == nil
}

func (s egsSituation) hasMessage() bool {
	members, envelope := s.answer.loose()
	return members["message"] == nil || envelope.Message != ""
}

var egsStatusWords = map[int]string{
	200: "OK", 400: "UNHANDLED_REQUEST_ERROR", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
	405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE", 422: "VALIDATION_ERROR", 503: "UNAVAILABLE",
}

func (s egsSituation) hasStatusWord() bool {
	_, envelope := s.answer.loose()
	word, known := egsStatusWords[envelope.StatusCode]
	return !known || envelope.Status == word
}

func (e egsEnvelope) isError() bool { return e.StatusCode >= http.StatusBadRequest }

func (s egsSituation) hasNoDataInError() bool {
	_, envelope := s.answer.loose()
	return !envelope.isError() || envelope.Data == nil || string(envelope.Data) == "null"
}

func (s egsSituation) hasNoErrorInSuccess() bool {
	_, envelope := s.answer.loose()
	return envelope.isError() || envelope.Error == nil
}

func (s egsSituation) repeatsItselfInError() bool {
	members, envelope := s.answer.loose()
	failure, err := egsObject(string(envelope.Error))
	if envelope.Error == nil {
		return true
	}
	return err == nil && failure.only([]string{"errorKey", "message", "data"}, nil) == nil &&
		string(failure["errorKey"]) == string(members["status"]) && string(failure["data"]) == "null" &&
		(members["message"] == nil || string(failure["message"]) == string(members["message"]))
}

func hasTokenAlone(e egsEnvelope) bool {
	data, err := egsObject(string(e.Data))
	return err == nil && data.only([]string{"token"}, nil) == nil
}

func hasKeyAlone(e egsEnvelope) bool {
	data, err := egsObject(string(e.Data))
	return err == nil && data.only([]string{"apiKey"}, nil) == nil
}

func hasNestedKeys(e egsEnvelope) bool {
	keys, err := egsKeysIn(e.Data)
	return err == nil && len(keys) > 0
}

func hasNoKeys(e egsEnvelope) bool {
	keys, err := egsKeysIn(e.Data)
	return err == nil && keys != nil && len(keys) == 0
}

func hasNullData(e egsEnvelope) bool { return string(e.Data) == "null" }

func hasInvalidText(e egsEnvelope) bool { return e.Message == egsInvalidText }

// want takes any success for another: which one an operation has is a situation's rule.
func (a egsAnswer) want(t *testing.T, status int) {
	t.Helper()
	if a.status != status && (a.status/100 != 2 || status/100 != 2) {
		t.Fatalf("HTTP %d, want %d: %.300s", a.status, status, a.body)
	}
}

// text is a member of the answer's data.
func (a egsAnswer) text(t *testing.T, name string) string {
	t.Helper()
	_, envelope := a.loose()
	return must(must(egsObject(string(envelope.Data)))(t).text(name))(t)
}

// What a creation takes, and what it refuses.
func TestEGSCreationTakes(t *testing.T) {
	e := newEGSWorld(t)
	date := `"` + egsDay(30) + `"`
	for _, test := range []struct {
		name   string
		body   string
		status int
	}{
		{"the documented body", egsBody(`userName="u"`, `description="d"`), 200},
		{"validity for validUntil", egsBody("validUntil=", "validity="+date), 200},
		{"validUntil and validity that agree", egsBody("validity=" + date), 200},
		{"validUntil and validity that disagree", egsBody(`validity="` + egsDay(31) + `"`), 422},
		{"sliceName for workspaceName", egsBody("workspaceName=", `sliceName="tiger"`), 200},
		{"workspaceName and sliceName that agree", egsBody(`sliceName="tiger"`), 200},
		{"workspaceName and sliceName that disagree", egsBody(`sliceName="lion"`), 422},
		{"an Owner without a workspace", egsBody(`role="Owner"`, "workspaceName="), 200},
		{"an Editor without a workspace", egsBody("workspaceName="), 422},
		{"a Viewer without a workspace", egsBody(`role="Viewer"`, "workspaceName="), 422},
		{"an unknown field", egsBody(`colour="red"`), 200},
		{"a name that is taken", egsBody(), 200},
		{"a name of 255 characters", egsBody(`name="` + strings.Repeat("é", 255) + `"`), 200},
		{"a name of 256 characters", egsBody(`name="` + strings.Repeat("é", 256) + `"`), 422},
		{"an empty name", egsBody(`name=""`), 422},
		{"a name that is a number", egsBody("name=1"), 422},
		{"a role in another case", egsBody(`role="owner"`), 422},
		{"another product's role", egsBody(`role="SYSTEM_ROLE_ADMIN"`), 422},
		{"no role", egsBody("role="), 422},
		{"no date", egsBody("validUntil="), 422},
		{"a date before today", egsBody(`validUntil="` + egsDay(-2) + `"`), 422},
		{"a date that does not exist", egsBody(`validUntil="2099-02-30"`), 422},
		{"a date as the portal shows it", egsBody(`validUntil="31/12/2099"`), 422},
		{"a date with a time", egsBody(`validUntil="2099-12-31T00:00:00Z"`), 422},
		{"a workspace of 63 characters", egsBody(`workspaceName="` + strings.Repeat("w", 63) + `"`), 200},
		{"a workspace of 64 characters", egsBody(`workspaceName="` + strings.Repeat("w", 64) + `"`), 422},
		{"a workspace of two segments", egsBody(`workspaceName="a.b"`), 422},
		{"a workspace with a space", egsBody(`workspaceName="a b"`), 422},
		{"a body that is no object", `[]`, 422},
		{"a workspace that is an object", egsBody("workspaceName={}"), 422},
	} {
		t.Run(test.name, func(t *testing.T) {
			e.ask(t, http.MethodPost, egsKeyPath, e.root.Reveal(), test.body).want(t, test.status)
		})
	}
}

// asListed lists without the client, whose own alias is what some tests are about.
func (e *egsWorld) asListed(t *testing.T, bearer, query string) []egsKey {
	t.Helper()
	answer := e.ask(t, http.MethodGet, egsListPath+query, bearer, "")
	answer.want(t, http.StatusOK)
	_, envelope := answer.loose()
	return must(egsKeysIn(envelope.Data))(t)
}

func egsNames(keys []egsKey) []string {
	names := []string{}
	for _, key := range keys {
		names = append(names, key["name"])
	}
	slices.Sort(names)
	return names
}

// Which keys a list shows, whatever workspace it is asked for by whatever name.
func TestEGSListShows(t *testing.T) {
	e := newEGSWorld(t)
	viewing := apikey.Draft{Grant: access.Grant{Roles: []access.Role{access.Viewer}}}
	named := func(name, path string) apikey.FullKey {
		draft := viewing
		draft.Name = name
		return e.issueAt(t, time.Now(), path, draft)
	}
	tiger := named("in tiger", "demo.tiger").Reveal()
	named("in Tiger", "demo.Tiger")
	named("in tiger-2", "demo.tiger-2")
	named("below tiger", "demo.tiger.cub")
	named("beyond", "other.tiger")
	e.expired(t, "demo.tiger")
	root := e.root.Reveal()
	for _, test := range []struct {
		name, bearer, query string
		want                []string
	}{
		{"workspace", root, "?workspace=tiger", []string{"expired", "in tiger"}},
		{"workspaceName for workspace", root, "?workspaceName=tiger", []string{"expired", "in tiger"}},
		{"both that agree", root, "?workspace=tiger&workspaceName=tiger", []string{"expired", "in tiger"}},
		{"a workspace in its own case", root, "?workspace=Tiger", []string{"in Tiger"}},
		{"an unknown workspace", root, "?workspace=nobody", []string{}},
		{"everything within reach", root, "", []string{"below tiger", "bootstrap", "expired", "in Tiger", "in tiger", "in tiger-2"}},
		{"a Viewer's own workspace", tiger, "?workspace=tiger", []string{"expired", "in tiger"}},
		{"a Viewer's reach", tiger, "", []string{"expired", "in tiger"}},
		{"a parameter that nobody knows", root, "?workspace=tiger&colour=red", []string{"expired", "in tiger"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantEqual(t, "names", egsNames(e.asListed(t, test.bearer, test.query)), test.want)
		})
	}
	t.Run("both that disagree", func(t *testing.T) {
		e.ask(t, http.MethodGet, egsListPath+"?workspace=tiger&workspaceName=lion", root, "").want(t, 422)
	})
}

// How a list shows the keys of each role, of each maker.
func TestEGSListItem(t *testing.T) {
	e := newEGSWorld(t)
	root := e.root.Reveal()
	day := egsDay(30)
	for _, body := range []string{
		egsBody(`name="full"`, `userName="u"`, `description="d"`, `role="Viewer"`),
		egsBody(`name="plain"`),
		egsBody(`name="owner"`, `role="Owner"`, "workspaceName="),
	} {
		e.ask(t, http.MethodPost, egsKeyPath, root, body).want(t, http.StatusOK)
	}
	shown := map[string]egsKey{}
	for _, key := range e.asListed(t, root, "") {
		shown[key["name"]] = key
	}
	const owner = "kubeslice-rbac-rw-external-apis"
	for name, want := range map[string]egsKey{
		"full":      {"role": "Viewer", "saName": "kubeslice-rbac-ro-slice-tiger", "workspaceName": "tiger", "userName": "u", "description": "d", "validity": day},
		"plain":     {"role": "Editor", "saName": "kubeslice-rbac-rw-slice-tiger", "workspaceName": "tiger", "userName": "admin", "description": "", "validity": day},
		"owner":     {"role": "Owner", "saName": owner, "workspaceName": "", "userName": "admin", "description": "", "validity": day},
		"bootstrap": {"role": "Owner", "saName": owner, "workspaceName": "", "userName": "bootstrap@iam", "description": "", "validity": "9999-12-31"},
	} {
		t.Run(name, func(t *testing.T) { wantListed(t, shown[name], name, want) })
	}
}

// wantListed wants what is given, and of every key a name, an id, an identifier and the
// time to live.
func wantListed(t *testing.T, got egsKey, name string, want egsKey) {
	t.Helper()
	locator, ok := apikey.LocatorIn(got["apiKey"])
	if !ok || got["apiKey"] != locator.String() {
		t.Errorf("apiKey is no identifier alone: %d characters", len(got["apiKey"]))
	}
	if id := strings.ReplaceAll(locator.ID.String(), "-", ""); got["id"] != id || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("id is %q, want %q", got["id"], id)
	}
	want = maps.Clone(want)
	want["name"], want["id"], want["apiKey"], want["tokenTtlSeconds"] = name, got["id"], got["apiKey"], "900"
	wantEqual(t, "listed key", got, want)
}

// What a key made through another API may do is shown as the nearest role.
func TestEGSListShowsForeignKeysByTheirRights(t *testing.T) {
	e := newEGSWorld(t)
	grants := map[string]access.Grant{
		"administrator": {Roles: []access.Role{access.Admin}},
		"reader":        {Roles: []access.Role{access.ReadOnly}},
		"creator":       {Rules: map[string]access.Method{access.APIKey: access.Read | access.Create}},
		"reading rule":  {Rules: map[string]access.Method{access.EveryKind: access.Read}},
		"nothing":       {},
	}
	for name, grant := range grants {
		e.issueAt(t, time.Now(), "demo.tiger", apikey.Draft{Name: name, Grant: grant})
	}
	roles := map[string]string{}
	for _, key := range e.asListed(t, e.root.Reveal(), "?workspace=tiger") {
		roles[key["name"]] = key["role"]
	}
	wantEqual(t, "roles", roles, map[string]string{
		"administrator": "Owner", "creator": "Editor", "reader": "Viewer", "reading rule": "Viewer", "nothing": "Viewer",
	})
}

// A key is good through the last day that it names, in UTC, and not a moment longer.
func TestEGSKeyIsValidToTheEndOfItsDay(t *testing.T) {
	e := newEGSWorld(t)
	answer := e.ask(t, http.MethodPost, egsKeyPath, e.root.Reveal(), egsBody(`validUntil="2099-12-31"`))
	full := must(apikey.ParseFullKey(answer.text(t, "apiKey")))(t)
	midnight := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	for want, now := range map[apikey.Reason]time.Time{apikey.Valid: midnight.Add(-2 * time.Second), apikey.Expired: midnight} {
		verdict := must(e.keysAt(now).Verify(t.Context(), full))(t)
		wantEqual(t, fmt.Sprint("at ", now), verdict.Reason, want)
	}
}

// What names the key in a deletion.
func TestEGSDeletionTakes(t *testing.T) {
	e := newEGSWorld(t)
	fresh := func() apikey.FullKey { return e.issue(t, "demo.tiger", access.Viewer) }
	identifier, full, alias, both, one, two := fresh(), fresh(), fresh(), fresh(), fresh(), fresh()
	for _, test := range []struct {
		name   string
		body   string
		status int
	}{
		{"the identifier that is listed", egsAPIKey(identifier.Locator.String()), 200},
		{"the full key", egsAPIKey(full.Reveal()), 200},
		{"api-key for apiKey", fmt.Sprintf(`{"api-key":%q}`, alias.Locator), 200},
		{"both that agree", fmt.Sprintf(`{"apiKey":%q,"api-key":%q}`, both.Locator, both.Locator), 200},
		{"both that disagree", fmt.Sprintf(`{"apiKey":%q,"api-key":%q}`, one.Locator, two.Locator), 422},
		{"a number", `{"apiKey":1}`, 422},
		{"an expired key", egsAPIKey(e.expired(t, "demo").Reveal()), 200},
		{"a key that is gone already", egsAPIKey(full.Reveal()), 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			e.ask(t, http.MethodDelete, egsKeyPath, e.root.Reveal(), test.body).want(t, test.status)
		})
	}
}

// Nobody learns from a deletion whether a key exists where he may not look.
func TestEGSDeletionOutOfReachIsAsOfAnUnknownKey(t *testing.T) {
	e := newEGSWorld(t)
	there, gone := e.issue(t, "other", access.Viewer), e.deleted(t)
	answers := []egsAnswer{}
	for _, key := range []apikey.FullKey{there, gone} {
		answers = append(answers, e.ask(t, http.MethodDelete, egsKeyPath, e.root.Reveal(), egsAPIKey(key.Reveal())))
	}
	wantEqual(t, "HTTP status", answers[0].status, answers[1].status)
	wantEqual(t, "body", answers[0].body, answers[1].body)
	must(e.store.Get(t.Context(), there.Locator))(t)
}

// A token lives 15 minutes, and never past its key.
func TestEGSTokenLifetime(t *testing.T) {
	e := newEGSWorld(t)
	soon := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	owner := access.Grant{Roles: []access.Role{access.Owner}}
	endsFirst := e.issueAt(t, time.Now(), "demo", apikey.Draft{Grant: owner, ExpiresAt: soon})
	for name, test := range map[string]struct {
		key  apikey.FullKey
		want func(endorClaims) int64 // when it ends
	}{
		"of a key that never ends": {e.root, func(c endorClaims) int64 { return c.IssuedAt + 900 }},
		"of a key that ends first": {endsFirst, func(endorClaims) int64 { return soon.Unix() }},
	} {
		t.Run(name, func(t *testing.T) {
			token := e.ask(t, http.MethodPost, egsAuthPath, "", egsAPIKey(test.key.Reveal())).text(t, "token")
			var claims endorClaims
			if err := decodePart(strings.Split(token, ".")[1], &claims); err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "its end", claims.Expiry, test.want(claims))
		})
	}
}

func (e *egsWorld) egs(key string) *egsClient { return &egsClient{base: e.stack.URL(), key: key} }

// An egsJourney is what its steps leave to one another.
type egsJourney struct {
	*egsWorld
	owner, editor, viewer *egsClient
	listed                map[string]egsKey // by name
}

func TestEGSJourney(t *testing.T) {
	j := &egsJourney{egsWorld: newEGSWorld(t), listed: map[string]egsKey{}}
	take(t, []step{
		{"the root key makes an Owner", j.makeOwner},
		{"the Owner makes an Editor and a Viewer", j.makeOthers},
		{"the Owner lists them", j.listThem},
		{"each is exchanged", j.exchangeEach},
		{"each may do what its role says", j.checkRights},
		{"the Owner deletes them by what is listed", j.deleteThem},
		{"they are gone", j.wantGone},
	})
}

// make gives a client for a new key.
func (j *egsJourney) make(t *testing.T, by *egsClient, key egsNewKey) *egsClient {
	t.Helper()
	key.Validity = egsDay(30)
	return j.egs(must(by.create(t.Context(), key))(t))
}

func (j *egsJourney) makeOwner(t *testing.T) {
	j.owner = j.make(t, j.egs(j.root.Reveal()), egsNewKey{Name: "owner", Role: "Owner", Workspace: "dropped"})
}

func (j *egsJourney) makeOthers(t *testing.T) {
	j.editor = j.make(t, j.owner, egsNewKey{Name: "editor", Role: "Editor", Workspace: "tiger", Description: "edits"})
	j.viewer = j.make(t, j.owner, egsNewKey{Name: "viewer", Role: "Viewer", Workspace: "tiger", UserName: "u"})
	j.make(t, j.owner, egsNewKey{Name: "lion", Role: "Viewer", Workspace: "lion"})
}

func (j *egsJourney) listThem(t *testing.T) {
	for _, key := range must(j.owner.list(t.Context(), "tiger"))(t) {
		j.listed[key["name"]] = key
	}
	wantEqual(t, "names", slices.Sorted(maps.Keys(j.listed)), []string{"editor", "viewer"})
	wantListed(t, j.listed["editor"], "editor", egsKey{
		"role": "Editor", "saName": "kubeslice-rbac-rw-slice-tiger", "workspaceName": "tiger",
		"description": "edits", "userName": "admin", "validity": egsDay(30),
	})
	everything := egsNames(must(j.owner.list(t.Context(), ""))(t))
	wantEqual(t, "all names", everything, []string{"bootstrap", "editor", "lion", "owner", "viewer"})
}

func (j *egsJourney) exchangeEach(t *testing.T) {
	for _, client := range []*egsClient{j.owner, j.editor, j.viewer} {
		must(client.authenticate(t.Context()))(t)
	}
}

func (j *egsJourney) checkRights(t *testing.T) {
	asked := egsNewKey{Name: "more", Role: "Viewer", Validity: egsDay(30), Workspace: "tiger"}
	for _, client := range []*egsClient{j.editor, j.viewer} {
		wantEqual(t, "names", egsNames(must(client.list(t.Context(), ""))(t)), []string{"editor", "viewer"})
		_, err := client.create(t.Context(), asked)
		wantException(t, err, egsValueError)
		_, err = client.delete(t.Context(), j.listed["viewer"]["apiKey"])
		wantException(t, err, egsUnauthorized)
	}
}

func (j *egsJourney) deleteThem(t *testing.T) {
	for _, key := range j.listed {
		wantEqual(t, "data", string(must(j.owner.delete(t.Context(), key["apiKey"]))(t)), "null")
	}
}

func (j *egsJourney) wantGone(t *testing.T) {
	wantEqual(t, "names", egsNames(must(j.owner.list(t.Context(), "tiger"))(t)), []string{})
	for _, client := range []*egsClient{j.editor, j.viewer} {
		_, err := client.authenticate(t.Context())
		wantException(t, err, egsKeyNotFound)
	}
	for _, key := range j.listed {
		_, err := j.owner.delete(t.Context(), key["apiKey"])
		wantException(t, err, egsNoKey)
	}
}
