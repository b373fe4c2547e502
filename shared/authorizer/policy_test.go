package authorizer

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/protected"
)

const stage = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/prod"

// evaluate does with a policy what IAM does: what is denied is denied, what is allowed
// otherwise is allowed, and nothing else is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func evaluate(p policy, arn string) bool {
	isAllowed := false
	for _, s := range p.Statement {
		if s.Action != "execute-api:Invoke" || !slices.ContainsFunc(s.Resource, func(r string) bool { return matches(r, arn) }) {
			continue
		}
		if s.Effect != "Allow" {
			return false
		}
		isAllowed = true
	}
	return isAllowed
}

// matches holds a text against a pattern of IAM: * is any characters or none, ? is one,
// and ${*}, ${?} and ${$} are what stands between the braces.
func matches(pattern, text string) bool {
	for ; pattern != ""; pattern, text = pattern[1:], text[1:] {
		switch {
		case pattern[0] == '*':
			return matches(pattern[1:], text) || text != "" && matches(pattern, text[1:])
		case text == "":
			return false
		case pattern[0] == '$' && len(pattern) > 3 && pattern[1] == '{' && pattern[3] == '}':
			if pattern[2] != text[0] {
				return false
			}
			pattern = pattern[3:]
		case pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
	}
	return text == ""
}

func TestMatcher(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"a/*", "a/", true}, {"a/*", "a/b/c", true}, {"a/*", "a", false}, {"a/?*", "a/", false}, {"*", "", true},
		{"a/*/c", "a/b/b/c", true}, {"a/*/c", "a/c", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"a${*}", "a*", true}, {"a${*}", "ab", false}, {"${?}", "?", true}, {"${?}", "x", false}, {"${$}{*}", "${}", true},
		{"$default/*", "$default/x", true}, {"A", "a", false},
	} {
		if got := matches(test.pattern, test.text); got != test.want {
			t.Errorf("%q takes %q: %v", test.pattern, test.text, got)
		}
	}
}

