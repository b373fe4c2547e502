package endtoend_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A vendor is a service that answers what it is told, one answer after the other; its
// exchange always succeeds, and is not counted.
type vendor struct {
	answers  []endorAnswer
	requests []string
}

func says(status int, body string) endorAnswer {
	return endorAnswer{status: status, body: []byte(body)}
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/v1/auth/api-key" {
		fmt.Fprint(w, `{"authentication_source":"api-key","token":"t","expiration_time":"2100-01-01T00:00:00Z","user":null}`)
		return
	}
	v.requests = append(v.requests, request.URL.RawQuery)
	answer := v.answers[0]
	v.answers = v.answers[1:]
	w.WriteHeader(answer.status)
	w.Write(answer.body)
}

func (v *vendor) client(t *testing.T) *endorClient {
	t.Helper()
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	return &endorClient{base: server.URL, key: "k", secret: "s"}
}

func TestClientIsStrict(t *testing.T) {
	const good = `{"meta":{"name":"a","create_time":null},"propagate":false,"spec":{"expiration_time":"2100-01-01T00:00:00Z",` +
		`"permissions":{"roles":["SYSTEM_ROLE_ADMIN"],"rules":{"a":{"methods":["METHOD_ALL"]}}},"issuing_user":{"meta":{"name":"b"}}},` +
		`"tenant_meta":{"namespace":"demo"},"uuid":"u"}`
	if _, err := (&vendor{answers: []endorAnswer{says(200, good)}}).client(t).getAPIKey(t.Context(), "demo", "u"); err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct{ old, new string }{
		{`"uuid"`, `"UUID"`},
		{`"uuid":"u"`, `"uuid":"u","more":1`},
		{`"uuid":"u"`, `"uuid":null`},
		{`"name":"a"`, `"description":"a"`},
		{`"name":"b"`, `"name":null`},
		{`2100-01-01T00:00:00Z`, `2100-01-01T00:00:00`},
		{`"expiration_time":"2100-01-01T00:00:00Z",`, ``},
		{`"permissions"`, `"permission"`},
		{`SYSTEM_ROLE_ADMIN`, `SYSTEM_ROLE_OWNER`},
		{`METHOD_ALL`, `METHOD_EVERY`},
		{`{"namespace":"demo"}`, `{}`},
		{`["SYSTEM_ROLE_ADMIN"]`, `null`},
		{`}`, `]`},
	} {
		body := strings.Replace(good, change.old, change.new, 1)
		if _, err := (&vendor{answers: []endorAnswer{says(200, body)}}).client(t).getAPIKey(t.Context(), "demo", "u"); err == nil {
			t.Errorf("%s is accepted", body)
		}
	}
}

func TestClientErrors(t *testing.T) {
	const info = `{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":404}`
	for _, test := range []struct {
		status int
		body   string
		good   bool
	}{
		{404, `{"code":5,"message":"m","details":[` + info + `]}`, true},
		{404, `{"code":5,"message":"m","details":[]}`, true},
		{404, `{"code":5,"message":"m","details":[` + info + `,{"@type":"another","more":1}]}`, true},
		{404, `{"code":5,"message":"m","details":[{"@type":"another"}]}`, false},
		{404, `{"code":5,"message":"m","details":[` + info + `,{}]}`, false},
		{404, `{"code":7,"message":"m","details":[]}`, false},
		{403, `{"code":7,"message":"m","details":[` + info + `]}`, false},
		{404, `{"code":5,"message":"m"}`, false},
		{404, `{"code":5,"message":"m","details":[],"error":"m"}`, false},
		{404, `{"message":"Not Found"}`, false},
		{201, `{}`, false},
	} {
		_, err := (&vendor{answers: []endorAnswer{says(test.status, test.body)}}).client(t).getAPIKey(t.Context(), "demo", "u")
		var answer *endorError
		if errors.As(err, &answer) != test.good {
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
	}
}

func TestClientTriesAgain(t *testing.T) {
	refused := says(401, `{"code":16,"message":"m","details":[]}`)
	busy, done := says(503, `{"code":14,"message":"m","details":[]}`), says(200, `{}`)
	for _, test := range []struct {
		name                string
		answers             []endorAnswer
		requests, exchanges int
		code                int
	}{
		{"busy", []endorAnswer{busy, busy, done}, 3, 1, 0},
		{"busy for ever", []endorAnswer{busy, busy, busy, busy, busy, busy}, 5, 1, 14},
		{"refused", []endorAnswer{refused, done}, 2, 2, 0},
		{"refused twice", []endorAnswer{refused, refused, done}, 2, 2, 16},
		{"absent", []endorAnswer{says(404, `{"code":5,"message":"m","details":[]}`), done}, 1, 1, 5},
		{"not offered", []endorAnswer{says(501, `{"code":12,"message":"m","details":[]}`), done}, 1, 1, 12},
		{"nothing to say", []endorAnswer{says(204, "")}, 1, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := &vendor{answers: test.answers}
			client := v.client(t)
			err := client.deleteAPIKey(t.Context(), "demo", "u")
			if test.code == 0 && err != nil {
				t.Error(err)
			}
			if test.code != 0 {
				wantCode(t, err, test.code)
			}
			wantEqual(t, "requests and exchanges", []int{len(v.requests), client.exchanges}, []int{test.requests, test.exchanges})
		})
	}
}

// The stop rule, with the mistakes that a service could make: an empty cursor, and one
// that comes again.
func TestClientPages(t *testing.T) {
	page := func(paging string) endorAnswer {
		return says(200, `{"list":{"objects":[{"meta":{"name":"a"}}],"response":`+paging+`}}`)
	}
	for _, test := range []struct {
		name    string
		answers []endorAnswer
		want    []string
	}{
		{"one page", []endorAnswer{page(`{}`)}, []string{""}},
		{"null", []endorAnswer{page(`{"next_page_id":null,"next_page_token":null}`)}, []string{""}},
		{"the id wins", []endorAnswer{page(`{"next_page_id":"i","next_page_token":7}`), page(`null`)},
			[]string{"", "list_parameters.page_id=i"}},
		{"the token alone", []endorAnswer{page(`{"next_page_token":7}`), page(`{}`)}, []string{"", "list_parameters.page_token=7"}},
		{"empty is a cursor", []endorAnswer{page(`{"next_page_id":""}`), page(`{"next_page_id":""}`)}, []string{"", "list_parameters.page_id="}},
		{"again", []endorAnswer{page(`{"next_page_id":"i"}`), page(`{"next_page_id":"i"}`)}, []string{"", "list_parameters.page_id=i"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := &vendor{answers: test.answers}
			keys := must(v.client(t).listAllAPIKeys(t.Context(), "demo", endorQuery{}))(t)
			wantEqual(t, "keys", len(keys), len(test.want))
			wantEqual(t, "requests", v.requests, test.want)
		})
	}
	if _, err := (&vendor{answers: []endorAnswer{page(`{"next_page_token":"7"}`)}}).client(t).listAPIKeys(t.Context(), "demo", endorQuery{}); err == nil {
		t.Error("a token that is no number is accepted")
	}
}
