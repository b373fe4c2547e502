package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/gateway"
	"latchkey/localstack/localtest"
	"latchkey/shared/operation"
)

// Who is behind the routes of these tests, and who is before them.
var (
	backend = operation.Operation{Name: "backend"}
	keeper  = operation.Operation{Name: "keeper"}
)

const arnOf = "arn:aws:execute-api:eu-central-1:000000000000:local/$default/"

// A fake is both functions: the backend answers with its event, the keeper as it is told.
type fake struct {
	answer func(ctx context.Context) ([]byte, error)

	mu    sync.Mutex
	asked []events.APIGatewayV2CustomAuthorizerV2Request
}

func (f *fake) Invoke(ctx context.Context, op operation.Operation, event []byte) ([]byte, error) {
	if op.Name == backend.Name {
		return event, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var asked events.APIGatewayV2CustomAuthorizerV2Request
	if err := json.Unmarshal(event, &asked); err != nil {
		return nil, err
	}
	f.asked = append(f.asked, asked)
	return f.answer(ctx)
}

// saying answers with a text.
func saying(text string) *fake {
	return &fake{answer: func(context.Context) ([]byte, error) { return []byte(text), nil }}
}

// A guarded is a gateway whose routes have one authorizer.
type guarded struct {
	*fake
	t       testing.TB
	gateway *gateway.Gateway
	log     *localtest.Buffer
	now     time.Time
}

func guard(t testing.TB, f *fake, authorizer gateway.Authorizer, keys ...string) *guarded {
	t.Helper()
	authorizer.Operation = keeper
	g := &guarded{fake: f, t: t, log: &localtest.Buffer{}, now: now}
	config := gateway.Config{
		Invoker: f, Region: "eu-central-1", Log: g.log, AuthorizerTimeout: 50 * time.Millisecond,
		Now: func() time.Time { return g.now },
	}
	for _, key := range keys {
		config.Routes = append(config.Routes, gateway.Route{Key: key, Operation: backend, Authorizer: &authorizer})
	}
	var err error
	if g.gateway, err = gateway.New(config); err != nil {
		t.Fatal(err)
	}
	return g
}

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// send gives the answer to a request such as "GET /orders", with headers by turns of name
// and value.
func (g *guarded) send(request string, headers ...string) answer {
	g.t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, target, strings.NewReader("the body"))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	g.gateway.ServeHTTP(recorder, r)
	return answer{recorder.Code, recorder.Header(), recorder.Body.String()}
}

func (g *guarded) want(status int, request string, headers ...string) {
	g.t.Helper()
	got := g.send(request, headers...)
	if got.status != status {
		g.t.Errorf("%s %q: %d %s, want %d", request, headers, got.status, got.body, status)
	}
	own := fmt.Sprintf(`{"message":%q}`, http.StatusText(status))
	if status >= 400 && (got.body != own || got.header.Get("Content-Type") != "application/json") {
		g.t.Errorf("%s: body %s, want %s", request, got.body, own)
	}
}

func (g *guarded) wantAsked(times int) {
	g.t.Helper()
	if len(g.asked) != times {
		g.t.Errorf("asked %d times, want %d", len(g.asked), times)
	}
}

const yes, no = `{"isAuthorized":true}`, `{"isAuthorized":false}`

func simple(sources ...string) gateway.Authorizer {
	return gateway.Authorizer{Simple: true, IdentitySources: sources}
}

