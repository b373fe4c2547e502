package event_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/event"
	"latchkey/localstack/lambdahost/hosttest"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

func TestFill(t *testing.T) {
	reads := 0
	values := event.Values{
		"plain": event.Fixed("x"),
		"quote": event.Fixed("a\"b\nc"),
		"once":  func() (string, error) { reads++; return "1", nil },
		"not":   func() (string, error) { return "", errors.New("out of order") },
	}
	tests := []struct {
		name, event string
		want        string
		wantErr     string
	}{
		{"none", `{"a":"b","c":{"d":{}}}`, `{"a":"b","c":{"d":{}}}`, ""},
		{"one", `{"a":"{{plain}}"}`, `{"a":"x"}`, ""},
		{"inside a text", `"<{{plain}}-{{plain}}>"`, `"<x-x>"`, ""},
		{"what JSON escapes", `"{{quote}}"`, `"a\"b\nc"`, ""},
		{"asked for once", `"{{once}}{{once}}"`, `"11"`, ""},
		{"unknown", `"{{else}}"`, "", "placeholder {{else}}: unknown: there are not, once, plain, quote"},
		{"misspelled", `"{{ plain }}"`, "", "placeholder {{ plain }}: unknown"},
		{"no value", `"{{not}}"`, "", "placeholder {{not}}: out of order"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := event.Fill([]byte(test.event), values)
			if string(got) != test.want {
				t.Errorf("got %s", got)
			}
			if !says(err, test.wantErr) {
				t.Errorf("error %v", err)
			}
		})
	}
	if reads != 1 {
		t.Errorf("%d reads", reads)
	}
}

func TestKeyValues(t *testing.T) {
	text, err := hosttest.PublishedKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := apikey.ParseFullKey(text)
	if err != nil {
		t.Fatal(err)
	}
	values := event.KeyValues(event.Fixed(text))
	got, err := event.Fill([]byte("{{root-key}} {{root-key-id}}_{{root-secret}} {{root-uuid}}"), values)
	if err != nil {
		t.Fatal(err)
	}
	if want := text + " " + text + " " + key.Locator.ID.String(); string(got) != want {
		t.Error("the parts are not the key's")
	}
}

func TestKeyValuesOfNoKey(t *testing.T) {
	missing := errors.New("no file")
	if _, err := event.Fill([]byte("{{root-uuid}}"), event.KeyValues(func() (string, error) { return "", missing })); !errors.Is(err, missing) {
		t.Errorf("got %v", err)
	}
	_, err := event.Fill([]byte("{{root-uuid}}"), event.KeyValues(event.Fixed("lk_secret")))
	if !errors.Is(err, apikey.ErrMalformed) || strings.Contains(err.Error(), "lk_secret") {
		t.Errorf("got %v", err)
	}
}

