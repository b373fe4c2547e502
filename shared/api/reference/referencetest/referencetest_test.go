package referencetest_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/shared/api/reference/referencetest"
	"latchkey/shared/operation"
)

// sent is a request that the document has.
func sent(t *testing.T, method, target, body string) referencetest.Exchange {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return referencetest.Exchange{Method: method, URL: address, Header: http.Header{}, Body: []byte(body)}
}

// answered adds an answer in JSON, as the service sends it.
func answered(e referencetest.Exchange, status int, body string) referencetest.Exchange {
	e.Response = referencetest.Response{Status: status, Body: []byte(body), Header: http.Header{
		"Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
	}}
	return e
}

const (
	valid   = `{"key":"x","valid":true}`
	pair    = `{"key":"x","secret":"y"}`
	problem = `{"code":5,"message":"m","details":[{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":404}]}`
)

// A check that finds nothing proves nothing: each way in which an answer can be another
// than the document's is found.
func TestCheckAnswer(t *testing.T) {
	validate := sent(t, "POST", "/v1/auth/api-key/validate", pair)
	nowhere := sent(t, "GET", "/v1/nowhere", "")
	for name, test := range map[string]struct {
		exchange referencetest.Exchange
		edit     func(*referencetest.Response)
		want     string // of what is found; empty: nothing
	}{
		"documented":             {answered(validate, 200, valid), nil, ""},
		"compressed":             {answered(validate, 200, valid), compress, ""},
		"wrong, compressed":      {answered(validate, 200, `{"valid":true}`), compress, "missing property 'key'"},
		"another encoding":       {answered(validate, 200, valid), set("Content-Encoding", "br"), "encoded as br"},
		"another status":         {answered(validate, 201, valid), nil, "validate-api-key is never answered 201"},
		"another content type":   {answered(validate, 200, valid), set("Content-Type", "text/plain"), "in text/plain"},
		"no content type":        {answered(validate, 200, valid), set("Content-Type", ""), "content type"},
		"a header less":          {answered(validate, 200, valid), set("Cache-Control", ""), "no Cache-Control"},
		"another header":         {answered(validate, 200, valid), set("Cache-Control", "public"), "Cache-Control: by"},
		"a member less":          {answered(validate, 200, `{"key":"x"}`), nil, "missing property 'valid'"},
		"a member more":          {answered(validate, 200, `{"key":"x","valid":true,"more":1}`), nil, "'more' not allowed"},
		"a member of its type":   {answered(validate, 200, `{"key":"x","valid":"yes"}`), nil, "want boolean"},
		"no JSON":                {answered(validate, 200, "{"), nil, "body of the answer"},
		"a success of nobody's":  {answered(nowhere, 200, "{}"), nil, "no route takes"},
		"an error of nobody's":   {answered(nowhere, 404, problem), nil, ""},
		"in another's envelope":  {answered(nowhere, 404, `{"detail":"Not Found"}`), nil, "'detail' not allowed"},
		"another method's error": {answered(sent(t, "PUT", "/v1/auth", ""), 501, problem), nil, ""},
	} {
		if test.edit != nil {
			test.edit(&test.exchange.Response)
		}
		wantProblem(t, name, referencetest.New(t).CheckAnswer(test.exchange), test.want)
	}
}

func set(name, value string) func(*referencetest.Response) {
	return func(r *referencetest.Response) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

func compress(r *referencetest.Response) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write(r.Body) // memory takes everything
	_ = w.Close()
	r.Header.Set("Content-Encoding", "gzip")
	r.Body = compressed.Bytes()
}

func wantProblem(t *testing.T, name string, problems []error, want string) {
	t.Helper()
	switch {
	case want == "" && len(problems) > 0:
		t.Errorf("%s: %v", name, problems)
	case want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Error(), want)):
		t.Errorf("%s: found %v, want %q", name, problems, want)
	}
}

// So is each way in which a request can be.
func TestCheckRequest(t *testing.T) {
	const keys = "/v1/namespaces/demo/api-keys"
	const key = keys + "/019b7ca9-8f2e-7e98-833b-d887d15218ce"
	impatient := func(seconds string) referencetest.Exchange {
		e := sent(t, "GET", keys, "")
		e.Header.Set("Request-Timeout", seconds)
		return e
	}
	for name, test := range map[string]struct {
		exchange referencetest.Exchange
		want     string
	}{
		"documented":            {sent(t, "GET", keys+"?list_parameters.page_size=1&list_parameters.count=true", ""), ""},
		"an empty parameter":    {sent(t, "GET", keys+"?list_parameters.page_size=", ""), ""},
		"an unknown parameter":  {sent(t, "GET", keys+"?list_parameters.from_date=x", ""), "no query parameter list_parameters.from_date"},
		"a parameter of a type": {sent(t, "GET", keys+"?list_parameters.page_size=few", ""), "page_size"},
		"a flag":                {sent(t, "GET", keys+"?list_parameters.count=yes", ""), "list_parameters.count"},
		"a path":                {sent(t, "GET", key, ""), ""},
		"another path":          {sent(t, "GET", keys+"/x", ""), "path parameter uuid"},
		"a repeated filter":     {sent(t, "GET", "/api/v1/service_accounts?name=a&name=b", ""), ""},
		"a time-out":            {impatient("2.5"), ""},
		"another time-out":      {impatient("soon"), "header parameter Request-Timeout"},
		"a body":                {sent(t, "POST", "/v1/auth/api-key", pair), ""},
		"another body":          {sent(t, "POST", "/v1/auth/api-key", `{"key":"x","secret":"y","more":1}`), "'more' not allowed"},
		"a body that is none":   {sent(t, "POST", "/v1/auth/api-key", ""), "body of the request"},
		"a form":                {sent(t, "POST", "/api/v1/login", "password=x"), ""},
		"another form":          {sent(t, "POST", "/api/v1/login", "username=x"), "username"},
	} {
		document := referencetest.New(t)
		wantProblem(t, name, document.CheckRequest(answered(test.exchange, 200, "")), test.want)
		wantProblem(t, name+", refused", document.CheckRequest(answered(test.exchange, 400, "")), "")
	}
}

func TestSeen(t *testing.T) {
	document := referencetest.New(t)
	document.CheckAnswer(answered(sent(t, "GET", "/v1/auth", ""), 401, "{}"))
	if !document.Seen(operation.WhoAmI, 401) || document.Seen(operation.WhoAmI, 200) || document.Seen(operation.Health, 401) {
		t.Error("it has seen something else than what was held against it")
	}
}
