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
	var created createdKey
	status, err := bodyOf(response, &created)
	if err != nil {
		return createdKey{}, err
	}
	if created.UUID == "" || created.Spec.Key == "" {
		return createdKey{}, fmt.Errorf("no key in the response of the creation, status %d", status)
	}
	return created, nil
}

// bodyOf reads the body of a function's response, if it is an object at all.
func bodyOf(response []byte, into any) (status int, err error) {
	var outer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(response, &outer); err != nil {
		return 0, fmt.Errorf("response of the creation: %w", err)
	}
	_ = json.Unmarshal([]byte(outer.Body), into) // what is not there is missed by the caller
	return outer.StatusCode, nil
}

// Accounts are the values of RandomName, CreatedAccountID, CreatedAccountKeyID and
// CreatedAccountKey. What is created is what the sample events of create-service-account
// and create-account-key ask for, filled with the given values and these; each is sent
// when it is first needed.
func Accounts(
	sample func(operation.Operation) ([]byte, error), given Values,
	send func(operation.Operation, []byte) ([]byte, error),
) Values {
	values := Values{}
	maps.Copy(values, given)
	create := func(op operation.Operation) func() (entity, error) {
		return sync.OnceValues(func() (entity, error) { return createEntity(op, sample, values, send) })
	}
	account, key := create(operation.CreateServiceAccount), create(operation.CreateAccountKey)
	own := Values{
		RandomName:          func() (string, error) { return "sample-" + strings.ToLower(rand.Text()), nil },
		CreatedAccountID:    func() (string, error) { created, err := account(); return created.ID, err },
		CreatedAccountKeyID: func() (string, error) { created, err := key(); return created.ID, err },
		CreatedAccountKey:   func() (string, error) { created, err := key(); return created.Body.Key, err },
	}
	maps.Copy(values, own)
	return own
}

// An entity is an account, or a key of one.
type entity struct {
	ID   string `json:"id"`
	Body struct {
		Key string `json:"key"`
	} `json:"body"`
}

func createEntity(
	op operation.Operation, sample func(operation.Operation) ([]byte, error), values Values,
	send func(operation.Operation, []byte) ([]byte, error),
) (entity, error) {
	text, err := sample(op)
	if err != nil {
		return entity{}, err
	}
	event, err := Fill(text, values)
	if err != nil {
		return entity{}, err
	}
	response, err := send(op, event)
	if err != nil {
		return entity{}, err
	}
	var created entity
	status, err := bodyOf(response, &created)
	if err != nil {
		return entity{}, err
	}
	if created.ID == "" || op.Name == operation.CreateAccountKey.Name && created.Body.Key == "" {
		return entity{}, fmt.Errorf("nothing is created by %s, status %d", op.Name, status)
	}
	return created, nil
}
