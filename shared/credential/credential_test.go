package credential

import "testing"

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc": "abc", "bearer  abc ": "abc", "BEARER a b": "a b",
		"abc": "", "Basic abc": "", "Bearer": "", "Bearer ": "", "": "", " Bearer abc": "", "Bearerabc": "",
	} {
		if got, ok := Bearer(header); ok != (want != "") || ok && got != want {
			t.Errorf("%q bears %q, %v, want %q", header, got, ok, want)
		}
	}
}