func TestIdentitySources(t *testing.T) {
	tests := []struct {
		name     string
		sources  []string
		request  string
		header   [2]string
		identity []string // nil: 401
	}{
		{"a header", []string{"$request.header.Authorization"}, "GET /a", [2]string{"authorization", "x"}, []string{"x"}},
		{"no header", []string{"$request.header.Authorization"}, "GET /a", [2]string{"Other", "x"}, nil},
		{"an empty header", []string{"$request.header.Authorization"}, "GET /a", [2]string{"Authorization", ""}, nil},
		{"a parameter", []string{"$request.querystring.Key"}, "GET /a?Key=%20y", [2]string{}, []string{" y"}},
		{"a parameter in another case", []string{"$request.querystring.Key"}, "GET /a?key=y", [2]string{}, nil},
		{"an empty parameter", []string{"$request.querystring.Key"}, "GET /a?Key=", [2]string{}, nil},
		{"the route", []string{"$context.routeKey"}, "GET /a", [2]string{}, []string{"ANY /{x}"}},
		{"the method", []string{"$context.httpMethod"}, "PUT /a", [2]string{}, []string{"PUT"}},
		{"the path", []string{"$context.path"}, "GET /a%20b", [2]string{}, []string{"/a b"}},
		{"in the order of the sources", []string{"$request.querystring.k", "$request.header.k"}, "GET /a?k=1", [2]string{"K", "2"}, []string{"1", "2"}},
		{"one of two", []string{"$request.querystring.k", "$request.header.k"}, "GET /a?k=1", [2]string{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := guard(t, saying(yes), simple(test.sources...), "ANY /{x}")
			if test.identity == nil {
				g.want(401, test.request, test.header[:]...)
				g.wantAsked(0)
				return
			}
			g.want(200, test.request, test.header[:]...)
			g.wantAsked(1)
			if diff := cmp.Diff(test.identity, g.asked[0].IdentitySource); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutIdentitySourcesEveryRequestIsAsked(t *testing.T) {
	g := guard(t, saying(yes), simple(), "GET /a")
	g.want(200, "GET /a")
	g.want(200, "GET /a")
	g.wantAsked(2)
}

func TestAuthorizerEvent(t *testing.T) {
	g := guard(t, saying(yes), simple("$request.header.authorization"), "GET /orders/{id}")
	got := g.send("GET /orders/a%20b?x=1&x=2", "Authorization", "Bearer k", "Cookie", "c=1; d=2", "User-Agent", "test/1", "X-Amzn-Trace-Id", "Root=1")
	var served events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(got.body), &served); err != nil {
		t.Fatal(err)
	}
	want := events.APIGatewayV2CustomAuthorizerV2Request{
		Version: "2.0", Type: "REQUEST", RouteArn: arnOf + "GET/orders/a b", IdentitySource: []string{"Bearer k"},
		RouteKey: "GET /orders/{id}", RawPath: "/orders/a b", RawQueryString: "x=1&x=2", Cookies: []string{"c=1", "d=2"},
		Headers: map[string]string{
			"authorization": "Bearer k", "user-agent": "test/1", "x-amzn-trace-id": "Root=1", "host": "example.com",
			"content-length": "8", "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "http",
		},
		QueryStringParameters: map[string]string{"x": "1,2"},
		PathParameters:        map[string]string{"id": "a b"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "GET /orders/{id}", AccountID: "000000000000", Stage: "$default", APIID: "local",
			DomainName: "example.com", DomainPrefix: "example", Time: "02/Jan/2030:03:04:05 +0000", TimeEpoch: now.UnixMilli(),
			RequestID: served.RequestContext.RequestID,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "GET", Path: "/orders/a b", Protocol: "HTTP/1.1", SourceIP: "192.0.2.1", UserAgent: "test/1",
			},
		},
	}
	g.wantAsked(1)
	if diff := cmp.Diff(want, g.asked[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if served.RequestContext.RequestID == "" || served.Body != "the body" {
		t.Errorf("the backend gets %s", got.body)
	}
}

func TestSimpleAnswers(t *testing.T) {
	tests := []struct {
		answer string
		status int
	}{
		{yes, 200},
		{no, 403},
		{`{"isAuthorized":true,"context":{"a":"b"}}`, 200},
		{`{"isAuthorized":false,"context":{"a":"b"}}`, 403},
		{`{"isAuthorized":"true"}`, 500},
		{`{"isAuthorized":null}`, 500},
		{`{"isAuthorized":true,"context":"a"}`, 500},
		{`{"context":{}}`, 500},
		{policy(allow(arnOf + "*")), 500},
		{`true`, 500},
		{`[]`, 500},
		{`null`, 500},
		{``, 500},
		{`{"isAuthorized":true} {}`, 500},
	}
	for _, test := range tests {
		guard(t, saying(test.answer), simple(), "GET /a").want(test.status, "GET /a")
	}
}

func policy(statements ...string) string {
	return `{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}}`
}

// statement is one of a policy; its action and its resources are JSON.
func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Action":%s,"Effect":%q,"Resource":%s}`, action, effect, resource)
}

func jsonText(text string) string { return fmt.Sprintf("%q", text) }

func allow(resource string) string {
	return statement("Allow", `"execute-api:Invoke"`, jsonText(resource))
}

func deny(resource string) string {
	return statement("Deny", `"execute-api:Invoke"`, jsonText(resource))
}

func TestPolicies(t *testing.T) {
	const list, item, deep, odd = "GET /orders", "GET /orders/5", "GET /orders/5/lines/6", "GET /a*/$%7Bb%3F"
	yes := func(requests ...string) []string { return requests }
	tail := func(path string) string { return policy(allow(arnOf + "GET/" + path)) }
	only := func(action string) string { return policy(statement("Allow", action, `"*"`)) }
	tests := []struct {
		name    string
		answer  string
		allowed []string // of list, item, deep, odd
	}{
		{"its own ARN", policy(allow(arnOf + "GET/orders")), yes(list)},
		{"another's", policy(allow(arnOf + "POST/orders")), nil},
		{"everything", policy(allow("*")), yes(list, item, deep, odd)},
		{"a star takes slashes", policy(allow(arnOf + "GET/orders/*")), yes(item, deep)},
		{"a star takes nothing", policy(allow(arnOf + "GET/orders*")), yes(list, item, deep)},
		{"stars inside", policy(allow("arn:aws:execute-api:*:*:local/*/GET/*/lines/?")), yes(deep)},
		{"a question mark", policy(allow(arnOf + "GET/orders/?")), yes(item)},
		{"two question marks", policy(allow(arnOf + "GET/orders/??")), nil},
		{"what an expression would take", policy(allow(arnOf + "GET/order.")), nil},
		{"in another case", policy(allow(arnOf + "get/orders")), nil},
		{"a part of it", policy(allow("orders")), nil},
		{"a list", policy(statement("Allow", `["execute-api:Invoke"]`, fmt.Sprintf("[%q, %q]", arnOf+"GET/orders", arnOf+"GET/orders/5"))), yes(list, item)},
		{"two statements", policy(allow(arnOf+"GET/orders"), allow(arnOf+"GET/orders/5")), yes(list, item)},
		{"a Deny after", policy(allow(arnOf+"GET/orders/*"), deny(arnOf+"GET/orders/*/*")), yes(item)},
		{"a Deny before", policy(deny(arnOf+"GET/orders/*/*"), allow(arnOf+"GET/orders/*")), yes(item)},
		{"a Deny of all", policy(allow("*"), deny("*")), nil},
		{"a Deny alone", policy(deny("nothing")), nil},
		{"itself, of what looks like wildcards", tail("a${*}/${$}{b${?}"), yes(odd)},
		{"wildcards, of what looks like such", tail("a?/?{*"), yes(odd)},
		{"a star alone", tail("order${*}"), nil},
		{"a question mark alone", tail("orders/${?}"), nil},
		{"a variable of nothing", tail("orders${$}{a}"), nil},
		{"every action", only(`"*"`), yes(list, item, deep, odd)},
		{"every action of the service", only(`"execute-api:*"`), yes(list, item, deep, odd)},
		{"the action in another case", only(`"Execute-API:invoke"`), yes(list, item, deep, odd)},
		{"another action", only(`"execute-api:ManageConnections"`), nil},
		{"another service", only(`"lambda:*"`), nil},
		{"one of two actions", only(`["lambda:*","execute-api:Invok?"]`), yes(list, item, deep, odd)},
		{"a Deny of another action", policy(allow("*"), statement("Deny", `"lambda:*"`, `"*"`)), yes(list, item, deep, odd)},
		{"a Deny in another case", policy(allow("*"), statement("Deny", `"EXECUTE-API:INVOKE"`, `"*"`)), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := guard(t, saying(test.answer), gateway.Authorizer{}, "GET /{all+}")
			for _, request := range []string{list, item, deep, odd} {
				status := 403
				for _, allowed := range test.allowed {
					if allowed == request {
						status = 200
					}
				}
				g.want(status, request)
			}
		})
	}
}

// What is wrong with an authorizer is the caller's affair as little as what it says.
func TestFailingAuthorizers(t *testing.T) {
	malformed := map[string]string{
		"no JSON":                 `nonsense secret`,
		"a simple answer":         yes,
		"no policy":               `{"principalId":"p","context":{"secret":"x"}}`,
		"a policy that is null":   `{"principalId":"p","policyDocument":null}`,
		"a text for a policy":     `{"principalId":"p","policyDocument":"secret"}`,
		"nobody":                  `{"policyDocument":{"Version":"2012-10-17","Statement":[` + allow("*") + `]}}`,
		"no statement":            policy(),
		"no version":              `{"principalId":"p","policyDocument":{"Statement":[` + allow("*") + `]}}`,
		"another effect":          policy(statement("allow", `"*"`, `"*"`)),
		"no effect":               policy(`{"Action":"*","Resource":"*"}`),
		"no action":               policy(`{"Effect":"Allow","Resource":"*"}`),
		"no resource":             policy(`{"Effect":"Allow","Action":"*"}`),
		"an empty list":           policy(statement("Allow", `[]`, `"*"`)),
		"a number for a resource": policy(statement("Allow", `"*"`, `7`)),
		"a condition":             policy(allow("*"), `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"secret":{}}}`),
		"another element":         policy(allow("*"), `{"Effect":"Deny","Action":"*","NotResource":"secret"}`),
		"a variable":              policy(allow("*"), deny("${aws:secret}")),
		"a variable that is open": policy(allow("*"), deny("${")),
		"an action's variable":    policy(allow("*"), statement("Deny", `"${a}"`, `"*"`)),
		"a Deny that is unclear":  policy(allow("*"), statement("Deny", `"*"`, `[7]`)),
	}
	for name, text := range malformed {
		t.Run(name, func(t *testing.T) {
			g := guard(t, saying(text), gateway.Authorizer{}, "GET /a")
			g.want(500, "GET /a")
			wantLogged(t, g, "gateway: GET /a: authorizer keeper: ")
		})
	}
	t.Run("an error", func(t *testing.T) {
		g := guard(t, &fake{answer: func(context.Context) ([]byte, error) { return []byte(yes), errors.New("secret") }}, simple(), "GET /a")
		g.want(500, "GET /a")
		wantLogged(t, g, "an error instead of an answer")
	})
}

func wantLogged(t *testing.T, g *guarded, text string) {
	t.Helper()
	if log := g.log.String(); !strings.Contains(log, text) || strings.Contains(log, "secret") || strings.Count(log, "\n") != 1 {
		t.Errorf("log %q, want %q", log, text)
	}
}

func TestAuthorizerTimeout(t *testing.T) {
	g := guard(t, &fake{answer: func(ctx context.Context) ([]byte, error) {
		if ends, ok := ctx.Deadline(); !ok || time.Until(ends) > time.Second {
			return []byte(yes), nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}, simple(), "GET /a")
	g.want(500, "GET /a")
	wantLogged(t, g, "no answer in time")
	if gateway.DefaultAuthorizerTimeout != 10*time.Second {
		t.Errorf("default %v", gateway.DefaultAuthorizerTimeout)
	}
}

// A refusal is no failure, and a request is nothing to tell of.
func TestRefusalsAreNotLogged(t *testing.T) {
	g := guard(t, saying(no), simple("$request.header.authorization"), "GET /a")
	g.want(403, "GET /a?k=secret", "Authorization", "secret")
	g.want(401, "GET /a?k=secret")
	if g.log.String() != "" {
		t.Errorf("log: %s", g.log)
	}
}

// What the authorizer says of the caller reaches the function behind it as it was said.
func TestContextReachesTheFunction(t *testing.T) {
	const told = `{"bool":true,"number":12345678901234567890,"text":"a"}`
	for answer, want := range map[string]string{
		strings.Replace(policy(allow("*")), `"principalId"`, `"context":`+told+`,"principalId"`, 1): `"authorizer":{"lambda":` + told + `}`,
		policy(allow("*")): `"authorizer":{}`,
	} {
		got := guard(t, saying(answer), gateway.Authorizer{}, "GET /a").send("GET /a")
		if got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s, want %s", answer, got.status, got.body, want)
		}
	}
	open := gateway.Config{Invoker: saying(no), Routes: []gateway.Route{{Key: "GET /a", Operation: backend}}}
	g, err := gateway.New(open)
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, httptest.NewRequest("GET", "/a", nil))
	if recorder.Code != 200 || strings.Contains(recorder.Body.String(), "authorizer") {
		t.Errorf("without an authorizer: %d %s", recorder.Code, recorder.Body)
	}
}

func TestKeptAnswers(t *testing.T) {
	for name, check := range map[string]func(*testing.T){
		"for every route":         keptForEveryRoute,
		"for its identity":        keptForItsIdentity,
		"for all of its identity": keptForAllOfItsIdentity,
		"for one route":           keptForOneRoute,
		"for so long":             keptForSoLong,
		"with its context":        keptWithItsContext,
		"not an error":            keptNoError,
		"not at all":              notKeptAtAll,
	} {
		t.Run(name, check)
	}
}

const headerSource = "$request.header.authorization"

func kept(sources ...string) gateway.Authorizer {
	return gateway.Authorizer{IdentitySources: sources, TTL: time.Minute}
}

// guardOrders has two routes of one path.
func guardOrders(t *testing.T, f *fake, authorizer gateway.Authorizer) *guarded {
	t.Helper()
	return guard(t, f, authorizer, "GET /orders", "POST /orders")
}

func keptForEveryRoute(t *testing.T) {
	g := guardOrders(t, saying(policy(allow(arnOf+"GET/orders"))), kept(headerSource))
	g.want(200, "GET /orders", "Authorization", "a")
	g.want(403, "POST /orders", "Authorization", "a")
	g.want(200, "GET /orders", "Authorization", "a")
	g.wantAsked(1)
}

func keptForItsIdentity(t *testing.T) {
	g := guardOrders(t, saying(policy(allow("*"))), kept(headerSource))
	g.want(200, "GET /orders", "Authorization", "a")
	g.answer = saying(policy(deny("*"))).answer
	g.want(403, "GET /orders", "Authorization", "b")
	g.want(200, "GET /orders", "Authorization", "a")
	g.want(403, "GET /orders", "Authorization", "b")
	g.want(401, "GET /orders")
	g.wantAsked(2)
}

func keptForAllOfItsIdentity(t *testing.T) {
	g := guardOrders(t, saying(policy(allow("*"))), kept("$request.querystring.a", "$request.querystring.b"))
	between := []string{"", " ", ",", "\x00", `","`, `" "`, `"+"`, `\" \"`}
	for _, text := range between {
		text = url.QueryEscape(text)
		g.want(200, "GET /orders?a=1"+text+"2&b=3")
		g.want(200, "GET /orders?a=1&b=2"+text+"3")
	}
	g.wantAsked(2 * len(between))
}

func keptForOneRoute(t *testing.T) {
	g := guardOrders(t, saying(policy(allow("*"))), kept(headerSource, "$context.routeKey"))
	g.want(200, "GET /orders", "Authorization", "a")
	g.want(200, "POST /orders", "Authorization", "a")
	g.wantAsked(2)
}

func keptForSoLong(t *testing.T) {
	g := guardOrders(t, saying(policy(allow("*"))), kept(headerSource))
	g.want(200, "GET /orders", "Authorization", "a")
	g.answer = saying(policy(deny("*"))).answer
	g.now = now.Add(time.Minute - 1)
	g.want(200, "GET /orders", "Authorization", "a")
	g.now = now.Add(time.Minute)
	g.want(403, "GET /orders", "Authorization", "a")
	g.wantAsked(2)
}

func keptWithItsContext(t *testing.T) {
	authorizer := kept(headerSource)
	authorizer.Simple = true
	g := guardOrders(t, saying(`{"isAuthorized":true,"context":{"who":"a"}}`), authorizer)
	first, second := g.send("GET /orders", "Authorization", "a"), g.send("POST /orders", "Authorization", "a")
	g.wantAsked(1)
	if want := `"lambda":{"who":"a"}`; !strings.Contains(first.body, want) || !strings.Contains(second.body, want) {
		t.Errorf("%s\n%s", first.body, second.body)
	}
}

func keptNoError(t *testing.T) {
	g := guardOrders(t, saying("nonsense"), kept(headerSource))
	g.want(500, "GET /orders", "Authorization", "a")
	g.answer = saying(policy(allow("*"))).answer
	g.want(200, "GET /orders", "Authorization", "a")
}

func notKeptAtAll(t *testing.T) {
	g := guardOrders(t, saying(policy(allow("*"))), gateway.Authorizer{IdentitySources: []string{headerSource}})
	g.want(200, "GET /orders", "Authorization", "a")
	g.answer = saying(policy(deny("*"))).answer
	g.want(403, "GET /orders", "Authorization", "a")
}

// A route without an authorizer is not guarded by its neighbour's, nor by two the one by
// the other's.
func TestEachRouteHasItsOwnAuthorizer(t *testing.T) {
	strict, lenient := &gateway.Authorizer{Operation: keeper}, &gateway.Authorizer{Operation: keeper, Simple: true}
	g, err := gateway.New(gateway.Config{Invoker: saying(yes), Region: "eu-central-1", Routes: []gateway.Route{
		{Key: "GET /strict", Operation: backend, Authorizer: strict},
		{Key: "GET /lenient", Operation: backend, Authorizer: lenient},
		{Key: "GET /open", Operation: backend},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/strict": 500, "/lenient": 200, "/open": 200, "/none": 404} {
		recorder := httptest.NewRecorder()
		g.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
		if recorder.Code != want {
			t.Errorf("%s: %d, want %d", path, recorder.Code, want)
		}
	}
}

func TestBadAuthorizers(t *testing.T) {
	const region, header = "eu-central-1", "$request.header.a"
	with := func(ttl time.Duration, sources ...string) gateway.Authorizer {
		return gateway.Authorizer{Operation: keeper, TTL: ttl, IdentitySources: sources}
	}
	tests := []struct {
		name       string
		region     string
		authorizer gateway.Authorizer
		want       string
	}{
		{"kept too long", region, with(time.Hour+1, header), "cannot be kept for 1h0m0.000000001s"},
		{"kept until before", region, with(-1, header), "cannot be kept"},
		{"kept for nobody", region, with(1), "without an identity source"},
		{"no source", region, with(0, ""), `identity source "" is none`},
		{"no name", region, with(0, "$request.header."), "is none"},
		{"of a REST API", region, with(0, "method.request.header.Authorization"), "is none"},
		{"not served", region, with(0, "$stageVariables.a"), "is none"},
		{"no region", "", with(0), "no region"},
	}
	for _, test := range tests {
		_, err := gateway.New(gateway.Config{Region: test.region, Routes: []gateway.Route{{Key: "$default", Authorizer: &test.authorizer}}})
		if err == nil || !strings.HasPrefix(err.Error(), "gateway: authorizer keeper: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

var literally = strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}")

// However a resource and a path are written: what a policy denies does not pass, what it
// allows passes, a path that is written literally is itself, and nothing but a variable
// makes a resource malformed.
func FuzzPolicies(f *testing.F) {
	f.Add("/orders/5", "*5")
	f.Add("/a*b?c", "?*")
	f.Fuzz(func(t *testing.T, path, pattern string) {
		encoded, err := json.Marshal(pattern)
		if err != nil {
			t.Fatal(err)
		}
		literal, err := json.Marshal(arnOf + "GET/" + literally.Replace(strings.TrimPrefix(path, "/")))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			statements []string
			never      int
		}{
			{[]string{allow("*"), deny("*"), statement("Allow", `"*"`, string(encoded))}, 200},
			{[]string{allow("*"), statement("Allow", `"*"`, string(encoded))}, 403},
			{[]string{statement("Allow", `"*"`, string(literal))}, 403},
		} {
			g := guard(t, saying(policy(test.statements...)), gateway.Authorizer{}, "$default")
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.Path = path
			recorder := httptest.NewRecorder()
			g.gateway.ServeHTTP(recorder, r)
			isVariable := recorder.Code == 500 && strings.Contains(pattern, "${")
			if recorder.Code == test.never || recorder.Code == 500 && !isVariable {
				t.Errorf("%q, %q: %d", path, pattern, recorder.Code)
			}
		}
	})
}
