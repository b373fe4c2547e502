package boot_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/operation"
)

// A login tells in seconds how long its session lasts: an hour, or as long as its key.
func TestLoginTellsItsLifetime(t *testing.T) {
	d := newDeployment(t)
	soon := d.create(t, keyBody(d.now.Add(10*time.Minute), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	for fullKey, want := range map[string]int{d.root.FullKey: 3600, soon.Key + "_" + soon.Secret: 600} {
		status, body := d.call(t, operation.Login, events.APIGatewayV2HTTPRequest{Body: url.Values{"password": {fullKey}}.Encode()})
		var answer struct {
			Seconds int `json:"expires_in"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %v", status, err)
		}
		if answer.Seconds > want || answer.Seconds < want-2 {
			t.Errorf("a session of %d seconds, want %d", answer.Seconds, want)
		}
	}
}
