package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"latchkey/infra/invoke"
)

// A question is what the function takes.
type question struct {
	Namespace string `json:"namespace"`
	Confirm   string `json:"confirm"`
}

// An answer is what the function gives. One without its members is none.
type answer struct {
	Deleted  *counts `json:"deleted"`
	Complete *bool   `json:"complete"`
}

type counts struct {
	Keys     int `json:"keys"`
	Accounts int `json:"accounts"`
}

func (c counts) String() string {
	return fmt.Sprintf("%d keys and %d service accounts", c.Keys, c.Accounts)
}

// deleteAll calls the function until it is complete. One that deletes nothing and is not
// complete would not be so the next time either.
func (r request) deleteAll(ctx context.Context, client *invoke.Client, stdout io.Writer) error {
	var total counts
	for {
		done, err := r.deleteSome(ctx, client)
		switch {
		case err != nil && total == (counts{}):
			return err
		case err != nil:
			return fmt.Errorf("with %s deleted: %w; run it again, it goes on from there", total, err)
		case *done.Complete:
			_, err := fmt.Fprintf(stdout, "Nothing is left of %s and of what was below it: %s were deleted.\n"+
				"Run this once more in a minute: what was made in the last moment may show only then.\n", r.namespace, total)
			return err
		case *done.Deleted == (counts{}):
			return fmt.Errorf("with %s deleted: %s cannot go on and does not say why: look into its log", total, r.function)
		}
		total.Keys += done.Deleted.Keys
		total.Accounts += done.Deleted.Accounts
		if _, err := fmt.Fprintf(stdout, "%s deleted so far\n", total); err != nil {
			return err
		}
	}
}

func (r request) deleteSome(ctx context.Context, client *invoke.Client) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	payload, err := client.Invoke(ctx, r.function, question{Namespace: r.namespace.String(), Confirm: r.namespace.String()})
	if err != nil {
		return answer{}, err
	}
	var done answer
	if err := json.Unmarshal(payload, &done); err != nil || done.Deleted == nil || done.Complete == nil {
		return answer{}, fmt.Errorf("%s: an answer that does not say what was deleted", r.function)
	}
	return done, nil
}
