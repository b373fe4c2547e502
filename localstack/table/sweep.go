package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/schema"
)

// SweepInterval is how often the local stack sweeps.
const SweepInterval = time.Minute

const due = "#purge_at <= :now"

// Sweep deletes the items that are due at the instant now, as TTL does, and
// tells how many. Each item goes on its own, in no order, on condition that it
// is still due: an item that was extended in between stays.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
func Sweep(ctx context.Context, client *dynamodb.Client, name string, now time.Time) (int, error) {
	deleted := 0
	pages := dynamodb.NewScanPaginator(client, scan(name, now))
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return deleted, fmt.Errorf("search for due items: %w", err)
		}
		for _, key := range page.Items {
			gone, err := deleteDue(ctx, client, name, key, now)
			if err != nil {
				return deleted, fmt.Errorf("deletion of a due item: %w", err)
			}
			if gone {
				deleted++
			}
		}
	}
	return deleted, nil
}

// SweepEvery sweeps at once and then at every interval until the context ends.
// What goes wrong is a line in the log, and tried again at the next interval.
func SweepEvery(
	ctx context.Context, client *dynamodb.Client, name string,
	interval time.Duration, now func() time.Time, log io.Writer,
) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		deleted, err := Sweep(ctx, client, name, now())
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			fmt.Fprintf(log, "TTL: %v\n", err)
		}
		if deleted > 0 {
			fmt.Fprintf(log, "TTL: items deleted: %d\n", deleted)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func scan(name string, now time.Time) *dynamodb.ScanInput {
	names := dueNames()
	names["#pk"], names["#sk"] = schema.Table.PartitionKey, schema.Table.SortKey
	return &dynamodb.ScanInput{
		TableName:                 &name,
		FilterExpression:          aws.String(due),
		ProjectionExpression:      aws.String("#pk, #sk"),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: dueValues(now),
	}
}

func deleteDue(
	ctx context.Context, client *dynamodb.Client, name string, key map[string]types.AttributeValue, now time.Time,
) (bool, error) {
	_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 &name,
		Key:                       key,
		ConditionExpression:       aws.String(due),
		ExpressionAttributeNames:  dueNames(),
		ExpressionAttributeValues: dueValues(now),
	})
	if _, extended := errors.AsType[*types.ConditionalCheckFailedException](err); extended {
		return false, nil
	}
	return err == nil, err
}

func dueNames() map[string]string { return map[string]string{"#purge_at": schema.Table.TTL} }

func dueValues(now time.Time) map[string]types.AttributeValue {
	seconds := strconv.FormatInt(now.Unix(), 10)
	return map[string]types.AttributeValue{":now": &types.AttributeValueMemberN{Value: seconds}}
}