// protecting makes an authorizer that is asked for its policies alone.
func protecting(t testing.TB, api protected.API) *Authorizer {
	t.Helper()
	if api.Namespace == "" {
		api.Namespace = "demo"
	}
	a, err := New(Config{API: api, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func keyWith(t testing.TB, grant access.Grant) apikey.Key {
	t.Helper()
	ns, err := namespace.Parse("demo")
	if err != nil {
		t.Fatal(err)
	}
	return apikey.Key{Locator: apikey.Locator{Namespace: ns, ID: apikey.ID{1}}, Grant: grant}
}

func rules(text ...string) access.Grant {
	grant := access.Grant{Rules: map[string]access.Method{}}
	for _, rule := range text {
		var right protected.Right
		if err := right.UnmarshalText([]byte(rule)); err != nil {
			panic(err)
		}
		grant.Rules[right.Kind] |= right.Method
	}
	return grant
}

func asking(t testing.TB, request string) request {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	target, err := readTarget(stage + "/" + method + path)
	if err != nil {
		t.Fatal(err)
	}
	return requestTo(target)
}

func requestTo(t target) request { return request{shape: restToken, target: t} }

func (a *Authorizer) policyFor(t testing.TB, key apikey.Key, wanted string) policy {
	r := asking(t, wanted)
	return a.policy(r, key, a.allows(key, r))
}

func routes(keys ...string) map[string]protected.Right {
	table := map[string]protected.Right{}
	for _, key := range keys {
		table[key] = protected.Right{}
	}
	return table
}

func inStage(resources ...string) []string { return within(stage, resources) }

// What a policy looks like.
func TestPolicies(t *testing.T) {
	orders := routes("GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}")
	nested := routes("GET /orders", "GET /orders/{id}", "GET /orders/{id}/items", "GET /orders/{id}/items/{item}")
	admin := access.Grant{Roles: []access.Role{access.Admin}}
	for name, test := range map[string]struct {
		routes map[string]protected.Right
		grant  access.Grant
		asked  string
		want   policy
	}{
		"a reader": {orders, rules("read orders"), "GET /orders", policyOf(
			allow(inStage("GET/orders", "GET/orders/*")...), deny(inStage("GET/orders/*/*")...))},
		"a reader who asks for what he may not": {orders, rules("read orders"), "DELETE /orders/1", policyOf(
			allow(inStage("GET/orders", "GET/orders/*")...), deny(inStage("GET/orders/*/*")...))},
		"a reader who asks for what is no route": {orders, rules("read orders"), "GET /orders/1/2", policyOf(
			allow(inStage("GET/orders", "GET/orders/*")...), deny(inStage("GET/orders/*/*", "GET/orders/1/2")...))},
		"an administrator": {orders, admin, "GET /orders", policyOf(
			allow(inStage("GET/orders", "POST/orders", "DELETE/orders/*", "GET/orders/*")...),
			deny(inStage("DELETE/orders/*/*", "GET/orders/*/*")...))},
		"who may do nothing":      {orders, rules("read pets"), "GET /orders", policyOf(deny(inStage("*")...))},
		"who may do nothing here": {orders, access.Grant{}, "GET /orders/1", policyOf(deny(inStage("*")...))},
		"nested routes": {nested, rules("read orders"), "GET /orders", policyOf(
			allow(inStage("GET/orders", "GET/orders/*", "GET/orders/*/items", "GET/orders/*/items/*")...),
			deny(inStage("GET/orders/*/*/items/*", "GET/orders/*/items/*/*")...))},
		"a route in the place of a parameter": {
			map[string]protected.Right{"GET /orders/{id}": {}, "GET /orders/export": protected.To(access.Create, "exports")},
			rules("read orders"), "GET /orders/1", policyOf(
				allow(inStage("GET/orders/*")...), deny(inStage("GET/orders/*/*", "GET/orders/export")...)),
		},
		"any key": {
			map[string]protected.Right{"ANY /status/{path+}": protected.AnyKey()},
			access.Grant{}, "GET /status/x", policyOf(allow(inStage("GET/status/?*", "HEAD/status/?*", "POST/status/?*",
				"PUT/status/?*", "PATCH/status/?*", "DELETE/status/?*", "OPTIONS/status/?*")...)),
		},
		"patterns that cannot tell": {
			map[string]protected.Right{"GET /files/{path+}": {}, "GET /files/secret/{id}": protected.To(access.Read, "secrets")},
			rules("read files"), "GET /files/a/b", policyOf(allow(inStage("GET/files/a/b")...)),
		},
		"patterns that cannot tell, and a refusal": {
			map[string]protected.Right{"GET /files/{path+}": {}, "GET /files/secret/{id}": protected.To(access.Read, "secrets")},
			rules("read files"), "GET /files/secret/a", policyOf(deny(inStage("GET/files/secret/a")...)),
		},
		"without a table":                {nil, rules("read orders"), "GET /orders/1", policyOf(allow(inStage("GET/orders/1")...))},
		"without a table, and a refusal": {nil, rules("read orders"), "POST /orders", policyOf(deny(inStage("POST/orders")...))},
		"a path like a pattern":          {nil, rules("read orders"), "GET /orders/*?${x}", policyOf(allow(inStage("GET/orders/${*}${?}${$}{x}")...))},
		"a path with a colon":            {nil, rules("read orders"), "GET /orders/a:b/c", policyOf(allow(inStage("GET/orders/a:b/c")...))},
		"a refusal too long to be named": {nil, access.Grant{}, "GET /orders/" + strings.Repeat("x", 512), policyOf(deny(inStage("*")...))},
	} {
		t.Run(name, func(t *testing.T) {
			a := protecting(t, protected.API{Routes: test.routes})
			if diff := cmp.Diff(test.want, a.policyFor(t, keyWith(t, test.grant), test.asked)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A policy over the limits gives way to that of the request.
func TestLargePolicies(t *testing.T) {
	for name, table := range map[string]map[string]protected.Right{
		"too many":  manyRoutes(100),
		"too long":  routes("GET /orders", "GET /orders/"+strings.Repeat("x", 512)),
		"many, few": manyRoutes(20),
	} {
		a := protecting(t, protected.API{Routes: table})
		got := a.policyFor(t, keyWith(t, access.Grant{Roles: []access.Role{access.ReadOnly}}), "GET /orders")
		isWhole := len(got.Statement[0].Resource) > 1
		if isWhole != (name == "many, few") || !evaluate(got, stage+"/GET/orders") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func manyRoutes(count int) map[string]protected.Right {
	table := routes("GET /orders")
	for i := range count {
		table[fmt.Sprintf("GET /resource-%d/{id}", i)] = protected.Right{}
	}
	return table
}

// Whatever the routes and the rights are, a policy allows of the table's routes exactly
// those that the key may use, and of what is asked for what was decided.
func TestPoliciesAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	requests := universe()
	whole, single := 0, 0
	for range 1000 {
		table := randomTable(random)
		a := protecting(t, protected.API{Routes: table})
		key := keyWith(t, randomGrant(random))
		for range 3 {
			asked := requests[random.IntN(len(requests))]
			got := a.policyFor(t, key, asked)
			if isOfRequest(got, asked) {
				single++
				requireDecided(t, a, key, got, asked, table)
				continue
			}
			whole++
			for _, other := range requests {
				if _, isListed := a.rowFor(asking(t, other)); isListed || other == asked {
					requireDecided(t, a, key, got, other, table)
				}
			}
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	t.Logf("%d policies of the whole table, %d of a request", whole, single)
	if whole < 2*single {
		t.Error("patterns can hardly ever say what a key may do")
	}
}

func requireDecided(t *testing.T, a *Authorizer, key apikey.Key, got policy, wanted string, table map[string]protected.Right) {
	t.Helper()
	r := asking(t, wanted)
	if want := a.allows(key, r); evaluate(got, r.target.arn) != want {
		t.Errorf("%s is allowed: %v, for who has %v, by %+v, of %v", wanted, !want, key.Grant.Rules, got, table)
	}
}

func isOfRequest(p policy, wanted string) bool {
	resource := stage + "/" + strings.Replace(wanted, " ", "", 1)
	return len(p.Statement) == 1 && slices.Equal(p.Statement[0].Resource, []string{resource})
}

var segments = []string{"a", "b", "c", "{x}", "{x}"}

// universe is every request by some methods whose path has up to four of a few segments.
func universe() (requests []string) {
	paths := []string{""}
	for range 4 {
		var longer []string
		for _, path := range paths {
			for _, segment := range []string{"a", "b", "z", ""} {
				longer = append(longer, path+"/"+segment)
			}
		}
		paths = longer
		for _, path := range paths {
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				requests = append(requests, method+" "+path)
			}
		}
	}
	return requests
}

func randomTable(random *rand.Rand) map[string]protected.Right {
	table := map[string]protected.Right{}
	rights := []protected.Right{
		protected.To(access.Read, "k"), protected.To(access.Read, "l"), protected.To(access.Create, "m"), protected.AnyKey(),
	}
	for range 1 + random.IntN(6) {
		var path strings.Builder
		depth := 1 + random.IntN(3)
		for range depth {
			path.WriteString("/" + segments[random.IntN(len(segments))])
		}
		if random.IntN(5) == 0 {
			path.WriteString("/{rest+}")
		}
		key := []string{"GET", "POST", "ANY"}[random.IntN(3)] + " " + path.String()
		if random.IntN(20) == 0 {
			key = "$default"
		}
		api := protected.API{Namespace: "demo", Routes: map[string]protected.Right{key: rights[random.IntN(len(rights))]}}
		if random.IntN(3) == 0 {
			api.Routes[key] = protected.Right{}
		}
		table[key] = api.Routes[key]
		if _, err := (protected.API{Namespace: "demo", Routes: table}).Table(); err != nil {
			delete(table, key)
		}
	}
	return table
}

func randomGrant(random *rand.Rand) access.Grant {
	all := []string{"read k", "read l", "create m", "read a", "create a", "read b", "create b", "read c", "create c"}
	var held []string
	for _, right := range all {
		if random.IntN(2) == 0 {
			held = append(held, right)
		}
	}
	return rules(held...)
}
