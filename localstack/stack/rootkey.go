package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// ensureRootKey makes the root key unless there is one that works.
func (s *Stack) ensureRootKey(ctx context.Context) error {
	if kept := s.state.rootKey(); kept != "" {
		works, err := s.works(ctx, kept)
		if err != nil {
			return fmt.Errorf("cannot tell whether the key in %s is valid: %w", s.state.rootKeyPath(), err)
		}
		if works {
			return nil
		}
		fmt.Fprintf(s.config.Log, "root key: the one in %s is not valid here, a new one replaces it\n", s.state.rootKeyPath())
	}
	if err := s.bootstrap(ctx); err != nil {
		return fmt.Errorf("first key of the namespace %s: %w", Namespace, err)
	}
	return nil
}

// works asks the function that everybody asks. No answer of its is an error, not a
// no: the key may well be valid.
func (s *Stack) works(ctx context.Context, fullKey string) (bool, error) {
	key, err := apikey.ParseFullKey(fullKey)
	if err != nil {
		return false, nil
	}
	event, err := validation(key)
	if err != nil {
		return false, err
	}
	text, err := s.Invoke(ctx, operation.ValidateAPIKey, event)
	if err != nil {
		return false, err
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(text, &response); err != nil {
		return false, fmt.Errorf("response of %s: %w", operation.ValidateAPIKey.Name, err)
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s answers with the status %d: does the DynamoDB at %s answer?",
			operation.ValidateAPIKey.Name, response.StatusCode, s.endpoint)
	}
	return verdict(response.Body)
}

// validation is the event of a request to validate a key.
func validation(key apikey.FullKey) ([]byte, error) {
	identifier, secret := key.RevealPair()
	body, err := json.Marshal(map[string]string{"key": identifier, "secret": secret})
	if err != nil {
		return nil, err
	}
	op := operation.ValidateAPIKey
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		Version:  "2.0",
		RouteKey: op.Route,
		RawPath:  op.Path(),
		Headers:  map[string]string{"content-type": "application/json"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:  op.Route,
			RequestID: "start-of-the-local-stack",
			HTTP:      events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: op.Method(), Path: op.Path()},
		},
		Body: string(body),
	})
}

func verdict(body string) (bool, error) {
	var said struct {
		Valid *bool `json:"valid"`
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil || said.Valid == nil {
		return false, fmt.Errorf("no verdict in the response of %s", operation.ValidateAPIKey.Name)
	}
	return *said.Valid, nil
}

// bootstrap makes the root key and keeps it.
func (s *Stack) bootstrap(ctx context.Context) error {
	event, err := json.Marshal(map[string]string{"namespace": Namespace})
	if err != nil {
		return err
	}
	response, err := s.Invoke(ctx, operation.Bootstrap, event)
	if err != nil {
		return err
	}
	var made struct {
		FullKey string `json:"full_key"`
	}
	if err := json.Unmarshal(response, &made); err != nil || made.FullKey == "" {
		return errors.New("no full_key in the response")
	}
	s.firstKey = made.FullKey
	return s.state.keepRootKey(made.FullKey)
}
