package serviceaccounts

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"
	"latchkey/shared/namespace"
)

var (
	created = time.Date(2025, 10, 16, 15, 8, 11, 0, time.UTC)
	keyID   = apikey.ID{0x01, 0x9b, 6: 0x7a, 8: 0x83, 15: 0xce}
	ownerID = apikey.ID{0x01, 0x9c, 6: 0x7a, 8: 0x83, 15: 0xcf}
)

const (
	keyIDText   = "019b0000-0000-7a00-8300-0000000000ce"
	ownerIDText = "019c0000-0000-7a00-8300-0000000000cf"

	accountText = `{"body":{"created":"2025-10-16T15:08:11","updated":"2025-10-16T15:08:12","full_name":"CI","active":true,"avatar_url":null},` +
		`"metadata":null,"resources":null,"id":"` + ownerIDText + `","permission_denied":false,"name":"ci"}`
)

func inJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func anyAccount() apikey.Account {
	return apikey.Account{
		ID: ownerID, Name: "ci", FullName: "CI", CreatedAt: created, UpdatedAt: created.Add(time.Second),
		Texts: apikey.AccountTexts{Description: "d"}, HasTexts: true,
	}
}

func anyKey() apikey.Key {
	ns, _ := namespace.Parse("demo")
	return apikey.Key{
		Locator: apikey.Locator{Namespace: ns, ID: keyID}, Name: "k", Account: ownerID, CreatedAt: created, UpdatedAt: created,
		Texts: apikey.Texts{Description: "<d>", Tags: []string{"hidden"}},
	}
}

// Members stand in this order, and nulls are there.
func TestAccountsOnTheWire(t *testing.T) {
	account := anyAccount()
	if diff := cmp.Diff(accountText, inJSON(t, accountOf(account, false))); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	hydrated := strings.Replace(accountText, `"metadata":null`, `"metadata":{"description":"d","external_user_id":null}`, 1)
	if diff := cmp.Diff(hydrated, inJSON(t, accountOf(account, true))); diff != "" {
		t.Errorf("hydrated (-want +got):\n%s", diff)
	}
	account.Disabled, account.FullName, account.Texts = true, "", apikey.AccountTexts{AvatarURL: "u"}
	want := strings.NewReplacer(`"CI"`, `""`, "true", "false", `"avatar_url":null`, `"avatar_url":"u"`,
		`"metadata":null`, `"metadata":{"description":"","external_user_id":null}`).Replace(accountText)
	if diff := cmp.Diff(want, inJSON(t, accountOf(account, true))); diff != "" {
		t.Errorf("switched off (-want +got):\n%s", diff)
	}
}

func TestKeysOnTheWire(t *testing.T) {
	key, account := anyKey(), anyAccount()
	plain := `{"body":{"created":"2025-10-16T15:08:11","updated":"2025-10-16T15:08:11","key":null,"active":true,"service_account":` + accountText +
		`},"metadata":null,"resources":null,"id":"` + keyIDText + `","permission_denied":false,"name":"k"}`
	if diff := cmp.Diff(plain, inJSON(t, keyOf(key, account, false))); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	const metadata = `"metadata":{"description":"<d>","retain_period_minutes":0,"last_login":null,"last_rotated":null},"resources":null,"id":"` + keyIDText
	hydrated := strings.Replace(plain, `"metadata":null,"resources":null,"id":"`+keyIDText, metadata, 1)
	if diff := cmp.Diff(hydrated, inJSON(t, keyOf(key, account, true))); diff != "" {
		t.Errorf("hydrated (-want +got):\n%s", diff)
	}
	key.Disabled, key.RetainMinutes = true, -5
	key.UsedAt, key.RotatedAt, key.UpdatedAt = created.Add(3*time.Microsecond), created.Add(2*time.Hour), created.Add(2*time.Hour)
	got := inJSON(t, keyOf(key, account, true))
	for _, part := range []string{
		`"updated":"2025-10-16T17:08:11","key":null,"active":false`, `"retain_period_minutes":-5,"last_login":"2025-10-16T15:08:11.000003","last_rotated":"2025-10-16T17:08:11"`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s is not in %s", part, got)
		}
	}
}

