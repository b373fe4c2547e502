package namespaces

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

func listCall(t *testing.T, query string) call {
	t.Helper()
	ns, err := namespace.Parse("demo")
	if err != nil {
		t.Fatal(err)
	}
	return call{Request: &web.Request{Operation: operation.ListAPIKeys, RawQuery: query}, namespace: ns}
}

func listingFor(t *testing.T, query string) (listing, error) {
	t.Helper()
	return listingOf(listCall(t, query), keySchema(), time.Now())
}

func TestPageSize(t *testing.T) {
	for given, want := range map[string]int{"": 100, "0": 100, "1": 1, "500": 500, "501": 500, "2147483647": 500, "99999999999999999999": 500} {
		l, err := listingFor(t, "list_parameters.page_size="+given)
		if err != nil || l.limit != want {
			t.Errorf("%q gives %d, %v, want %d", given, l.limit, err, want)
		}
	}
	for _, given := range []string{"-1", "%2B5", "-0", "1.5", "x"} {
		if _, err := listingFor(t, "list_parameters.page_size="+given); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", given, err)
		}
	}
}

// An offset is given only where it is known and would be taken.
func TestNextPage(t *testing.T) {
	shown := make([]entry, 10)
	for _, test := range []struct {
		name string
		listing
		want int
	}{
		{"the first page", listing{}, 10},
		{"a later one", listing{skip: 30}, 40},
		{"up to the last that can be skipped to", listing{skip: apikey.MaxSkip - 10}, apikey.MaxSkip},
		{"beyond it", listing{skip: apikey.MaxSkip - 9}, 0},
		{"behind a cursor", listing{after: &place{}}, 0},
	} {
		got := lister{listing: test.listing, reader: keyReader{}}.next(locator(t, "demo"), shown)
		if got.NextPageToken != test.want || got.NextPageID == "" {
			t.Errorf("%s: %+v, want the token %d", test.name, got, test.want)
		}
	}
	if got := (lister{reader: keyReader{}}).next(locator(t, "demo"), nil); got.NextPageToken != 0 || got.NextPageID == "" {
		t.Errorf("an empty page that is not the last: %+v", got)
	}
}

// A page ends before the platform would refuse it, whatever the texts are made of.
func TestPageFitsThePlatform(t *testing.T) {
	for _, text := range []string{`"`, `\`, "<", "\u2028", "é", "\x01", "x"} {
		entries := make([]entry, 60)
		for i := range entries {
			entries[i].message = apiKeyOf(apikey.Key{Texts: apikey.Texts{
				Annotations: map[string]string{"large": strings.Repeat(text, 150_000/len(text))},
			}})
		}
		objects, err := lister{}.encode(entries)
		if err != nil || len(objects) == 0 || len(objects) == len(entries) {
			t.Errorf("%q: %d objects, %v", text, len(objects), err)
		}
		answer, err := web.JSON(200, listAnswer{List: listPage{Objects: objects}}, false)
		if size := web.WireSize(answer.Body); err != nil || size > web.MaxAnswerBytes {
			t.Errorf("%q: an answer of %d bytes, %v", text, size, err)
		}
	}
}

// An error names a bounded number of fields, by names of bounded length.
func TestErrorsAreBounded(t *testing.T) {
	var fields []fault.Field
	for i := range 60_000 {
		fields = append(fields, fault.Field{Name: fmt.Sprintf("%06d%s", i, strings.Repeat("é", 5000)), Problem: "is wrong"})
	}
	response := Envelope(&web.Request{Operation: operation.CreateAPIKey}, fault.InvalidFields(fields...))
	if len(response.Body) > 200_000 || !strings.Contains(string(response.Body), "000099") || strings.Contains(string(response.Body), "000100") {
		t.Errorf("%d bytes: %.300s", len(response.Body), response.Body)
	}
}

func TestCountsOfTexts(t *testing.T) {
	many := createMeta{Name: "x", Annotations: map[string]string{}}
	for i := range 101 {
		many.Tags = append(many.Tags, "t")
		many.Annotations[fmt.Sprint(i)] = ""
	}
	var found problems
	many.read(&apikey.Draft{}, &found)
	if len(found.Fields) != 2 || found.Fields[0].Name != "meta.tags" || found.Fields[1].Name != "meta.annotations" {
		t.Errorf("%+v", found)
	}
}

// A grant that a request names is shown again in the same words.
func TestPermissionsThereAndBack(t *testing.T) {
	given := createPermissions{
		ExceptResources: []string{"Secret"},
		Roles:           []string{"SYSTEM_ROLE_CODE_SCANNER", "SYSTEM_ROLE_AI_AUDIT"},
		Rules: map[string]rules{
			"*":            {Methods: []string{"METHOD_ALL"}},
			"scan_profile": {Methods: []string{"METHOD_CREATE", "METHOD_DELETE", "METHOD_READ", "METHOD_UPDATE"}},
			"finding":      {Methods: []string{"METHOD_UPDATE", "METHOD_READ"}},
		},
	}
	var found problems
	grant := given.grant(&found)
	if found.Fields != nil || grant.Rules["scan_profile"] != access.All || grant.Rules["finding"] != access.Read|access.Update {
		t.Fatalf("%+v, %+v", grant, found)
	}
	got := fmt.Sprint(permissionsOf(grant))
	want := fmt.Sprint(permissions{
		ExceptResources: given.ExceptResources, Roles: given.Roles,
		Rules: map[string]rules{
			"*": {Methods: []string{"METHOD_ALL"}}, "scan_profile": {Methods: []string{"METHOD_ALL"}},
			"finding": {Methods: []string{"METHOD_READ", "METHOD_UPDATE"}},
		},
	})
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, role := range access.SystemRoles() {
		if isUnknownRole(string(role)) {
			t.Errorf("%s is unknown", role)
		}
	}
}
