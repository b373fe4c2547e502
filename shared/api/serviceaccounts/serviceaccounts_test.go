package serviceaccounts

import (
	"net/url"
	"testing"
	"time"
)

func TestNaiveTimes(t *testing.T) {
	noon := time.Date(2025, 10, 16, 12, 8, 11, 0, time.UTC)
	for at, want := range map[time.Time]string{
		noon:                              "2025-10-16T12:08:11",
		noon.Add(time.Microsecond):        "2025-10-16T12:08:11.000001",
		noon.Add(120 * time.Millisecond):  "2025-10-16T12:08:11.120000",
		noon.Add(999):                     "2025-10-16T12:08:11",
		noon.In(time.FixedZone("", 3600)): "2025-10-16T12:08:11",
	} {
		if got := naive(at); got != want {
			t.Errorf("%v is written %q, want %q", at, got, want)
		}
	}
}

// What a form asks for where it does not say so, in the order in which it is looked for.
func TestGrantOf(t *testing.T) {
	for form, want := range map[string]string{
		"grant_type=x&username=u&password=p": "x",
		"username=u&password=p":              passwordGrant,
		"username=&password=p":               apiKeyGrant,
		"password=p&device_code=d":           apiKeyGrant,
		"password=&device_code=d":            deviceGrant,
		"":                                   passwordGrant,
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		if got := grantOf(values); got != want {
			t.Errorf("%q is the grant %q, want %q", form, got, want)
		}
	}
}
