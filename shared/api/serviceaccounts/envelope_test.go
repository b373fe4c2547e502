package serviceaccounts

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/fault"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

func rendered(err error) (status int, body string) {
	response := Envelope(&web.Request{}, fault.Of(err))
	return response.Status, string(response.Body)
}

// Every kind of fault, and every exception to it, has ZenML's form.
func TestEnvelope(t *testing.T) {
	const bare, detail = `["%s","message"]`, `{"detail":["%s","message"]}`
	forms := map[fault.Kind]struct {
		status int
		body   string
	}{
		fault.Internal:         {500, fmt.Sprintf(detail, "RuntimeError")},
		fault.Malformed:        {422, fmt.Sprintf(bare, "ValueError")},
		fault.Invalid:          {422, fmt.Sprintf(bare, "ValueError")},
		fault.Unauthenticated:  {401, fmt.Sprintf(detail, "CredentialsNotValid")},
		fault.Forbidden:        {403, fmt.Sprintf(detail, "IllegalOperationError")},
		fault.NotFound:         {404, `{"detail":"message"}`},
		fault.Exists:           {409, fmt.Sprintf(detail, "EntityExistsError")},
		fault.Conflict:         {409, fmt.Sprintf(detail, "EntityExistsError")},
		fault.TooLarge:         {413, fmt.Sprintf(detail, "ValueError")},
		fault.MethodNotAllowed: {405, fmt.Sprintf(detail, "MethodNotAllowedError")},
		fault.Unavailable:      {503, fmt.Sprintf(detail, "RuntimeError")},
		fault.TimedOut:         {504, fmt.Sprintf(detail, "RuntimeError")},
	}
	for _, kind := range fault.Kinds() {
		want, known := forms[kind]
		if !known {
			t.Errorf("%v has no form here", kind)
		}
		status, body := rendered(fault.Wrap(kind, errors.New("internals"), "message"))
		if status != want.status || body != want.body {
			t.Errorf("%v: %d %s, want %d %s", kind, status, body, want.status, want.body)
		}
	}
}

func TestExceptions(t *testing.T) {
	gone := fault.New(fault.NotFound, "the store's words")
	for _, test := range []struct {
		err    error
		status int
		body   string
	}{
		{errNotAuthenticated, 401, `{"detail":"Not authenticated"}`},
		{fmt.Errorf("outer: %w", errNotAuthenticated), 401, `{"detail":"Not authenticated"}`},
		{invalid(session.Refuse(errors.New("why"))), 401, `{"detail":["CredentialsNotValid","Authentication error: the credential is not valid"]}`},
		{missing(gone, anAccount, "ci"), 404, `{"detail":["KeyError","\"No service account 'ci' was found.\""]}`},
		{missing(fmt.Errorf("outer: %w", gone), aKey, "k"), 404, `{"detail":["KeyError","\"No API key 'k' was found.\""]}`},
		{missing(gone, aKey, ""), 404, `{"detail":["KeyError","\"No API key '' was found.\""]}`},
		{missing(gone, aKey, "\xff"), 404, `{"detail":["KeyError","\"No API key '` + "\uFFFD" + `' was found.\""]}`},
		{outOfStore("text"), 400, `{"detail":["ValueError","text"]}`},
		{misasked(&query.Error{Kind: query.Store, Text: "text"}), 400, `{"detail":["ValueError","text"]}`},
		{misasked(&query.Error{Kind: query.Filter, Text: "text"}), 422, `{"detail":["ValueError","text"]}`},
		{misasked(&query.Error{Kind: query.Request, Text: "text"}), 422, `["ValueError","text"]`},
		{misasked(fmt.Errorf("outer: %w", &query.Error{Kind: query.Filter, Text: "text"})), 422, `{"detail":["ValueError","text"]}`},
		{errors.New("internals"), 500, `{"detail":["RuntimeError","internal error"]}`},
	} {
		if status, body := rendered(test.err); status != test.status || body != test.body {
			t.Errorf("%v: %d %s, want %d %s", test.err, status, body, test.status, test.body)
		}
	}
}

// What is another fault, or none, passes through.
func TestFaultsThatAreNoException(t *testing.T) {
	for _, err := range []error{nil, errors.New("e"), fault.New(fault.Conflict, "c"), fault.New(fault.Forbidden, "f")} {
		if got := missing(err, aKey, "k"); got != err {
			t.Errorf("missing makes %v of %v", got, err)
		}
		if got := misasked(err); got != err {
			t.Errorf("misasked makes %v of %v", got, err)
		}
		if got := invalid(err); got != err {
			t.Errorf("invalid makes %v of %v", got, err)
		}
	}
	why := errors.New("why")
	for _, err := range []error{
		missing(fault.Wrap(fault.NotFound, why, "m"), aKey, "k"), invalid(session.Refuse(why)),
	} {
		if !errors.Is(err, why) || !strings.Contains(err.Error(), "why") {
			t.Errorf("%v has lost its cause, which is for the log", err)
		}
	}
}

// Every field is named, each on a line of its own.
func TestFieldsInEnvelope(t *testing.T) {
	var fields []fault.Field
	for i, name := range []string{"body.name", "body.active", "body.description"} {
		fields = append(fields, fault.Field{Name: name, Problem: fmt.Sprint("problem ", i)})
	}
	status, body := rendered(fault.InvalidFields(fields...))
	if status != http.StatusUnprocessableEntity || !strings.HasPrefix(body, `["ValueError","3 validation error`) || strings.Contains(body, "invalid request") {
		t.Errorf("%d %s", status, body)
	}
	for _, field := range fields {
		if !strings.Contains(body, `\n  `+field.Name+": "+field.Problem) {
			t.Errorf("%s is not in %s", field.Name, body)
		}
	}
	if _, body := rendered(fault.InvalidField("body.name", "p")); !strings.HasPrefix(body, `["ValueError","1 validation error`) || strings.Contains(body, "errors") {
		t.Errorf("one problem: %s", body)
	}
}

// As Python's repr does, for texts in which a single quote stands.
func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		`No 'x'`:      `"No 'x'"`,
		`No 'a"b'`:    `'No \'a"b\''`,
		`No 'a"\'`:    `'No \'a"\\\''`,
		`No 'it's'`:   `"No 'it's'"`,
		`No 'it's"'`:  `'No \'it\'s"\''`,
		`No 'ä 😀'`:    `"No 'ä 😀'"`,
		`No '` + `'`:  `"No ''"`,
		`No 'a\b'`:    `"No 'a\\b'"`,
		`No '"''"\n'`: `'No \'"\'\'"\\n\''`,
	} {
		if got := quoted(text); got != want {
			t.Errorf("%s is quoted %s, want %s", text, got, want)
		}
	}
}

func TestShortened(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		strings.Repeat("x", 100):  strings.Repeat("x", 100),
		strings.Repeat("x", 101):  strings.Repeat("x", 100) + "…",
		strings.Repeat("😀", 100):  strings.Repeat("😀", 100),
		strings.Repeat("😀", 9999): strings.Repeat("😀", 100) + "…",
	} {
		if got := shortened(text); got != want {
			t.Errorf("%d bytes are shortened to %d, want %d", len(text), len(got), len(want))
		}
	}
}
