// Package event fills the placeholders in sample events.
//
// A sample event in a repository must not hold a key, and cannot hold what
// differs from run to run. It names that instead, and the value is put in its
// place before the event is sent:
//
//	{{root-key}}        the full key that bootstrap made
//	{{root-key-id}}     its public identifier
//	{{root-secret}}     its secret part
//	{{root-uuid}}       its UUID
//	{{created-uuid}}    the UUID of a key that is created for this purpose
//	{{created-key-id}}  its public identifier
package event

import (
	"encoding/json"
	"fmt"
	"sync"

	"latchkey/localstack/placeholder"
	"latchkey/shared/apikey"
)

// Names of placeholders.
const (
	RootKey      = "root-key"
	RootKeyID    = "root-key-id"
	RootSecret   = "root-secret"
	RootUUID     = "root-uuid"
	CreatedUUID  = "created-uuid"
	CreatedKeyID = "created-key-id"
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

// Created are the values of CreatedUUID and CreatedKeyID. The first that is asked for
// sends the sample event of create-api-key, filled with the given values.
func Created(sample func() ([]byte, error), given Values, send func(event []byte) ([]byte, error)) Values {
	create := sync.OnceValues(func() (createdKey, error) {
		text, err := sample()
		if err != nil {
			return createdKey{}, err
		}
		event, err := Fill(text, given)
		if err != nil {
			return createdKey{}, err
		}
		response, err := send(event)
		if err != nil {
			return createdKey{}, err
		}
		return createdIn(response)
	})
	return Values{
		CreatedUUID:  func() (string, error) { key, err := create(); return key.UUID, err },
		CreatedKeyID: func() (string, error) { key, err := create(); return key.Spec.Key, err },
	}
}

type createdKey struct {
	UUID string `json:"uuid"`
	Spec struct {
		Key string `json:"key"`
	} `json:"spec"`
}

func createdIn(response []byte) (createdKey, error) {
	var outer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(response, &outer); err != nil {
		return createdKey{}, fmt.Errorf("response of the creation: %w", err)
	}
	var created createdKey
	if err := json.Unmarshal([]byte(outer.Body), &created); err != nil || created.UUID == "" || created.Spec.Key == "" {
		return createdKey{}, fmt.Errorf("no key in the response of the creation, status %d", outer.StatusCode)
	}
	return created, nil
}
