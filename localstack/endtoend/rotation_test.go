package endtoend_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"latchkey/localstack/stack"
	"latchkey/shared/apikey"
)

// Session tokens outlive a restart and the rotation of their key.
func TestSessionKeyRotation(t *testing.T) {
	config := stack.Config{FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", DataDir: t.TempDir()}
	first := restart(t, config)
	root, err := apikey.ParseFullKey(first.FirstKey())
	if err != nil {
		t.Fatal(err)
	}
	config.Addr = strings.TrimPrefix(first.URL(), "http://") // the issuer
	old := exchange(t, first, root)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := restart(t, config)
	if same := exchange(t, again, root); kidIn(t, same) != kidIn(t, old) {
		t.Error("a restart alone rotates")
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	config.NewSessionKey = true
	rotated := restart(t, config)
	fresh := exchange(t, rotated, root)
	if kidIn(t, fresh) == kidIn(t, old) {
		t.Error("the new key does not sign")
	}
	for name, token := range map[string]string{"old": old, "fresh": fresh} {
		if status, body := send(t, rotated, http.MethodGet, "/v1/auth", "Bearer "+token, ""); status != http.StatusOK {
			t.Errorf("the %s token: %d %s", name, status, body)
		}
	}
	_, published := send(t, rotated, http.MethodGet, "/.well-known/jwks.json", "", "")
	for _, token := range []string{old, fresh} {
		if !strings.Contains(published, kidIn(t, token)) {
			t.Errorf("the key of a token is not published: %s", published)
		}
	}
}

func exchange(t *testing.T, s *stack.Stack, key apikey.FullKey) string {
	t.Helper()
	identifier, secret := key.RevealPair()
	status, body := send(t, s, http.MethodPost, "/v1/auth/api-key", "", `{"key":"`+identifier+`","secret":"`+secret+`"}`)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Token == "" {
		t.Fatalf("exchange: %d, %v", status, err)
	}
	return answer.Token
}

func send(t *testing.T, s *stack.Stack, method, path, authorization, body string) (int, string) {
	t.Helper()
	return sendTo(t, method, s.URL()+path, authorization, body)
}

func sendTo(t *testing.T, method, url, authorization, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func kidIn(t *testing.T, token string) string {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	if err := json.Unmarshal(text, &header); err != nil || header.Kid == "" {
		t.Fatalf("header %s, %v", text, err)
	}
	return header.Kid
}