func TestCreatedAPIKey(t *testing.T) {
	tests := []struct {
		name, response string
		want           string
		wantErr        string
	}{
		{"created", `{"statusCode":200,"body":"{\"uuid\":\"u-1\",\"spec\":{\"key\":\"lk_1\",\"secret\":\"s\"}}"}`, "u-1 lk_1", ""},
		{"without an identifier", `{"statusCode":200,"body":"{\"uuid\":\"u-1\"}"}`, "", "by create-api-key, status 200: no such thing"},
		{"without a secret", `{"statusCode":200,"body":"{\"uuid\":\"u-1\",\"spec\":{\"key\":\"lk_1\"}}"}`, "", "by create-api-key, status 200: no such thing"},
		{"refused", `{"statusCode":401,"body":"{\"code\":16}"}`, "", "by create-api-key, status 401: no such thing"},
		{"another body", `{"statusCode":502,"body":"[]"}`, "", "by create-api-key, status 502: body: json: "},
		{"no JSON", `nonsense`, "", "by create-api-key, status 0: response: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sent, values := creating(map[string]string{operation.CreateAPIKey.Name: test.response})
			wantFilled(t, values, "{{created-uuid}} {{created-key-id}}", test.want, test.wantErr)
			if diff := cmp.Diff([]string{`create-api-key "b"`}, *sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// Of the sample event only the body is another one.
func TestCreatedReader(t *testing.T) {
	var sent []string
	values := event.Values{"a": event.Fixed("b")}
	sample := `{"path":"{{a}}","body":"{}"}`
	maps.Copy(values, event.Created(
		func(operation.Operation) ([]byte, error) { return []byte(sample), nil }, values,
		func(op operation.Operation, text []byte) ([]byte, error) {
			sent = append(sent, op.Name+" "+string(text))
			return []byte(`{"statusCode":200,"body":"{\"uuid\":\"u-1\",\"spec\":{\"key\":\"lk_1\",\"secret\":\"s\"}}"}`), nil
		},
	))
	wantFilled(t, values, "{{orders-reader-id}} {{orders-reader-key}} {{orders-reader-id}}", "u-1 lk_1_s u-1", "")
	body := `{\"meta\":{\"name\":\"orders reader\"},\"spec\":{\"expiration_time\":\"2099-12-31T00:00:00Z\",` +
		`\"permissions\":{\"rules\":{\"orders\":{\"methods\":[\"METHOD_READ\"]}}}}}`
	if diff := cmp.Diff([]string{`create-api-key {"body":"` + body + `","path":"b"}`}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	_, values = creating(nil) // whose sample is no object
	wantFilled(t, values, "{{orders-reader-key}}", "", "sample event: ")
}

// An account is created before its key, and both once however often they are named.
func TestCreatedAccounts(t *testing.T) {
	const account, key = `{"statusCode":200,"body":"{\"id\":\"a-1\"}"}`, `{"statusCode":200,"body":"{\"id\":\"k-1\",\"body\":{\"key\":\"ZENKEY_1\"}}"}`
	const forAccount, forKey = `create-service-account "b"`, `create-account-key "a-1b"`
	tests := []struct {
		name, event, account, key string
		want                      string
		wantSent                  []string
		wantErr                   string
	}{
		{"neither", "{{a}}", "", "", "b", nil, ""},
		{"an account", "{{created-account-id}} {{created-account-id}}", account, "", "a-1 a-1", []string{forAccount}, ""},
		{
			"a key", "{{created-account-key-id}} {{created-account-id}} {{created-account-key}}", account, key,
			"k-1 a-1 ZENKEY_1", []string{forAccount, forKey}, "",
		},
		{"a refused account", "{{created-account-key}}", `{"statusCode":401,"body":"[]"}`, key, "", []string{forAccount}, "create-service-account, status 401"},
		{"a key that is not shown", "{{created-account-key-id}}", account, account, "", []string{forAccount, forKey}, "create-account-key, status 200"},
		{"no JSON", "{{created-account-id}}", "nonsense", "", "", []string{forAccount}, "status 0: response: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sent, values := creating(map[string]string{
				operation.CreateServiceAccount.Name: test.account, operation.CreateAccountKey.Name: test.key,
			})
			wantFilled(t, values, test.event, test.want, test.wantErr)
			if diff := cmp.Diff(test.wantSent, *sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsSent(t *testing.T) {
	outage := errors.New("out of order")
	sample := func(operation.Operation) ([]byte, error) { return []byte(`"{{a}}"`), nil }
	values := event.Created(sample, event.Values{"a": func() (string, error) { return "", outage }}, nil)
	if _, err := values[event.CreatedUUID](); !errors.Is(err, outage) {
		t.Errorf("a value is missing: %v", err)
	}
	values = event.Created(func(operation.Operation) ([]byte, error) { return nil, outage }, nil, nil)
	if _, err := values[event.CreatedAccountID](); !errors.Is(err, outage) {
		t.Errorf("the sample is missing: %v", err)
	}
}

// creating gives values whose creations are answered as told, and what was sent for them.
func creating(responses map[string]string) (sent *[]string, values event.Values) {
	sent = new([]string)
	sample := func(op operation.Operation) ([]byte, error) {
		if op.Name == operation.CreateAccountKey.Name {
			return []byte(`"{{created-account-id}}{{a}}"`), nil
		}
		return []byte(`"{{a}}"`), nil
	}
	values = event.Values{"a": event.Fixed("b")}
	maps.Copy(values, event.Created(sample, values, func(op operation.Operation, text []byte) ([]byte, error) {
		*sent = append(*sent, op.Name+" "+string(text))
		return []byte(responses[op.Name]), nil
	}))
	return sent, values
}

func wantFilled(t *testing.T, values event.Values, text, want, wantErr string) {
	t.Helper()
	got, err := event.Fill([]byte(text), values)
	if err == nil && string(got) != want {
		t.Errorf("got %q", got)
	}
	if !says(err, wantErr) {
		t.Errorf("error %v", err)
	}
}

func TestRandomNames(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		name, err := event.Fill([]byte("{{random-name}}"), event.Created(nil, nil, nil))
		if err != nil || seen[string(name)] || !strings.HasPrefix(string(name), "sample-") {
			t.Errorf("%q, %v", name, err)
		}
		seen[string(name)] = true
	}
}

// says reports whether an error is as wanted: none, or one with the text.
func says(err error, want string) bool {
	if err == nil {
		return want == ""
	}
	return want != "" && strings.Contains(err.Error(), want)
}
