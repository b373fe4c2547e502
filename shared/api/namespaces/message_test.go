package namespaces

import (
	"reflect"
	"slices"
	"testing"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
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

// The fields that are known to come from a key's texts are those that its texts change.
func TestTextPaths(t *testing.T) {
	texts := apikey.Texts{
		Description: "d", Tags: []string{"t"}, Annotations: map[string]string{"a": "b"}, Parent: apikey.Parent{Kind: "k", UUID: "u"},
	}
	if texts.IsZero() || reflect.ValueOf(texts).NumField() != 4 {
		t.Fatal("a text is not set here")
	}
	with, without := reflect.ValueOf(apiKeyOf(apikey.Key{Texts: texts}).Meta), reflect.ValueOf(apiKeyOf(apikey.Key{}).Meta)
	var changed, known []string
	for i := range with.NumField() {
		if !reflect.DeepEqual(with.Field(i).Interface(), without.Field(i).Interface()) {
			changed = append(changed, "meta."+with.Type().Field(i).Tag.Get("json"))
		}
	}
	for _, path := range textPaths() {
		known = append(known, path.String())
	}
	slices.Sort(known)
	slices.Sort(changed)
	if !slices.Equal(changed, known) {
		t.Errorf("texts change %v, known are %v", changed, known)
	}
}
