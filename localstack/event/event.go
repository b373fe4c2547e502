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
//
//	{{orders-reader-key}}  a full key that is created for this purpose and may read orders
//	{{orders-reader-id}}   its UUID
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

	OrdersReaderKey = "orders-reader-key"
	OrdersReaderID  = "orders-reader-id"
)

// ordersReader asks for the key that may read orders, which are the example's.
const ordersReader = `{"meta":{"name":"orders reader"},"spec":{"expiration_time":"2099-12-31T00:00:00Z",` +
	`"permissions":{"rules":{"orders":{"methods":["METHOD_READ"]}}}}}`

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
// for, filled with the given values and these; each is sent when it is first needed. So
// is the sample event for an API key with the body that asks for a reader of orders.
func Created(
	sample func(operation.Operation) ([]byte, error), given Values,
	send func(operation.Operation, []byte) ([]byte, error),
) Values {
	c := creator{sample: sample, values: Values{}, send: send}
	maps.Copy(c.values, given)
	apiKey := once[createdAPIKey](c, operation.CreateAPIKey, "")
	reader := once[createdAPIKey](c, operation.CreateAPIKey, ordersReader)
	account := once[createdAccount](c, operation.CreateServiceAccount, "")
	key := once[createdAccountKey](c, operation.CreateAccountKey, "")
	own := Values{
		RandomName:          func() (string, error) { return "sample-" + strings.ToLower(rand.Text()), nil },
		CreatedUUID:         func() (string, error) { created, err := apiKey(); return created.UUID, err },
		CreatedKeyID:        func() (string, error) { created, err := apiKey(); return created.Spec.Key, err },
		CreatedAccountID:    func() (string, error) { created, err := account(); return created.ID, err },
		CreatedAccountKeyID: func() (string, error) { created, err := key(); return created.ID, err },
		CreatedAccountKey:   func() (string, error) { created, err := key(); return created.Body.Key, err },
		OrdersReaderKey:     func() (string, error) { created, err := reader(); return created.fullKey(), err },
		OrdersReaderID:      func() (string, error) { created, err := reader(); return created.UUID, err },
	}
	maps.Copy(c.values, own)
	return own
}

// A creator has operations create what their sample events ask for.
type creator struct {
	sample func(operation.Operation) ([]byte, error)
	values Values // one sample event may need what another creates
	send   func(operation.Operation, []byte) ([]byte, error)
}

// create sends an operation's sample event, with another body unless that is empty.
func (c creator) create(op operation.Operation, body string) ([]byte, error) {
	text, err := c.sample(op)
	if err != nil {
		return nil, err
	}
	event, err := Fill(text, c.values)
	if err == nil && body != "" {
		event, err = withBody(event, body)
	}
	if err != nil {
		return nil, err
	}
	return c.send(op, event)
}

// withBody gives an event another body.
func withBody(event []byte, body string) ([]byte, error) {
	var members map[string]any
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, fmt.Errorf("sample event: %w", err)
	}
	members["body"] = body
	return json.Marshal(members)
}

// What is created, as far as values are taken from it. It is whole if none is missing.
type (
	createdAPIKey struct {
		UUID string `json:"uuid"`
		Spec struct {
			Key    string `json:"key"`
			Secret string `json:"secret"`
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

func (k createdAPIKey) whole() bool     { return k.UUID != "" && k.Spec.Key != "" && k.Spec.Secret != "" }
func (a createdAccount) whole() bool    { return a.ID != "" }
func (k createdAccountKey) whole() bool { return k.ID != "" && k.Body.Key != "" }

func (k createdAPIKey) fullKey() string { return k.Spec.Key + "_" + k.Spec.Secret }

// once has an operation create something at the first call, and tells the same at every
// other.
func once[T interface{ whole() bool }](c creator, op operation.Operation, body string) func() (T, error) {
	return sync.OnceValues(func() (created T, err error) {
		response, err := c.create(op, body)
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
