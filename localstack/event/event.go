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
//
//	{{random-name}}             a name that nothing has yet
//	{{created-account-id}}      the id of a service account that is created for this purpose
//	{{created-account-key-id}}  the id of a key that is created for that account
//	{{created-account-key}}     that key
package event

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"latchkey/localstack/placeholder"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// Names of placeholders.
const (
	RootKey      = "root-key"
	RootKeyID    = "root-key-id"
	RootSecret   = "root-secret"
	RootUUID     = "root-uuid"
	CreatedUUID  = "created-uuid"
	CreatedKeyID = "created-key-id"

	RandomName          = "random-name"
	CreatedAccountID    = "created-account-id"
	CreatedAccountKeyID = "created-account-key-id"
	CreatedAccountKey   = "created-account-key"
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

// Created are the values of what is created for an event, and of RandomName. An API key,
// a service account and a key of that are what the sample events of their operations ask
// for, filled with the given values and these; each is sent when it is first needed.
func Created(
	sample func(operation.Operation) ([]byte, error), given Values,
	send func(operation.Operation, []byte) ([]byte, error),
) Values {
	values := Values{}
	maps.Copy(values, given)
	// One sample event may need what another creates.
	create := func(op operation.Operation) ([]byte, error) {
		text, err := sample(op)
		if err != nil {
			return nil, err
		}
		event, err := Fill(text, values)
		if err != nil {
			return nil, err
		}
		return send(op, event)
	}
	apiKey := once[createdAPIKey](create, operation.CreateAPIKey)
	account := once[createdAccount](create, operation.CreateServiceAccount)
	key := once[createdAccountKey](create, operation.CreateAccountKey)
	own := Values{
		RandomName:          func() (string, error) { return "sample-" + strings.ToLower(rand.Text()), nil },
		CreatedUUID:         func() (string, error) { created, err := apiKey(); return created.UUID, err },
		CreatedKeyID:        func() (string, error) { created, err := apiKey(); return created.Spec.Key, err },
		CreatedAccountID:    func() (string, error) { created, err := account(); return created.ID, err },
		CreatedAccountKeyID: func() (string, error) { created, err := key(); return created.ID, err },
		CreatedAccountKey:   func() (string, error) { created, err := key(); return created.Body.Key, err },
	}
	maps.Copy(values, own)
	return own
}

// What is created, as far as values are taken from it. It is whole if none is missing.
type (
	createdAPIKey struct {
		UUID string `json:"uuid"`
		Spec struct {
			Key string `json:"key"`
		} `json:"spec"`
	}
	createdAccount struct {
		ID string `json:"id"`
	}
	createdAccountKey struct {
		ID   string `json:"id"`
		Body struct {
			Key string `json:"key"`
		} `json:"body"`
	}
)

func (k createdAPIKey) whole() bool     { return k.UUID != "" && k.Spec.Key != "" }
func (a createdAccount) whole() bool    { return a.ID != "" }
func (k createdAccountKey) whole() bool { return k.ID != "" && k.Body.Key != "" }

// once has an operation create something at the first call, and tells the same at every
// other.
func once[T interface{ whole() bool }](
	create func(operation.Operation) ([]byte, error), op operation.Operation,
) func() (T, error) {
	return sync.OnceValues(func() (created T, err error) {
		response, err := create(op)
		if err != nil {
			return created, err
		}
		status, err := readBody(response, &created)
		if err == nil && !created.whole() {
			err = errors.New("no such thing in the response")
		}
		if err != nil {
			return created, fmt.Errorf("nothing is created by %s, status %d: %w", op.Name, status, err)
		}
		return created, nil
	})
}

// readBody reads the body of a function's response, and gives its status.
func readBody(response []byte, into any) (status int, err error) {
	var outer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(response, &outer); err != nil {
		return 0, fmt.Errorf("response: %w", err)
	}
	if err := json.Unmarshal([]byte(outer.Body), into); err != nil {
		return outer.StatusCode, fmt.Errorf("body: %w", err)
	}
	return outer.StatusCode, nil
}
