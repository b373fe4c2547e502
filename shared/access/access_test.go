package access

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

func TestRequire(t *testing.T) {
	type decision struct {
		method Method
		kind   string
		target string
		want   bool
	}
	allow := func(method Method, kind, target string) decision { return decision{method, kind, target, true} }
	deny := func(method Method, kind, target string) decision { return decision{method, kind, target, false} }

	tests := []struct {
		name      string
		caller    Caller
		decisions []decision
	}{
		{"administrator with propagate", caller(t, "a.b", true, role(Admin)), []decision{
			allow(Create, APIKey, "a.b"), allow(Delete, "anything", "a.b.c"), allow(All, APIKey, "a.b.c.d"),
			deny(Read, APIKey, "a"), deny(Read, APIKey, "a.bc"), deny(Read, APIKey, "a.b-c"), deny(Read, APIKey, "a.b_c"),
			deny(Read, APIKey, "x.b"), deny(Read, APIKey, "A.b"),
		}},
		{"administrator without propagate", caller(t, "a.b", false, role(Admin)), []decision{
			allow(Create, APIKey, "a.b"), deny(Read, APIKey, "a.b.c"), deny(Read, APIKey, "a"),
		}},
		{"reader", caller(t, "a", true, role(ReadOnly)), []decision{
			allow(Read, APIKey, "a"), allow(Read, "Project", "a.b"),
			deny(Create, APIKey, "a"), deny(Delete, APIKey, "a"), deny(Update, "Project", "a"), deny(Read|Create, APIKey, "a"),
		}},
		{"editor", caller(t, "a", false, role(Editor)), []decision{
			allow(Read, APIKey, "a"), allow(All, "Project", "a"), deny(Create, APIKey, "a"), deny(Update, "service_account", "a"),
		}},
		{"code scanner", caller(t, "a", false, role(CodeScanner)), []decision{
			allow(All, "project", "a"), allow(Read, "Policy", "a"), deny(Update, "Policy", "a"), deny(Create, APIKey, "a"),
		}},
		{"role of another product", caller(t, "a", true, role(SyncOrg)), []decision{deny(Read, APIKey, "a")}},
		{"rule on one kind, other spelling", caller(t, "a", false, rules("api_key", Read|Delete)), []decision{
			allow(Read, APIKey, "a"), allow(Delete, "ApiKey", "a"), deny(Create, APIKey, "a"), deny(Read, "Project", "a"),
		}},
		{"rule on every kind but one", caller(t, "a", false, rules(EveryKind, All).but("API_KEY")), []decision{
			allow(All, "Project", "a"), deny(Read, APIKey, "a"),
		}},
		{"an exception takes nothing from a role", caller(t, "a", false, role(ReadOnly).but(APIKey)), []decision{
			allow(Read, APIKey, "a"),
		}},
		{"nothing", caller(t, "a", true, grantOf()), []decision{deny(Read, APIKey, "a")}},
		{"zero caller", Caller{Grant: Grant{Roles: []Role{Admin}}, Propagate: true}, []decision{deny(Read, APIKey, "a")}},
	}
	for _, test := range tests {
		for _, d := range test.decisions {
			err := test.caller.Require(d.method, d.kind, parse(t, d.target))
			if (err == nil) != d.want || err != nil && !errors.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v on %s in %s: %v, want allowed %v", test.name, d.method, d.kind, d.target, err, d.want)
			}
		}
	}
}

func TestRequireBelow(t *testing.T) {
	reach := caller(t, "a", true, role(ReadOnly))
	own := caller(t, "a", false, role(ReadOnly))
	if err := reach.RequireBelow(Read, APIKey, parse(t, "a.b")); err != nil {
		t.Error(err)
	}
	if err := own.RequireBelow(Read, APIKey, parse(t, "a")); !errors.Is(err, fault.Forbidden) {
		t.Errorf("without propagate: %v", err)
	}
}

