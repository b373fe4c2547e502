// Package event fills the placeholders in sample events.
//
// A sample event in a repository must not hold a key, and cannot hold what
// differs from run to run. It names that instead, and the value is put in its
// place before the event is sent:
//
//	{{root-key}}      the full key that bootstrap made
//	{{root-key-id}}   its public identifier
//	{{root-secret}}   its secret part
//	{{root-uuid}}     its UUID
//	{{created-uuid}}  the UUID of a key that is created for this purpose
package event

import (
	"encoding/json"
	"fmt"

	"latchkey/localstack/placeholder"
	"latchkey/shared/apikey"
)

// Names of placeholders.
const (
	RootKey     = "root-key"
	RootKeyID   = "root-key-id"
	RootSecret  = "root-secret"
	RootUUID    = "root-uuid"
	CreatedUUID = "created-uuid"
)

// Values gives each placeholder's value. A value is only asked for when an event
// names it, and once for each event.
type Values map[string]func() (string, error)

// Fixed is a value that is known.
func Fixed(value string) func() (string, error) {
	return func() (string, error) { return value, nil }
}

// KeyValues are the values of a full key. Read is called for each of them.
func KeyValues(read func() (string, error)) Values {
	part := func(of func(apikey.FullKey) string) func() (string, error) {
		return func() (string, error) {
			text, err := read()
			if err != nil {
				return "", err
			}
			key, err := apikey.ParseFullKey(text)
			if err != nil {
				return "", err
			}
			return of(key), nil
		}
	}
	return Values{
		RootKey:    part(apikey.FullKey.Reveal),
		RootKeyID:  part(func(key apikey.FullKey) string { return key.Locator.String() }),
		RootSecret: part(func(key apikey.FullKey) string { _, secret := key.RevealPair(); return secret }),
		RootUUID:   part(func(key apikey.FullKey) string { return key.Locator.ID.String() }),
	}
}

// Fill puts the values in their places, written as inside a JSON string. A
// placeholder without a value is an error.
func Fill(event []byte, values Values) ([]byte, error) {
	filled, err := placeholder.Fill(string(event), func(name string) (string, error) {
		value, ok := values[name]
		if !ok {
			return "", placeholder.Unknown(values)
		}
		text, err := value()
		if err != nil {
			return "", err
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			return "", err
		}
		return string(quoted[1 : len(quoted)-1]), nil
	})
	return []byte(filled), err
}

// Created is the value of CreatedUUID: it sends the sample event of
// create-api-key, filled with the values, and takes the uuid out of the answer.
func Created(sample []byte, values Values, send func(event []byte) ([]byte, error)) func() (string, error) {
	return func() (string, error) {
		event, err := Fill(sample, values)
		if err != nil {
			return "", err
		}
		response, err := send(event)
		if err != nil {
			return "", err
		}
		return uuidIn(response)
	}
}

func uuidIn(response []byte) (string, error) {
	var outer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(response, &outer); err != nil {
		return "", fmt.Errorf("response of the creation: %w", err)
	}
	var created struct {
		UUID string `json:"uuid"`
	}
	if err := json.Unmarshal([]byte(outer.Body), &created); err != nil || created.UUID == "" {
		return "", fmt.Errorf("no uuid in the response of the creation, status %d", outer.StatusCode)
	}
	return created.UUID, nil
}