// A key's text stands where it is shown once, in ZenML's form, and nowhere else.
func TestShowing(t *testing.T) {
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	full, err := apikey.ParseFullKey(vectors.Accepted[0].FullKey)
	if err != nil {
		t.Fatal(err)
	}
	answer := keyOf(anyKey(), anyAccount(), false)
	shown := showing(answer, full)
	if shown.Body.Key == nil || *shown.Body.Key != vectors.Accepted[0].Wrapped {
		t.Errorf("the key is shown as %v", shown.Body.Key)
	}
	if answer.Body.Key != nil {
		t.Error("the answer before has it too")
	}
}

// The later of both is when a key was updated.
func TestUpdatedAt(t *testing.T) {
	for _, test := range []struct{ changed, used, want time.Time }{
		{created, time.Time{}, created},
		{created, created.Add(1), created.Add(1)},
		{created.Add(1), created, created.Add(1)},
		{created, created, created},
	} {
		if got := updatedAt(apikey.Key{UpdatedAt: test.changed, UsedAt: test.used}); !got.Equal(test.want) {
			t.Errorf("changed %v, used %v: %v", test.changed, test.used, got)
		}
	}
}

func TestUsersOnTheWire(t *testing.T) {
	const user = `{"body":{"created":"2025-10-16T15:08:11","updated":"2025-10-16T15:08:12","active":true,"activation_token":null,"full_name":"CI",` +
		`"email_opted_in":false,"is_service_account":true,"is_admin":false,"avatar_url":null},"metadata":{"email":null,"external_user_id":null},` +
		`"resources":null,"id":"` + ownerIDText + `","permission_denied":false,"name":"ci"}`
	if diff := cmp.Diff(user, inJSON(t, userOfAccount(anyAccount()))); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	key := anyKey()
	key.Account, key.UpdatedAt = apikey.ID{}, created.Add(time.Second)
	plain := strings.NewReplacer(`"CI"`, `""`, `"is_service_account":true`, `"is_service_account":false`, ownerIDText, keyIDText, `"ci"`, `"k"`).Replace(user)
	if diff := cmp.Diff(plain, inJSON(t, userOf(key))); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	key.Grant = access.Grant{Roles: []access.Role{access.Admin}}
	if diff := cmp.Diff(strings.Replace(plain, `"is_admin":false`, `"is_admin":true`, 1), inJSON(t, userOf(key))); diff != "" {
		t.Errorf("administrator (-want +got):\n%s", diff)
	}
	avatar := anyAccount()
	avatar.Texts.AvatarURL = "u"
	if got := inJSON(t, userOfAccount(avatar)); !strings.Contains(got, `"avatar_url":"u"`) {
		t.Errorf("avatar: %s", got)
	}
}

// What looks like a UUID is an id, in either case, though it may be of nothing.
func TestHandleIn(t *testing.T) {
	byID := func(text string) apikey.Handle {
		id, ok := apikey.ParseID(text)
		if !ok {
			t.Fatal(text)
		}
		return apikey.ByID(id)
	}
	const id = "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	nothing := apikey.ByID(apikey.ID{})
	for segment, want := range map[string]apikey.Handle{
		id:                                     byID(id),
		strings.ToUpper(id):                    byID(id),
		"019B7ca9-8f2e-7E98-833b-d887d15218ce": byID(id),
		"37f4f174-9c2b-4d1e-8a3b-d887d15218ce": nothing, // version 4
		"37F4F174-9C2B-4D1E-8A3B-D887D15218CE": nothing,
		"019b7ca9-8f2e-7e98-c33b-d887d15218ce": nothing, // another variant
		"00000000-0000-0000-0000-000000000000": nothing,
		"ffffffff-ffff-ffff-ffff-ffffffffffff": nothing,
	} {
		if diff := cmp.Diff(want, handleIn(segment), cmp.AllowUnexported(apikey.Handle{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", segment, diff)
		}
	}
	for _, name := range []string{
		"", "ci", strings.ReplaceAll(id, "-", ""), "{" + id + "}", "urn:uuid:" + id, id[:35], id + "0", " " + id[:35],
		strings.ReplaceAll(id, "7", "g"), strings.ReplaceAll(id, "-", "_"), "019b7ca98-f2e-7e98-833b-d887d15218ce", strings.Repeat("x", 36),
		"{19b7ca9-8f2e-7e98-833b-d887d15218c}", strings.Repeat("é", 18),
	} {
		if diff := cmp.Diff(apikey.ByName(name), handleIn(name), cmp.AllowUnexported(apikey.Handle{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
