package namespaces

import (
	"testing"

	"latchkey/shared/apikey"
	"latchkey/shared/web"
)

// What is filled into a template is what encoding the message gives.
func TestTemplatesAreTheMessage(t *testing.T) {
	answers := newValidateAnswers()
	for _, compact := range []bool{false, true} {
		for _, text := range []string{"plain", "", "_", `"quoted" \ ` + "\u2028 <é>\x01"} {
			issuer := apikey.Actor{ID: text + "i", Name: text + "n"}
			valid := validateAnswer{Key: text + "k", IssuingUser: userOf(issuer), Valid: true}
			same(t, valid, compact)(answers.valid(text+"k", issuer, compact))
			same(t, validateAnswer{Key: text + "k"}, compact)(answers.invalid(text+"k", compact))
		}
		nobody := apikey.Actor{Name: "bootstrap@iam"}
		valid := validateAnswer{Key: "k", IssuingUser: userOf(nobody), Valid: true}
		same(t, valid, compact)(answers.valid("k", nobody, compact))
	}
}

func same(t *testing.T, message any, compact bool) func(web.Response, error) {
	return func(got web.Response, err error) {
		t.Helper()
		want, wantErr := web.JSON(200, message, compact)
		if err != nil || wantErr != nil || string(got.Body) != string(want.Body) {
			t.Errorf("%s, %v\nwant %s, %v", got.Body, err, want.Body, wantErr)
		}
	}
}
