package platform

import (
	"context"
	"log/slog"

	"github.com/go-json-experiment/json"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// deletionsPerCall is how many keys and accounts one call deletes, so that whoever calls
// until there are none sees how it goes on.
const deletionsPerCall = 1000

type deletionRequest struct {
	Namespace string `json:"namespace"`
	Confirm   string `json:"confirm"`
}

type deletionAnswer struct {
	Deleted  deletionCounts `json:"deleted"`
	Complete bool           `json:"complete"`
}

type deletionCounts struct {
	Keys     int `json:"keys"`
	Accounts int `json:"accounts"`
}

// DeleteNamespace deletes keys and service accounts of {"namespace": "…", "confirm": "…"}
// and of all below it, and tells how many, this time. Both members say the same
// namespace: what is deleted cannot be brought back. It is to be called until it answers
// that it is complete, and again at any time.
func DeleteNamespace(keys *apikey.Service) func(context.Context, *telemetry.Entry, []byte) ([]byte, error) {
	return func(ctx context.Context, entry *telemetry.Entry, payload []byte) ([]byte, error) {
		var request deletionRequest
		if err := web.DecodeJSON(payload, &request); err != nil {
			return nil, err
		}
		ns, err := parseNamespace(request.Namespace)
		if err != nil {
			return nil, err
		}
		if request.Confirm != request.Namespace {
			return nil, fault.InvalidField("confirm", "value must be the namespace again: all keys in it and below it are deleted for good")
		}
		done, err := keys.DeleteNamespace(ctx, ns, deletionsPerCall)
		entry.Note("namespace", ns.String())
		entry.Add(slog.Int("deleted_keys", done.Keys))
		entry.Add(slog.Int("deleted_accounts", done.Accounts))
		if err != nil {
			return nil, err
		}
		return json.Marshal(deletionAnswer{
			Deleted:  deletionCounts{Keys: done.Keys, Accounts: done.Accounts},
			Complete: done.Complete,
		})
	}
}
