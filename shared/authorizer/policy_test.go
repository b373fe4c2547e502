package authorizer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/policy"
	"latchkey/shared/policy/policytest"
	"latchkey/shared/protected"
)

// protecting makes an authorizer that is asked for its policies alone.
func protecting(t testing.TB, api protected.API) *Authorizer {
	t.Helper()
	if api.Namespace == "" {
		api.Namespace = "demo"
	}
	a, err := New(Config{API: api, Clock: time.Now})
	must(t, err)
	return a
}

func keyWith(t testing.TB, grant access.Grant) apikey.Key {
	t.Helper()
	ns, err := namespace.Parse("demo")
	must(t, err)
	return apikey.Key{Locator: apikey.Locator{Namespace: ns, ID: apikey.ID{1}}, Grant: grant}
}

func rules(rights ...string) access.Grant {
	grant := access.Grant{Rules: map[string]access.Method{}}
	for _, text := range rights {
		var right protected.Right
		if err := right.UnmarshalText([]byte(text)); err != nil {
			panic(err)
		}
		grant.Rules[right.Kind] |= right.Method
	}
	return grant
}

// asking is a request, by the route that a REST API has chosen, or none.
func asking(t testing.TB, wanted, resource string) request {
	t.Helper()
	method, path, _ := strings.Cut(wanted, " ")
	target, err := readTarget(policytest.Stage + "/" + method + path)
	must(t, err)
	if resource == "" {
		return request{shape: restToken, target: target}
	}
	return request{shape: restRequest, target: target, route: method + " " + resource}
}

// What a policy is of, by what was asked for. That of the whole table is package policy's.
func TestPolicies(t *testing.T) {
	orders := protected.Defaults("GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}")
	nested := protected.Defaults("GET /orders/{id}", "GET /orders/{id}/items")
	slashed := map[string]protected.Right{"GET /orders": protected.To(access.Read, "all-orders"), "GET /orders/{id}": {}}
	files := map[string]protected.Right{"GET /files/{path+}": {}, "GET /files/secret/{id}": protected.To(access.Read, "secrets")}
	all := policy.Of(policy.Allow(policytest.InStage("GET/orders", "GET/orders/*")...), policy.Deny(policytest.InStage("GET/orders/*/*")...))
	allow := func(resources ...string) policy.Document {
		return policy.Of(policy.Allow(policytest.InStage(resources...)...))
	}
	deny := func(resources ...string) policy.Document {
		return policy.Of(policy.Deny(policytest.InStage(resources...)...))
	}
	for name, test := range map[string]struct {
		routes          map[string]protected.Right
		grant           access.Grant
		asked, resource string
		want            policy.Document
	}{
		"a route":              {orders, rules("read orders"), "GET /orders", "/orders", all},
		"a route, by its path": {orders, rules("read orders"), "GET /orders/5", "", all},
		"what is refused":      {orders, rules("read orders"), "DELETE /orders/1", "/orders/{id}", all},
		"what is no route":     {orders, rules("read orders"), "GET /orders/1/2", "", all},
		"no rights":            {orders, access.Grant{}, "GET /orders", "/orders", deny("*")},
		"what was forgotten": {
			orders, rules("read orders"), "GET /orders/export", "/orders/export",
			policy.Of(all.Statement[0], all.Statement[1], policy.Deny(policytest.InStage("GET/orders/export")...)),
		},
		"what is no route, and reached":  {nested, rules("read orders"), "GET /orders/1/secrets", "", policy.Of(policy.Allow(policytest.InStage("GET/orders/*", "GET/orders/*/items")...), policy.Deny(policytest.InStage("GET/orders/*/*/items")...), policy.Deny(policytest.InStage("GET/orders/1/secrets")...))},
		"a slash that means nothing":     {slashed, rules("read orders"), "GET /orders/", "/orders", policy.Of(policy.Allow(policytest.InStage("GET/orders/*")...), policy.Deny(policytest.InStage("GET/orders/", "GET/orders/*/*")...))},
		"the same, of who may":           {slashed, rules("read all-orders"), "GET /orders/", "/orders", allow("GET/orders/")},
		"patterns that cannot tell":      {files, rules("read files"), "GET /files/a/b", "/files/{path+}", allow("GET/files/a/b")},
		"patterns, and a refusal":        {files, rules("read files"), "GET /files/secret/a", "/files/secret/{id}", deny("GET/files/secret/a")},
		"without a table":                {nil, rules("read orders"), "GET /orders/1", "/orders/{id}", allow("GET/orders/1")},
		"without a table, and a refusal": {nil, rules("read orders"), "POST /orders", "/orders", deny("POST/orders")},
		"without a table, and no route":  {nil, rules("read orders"), "GET /orders", "", deny("GET/orders")},
		"a path like a pattern":          {nil, rules("read orders"), "GET /orders/*?${x}", "/orders/{id}", allow("GET/orders/${*}${?}${$}{x}")},
		"a path with colons":             {nil, rules("read orders"), "GET /orders/a:b/c", "/orders/{id+}", allow("GET/orders/a:b/c")},
	} {
		t.Run(name, func(t *testing.T) {
			a, key := protecting(t, protected.API{Routes: test.routes}), keyWith(t, test.grant)
			r := asking(t, test.asked, test.resource)
			isAllowed := a.allows(key, r)
			got := a.policy(r, key, isAllowed)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if policytest.Allows(got, r.target.arn) != isAllowed {
				t.Errorf("the policy says something else than %v", isAllowed)
			}
		})
	}
}

