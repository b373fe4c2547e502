package protected

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/route"
)

func TestEncode(t *testing.T) {
	for want, api := range map[string]API{
		`{"namespace":"demo"}`: {Namespace: "demo"},
		`{"namespace":"a.b","header":"x-api-key","query":"token","simple":true,"base":"/shop","right":"read feed","ttl":60,"usage":true}`: {
			Namespace: "a.b", Header: APIKeyHeader, QueryParameter: "token", Simple: true, BasePath: "/shop",
			Right: To(access.Read, "feed"), CacheSeconds: 60, UsageIdentifier: true,
		},
		`{"namespace":"demo","routes":{"GET /orders":"","GET /status":"any key","POST /orders/{id}/ship":"update orders"}}`: {
			Namespace: "demo", Routes: map[string]Right{
				"GET /orders": {}, "GET /status": AnyKey(), "POST /orders/{id}/ship": To(access.Update, "orders"),
			},
		},
	} {
		got, err := api.Encode()
		if err != nil || got != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		again, err := Parse(got)
		if diff := cmp.Diff(api, again); err != nil || diff != "" {
			t.Errorf("%s is read as another API, %v (-want +got):\n%s", got, err, diff)
		}
	}
}

// What is wrong is named, when an API is written and when it is read.
func TestWrongAPIs(t *testing.T) {
	for text, want := range map[string]string{
		``:                                                                 "EOF",
		`{}`:                                                               `namespace ""`,
		`{"namespace":"a..b"}`:                                             `namespace "a..b"`,
		`{"namespace":"a","header":"cookie"}`:                              `header "cookie"`,
		`{"namespace":"a","query":"a=b"}`:                                  `query parameter "a=b"`,
		`{"namespace":"a","ttl":3601}`:                                     "kept for 0 to 3600 seconds, not 3601",
		`{"namespace":"a","ttl":-1}`:                                       "not -1",
		`{"namespace":"a","base":"shop"}`:                                  `base path "shop"`,
		`{"namespace":"a","base":"/shop/"}`:                                `base path "/shop/"`,
		`{"namespace":"a","right":"read"}`:                                 `a right must be`,
		`{"namespace":"a","right":"own x"}`:                                `a right must be`,
		`{"namespace":"a","right":"read *"}`:                               `a right must be`,
		`{"namespace":"a","right":"read __"}`:                              `a right must be`,
		`{"namespace":"a","surprise":1}`:                                   `surprise`,
		`{"namespace":"a","routes":{"/x":""}}`:                             `"/x"`,
		`{"namespace":"a","routes":{"GET /":""}}`:                          `"GET /"`,
		`{"namespace":"a","routes":{"GET /{x}/{y+}":""}}`:                  `no segment of the path names a kind`,
		`{"namespace":"a","routes":{"GET /api/v1/{x}":""}}`:                `no segment of the path names a kind`,
		`{"namespace":"a","routes":{"$default":""}}`:                       `no segment of the path names a kind`,
		`{"namespace":"a","routes":{"OPTIONS /x":""}}`:                     `nothing follows from the method`,
		`{"namespace":"a","routes":{"GET /x/{a}":"","GET /x/{b}":""}}`:     `is there twice`,
		`{"namespace":"a","base":"/shop","routes":{"GET /shop/{x}":""}}`:   `no segment of the path names a kind`,
		`{"namespace":"a","routes":{"GET /x":"","ANY /x/":"any key"}}`:     `route "ANY /x/" differs from "GET /x" by a slash alone`,
		`{"namespace":"a","routes":{"get /x":"any key"}}`:                  `API Gateway has no method "get"`,
		`{"namespace":"a","routes":{"GET /x":"delete"}}`:                   `a right must be`,
		`{"namespace":"a","routes":{"GET /x":"any key "}}`:                 `a right must be`,
		`{"namespace":"a","routes":{"GET /x":{"method":"read","kind":1}}}`: `routes`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "protected API: ") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for want, api := range map[string]API{
		`namespace ""`:    {},
		"a right must be": {Namespace: "a", Right: Right{Kind: "orders", Method: access.All}},
		"bytes, of 3072":  {Namespace: "a", Routes: manyRoutes(100)},
	} {
		if text, err := api.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v is written as %s, %v", api, text, err)
		}
	}
}