func TestIncludes(t *testing.T) {
	tests := []struct {
		name        string
		held, asked grant
		want        bool
	}{
		{"all, by rule", rules(EveryKind, All), role(Admin), true},
		{"all, by role", role(Admin), rules(EveryKind, All), true},
		{"owner and administrator are one", role(Owner), role(Admin), true},
		{"a token, by who has everything", role(Admin), role(SyncOrg), true},
		{"a token, by who has it", grantOf(ReadOnly, SyncOrg), role(SyncOrg), true},
		{"a token, by who has it not", role(ReadOnly), role(SyncOrg), false},
		{"a token, by who has everything but one kind", rules(EveryKind, All).but("x"), role(AIAudit), false},
		{"reading, by a reader", role(CodeScanner), role(ReadOnly), true},
		{"scanning, by a reader", role(ReadOnly), role(CodeScanner), false},
		{"a role by the rules that it expands to",
			rules(EveryKind, Read).and("policy", All).and("policy_template", All), role(PolicyEditor), true},
		{"a kind that is left out", rules(EveryKind, All).but("secret"), rules("Secret", Read), false},
		{"what is left out, again", rules(EveryKind, All).but("secret"), rules(EveryKind, All).but("Secret"), true},
		{"all, by who leaves one out", rules(EveryKind, All).but("secret"), role(Admin), false},
		{"an exception made whole by a rule", rules(EveryKind, All).but("secret").and("secret", All), role(ReadOnly), true},
		{"more methods", rules("x", Read), rules("x", Read|Update), false},
		{"every kind, by one", rules("x", All), rules(EveryKind, Read), false},
		{"nothing, by nothing", grantOf(), grantOf(), true},
		{"every kind but one that is none, by one kind", rules(APIKey, All), rules(EveryKind, All).but("_"), false},
		{"the same by who has a kind that is none", rules("_", All).and(APIKey, All), role(Admin), false},
		{"editor, by owner", role(Owner), role(Editor), true},
		{"viewer, by editor", role(Editor), role(Viewer), true},
		{"owner, by editor", role(Editor), role(Owner), false},
	}
	for _, test := range tests {
		if got := Grant(test.held).Includes(Grant(test.asked)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestRequireHolds(t *testing.T) {
	tests := []struct {
		name      string
		caller    Caller
		asked     grant
		target    string
		propagate bool
		want      bool
	}{
		{"own namespace", caller(t, "a", false, role(Admin)), role(Admin), "a", false, true},
		{"propagate not held", caller(t, "a", false, role(Admin)), role(ReadOnly), "a", true, false},
		{"below", caller(t, "a", true, role(Admin)), role(ReadOnly), "a.b", true, true},
		{"below, without propagate", caller(t, "a", false, role(Admin)), role(ReadOnly), "a.b", false, false},
		{"above", caller(t, "a.b", true, role(Admin)), role(ReadOnly), "a", false, false},
		{"look-alike", caller(t, "a.b", true, role(Admin)), role(ReadOnly), "a.bc", false, false},
		{"more than held", caller(t, "a", true, role(ReadOnly)), role(Admin), "a", false, false},
	}
	for _, test := range tests {
		err := test.caller.RequireHolds(Grant(test.asked), parse(t, test.target), test.propagate)
		if (err == nil) != test.want || err != nil && !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v, want held %v", test.name, err, test.want)
		}
	}
}

// Includes agrees with what inclusion means, kind by kind, over grants of all sorts,
// odd spellings included.
func TestIncludesAgreesWithBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"APIKey", "api_key", "ServiceAccount", "Project", "p_roject", "_", "__", "", "Finding", "é"}
	every := append([]string{
		"any other", "Policy", "PolicyTemplate", "Repository", "Installation", "Namespace", "ScanRequest",
	}, kinds...)
	granted, refused := 0, 0
	for range 100_000 {
		held, asked := randomGrant(random, kinds), randomGrant(random, kinds)
		want := holdsAll(held, asked, every) && holdsTokens(held, asked)
		if got := held.Includes(asked); got != want {
			t.Fatalf("%+v includes %+v: %v, want %v", held, asked, got, want)
		}
		if want {
			granted++
		} else {
			refused++
		}
	}
	if granted < 1000 || refused < 1000 {
		t.Errorf("%d inclusions and %d refusals prove little", granted, refused)
	}
}

func randomGrant(random *rand.Rand, kinds []string) Grant {
	all := append(SystemRoles(), Owner, Editor, Viewer)
	g := Grant{Rules: map[string]Method{}}
	for range random.IntN(3) {
		g.Roles = append(g.Roles, all[random.IntN(len(all))])
	}
	for range random.IntN(4) {
		g.Rules[kinds[random.IntN(len(kinds))]] = Method(random.IntN(int(All) + 1))
	}
	if random.IntN(2) == 0 {
		g.Rules[EveryKind] = Method(random.IntN(int(All) + 1))
	}
	for range random.IntN(3) {
		g.Except = append(g.Except, kinds[random.IntN(len(kinds))])
	}
	return g
}

func holdsAll(held, asked Grant, kinds []string) bool {
	for _, kind := range kinds {
		for _, method := range []Method{Read, Create, Update, Delete} {
			if asked.Allows(method, kind) && !held.Allows(method, kind) {
				return false
			}
		}
	}
	return true
}

// holdsTokens is inclusion of the roles that mean nothing here: by who has them, or
// has everything without exception in one piece.
func holdsTokens(held, asked Grant) bool {
	everything := held.Rules[EveryKind] == All && len(held.Except) == 0 ||
		slices.Contains(held.Roles, Admin) || slices.Contains(held.Roles, Owner)
	for _, token := range []Role{EndorPatching, SyncOrg, EndorProxy, PackageFirewall, AIAudit} {
		if slices.Contains(asked.Roles, token) && !slices.Contains(held.Roles, token) && !everything {
			return false
		}
	}
	return true
}

func TestIsKind(t *testing.T) {
	for text, want := range map[string]bool{"APIKey": true, "a": true, "_a": true, "": false, "_": false, "__": false, "*": false, "*_": false} {
		if got := IsKind(text); got != want {
			t.Errorf("%q is a kind: %v", text, got)
		}
	}
}

// A grant is a Grant that tests put together in one line.
type grant Grant

func grantOf(names ...Role) grant             { return grant{Roles: names} }
func role(name Role) grant                    { return grantOf(name) }
func rules(kind string, methods Method) grant { return grantOf().and(kind, methods) }
func (g grant) but(kinds ...string) grant     { g.Except = kinds; return g }
func (g grant) and(kind string, methods Method) grant {
	merged := map[string]Method{kind: methods}
	for k, m := range g.Rules {
		merged[k] |= m
	}
	g.Rules = merged
	return g
}

func caller(t *testing.T, ns string, propagate bool, g grant) Caller {
	t.Helper()
	return Caller{Namespace: parse(t, ns), Propagate: propagate, Grant: Grant(g)}
}

func parse(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
