package access

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Includes agrees with what inclusion means, kind by kind, over grants of all sorts,
// odd spellings included.
func TestIncludesAgreesWithBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"APIKey", "api_key", "ServiceAccount", "Project", "p_roject", "_", "__", "", "Finding", "é"}
	every := append([]string{
		"any other", "Policy", "PolicyTemplate", "Repository", "Installation", "Namespace", "ScanRequest",
	}, kinds...)
	granted, refused := 0, 0
	for range 30_000 {
		held, asked := randomGrant(random, kinds), randomGrant(random, kinds)
		want := holdsAll(held, asked, every) && holdsTokens(held, asked, every)
		if got := held.Includes(asked); got != want {
			t.Fatalf("%+v includes %+v: %v, want %v", held, asked, got, want)
		}
		if want {
			granted++
		} else {
			refused++
		}
	}
	if granted < 300 || refused < 300 {
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
// has everything.
func holdsTokens(held, asked Grant, kinds []string) bool {
	everything := holdsAll(held, Grant{Roles: []Role{Admin}}, kinds)
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