func manyRoutes(count int) map[string]Right {
	routes := map[string]Right{}
	for i := range count {
		routes[fmt.Sprintf("GET /some/resource%d/{id}", i)] = Right{}
	}
	return routes
}

func TestCredential(t *testing.T) {
	for _, test := range []struct {
		header Header
		value  string
		want   string
	}{
		{Authorization, "Bearer abc", "abc"},
		{Authorization, "bearer  abc ", "abc"},
		{Authorization, "abc", ""},
		{Authorization, "Basic abc", ""},
		{Authorization, "Bearer", ""},
		{Authorization, "Bearer ", ""},
		{Authorization, "", ""},
		{APIKeyHeader, "abc", "abc"},
		{APIKeyHeader, " abc ", "abc"},
		{APIKeyHeader, "Bearer abc", "Bearer abc"},
		{APIKeyHeader, " ", ""},
	} {
		if got, ok := test.header.Credential(test.value); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%s: %q holds %q, %v, want %q", test.header.Name(), test.value, got, ok, test.want)
		}
	}
}

func TestDefaultRights(t *testing.T) {
	for request, want := range map[string]string{
		"GET /orders":                     "read orders",
		"HEAD /orders/{id}":               "read orders",
		"POST /orders":                    "create orders",
		"PUT /orders/{id}":                "update orders",
		"PATCH /orders/{id}/lines/{line}": "update orders",
		"DELETE /orders/{id}":             "delete orders",
		"GET /api/v1/orders":              "read orders",
		"GET /v2/api/orders":              "read orders",
		"GET /v1beta/orders":              "read v1beta",
		"GET /{tenant}/orders":            "read orders",
		"GET /shop/orders":                "read orders",
		"GET /shop/api/orders":            "read orders",
		"GET /shopping/orders":            "read shopping",
		"GET /orders/{path+}":             "read orders",
		"OPTIONS /orders":                 "nothing",
		"GET /{path+}":                    "nothing",
		"GET /":                           "nothing",
		"GET /shop":                       "nothing",
		"GET /*/orders":                   "nothing",
		"GET /__":                         "nothing",
		"$default":                        "nothing",
	} {
		key, err := route.Parse(request)
		if err != nil {
			t.Fatal(err)
		}
		got := "nothing"
		if right, ok := (API{BasePath: "/shop"}).Default(key, key.Method); ok {
			text, err := right.MarshalText()
			if err != nil {
				t.Error(err)
			}
			got = string(text)
		}
		if got != want {
			t.Errorf("%s asks to %s, want %s", request, got, want)
		}
	}
}

// In a table, too, what a row does not say follows from its route and each request.
func TestTable(t *testing.T) {
	table, err := API{Routes: map[string]Right{
		"ANY /orders/{id}": {}, "GET /status": AnyKey(), "$default": To(access.Read, "pages"),
	}}.Table()
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]Right{
		"GET /orders/1":    To(access.Read, "orders"),
		"DELETE /orders/1": To(access.Delete, "orders"),
		"TRACE /orders/1":  {},
		"GET /status":      AnyKey(),
		"POST /status":     To(access.Read, "pages"),
	} {
		method, path, _ := strings.Cut(request, " ")
		row, _, _ := table.Match(method, path)
		if got, ok := row.Value.For(method); got != want && ok || ok != (want != Right{}) {
			t.Errorf("%s asks for %+v, %v, want %+v", request, got, ok, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"namespace":"demo","header":"x-api-key","routes":{"GET /orders/{id}":"","ANY /x/{y+}":"read x"},"right":"any key"}`)
	f.Fuzz(func(t *testing.T, text string) {
		api, err := Parse(text)
		if err != nil {
			return
		}
		again, err := api.Encode()
		if err != nil {
			return // too long
		}
		if back, err := Parse(again); err != nil || !cmp.Equal(api.Routes, back.Routes) || api.Right != back.Right {
			t.Errorf("%s becomes %s, %v", text, again, err)
		}
	})
}
