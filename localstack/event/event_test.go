package event_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

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

func TestCreated(t *testing.T) {
	tests := []struct {
		name, response string
		want           string
		wantErr        string
	}{
		{"created", `{"statusCode":200,"body":"{\"uuid\":\"u-1\",\"spec\":{\"key\":\"lk_1\"}}"}`, "u-1 lk_1", ""},
		{"without an identifier", `{"statusCode":200,"body":"{\"uuid\":\"u-1\"}"}`, "", "status 200"},
		{"refused", `{"statusCode":401,"body":"{\"code\":16}"}`, "", "status 401"},
		{"no JSON", `nonsense`, "", "response of the creation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sample := func() ([]byte, error) { return []byte(`"{{a}}"`), nil }
			sent := 0
			values := event.Created(sample, event.Values{"a": event.Fixed("b")}, func(text []byte) ([]byte, error) {
				if sent++; string(text) != `"b"` {
					t.Errorf("sent %s", text)
				}
				return []byte(test.response), nil
			})
			got, err := event.Fill([]byte("{{created-uuid}} {{created-key-id}}"), values)
			if err == nil && string(got) != test.want {
				t.Errorf("got %q", got)
			}
			if sent != 1 {
				t.Errorf("%d keys were created", sent)
			}
			if !says(err, test.wantErr) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// An account is created before its key, and both once however often they are named.
func TestAccounts(t *testing.T) {
	const account, key = `{"statusCode":200,"body":"{\"id\":\"a-1\"}"}`, `{"statusCode":200,"body":"{\"id\":\"k-1\",\"body\":{\"key\":\"ZENKEY_1\"}}"}`
	tests := []struct {
		name, event, account, key string
		want                      string
		wantSent                  int
		wantErr                   string
	}{
		{"neither", "{{a}}", "", "", "b", 0, ""},
		{"an account", "{{created-account-id}} {{created-account-id}}", account, "", "a-1 a-1", 1, ""},
		{"a key", "{{created-account-key-id}} {{created-account-id}} {{created-account-key}}", account, key, "k-1 a-1 ZENKEY_1", 2, ""},
		{"a refused account", "{{created-account-key}}", `{"statusCode":401,"body":"[]"}`, key, "", 1, "create-service-account, status 401"},
		{"a key that is not shown", "{{created-account-key-id}}", account, account, "", 2, "create-account-key, status 200"},
		{"no JSON", "{{created-account-id}}", "nonsense", "", "", 1, "response of the creation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sample := func(op operation.Operation) ([]byte, error) {
				if op.Name == operation.CreateAccountKey.Name {
					return []byte(`"{{created-account-id}}{{a}}"`), nil
				}
				return []byte(`"{{a}}"`), nil
			}
			sent := 0
			values := event.Values{"a": event.Fixed("b")}
			maps.Copy(values, event.Accounts(sample, values, func(op operation.Operation, text []byte) ([]byte, error) {
				sent++
				if op.Name == operation.CreateAccountKey.Name {
					if string(text) != `"a-1b"` {
						t.Errorf("sent %s for a key", text)
					}
					return []byte(test.key), nil
				}
				if string(text) != `"b"` {
					t.Errorf("sent %s for an account", text)
				}
				return []byte(test.account), nil
			}))
			got, err := event.Fill([]byte(test.event), values)
			if err == nil && string(got) != test.want {
				t.Errorf("got %q", got)
			}
			if sent != test.wantSent {
				t.Errorf("%d events were sent, want %d", sent, test.wantSent)
			}
			if !says(err, test.wantErr) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRandomNames(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		name, err := event.Fill([]byte("{{random-name}}"), event.Accounts(nil, nil, nil))
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
