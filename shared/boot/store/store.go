// Package store is the part of functions that manage what is in the table: how to reach it, and what
// becomes of what its stream tells.
package store

import (
	"context"
	"fmt"
	"log/slog"

	"latchkey/shared/apikey"
	"latchkey/shared/boot"
	"latchkey/shared/boot/records"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/operation"
)

// DynamoDB keeps the keys in the table that the environment names, and those that have
// expired for as long as it says.
func DynamoDB(e *boot.Environment, c *boot.Config) {
	store := dynamo.New(dynamo.Config{
		Config:    records.Table(e),
		Retention: e.Days(operation.RetentionVariable, operation.MaxRetentionDays),
	})
	c.Store, c.Records = store, store
}

// RemoveServiceAccount removes the deleted account whose partition the stream names.
func RemoveServiceAccount(keys *apikey.Service, log *slog.Logger) func(context.Context, string) error {
	return func(ctx context.Context, partition string) error {
		at, err := stored.AccountIn(partition)
		if err != nil {
			return err
		}
		if err := keys.PurgeAccount(ctx, at); err != nil {
			return fmt.Errorf("account %s in %s: %w", at.ID, at.Namespace, err)
		}
		log.LogAttrs(ctx, slog.LevelInfo, "a deleted account was removed",
			slog.String("account", at.ID.String()), slog.String("namespace", at.Namespace.String()))
		return nil
	}
}
