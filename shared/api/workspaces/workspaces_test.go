package workspaces

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/web"
)

func TestExpiryIsTheEndOfADay(t *testing.T) {
	const second = time.Second
	today := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		day  string
		now  time.Time
		want string // empty: an error
	}{
		{"2026-05-06", today, "2026-05-07T00:00:00Z"},
		{"2026-05-06", today.Add(24*time.Hour - 1), "2026-05-07T00:00:00Z"},
		{"2026-05-06", today.Add(24 * time.Hour), ""},
		{"2026-05-05", today, ""},
		{"2026-05-06", today.In(time.FixedZone("", -8*60*60)), "2026-05-07T00:00:00Z"},
		{"2028-02-29", today, "2028-03-01T00:00:00Z"},
		{"2025-02-30", today.AddDate(-2, 0, 0), ""},
		{"2026-12-31", today, "2027-01-01T00:00:00Z"},
		{"9999-12-30", today, "9999-12-31T00:00:00Z"},
		{"9999-12-31", today, "0001-01-01T00:00:00Z"},
		{"10000-01-01", today, ""},
		{"2026-5-6", today, ""},
		{" 2026-05-06", today, ""},
		{"2026-05-06T00:00:00Z", today, ""},
		{"06/05/2026", today, ""},
		{"", today, ""},
	} {
		var found problems
		at := found.expiry(given{"validUntil", test.day}, test.now)
		got := at.Format(time.RFC3339)
		if len(found.Fields) > 0 {
			got = ""
		}
		if got != test.want {
			t.Errorf("%q at %v: %q, want %q", test.day, test.now, got, test.want)
		}
		if shown := validityOf(at); test.want != "" && shown != test.day {
			t.Errorf("%q is shown as %q", test.day, shown)
		}
	}
	for at, want := range map[time.Time]string{
		today.Add(second):  "2026-05-06",
		today:              "2026-05-05",
		today.Add(-second): "2026-05-05",
		{}:                 "9999-12-31",
	} {
		if got := validityOf(at); got != want {
			t.Errorf("%v is shown as %q, want %q", at, got, want)
		}
	}
}

func TestWhereAKeyLives(t *testing.T) {
	long := strings.Repeat("x", 63)
	deep := strings.Join([]string{long, long, long, "y"}, ".")
	for _, test := range []struct{ caller, workspace, want string }{
		{"demo", "", "demo"},
		{"demo", "tiger", "demo.tiger"},
		{"demo", "Tiger", "demo.Tiger"},
		{"demo", "demo", "demo"},
		{"demo", "Demo", "demo.Demo"},
		{"demo.tiger", "tiger", "demo.tiger"},
		{"demo.tiger", "demo", "demo.tiger.demo"},
		{"demo", long, "demo." + long},
		{"demo", long + "x", ""},
		{"demo", "a.b", ""},
		{"demo", "-a", ""},
		{"demo", "a b", ""},
		{"demo", "ä", ""},
		{deep, long, ""},
	} {
		var found problems
		got := found.workspace(parse(t, test.caller), given{"workspaceName", test.workspace}).String()
		if len(found.Fields) > 0 {
			got = ""
		}
		if got != test.want {
			t.Errorf("%q of %s is %q, want %q", test.workspace, test.caller, got, test.want)
		}
	}
}

func TestHowAKeyIsListed(t *testing.T) {
	role := func(roles ...access.Role) access.Grant { return access.Grant{Roles: roles} }
	rules := func(kind string, methods access.Method, except ...string) access.Grant {
		return access.Grant{Rules: map[string]access.Method{kind: methods}, Except: except}
	}
	for _, test := range []struct {
		grant                 access.Grant
		at                    string
		role, saName, working string
	}{
		{role(access.Owner), "demo", "Owner", "kubeslice-rbac-rw-external-apis", ""},
		{role(access.Owner), "demo.w", "Owner", "kubeslice-rbac-rw-external-apis", "w"},
		{role(access.Editor), "demo.w", "Editor", "kubeslice-rbac-rw-slice-w", "w"},
		{role(access.Viewer), "demo.w", "Viewer", "kubeslice-rbac-ro-slice-w", "w"},
		{role(access.Viewer), "demo", "Viewer", "kubeslice-rbac-ro-slice-demo", "demo"},
		{role(access.Editor), "demo.w.x", "Editor", "kubeslice-rbac-rw-slice-w.x", "w.x"},
		{role(access.Admin), "demo", "Owner", "kubeslice-rbac-rw-external-apis", ""},
		{role(access.ReadOnly), "demo.w", "Viewer", "kubeslice-rbac-ro-slice-w", "w"},
		{role(access.PolicyEditor), "demo.w", "Editor", "kubeslice-rbac-rw-slice-w", "w"},
		{role(access.SyncOrg), "demo.w", "Viewer", "kubeslice-rbac-ro-slice-w", "w"},
		{access.Grant{}, "demo.w", "Viewer", "kubeslice-rbac-ro-slice-w", "w"},
		{rules("*", access.All), "demo.w", "Owner", "kubeslice-rbac-rw-external-apis", "w"},
		{rules("*", access.All, "secret"), "demo.w", "Editor", "kubeslice-rbac-rw-slice-w", "w"},
		{rules("*", access.Read), "demo.w", "Viewer", "kubeslice-rbac-ro-slice-w", "w"},
		{rules("APIKey", access.Delete), "demo.w", "Editor", "kubeslice-rbac-rw-slice-w", "w"},
	} {
		key := apikey.Key{
			Locator: apikey.Locator{Namespace: parse(t, test.at)}, Grant: test.grant, Name: "n",
			CreatedBy: apikey.Actor{Name: "maker@api-key"},
		}
		want := item{
			ID: strings.Repeat("0", 32), APIKey: key.Locator.String(), Name: "n", Role: test.role, SAName: test.saName,
			WorkspaceName: test.working, TokenTTLSeconds: "900", UserName: "maker@api-key", Validity: "9999-12-31",
		}
		if diff := cmp.Diff(want, itemOf(key, parse(t, "demo"))); diff != "" {
			t.Errorf("%+v in %s:\n%s", test.grant, test.at, diff)
		}
	}
}

// Whatever a body holds, it is a draft that the domain takes or an error that names a
// field of it.
func FuzzCreateRequest(f *testing.F) {
	f.Add([]byte(`{"name":"n","role":"Editor","validUntil":"2099-12-31","workspaceName":"w","more":{"x":1}}`))
	f.Add([]byte(`{"role":"owner","validity":"2025-02-30","sliceName":"a b","workspaceName":"b"}`))
	ns := parse(f, "demo")
	service := apikey.NewService(apikey.Config{Clock: time.Now})
	f.Fuzz(func(t *testing.T, body []byte) {
		var request createRequest
		if web.DecodeOpenJSON(body, &request) != nil {
			return
		}
		draft, found := request.draft(ns, time.Now())
		for _, field := range found.Fields {
			if field.Name == "" || field.Problem == "" {
				t.Errorf("%s: %+v", body, field)
			}
		}
		if len(found.Fields) > 0 {
			return
		}
		if ns != draft.Namespace && !ns.Contains(draft.Namespace) || draft.User == "" {
			t.Errorf("%s gives %+v", body, draft)
		}
		for _, field := range service.Problems(draft) {
			if field.Name != "name" {
				t.Errorf("%s: only the domain finds that %s %s", body, field.Name, field.Problem)
			}
		}
	})
}

func parse(t testing.TB, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
