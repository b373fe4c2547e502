package table_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"latchkey/localstack/emulator"
	"latchkey/localstack/localtest"
	"latchkey/localstack/table"
	"latchkey/shared/schema"
)

var client *dynamodb.Client

func TestMain(m *testing.M) {
	e, err := emulator.Start(context.Background(), emulator.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client = table.Client(e.Endpoint())
	code := m.Run()
	_ = e.Close()
	os.Exit(code)
}

func TestCreateMakesTheTableOfTheSchema(t *testing.T) {
	name := create(t)
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	found := out.Table
	if found.BillingModeSummary == nil || found.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("billing: %+v", found.BillingModeSummary)
	}
	if found.StreamSpecification == nil || string(found.StreamSpecification.StreamViewType) != schema.Table.StreamView {
		t.Errorf("stream: %+v", found.StreamSpecification)
	}
	if len(found.GlobalSecondaryIndexes) != len(schema.Table.Indexes) {
		t.Fatalf("%d indexes", len(found.GlobalSecondaryIndexes))
	}
	for _, index := range found.GlobalSecondaryIndexes {
		if index.Projection.ProjectionType != types.ProjectionTypeInclude {
			t.Errorf("%s projects %s", *index.IndexName, index.Projection.ProjectionType)
		}
		if slices.Contains(index.Projection.NonKeyAttributes, schema.Digest) {
			t.Errorf("%s holds the digest", *index.IndexName)
		}
	}
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if got := ttl.TimeToLiveDescription; aws.ToString(got.AttributeName) != schema.Table.TTL {
		t.Errorf("TTL: %+v", got)
	}
}

func TestCreateLeavesTheSameTableAlone(t *testing.T) {
	name := create(t)
	put(t, name, "kept", 1)
	if err := table.Create(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	if !exists(t, name, "kept") {
		t.Error("the item is gone")
	}
}

func TestCreateRefusesAnotherLayout(t *testing.T) {
	tests := []struct {
		name   string
		change table.Option
	}{
		{"stream", table.WithoutStream},
		{"indexes", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = in.GlobalSecondaryIndexes[:1]
			in.AttributeDefinitions = slices.DeleteFunc(in.AttributeDefinitions, func(a types.AttributeDefinition) bool {
				return *a.AttributeName == schema.Owner
			})
		}},
		{"projection", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection = &types.Projection{ProjectionType: types.ProjectionTypeAll}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name := tableName(t)
			if err := table.Create(t.Context(), client, name, test.change); err != nil {
				t.Fatal(err)
			}
			err := table.Create(t.Context(), client, name)
			if !errors.Is(err, table.ErrOtherLayout) || !strings.Contains(err.Error(), "make reset") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSweepDeletesWhatIsDue(t *testing.T) {
	name := create(t)
	now := time.Unix(1_900_000_000, 0)
	put(t, name, "long due", 1)
	put(t, name, "due", now.Unix())
	put(t, name, "not due", now.Unix()+1)
	put(t, name, "never due", 0)

	deleted, err := table.Sweep(t.Context(), client, name, now)
	if err != nil {
		t.Fatal(err)
	}
	if deleted != 2 {
		t.Errorf("%d deleted, want 2", deleted)
	}
	for pk, want := range map[string]bool{"long due": false, "due": false, "not due": true, "never due": true} {
		if got := exists(t, name, pk); got != want {
			t.Errorf("%s exists: %t", pk, got)
		}
	}
}

func TestSweepGoesThroughAllPages(t *testing.T) {
	name := create(t)
	// A Scan reads 1 MB a page before it filters.
	const items = 12
	for i := range items {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{
			schema.PartitionKey: &types.AttributeValueMemberS{Value: strconv.Itoa(i)},
			schema.SortKey:      &types.AttributeValueMemberS{Value: "x"},
			schema.PurgeAt:      &types.AttributeValueMemberN{Value: "1"},
			"filling":           &types.AttributeValueMemberS{Value: strings.Repeat("x", 300_000)},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if deleted, err := table.Sweep(t.Context(), client, name, time.Unix(2, 0)); err != nil || deleted != items {
		t.Errorf("%d deleted, error %v", deleted, err)
	}
}

func TestSweepSparesAnItemThatIsExtendedMeanwhile(t *testing.T) {
	name := create(t)
	put(t, name, "extended", 1)
	extending := dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, beforeDelete(func() { put(t, name, "extended", 100) }))
	})
	deleted, err := table.Sweep(t.Context(), extending, name, time.Unix(2, 0))
	if err != nil {
		t.Fatal(err)
	}
	if deleted != 0 || !exists(t, name, "extended") {
		t.Errorf("%d deleted", deleted)
	}
}

func TestSweepEverySweepsAgain(t *testing.T) {
	name := create(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		clock := func() time.Time { return time.Unix(2, 0) }
		table.SweepEvery(ctx, client, name, 5*time.Millisecond, clock, io.Discard)
	}()
	for _, pk := range []string{"first", "second"} {
		put(t, name, pk, 1)
		localtest.WaitUntil(t, func() bool { return !exists(t, name, pk) })
	}
	cancel()
	<-ended
}

func TestSweepEveryLogsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lines := make(chan string)
		broken := dynamodb.New(client.Options(), func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, failing)
		})
		go func() {
			defer close(lines)
			table.SweepEvery(ctx, broken, "t", table.SweepInterval, time.Now, lineWriter(lines))
		}()
		for range 2 {
			if line := <-lines; !strings.Contains(line, "out of order") {
				t.Errorf("log: %q", line)
			}
		}
		cancel()
		synctest.Wait()
	})
}

type lineWriter chan<- string

func (w lineWriter) Write(text []byte) (int, error) {
	w <- string(text)
	return len(text), nil
}

// failing makes every call of a client fail before it is sent.
func failing(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("failing", func(
		context.Context, middleware.InitializeInput, middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		return middleware.InitializeOutput{}, middleware.Metadata{}, errors.New("out of order")
	}), middleware.Before)
}

func beforeDelete(do func()) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("before delete", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			if _, deletes := in.Parameters.(*dynamodb.DeleteItemInput); deletes {
				do()
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}
}

func create(t *testing.T) string {
	t.Helper()
	name := tableName(t)
	if err := table.Create(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func tableName(t *testing.T) string { return strings.ReplaceAll(t.Name(), "/", ".") }

func put(t *testing.T, name, pk string, purgeAt int64) {
	t.Helper()
	item := map[string]types.AttributeValue{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: pk},
		schema.SortKey:      &types.AttributeValueMemberS{Value: "x"},
	}
	if purgeAt > 0 {
		item[schema.PurgeAt] = &types.AttributeValueMemberN{Value: strconv.FormatInt(purgeAt, 10)}
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func exists(t *testing.T, name, pk string) bool {
	t.Helper()
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, Key: map[string]types.AttributeValue{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: pk},
		schema.SortKey:      &types.AttributeValueMemberS{Value: "x"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item != nil
}
