// Package table makes Latchkey's table from its schema on an emulator, or on any
// DynamoDB that a developer points the local stack to, and stands in for TTL,
// which emulators leave out.
//
// It talks to DynamoDB through the SDK. Sweep holds the only Scan of the whole
// code base: the service itself never needs one.
package table

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/schema"
)

const (
	activeTimeout = time.Minute
	activeDelay   = 50 * time.Millisecond
)

// ErrOtherLayout says that a table exists under the name, with another layout.
var ErrOtherLayout = errors.New("a table of another layout is there: run `make reset` to forget its data")

// An Option changes the table that Create makes.
type Option func(*dynamodb.CreateTableInput)

// WithoutStream leaves out the stream. An emulator's writes slow down as stream
// records accumulate, so load tests choose this.
func WithoutStream(in *dynamodb.CreateTableInput) { in.StreamSpecification = nil }

// Client is a client for an emulator, which takes any credentials.
func Client(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// Create makes the table of the schema and waits until it is active. A table of
// the same layout is left as it is; any other is ErrOtherLayout.
func Create(ctx context.Context, client *dynamodb.Client, name string, options ...Option) error {
	wanted := input(name, schema.Table)
	for _, option := range options {
		option(wanted)
	}
	_, err := client.CreateTable(ctx, wanted)
	if _, exists := errors.AsType[*types.ResourceInUseException](err); err != nil && !exists {
		return fmt.Errorf("creation of table %s: %w", name, err)
	}
	found, err := active(ctx, client, name)
	if err != nil {
		return fmt.Errorf("table %s: %w", name, err)
	}
	if !reflect.DeepEqual(layoutOf(wanted), foundLayout(found)) {
		return fmt.Errorf("table %s: %w", name, ErrOtherLayout)
	}
	if err := enableTTL(ctx, client, name, schema.Table.TTL); err != nil {
		return fmt.Errorf("TTL of table %s: %w", name, err)
	}
	return nil
}

func active(ctx context.Context, client *dynamodb.Client, name string) (*types.TableDescription, error) {
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = activeDelay, time.Second
	})
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &name}, activeTimeout)
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// enableTTL looks before it sets: DynamoDB refuses to enable what is enabled.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
func enableTTL(ctx context.Context, client *dynamodb.Client, name, attribute string) error {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return err
	}
	switch found := out.TimeToLiveDescription; found.TimeToLiveStatus {
	case types.TimeToLiveStatusEnabled, types.TimeToLiveStatusEnabling:
		if aws.ToString(found.AttributeName) != attribute {
			return ErrOtherLayout
		}
		return nil
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &attribute,
			Enabled:       aws.Bool(true),
		},
	})
	return err
}

func input(name string, layout schema.Layout) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keys(layout.PartitionKey, layout.SortKey),
		AttributeDefinitions: attributes(layout),
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled:  aws.Bool(true),
			StreamViewType: types.StreamViewType(layout.StreamView),
		},
	}
	for _, index := range layout.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &index.Name,
			KeySchema: keys(index.PartitionKey, index.SortKey),
			Projection: &types.Projection{
				ProjectionType:   types.ProjectionTypeInclude,
				NonKeyAttributes: index.Projected,
			},
		})
	}
	return in
}

func keys(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// attributes defines every key attribute once, as a string.
func attributes(layout schema.Layout) []types.AttributeDefinition {
	names := []string{layout.PartitionKey, layout.SortKey}
	for _, index := range layout.Indexes {
		names = append(names, index.PartitionKey, index.SortKey)
	}
	slices.Sort(names)
	var definitions []types.AttributeDefinition
	for _, name := range slices.Compact(names) {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return definitions
}
