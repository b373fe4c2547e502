package main

import (
	"context"
	"encoding/json"
	"fmt"

	"latchkey/infra/invoke"
)

// A question is what the bootstrap function takes.
type question struct {
	Namespace string `json:"namespace"`
}

// An answer is what the bootstrap function gives, as far as it is shown here.
type answer struct {
	Namespace string `json:"namespace"`
	UUID      string `json:"uuid"`
	FullKey   string `json:"full_key"`
}

func (r request) send(ctx context.Context, options []invoke.Option) (answer, error) {
	client, err := invoke.NewClient(ctx, options...)
	if err != nil {
		return answer{}, err
	}
	payload, err := client.Invoke(ctx, r.function, question{Namespace: r.namespace.String()})
	if err != nil {
		return answer{}, err
	}
	return r.read(payload)
}

// read never repeats a payload that it cannot read: there may be a key in it.
func (r request) read(payload []byte) (answer, error) {
	var made answer
	if err := json.Unmarshal(payload, &made); err != nil || made.FullKey == "" {
		return answer{}, fmt.Errorf("%s: an answer without a key", r.function)
	}
	return made, nil
}
