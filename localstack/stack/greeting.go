package stack

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/localstack/shellword"
	"latchkey/shared/operation"
)

// Greet prints where the stack and its example are, where the data are if not in the
// emulator, the root key if it was made at this start, and three requests to paste into a
// shell. They read the key from its file, so that no copy of them holds it.
func (s *Stack) Greet(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Latchkey is at %s\n", s.url)
	fmt.Fprintf(&text, "An API that it protects is at %s/orders\n", s.exampleURL)
	if s.config.DynamoDBEndpoint != "" {
		fmt.Fprintf(&text, "Latchkey's data are in the DynamoDB at %s, as %s says, and not in the emulator\n",
			s.endpoint, operation.DynamoDBVariable)
	}
	if s.firstKey != "" {
		fmt.Fprintf(&text, "\nThe first key of the namespace %s, shown once and kept in %s:\n%s\n",
			Namespace, s.state.rootKeyPath(), s.firstKey)
	}
	requests, err := s.requests()
	if err != nil {
		return err
	}
	fmt.Fprintf(&text, "\nCreate a key, list the keys, validate the first one:\n\n%s\n", strings.Join(requests, "\n\n"))
	_, err = io.WriteString(w, text.String())
	return err
}

func (s *Stack) requests() ([]string, error) {
	body, err := json.Marshal(map[string]any{
		"meta": map[string]any{"name": "first"},
		"spec": map[string]any{
			"expiration_time": s.config.Now().UTC().AddDate(1, 0, 0).Format(time.DateOnly) + "T00:00:00Z",
			"permissions":     map[string]any{"roles": []string{"SYSTEM_ROLE_READ_ONLY"}},
		},
	})
	if err != nil {
		return nil, err
	}
	keys := s.url + strings.ReplaceAll(operation.CreateAPIKey.Path(), "{namespace}", Namespace)
	validate := s.url + operation.ValidateAPIKey.Path()
	read := "$(cat " + shellword.Quote(s.state.rootKeyPath()) + ")"
	bearer := `-H "Authorization: Bearer ` + read + `"`
	const isJSON = `-H 'Content-Type: application/json'`
	return []string{
		fmt.Sprintf(`curl -sS -X POST %s %s %s -d '%s'`, keys, bearer, isJSON, body),
		fmt.Sprintf(`curl -sS %s %s`, keys, bearer),
		fmt.Sprintf(`K=%s; curl -sS -X POST %s %s -d "{\"key\":\"${K%%_*}\",\"secret\":\"${K##*_}\"}"`,
			read, validate, isJSON),
	}, nil
}
