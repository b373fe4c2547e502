package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/localstack/gateway"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/localstack/localtest"
	"latchkey/shared/operation"
)

var host *lambdahost.Host

var probe = hosttest.Operations(20*time.Second, "probe")[0]

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "functions")
	if err == nil {
		defer os.RemoveAll(dir)
		err = hosttest.Build(dir, probe.Name)
	}
	if err == nil {
		host, err = lambdahost.Start(lambdahost.Config{Dir: dir, Operations: []operation.Operation{probe}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer host.Close()
	return m.Run()
}

func serve(t testing.TB, change func(*gateway.Config), keys ...string) string {
	t.Helper()
	config := gateway.Config{Invoker: host}
	for _, key := range keys {
		config.Routes = append(config.Routes, gateway.Route{Key: key, Operation: probe})
	}
	if change != nil {
		change(&config)
	}
	g, err := gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server.URL
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t testing.TB, method, url, body string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// eventOf sends a request and reads the event that it became.
func eventOf(t testing.TB, method, url, body string, header http.Header) events.APIGatewayV2HTTPRequest {
	t.Helper()
	got := send(t, method, url, body, header)
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(got.body), &event); err != nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return event
}

func TestRouting(t *testing.T) {
	server := serve(t, nil,
		"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1",
		"ANY /pets/dog/{id}", "POST /shop/{name}/items/{item}", "ANY /shop/{name}/items/{item}", "GET /")
	none := map[string]string(nil)
	tests := []struct {
		method, path string
		key          string
		parameters   map[string]string
	}{
		// The examples of AWS's page.
		{"GET", "/pets/dog/1", "GET /pets/dog/1", none},
		{"GET", "/pets/dog/2", "GET /pets/dog/{id}", map[string]string{"id": "2"}},
		{"GET", "/pets/cat/1", "GET /pets/{proxy+}", map[string]string{"proxy": "cat/1"}},
		{"POST", "/test/5", "ANY /{proxy+}", map[string]string{"proxy": "test/5"}},
		// The method before ANY, ANY before greedy.
		{"DELETE", "/pets/dog/1", "ANY /pets/dog/{id}", map[string]string{"id": "1"}},
		{"POST", "/shop/a/items/b", "POST /shop/{name}/items/{item}", map[string]string{"name": "a", "item": "b"}},
		{"PUT", "/shop/a/items/b", "ANY /shop/{name}/items/{item}", map[string]string{"name": "a", "item": "b"}},
		// No segment is empty, and the number of segments counts.
		{"GET", "/", "GET /", none},
		{"POST", "/", "$default", none},
		{"GET", "/pets/dog/", "GET /pets/{proxy+}", map[string]string{"proxy": "dog/"}},
		{"PUT", "/shop//items/b", "ANY /{proxy+}", map[string]string{"proxy": "shop//items/b"}},
		{"PUT", "/shop/a/items/b/c", "ANY /{proxy+}", map[string]string{"proxy": "shop/a/items/b/c"}},
		// The path is decoded first.
		{"GET", "/pets/dog/a%20b", "GET /pets/dog/{id}", map[string]string{"id": "a b"}},
		{"GET", "/pets/d%6Fg/1", "GET /pets/dog/1", none},
		{"GET", "/pets%2Fdog%2F2", "GET /pets/dog/{id}", map[string]string{"id": "2"}},
		{"PATCH", "/pets/dog/%2525", "ANY /pets/dog/{id}", map[string]string{"id": "%25"}},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			event := eventOf(t, test.method, server+test.path, "", nil)
			if event.RouteKey != test.key || event.RequestContext.RouteKey != test.key {
				t.Errorf("route %q, want %q", event.RouteKey, test.key)
			}
			if diff := cmp.Diff(test.parameters, event.PathParameters, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoRoute(t *testing.T) {
	server := serve(t, nil, "GET /pets")
	for _, request := range []string{"POST /pets", "HEAD /pets", "GET /", "GET /pets/", "GET /pet"} {
		method, path, _ := strings.Cut(request, " ")
		got := send(t, method, server+path, "", nil)
		if got.status != http.StatusNotFound || method != http.MethodHead && got.body != `{"message":"Not Found"}` {
			t.Errorf("%s: %d %s", request, got.status, got.body)
		}
		if got.header.Get("Apigw-Requestid") == "" {
			t.Errorf("%s: no request id", request)
		}
	}
}

func TestTheCatalogueIsServed(t *testing.T) {
	g, err := gateway.New(gateway.Config{Routes: gateway.Routes(), Invoker: host})
	if err != nil || g == nil {
		t.Fatal(err)
	}
	for _, route := range gateway.Routes() {
		if route.Operation.Name == operation.Bootstrap.Name {
			t.Error("bootstrap has a route")
		}
	}
}

func TestBadRoutes(t *testing.T) {
	for _, keys := range [][]string{{"/pets"}, {"GET pets"}, {"GET"}, {"GET /{all+}/x"}, {"GET /a", "GET /a"}, {" /a"}} {
		var routes []gateway.Route
		for _, key := range keys {
			routes = append(routes, gateway.Route{Key: key})
		}
		if _, err := gateway.New(gateway.Config{Routes: routes}); err == nil {
			t.Errorf("%q is taken", keys)
		}
	}
}

func TestEvent(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)
	server := serve(t, func(c *gateway.Config) { c.Now = func() time.Time { return now } }, "POST /v1/{name}/keys")
	got := eventOf(t, "POST", server+"/v1/a%C3%BC/keys?b=2&a=1&b=x%20y&empty=", `{"k":"ü"}`, http.Header{
		"Content-Type": {"application/json"},
		"User-Agent":   {"test/1"},
		"X-Many":       {"one", "two"},
		"Cookie":       {"c1=a; c2=b"},
	})
	host := strings.TrimPrefix(server, "http://")
	want := events.APIGatewayV2HTTPRequest{
		Version:        "2.0",
		RouteKey:       "POST /v1/{name}/keys",
		RawPath:        "/v1/aü/keys",
		RawQueryString: "b=2&a=1&b=x%20y&empty=",
		Cookies:        []string{"c1=a", "c2=b"},
		Headers: map[string]string{
			"accept-encoding": "gzip", "content-length": "10", "content-type": "application/json", "host": host,
			"user-agent": "test/1", "x-many": "one,two", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http",
			"x-forwarded-port": host[strings.LastIndex(host, ":")+1:],
		},
		QueryStringParameters: map[string]string{"a": "1", "b": "2,x y", "empty": ""},
		PathParameters:        map[string]string{"name": "aü"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST /v1/{name}/keys", AccountID: "000000000000", Stage: "$default", APIID: "local",
			DomainName: "127.0.0.1", DomainPrefix: "127", Time: "02/Jan/2030:03:04:05 +0000", TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/v1/aü/keys", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "test/1",
			},
		},
		Body: `{"k":"ü"}`,
	}
	if got.RequestContext.RequestID == "" || !strings.HasPrefix(got.Headers["x-amzn-trace-id"], "Root=1-") {
		t.Errorf("request id %q, trace %q", got.RequestContext.RequestID, got.Headers["x-amzn-trace-id"])
	}
	got.RequestContext.RequestID = ""
	delete(got.Headers, "x-amzn-trace-id")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheEventLeavesOutWhatIsNotThere(t *testing.T) {
	server := serve(t, nil, "$default")
	got := send(t, "GET", server+"/x", "", nil)
	var event map[string]any
	if err := json.Unmarshal([]byte(got.body), &event); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"cookies", "queryStringParameters", "pathParameters", "body", "stageVariables"} {
		if value, there := event[field]; there {
			t.Errorf("%s: %v", field, value)
		}
	}
	if event["rawQueryString"] != "" || event["isBase64Encoded"] != false {
		t.Errorf("%s", got.body)
	}
}

func TestBodies(t *testing.T) {
	server := serve(t, nil, "$default")
	tests := []struct {
		contentType, body string
		want              string
		base64            bool
	}{
		{"application/json", "{}", "{}", false},
		{"application/json; charset=utf-8", "{}", "{}", false},
		{"Application/Problem+JSON", "{}", "{}", false},
		{"text/csv", "a,b", "a,b", false},
		{"application/xml", "<a/>", "<a/>", false},
		{"", "{}", "{}", false},
		{"application/octet-stream", "{}", "e30=", true},
		{"application/x-www-form-urlencoded", "a=b", "YT1i", true},
		{"image/png", "\x89PNG", "iVBORw==", true},
		{"application/json", "\xff", "/w==", true},
		{"nonsense;;", "{}", "e30=", true},
		{"application/octet-stream", "", "", false},
	}
	for _, test := range tests {
		event := eventOf(t, "POST", server, test.body, http.Header{"Content-Type": {test.contentType}})
		if event.Body != test.want || event.IsBase64Encoded != test.base64 {
			t.Errorf("%q %q: %q, base64 %t", test.contentType, test.body, event.Body, event.IsBase64Encoded)
		}
	}
}

func TestResponses(t *testing.T) {
	server := serve(t, nil, "$default")
	const (
		asJSON   = "application/json"
		asText   = "text/plain; charset=utf-8"
		internal = `{"message":"Internal Server Error"}`
	)
	tests := []struct {
		name, returned string
		status         int
		contentType    string
		body           string
	}{
		{"object without statusCode", `{"a":1}`, 200, asJSON, `{"a":1}`},
		{"string", `"hello"`, 200, asJSON, `hello`},
		{"list", `[1]`, 200, asJSON, `[1]`},
		{"no JSON", `{"a":`, 200, asJSON, `{"a":`},
		{"nothing", ``, 200, asJSON, ``},
		{"formatted", `{"statusCode":201,"headers":{"Content-Type":"a/b","X-Own":"1"},"body":"hi"}`, 201, "a/b", `hi`},
		{"default type", `{"statusCode":404,"body":"hi"}`, 404, asText, `hi`},
		{"base64", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, 200, asText, `hi`},
		{"compressed", `{"statusCode":200,"headers":{"Content-Encoding":"gzip"},"body":"H4sIAAAAAAACA8vIBACsKpPYAgAAAA==","isBase64Encoded":true}`, 200, asText, `hi`},
		{"no body", `{"statusCode":204}`, 204, asText, ``},
		{"own length", `{"statusCode":200,"headers":{"content-length":"999"},"body":"hi"}`, 200, asText, `hi`},
		{"malformed status", `{"statusCode":"ok"}`, 500, asJSON, internal},
		{"no status", `{"statusCode":0}`, 500, asJSON, internal},
		{"status out of range", `{"statusCode":1000}`, 500, asJSON, internal},
		{"malformed body", `{"statusCode":200,"body":{}}`, 500, asJSON, internal},
		{"malformed base64", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, 500, asJSON, internal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := send(t, "POST", server+"?do=reply", test.returned, http.Header{"Content-Type": {asJSON}})
			if got.status != test.status || got.body != test.body || got.header.Get("Content-Type") != test.contentType {
				t.Errorf("%d %q %q", got.status, got.header.Get("Content-Type"), got.body)
			}
		})
	}
}

func TestResponseHeaders(t *testing.T) {
	server := serve(t, nil, "$default")
	got := send(t, "POST", server+"?do=reply", `{"statusCode":401,"cookies":["a=1; Secure","b=2"],
		"headers":{"WWW-Authenticate":"Bearer","x-own":"1,2"},"multiValueHeaders":{"x-many":["1"]}}`,
		http.Header{"Content-Type": {"application/json"}})
	if diff := cmp.Diff([]string{"a=1; Secure", "b=2"}, got.header.Values("Set-Cookie")); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
	if got.header.Get("WWW-Authenticate") != "Bearer" || got.header.Get("X-Own") != "1,2" {
		t.Errorf("headers %v", got.header)
	}
	if got.header.Get("X-Many") != "" {
		t.Error("multiValueHeaders belong to format 1.0")
	}
}

func TestFunctionErrors(t *testing.T) {
	log := &localtest.Buffer{}
	server := serve(t, func(c *gateway.Config) { c.Log = log }, "$default")
	for _, query := range []string{"do=error&text=secret", "do=panic&text=secret", "do=exit&n=1", "do=big&n=7000000"} {
		got := send(t, "GET", server+"?"+query, "", nil)
		if got.status != 500 || got.body != `{"message":"Internal Server Error"}` {
			t.Errorf("%s: %d %.100s", query, got.status, got.body)
		}
		if next := send(t, "GET", server, "", nil); next.status != 200 {
			t.Errorf("after %s: %d", query, next.status)
		}
	}
	if !strings.Contains(log.String(), "gateway: $default: Function.ResponseSizeTooLarge") {
		t.Errorf("log: %s", log.String())
	}
}

func TestTimeout(t *testing.T) {
	server := serve(t, func(c *gateway.Config) { c.Timeout = 100 * time.Millisecond }, "$default")
	got := send(t, "GET", server+"?do=sleep&n=500", "", nil)
	if got.status != 503 || got.body != `{"message":"Service Unavailable"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	if gateway.DefaultTimeout != 30*time.Second {
		t.Errorf("default %v", gateway.DefaultTimeout)
	}
}

func TestLimits(t *testing.T) {
	server := serve(t, nil, "$default")
	asText := http.Header{"Content-Type": {"text/plain"}}
	tests := []struct {
		name   string
		body   int
		header int
		status int
	}{
		{"almost 6 MB", gateway.MaxEvent - 4096, 0, 200},
		{"an event over 6 MB", gateway.MaxEvent, 0, 413},
		{"10 MB", gateway.MaxBody, 0, 413},
		{"over 10 MB", gateway.MaxBody + 1, 0, 413},
		{"12 MB", 12 << 20, 0, 413},
		{"40 MB", 40 << 20, 0, 413},
		{"long header", 0, gateway.MaxHeader - 200, 200},
		{"too long header", 0, gateway.MaxHeader, 431},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := asText.Clone()
			if test.header > 0 {
				header.Set("X-Long", strings.Repeat("x", test.header))
			}
			got := send(t, "POST", server+"?do=print", strings.Repeat("x", test.body), header)
			if got.status != test.status {
				t.Errorf("%d %.100s", got.status, got.body)
			}
			if test.status == 413 && got.body != `{"message":"Request Entity Too Large"}` {
				t.Errorf("%.100s", got.body)
			}
		})
	}
}

// Of a body whose length is over the limit nothing is kept, and no end is needed
// for the answer.
func TestTheLengthOfABodyIsRefusedBeforeTheBody(t *testing.T) {
	g, err := gateway.New(gateway.Config{Routes: []gateway.Route{{Key: "$default"}}, Invoker: echo{}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		length int64 // -1: not told
		body   io.Reader
		status int
	}{
		{"over the limit, broken off", gateway.MaxBody + 1, cutOff(1), 413},
		{"at the limit, broken off", gateway.MaxBody, cutOff(1), 400},
		{"not told, over the limit, broken off", -1, cutOff(gateway.MaxBody + 1), 413},
		{"not told, over the limit", -1, io.LimitReader(endless{}, gateway.MaxBody+1), 413},
		{"not told, broken off", -1, cutOff(1), 400},
		{"not told", -1, strings.NewReader("{}"), 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest("POST", "/", test.body)
			request.ContentLength = test.length
			recorder := httptest.NewRecorder()
			g.ServeHTTP(recorder, request)
			if recorder.Code != test.status {
				t.Errorf("%d, want %d", recorder.Code, test.status)
			}
		})
	}
}

// cutOff is a body whose client goes away after a number of bytes.
func cutOff(size int64) io.Reader {
	return io.MultiReader(io.LimitReader(endless{}, size), iotest.ErrReader(io.ErrUnexpectedEOF))
}

// An endless reads as the same byte for ever.
type endless struct{}

func (endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'x'
	}
	return len(into), nil
}

func TestAClientThatGoesAwayIsNotLogged(t *testing.T) {
	log := &localtest.Buffer{}
	server := serve(t, func(c *gateway.Config) { c.Log = log }, "$default")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", server+"?do=sleep&n=200", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(request); err == nil {
		t.Fatal("an answer came")
	}
	send(t, "GET", server, "", nil)
	if log.String() != "" {
		t.Errorf("log: %s", log.String())
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("/a%2Fb", "a=1&a=2", "application/json", []byte("{}"))
	f.Add("/%FF", "a=%zz;b", "x", []byte("\xff"))
	g, err := gateway.New(gateway.Config{Routes: []gateway.Route{{Key: "ANY /{all+}"}, {Key: "$default"}}, Invoker: echo{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, query, contentType string, body []byte) {
		request := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		request.URL = &url.URL{Path: path, RawQuery: query}
		request.Header.Set("Content-Type", contentType)
		recorder := httptest.NewRecorder()
		g.ServeHTTP(recorder, request)
		if recorder.Code == http.StatusOK && !json.Valid(recorder.Body.Bytes()) {
			t.Errorf("the event is no JSON: %q", recorder.Body)
		}
	})
}

// An echo returns the event, without a process for each of a fuzzer's inputs.
type echo struct{}

func (echo) Invoke(_ context.Context, _ operation.Operation, event []byte) ([]byte, error) {
	return event, nil
}

func BenchmarkWarm(b *testing.B) {
	server := serve(b, nil, "$default")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := client.Get(server + "/x")
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
