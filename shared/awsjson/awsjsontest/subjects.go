package awsjsontest

import (
	"context"
	"testing"

	"latchkey/shared/awsclient"
)

// Subjects are a client of ours and the SDK's, by what they are called in messages, and
// what both can do, which gives what was answered as text.
type Subjects[Client any] struct {
	Clients map[string]func(awsclient.Config) Client
	Actions map[string]func(context.Context, Client) (string, error)
}

// OfSDK is what the SDK's client is called.
const OfSDK = "SDK"

// Open gives an action of a client.
func (s Subjects[Client]) Open(client, action string) Open {
	return func(config awsclient.Config) func(context.Context) error {
		opened := s.Clients[client](config)
		return func(ctx context.Context) error {
			_, err := s.Actions[action](ctx, opened)
			return err
		}
	}
}

// Each runs a test with every action of either client.
func (s Subjects[Client]) Each(t *testing.T, test func(t *testing.T, client, action string)) {
	t.Helper()
	for client := range s.Clients {
		for action := range s.Actions {
			t.Run(client+"/"+action, func(t *testing.T) {
				t.Parallel()
				test(t, client, action)
			})
		}
	}
}

// Same holds ours to do with the cases what they say, and the SDK's what they say of it, and
// both to survive outages.
func (s Subjects[Client]) Same(t *testing.T, cases []Case) {
	t.Helper()
	s.Each(t, func(t *testing.T, client, action string) {
		answers(t, cases, client == OfSDK, s.Open(client, action))
		outages(t, s.Open(client, action))
	})
}
