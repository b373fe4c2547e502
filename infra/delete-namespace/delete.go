package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

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

// ending says how far a deletion came that an error ended.
func (c counts) ending(err error) error {
	if c == (counts{}) {
		return err
	}
	return fmt.Errorf("with %s deleted: %w; run it again, it goes on from there", c, err)
}

// deleteAll deletes what shows until nothing does right after a pause, in which all that
// was being made has come to show.
func (r request) deleteAll(ctx context.Context, client *invoke.Client, stdout io.Writer) error {
	if _, err := fmt.Fprintf(stdout, "Deleting %s and all below it with %s\n", r.namespace, r.place(client)); err != nil {
		return err
	}
	var total counts
	for isAfterPause := false; ; isAfterPause = true {
		before := total
		if err := r.deleteListed(ctx, client, stdout, &total); err != nil {
			return err
		}
		if isAfterPause && total == before {
			_, err := fmt.Fprintf(stdout, "Nothing is left of %s and of what was below it: %s were deleted.\n", r.namespace, total)
			return err
		}
		if _, err := fmt.Fprintln(stdout, "Looking once more in a moment, for what was being made meanwhile"); err != nil {
			return err
		}
		if err := rest(ctx, r.pause); err != nil {
			return total.ending(err)
		}
	}
}

// deleteListed calls the function until it is complete, and adds to what was deleted. One
// that deletes nothing and is not complete would not be so the next time either.
func (r request) deleteListed(ctx context.Context, client *invoke.Client, stdout io.Writer, total *counts) error {
	for {
		done, err := r.deleteSome(ctx, client)
		switch {
		case err != nil:
			return total.ending(err)
		case *done.Complete:
			return nil
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

func rest(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("pause before the last look: %w", context.Cause(ctx))
	}
}

func (r request) deleteSome(ctx context.Context, client *invoke.Client) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	payload, err := client.Invoke(ctx, r.function, question{Namespace: r.namespace.String(), Confirm: r.confirmed})
	if err != nil {
		return answer{}, err
	}
	var done answer
	if err := json.Unmarshal(payload, &done); err != nil || done.Deleted == nil || done.Complete == nil {
		return answer{}, fmt.Errorf("%s: an answer that does not say what was deleted", r.function)
	}
	return done, nil
}
