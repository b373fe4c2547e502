package lambdaweb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

// Stream is the function of an operation that the table's stream feeds. It calls for each
// changed item with the value that the item has in a key attribute, a string. An error
// ends the batch, and the platform tries again with all of it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func Stream(
	op operation.Operation, attribute string, call func(ctx context.Context, key string) error, recorder *telemetry.Recorder,
) Function {
	return Direct(op, func(ctx context.Context, entry *telemetry.Entry, payload []byte) ([]byte, error) {
		var batch events.DynamoDBEvent
		if err := json.Unmarshal(payload, &batch); err != nil {
			return nil, fmt.Errorf("event of a stream: %w", err)
		}
		entry.Add(slog.Int("records", len(batch.Records)))
		for _, record := range batch.Records {
			key, ok := record.Change.Keys[attribute]
			if !ok || key.DataType() != events.DataTypeString {
				return nil, fmt.Errorf("event of a stream without the key %s", attribute)
			}
			if err := call(ctx, key.String()); err != nil {
				return nil, err
			}
		}
		return []byte("null"), nil
	}, recorder)
}
