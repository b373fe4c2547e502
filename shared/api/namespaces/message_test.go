package namespaces

import (
	"slices"
	"testing"

	"latchkey/shared/access"
)

// What a strict client is shown of a role that it does not know is that role's worth,
// neither more nor less, in roles that it knows.
func TestRolesOfOtherAPIs(t *testing.T) {
	for _, role := range []access.Role{access.Owner, access.Editor, access.Viewer} {
		held := access.Grant{Roles: []access.Role{role}}
		shown := inSystemRoles(held)
		if !shown.Includes(held) || !held.Includes(shown) {
			t.Errorf("%s shows as %+v", role, shown)
		}
		for _, known := range shown.Roles {
			if !slices.Contains(access.SystemRoles(), known) {
				t.Errorf("%s shows as %s", role, known)
			}
		}
		var found problems
		back := createPermissions(permissionsOf(held)).grant(&found)
		if len(found.Fields) > 0 || !back.Includes(held) || !held.Includes(back) {
			t.Errorf("%s is shown as what cannot be asked for again: %v", role, found)
		}
	}
}