// A policy over the limits gives way to that of the request.
func TestLargePolicy(t *testing.T) {
	nested := protecting(t, protected.API{Routes: protected.Defaults("GET /orders/{id}", "GET /orders/{id}/items")})
	long := asking(t, "GET /orders/1/"+strings.Repeat("x", policy.MaxResource), "")
	refused := nested.policy(long, keyWith(t, rules("read orders")), false)
	if diff := cmp.Diff(policy.Of(policy.Deny(long.target.arn)), refused); diff != "" {
		t.Error(diff)
	}
	table := protected.Defaults("GET /orders", "GET /orders/"+strings.Repeat("x", policy.MaxResource))
	a := protecting(t, protected.API{Routes: table})
	got := a.policy(asking(t, "GET /orders", "/orders"), keyWith(t, rules("read orders")), true)
	if diff := cmp.Diff(policy.Of(policy.Allow(policytest.InStage("GET/orders")...)), got); diff != "" {
		t.Error(diff)
	}
}

// What a path asks for where no gateway has told its route.
func TestRightsByPath(t *testing.T) {
	a := protecting(t, protected.API{Routes: map[string]protected.Right{
		"GET /orders": {}, "GET /orders/{id}": protected.To(access.Read, "order"), "ANY /admin": protected.To(access.Read, "admin"),
		"ANY /{path+}": protected.AnyKey(),
	}})
	for path, want := range map[string]string{
		"/orders": "read orders", "/orders/5": "read order", "/admin": "read admin", "/x": "any key", "/x/y": "any key",
		"/orders/": "read orders, any key", "/orders/5/": "read order, any key", "/admin/": "read admin, any key", "/x/": "any key, any key",
		"/%61dmin": "any key, read admin", "/orders/%35/": "read order, any key, read order, any key", "/x%20y": "any key, any key",
		"/x/../admin": "", "/x/./y": "", "/..": "", "/x%2fy": "", "/x%2Fy": "", "/%2e%2e/admin": "", "/x%5Cy": "", `/x\y`: "",
		"/%2561dmin": "", "/x%": "", "/x;y": "", "/x%3By": "", "//admin": "", "/x//y": "", "/x..y": "any key",
	} {
		target, err := readTarget(policytest.Stage + "/GET" + path)
		must(t, err)
		var got []string
		for _, right := range a.rightsByPath(target) {
			text, err := right.MarshalText()
			must(t, err)
			got = append(got, string(text))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s asks for %q, want %q", path, got, want)
		}
	}
}
