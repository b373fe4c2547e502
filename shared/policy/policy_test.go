package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/policy"
	"latchkey/shared/policy/policytest"
	"latchkey/shared/protected"
	"latchkey/shared/route"
)

func arnOf(request string) string {
	return policytest.Stage + "/" + strings.Replace(request, " ", "", 1)
}

func tableOf(t testing.TB, routes map[string]protected.Right) route.Table[protected.Right] {
	t.Helper()
	table, err := protected.API{Namespace: "demo", Routes: routes}.Table()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// holding is who has some rights, as "read orders", and whatever any key has.
func holding(rights ...string) func(protected.Right) bool {
	return func(asked protected.Right) bool {
		text, err := asked.MarshalText()
		return asked.AnyKey || err == nil && len(text) > 0 && slices.Contains(rights, string(text))
	}
}

func everything(asked protected.Right) bool { return asked != protected.Right{} }

func read(kind string) protected.Right { return protected.To(access.Read, kind) }

func TestDocuments(t *testing.T) {
	orders := protected.Defaults("GET /orders", "POST /orders", "GET /orders/{id}", "DELETE /orders/{id}")
	nested := protected.Defaults("GET /orders", "GET /orders/{id}", "GET /orders/{id}/items", "GET /orders/{id}/items/{item}")
	export := map[string]protected.Right{"GET /orders/{id}": {}, "GET /orders/export": read("exports")}
	for name, test := range map[string]struct {
		routes map[string]protected.Right
		holds  func(protected.Right) bool
		want   policy.Document
	}{
		"a reader": {orders, holding("read orders"), policy.Of(
			policy.Allow(policytest.InStage("GET/orders", "GET/orders/*")...), policy.Deny(policytest.InStage("GET/orders/*/*")...))},
		"an administrator": {orders, everything, policy.Of(
			policy.Allow(policytest.InStage("GET/orders", "POST/orders", "DELETE/orders/*", "GET/orders/*")...),
			policy.Deny(policytest.InStage("DELETE/orders/*/*", "GET/orders/*/*")...))},
		"who may do nothing": {orders, holding("read pets"), policy.Of(policy.Deny(policytest.InStage("*")...))},
		"nested routes": {nested, everything, policy.Of(
			policy.Allow(policytest.InStage("GET/orders", "GET/orders/*", "GET/orders/*/items", "GET/orders/*/items/*")...),
			policy.Deny(policytest.InStage("GET/orders/*/*/items/*", "GET/orders/*/items/*/*")...))},
		"a route in the place of a parameter": {export, holding("read orders"), policy.Of(
			policy.Allow(policytest.InStage("GET/orders/*")...), policy.Deny(policytest.InStage("GET/orders/*/*", "GET/orders/export", "GET/orders/export/")...))},
		"the other one": {export, holding("read exports"), policy.Of(policy.Allow(policytest.InStage("GET/orders/export")...))},
		"a slash at the end": {
			map[string]protected.Right{"GET /orders": read("all-orders"), "GET /orders/{id}": {}},
			holding("read orders"), policy.Of(
				policy.Allow(policytest.InStage("GET/orders/*")...), policy.Deny(policytest.InStage("GET/orders/", "GET/orders/*/*")...)),
		},
		"any key": {
			map[string]protected.Right{"ANY /status/{path+}": protected.AnyKey()}, holding(),
			policy.Of(policy.Allow(policytest.InStage("GET/status/?*", "HEAD/status/?*", "POST/status/?*",
				"PUT/status/?*", "PATCH/status/?*", "DELETE/status/?*", "OPTIONS/status/?*")...)),
		},
		"every other path": {
			map[string]protected.Right{"$default": protected.AnyKey(), "GET /secrets": {}, "GET /pets/{id}": {}}, holding("read pets"),
			policy.Of(policy.Allow(policytest.InStage("GET/pets/?*", "GET/*", "HEAD/*", "POST/*", "PUT/*", "PATCH/*", "DELETE/*", "OPTIONS/*")...),
				policy.Deny(policytest.InStage("GET/secrets", "GET/secrets/")...)),
		},
		"a literal like a pattern": {
			map[string]protected.Right{"GET /a*/${b}?": read("x")}, everything,
			policy.Of(policy.Allow(policytest.InStage("GET/a${*}/${$}{b}${?}")...)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := policy.NewGrid(tableOf(t, test.routes)).In(policytest.Stage, test.holds)
			if diff := cmp.Diff(test.want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// For whom, of which table, there is no policy; and of which table there may be such a key.
func TestProblem(t *testing.T) {
	files := map[string]protected.Right{"GET /files/{path+}": {}, "GET /files/secret/{id}": read("secrets")}
	long := protected.Defaults("GET /orders", "GET /orders/"+strings.Repeat("x", policy.MaxResource))
	secrets := map[string]protected.Right{"GET /files/{path+}": {}}
	for i := range 70 {
		secrets[fmt.Sprintf("GET /files/secret-%d", i)] = read("secrets")
	}
	for name, test := range map[string]struct {
		routes  map[string]protected.Right
		holds   func(protected.Right) bool
		ok      bool
		problem string
	}{
		"an example":         {protected.Defaults("GET /orders", "GET /orders/{id}", "POST /orders"), everything, true, ""},
		"nested":             {protected.Defaults("GET /a/{x}", "ANY /a/{x}/b/{y}", "GET /a/{x}/b"), everything, true, ""},
		"cannot tell":        {files, holding("read files"), false, `cannot tell "GET /files/{path+}" from "GET /files/secret/{id}"`},
		"nor the other way":  {files, holding("read secrets"), false, `cannot tell`},
		"and who has both":   {files, everything, true, `cannot tell`},
		"and who has nobody": {files, holding(), true, `cannot tell`},
		"same rights":        {protected.Defaults("GET /files/{path+}", "GET /files/secret/{id}"), everything, true, ""},
		"too many":           {manyRoutes(100), everything, false, "characters, of 8192"},
		"many, few of them":  {manyRoutes(100), holding("read resource-1", "read resource-2"), true, "characters, of 8192"},
		"not too many":       {manyRoutes(20), everything, true, ""},
		"too long":           {long, everything, false, "is too long: API Gateway takes 512 characters"},
		"more to deny":       {secrets, holding("read files"), false, "characters, of 8192"},
		"less to allow":      {secrets, everything, true, "characters, of 8192"},
	} {
		grid := policy.NewGrid(tableOf(t, test.routes))
		if document, ok := grid.In(policytest.Stage, test.holds); ok != test.ok {
			t.Errorf("%s: %+v, %v", name, document, ok)
		}
		problem := fmt.Sprint(grid.Problem())
		if test.problem == "" && problem != "<nil>" || !strings.Contains(problem, test.problem) {
			t.Errorf("%s: the problem is %s, want %s", name, problem, test.problem)
		}
	}
}

func manyRoutes(count int) map[string]protected.Right {
	table := protected.Defaults("GET /orders")
	for i := range count {
		table[fmt.Sprintf("GET /resource-%d/{id}", i)] = protected.Right{}
	}
	return table
}

// Templates whose overlaps cannot be found by trying every way are no trouble.
func TestManyParameters(t *testing.T) {
	routes := map[string]protected.Right{}
	for _, depth := range []int{20, 40} {
		var path strings.Builder
		for i := range depth {
			fmt.Fprintf(&path, "/{p%d}", i)
		}
		routes[fmt.Sprintf("GET %s/x%d", path.String(), depth)] = read("orders")
	}
	if _, ok := policy.NewGrid(tableOf(t, routes)).In(policytest.Stage, everything); !ok {
		t.Error("there is no policy")
	}
}

// Whatever the routes and the rights are, a policy allows of the table's routes exactly
// those that are held. Of a path with a slash at its end there are two owners, by how REST
// APIs route and by how HTTP APIs do: it passes only if both agree. A table without a
// problem has a policy for every key.
func TestPoliciesAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	requests := universe()
	made, none := 0, 0
	for range 1200 {
		routes := randomRoutes(random)
		table := tableOf(t, routes)
		holds := holding(randomRights(random)...)
		got, ok := policy.NewGrid(table).In(policytest.Stage, holds)
		if !ok {
			none++
			continue
		}
		made++
		for _, request := range requests {
			requireExact(t, table, holds, got, request)
		}
		if t.Failed() {
			t.Fatalf("of %v, by %+v", routes, got)
		}
	}
	t.Logf("%d policies, %d that cannot be", made, none)
	if made < 2*none {
		t.Error("patterns can hardly ever say what a key may do")
	}
}

// A table has a problem if and only if there is a key for which no policy can be made.
func TestProblemIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	problems := 0
	for range 400 {
		routes := randomRoutes(random)
		grid := policy.NewGrid(tableOf(t, routes))
		everybody := true
		for held := range 1 << len(smallRights) {
			var rights []string
			for i, right := range smallRights {
				if held&(1<<i) != 0 {
					rights = append(rights, right)
				}
			}
			_, ok := grid.In(policytest.Stage, holding(rights...))
			everybody = everybody && ok
		}
		problem := grid.Problem()
		if (problem == nil) != everybody {
			t.Fatalf("%v, and everybody has a policy: %v, for %v", problem, everybody, routes)
		}
		if problem != nil {
			problems++
		}
	}
	if problems == 0 {
		t.Error("no table has a problem")
	}
}

// smallRights are those that differ in random tables of a few segments.
var smallRights = []string{"read k", "read l", "create m", "read a", "create a", "read b", "create b", "read c", "create c"}

func requireExact(
	t *testing.T, table route.Table[protected.Right], holds func(protected.Right) bool, got policy.Document, request string,
) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	isHeld := func(path string) (held, listed bool) {
		row, _, ok := table.Match(method, path)
		right, defined := row.Value.For(method)
		return ok && defined && holds(right), ok
	}
	isAllowed := policytest.Allows(got, arnOf(request))
	if got.Allows(arnOf(request)) != isAllowed {
		t.Errorf("%s: we and IAM do not agree", request)
	}
	held, listed := isHeld(path)
	trimmed, isSlashed := strings.CutSuffix(path, "/")
	isSlashed = isSlashed && !strings.HasSuffix(trimmed, "/")
	heldWithout, listedWithout := isHeld(trimmed)
	switch {
	case isSlashed && listedWithout:
		if isAllowed && (!heldWithout || listed && !held) {
			t.Errorf("%s is allowed", request)
		}
	case listed && isAllowed != held:
		t.Errorf("%s is allowed: %v", request, isAllowed)
	}
}

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

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

func randomRoutes(random *rand.Rand) map[string]protected.Right {
	routes := map[string]protected.Right{}
	for range 1 + random.IntN(6) {
		key := randomKey(random)
		if _, ok := routes[key]; ok {
			continue
		}
		routes[key] = pick(random, read("k"), read("l"), protected.To(access.Create, "m"), protected.AnyKey(), protected.Right{})
		if _, err := (protected.API{Routes: routes}).Table(); err != nil {
			delete(routes, key)
		}
	}
	return routes
}

func randomKey(random *rand.Rand) string {
	if random.IntN(20) == 0 {
		return "$default"
	}
	var path strings.Builder
	for range 1 + random.IntN(3) {
		path.WriteString("/" + pick(random, "a", "b", "c", "{x}", "{x}"))
	}
	if random.IntN(5) == 0 {
		path.WriteString("/{rest+}")
	}
	return pick(random, "GET", "POST", "ANY") + " " + path.String()
}

func randomRights(random *rand.Rand) (held []string) {
	for _, right := range smallRights {
		if random.IntN(2) == 0 {
			held = append(held, right)
		}
	}
	return held
}

var patterns = []struct {
	pattern, text string
	want          bool
}{
	{"", "", true}, {"", "a", false}, {"a/*", "a/", true}, {"a/*", "a/b/c", true}, {"a/*", "a", false}, {"a/?*", "a/", false},
	{"*", "", true}, {"**", "x", true}, {"a/*/c", "a/b/b/c", true}, {"a/*/c", "a/c", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
	{"a${*}", "a*", true}, {"a${*}", "ab", false}, {"${?}", "?", true}, {"${?}", "x", false}, {"${$}{*}", "${}", true},
	{"$default/*", "$default/x", true}, {"A", "a", false}, {"*b*c", "abbcbc", true}, {"*${*}", "xx*", true}, {"a*", "ab*", true},
}

func TestPatterns(t *testing.T) {
	for _, test := range patterns {
		document := policy.Of(policy.Allow(test.pattern))
		if got := policytest.Matches(test.pattern, test.text); got != test.want || document.Allows(test.text) != got {
			t.Errorf("%q takes %q: %v", test.pattern, test.text, got)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	for _, test := range patterns {
		f.Add(test.pattern, test.text)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.Count(pattern, "*") > 5 || len(text) > 50 {
			return // the slow one would take too long
		}
		withoutVariables := strings.NewReplacer("${*}", "", "${?}", "", "${$}", "").Replace(pattern)
		if want := policytest.Matches(pattern, text); policy.Of(policy.Allow(pattern)).Allows(text) != want && !strings.Contains(withoutVariables, "${") {
			t.Errorf("%q takes %q: %v", pattern, text, want)
		}
		if !policytest.Matches(policy.Covering(text), text) {
			t.Errorf("%q is not covered", text)
		}
		if !policytest.Matches(policy.Literally(text), text) {
			t.Errorf("%q is not literally itself", text)
		}
	})
}
