package dynamo_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/localstack/table"
	"latchkey/shared/access"
	"latchkey/shared/dynamo"
	"latchkey/shared/schema"
)

type item = map[string]types.AttributeValue

// A place is the primary key of an item.
type place struct{ partition, sort string }

// everything reads the whole table.
func everything(t *testing.T, config dynamo.Config) map[place]item {
	t.Helper()
	items := map[place]item{}
	pages := dynamodb.NewScanPaginator(table.Client(config.Endpoint), &dynamodb.ScanInput{
		TableName: &config.Table, ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			items[place{textOf(it, schema.PartitionKey), textOf(it, schema.SortKey)}] = it
		}
	}
	return items
}

// wantItems demands that a table has so many items.
func wantItems(t *testing.T, what string, config dynamo.Config, want int) {
	t.Helper()
	items := everything(t, config)
	if len(items) == want {
		return
	}
	t.Errorf("%s: %d items, want %d", what, len(items), want)
	for at := range items {
		t.Logf("  %s / %s", at.partition, at.sort)
	}
}

// wantWhole demands of a table without purged accounts that each account and each
// account's key has its name and no other, that no name is without who has it, and that
// texts and uses are of keys and accounts that are there.
func wantWhole(t *testing.T, config dynamo.Config) {
	t.Helper()
	for _, flaw := range flaws(everything(t, config)) {
		t.Error(flaw)
	}
}

func flaws(items map[place]item) []string {
	var found []string
	names := map[place]string{} // as the records want them
	for at, it := range items {
		name, isNamed := nameOf(at, it)
		if !isNamed {
			continue
		}
		if other, twice := names[name]; twice {
			found = append(found, fmt.Sprintf("%s and %s both have the name %v", other, at.partition, name))
		}
		names[name] = idIn(at.partition)
	}
	for name, id := range names {
		if holder := textOf(items[name], schema.Holder); holder != id {
			found = append(found, fmt.Sprintf("%v is of %q, want %q", name, holder, id))
		}
	}
	for at, it := range items {
		if it[schema.Holder] != nil && names[at] == "" {
			found = append(found, fmt.Sprintf("%v is a name of %q, which has it not", at, textOf(it, schema.Holder)))
		}
		if (at.sort == schema.AboutItem || at.sort == schema.UseItem) && !belongs(items, at) {
			found = append(found, fmt.Sprintf("%v belongs to nothing", at))
		}
	}
	slices.Sort(found)
	return found
}

// nameOf is where the name of a record must be that has one.
func nameOf(at place, it item) (place, bool) {
	ns, _, _ := schema.SplitPath(textOf(it, schema.Path))
	owner := textOf(it, schema.Owner)
	switch {
	case at.sort == schema.AccountItem && it[schema.RemovedAt] == nil:
		return place{schema.AccountNamePartition(ns, textOf(it, schema.Name)), schema.AccountNameItem}, true
	case at.sort == schema.KeyItem && owner != "":
		return place{owner, schema.KeyNameItem(textOf(it, schema.Name))}, true
	}
	return place{}, false
}

func belongs(items map[place]item, at place) bool {
	key, isKey := items[place{at.partition, schema.KeyItem}]
	account, isAccount := items[place{at.partition, schema.AccountItem}]
	if at.sort == schema.UseItem {
		return isKey && key[schema.Owner] != nil
	}
	return isKey && key[schema.HasTexts] != nil || isAccount && account[schema.HasTexts] != nil
}

func idIn(partition string) string { return partition[len(partition)-36:] }

func textOf(it item, attribute string) string {
	value, ok := it[attribute].(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return value.Value
}

func numberOf(t *testing.T, it item, attribute string) int64 {
	t.Helper()
	value, ok := it[attribute].(*types.AttributeValueMemberN)
	if !ok {
		t.Fatalf("%s is %v, no number", attribute, it[attribute])
	}
	number, err := strconv.ParseInt(value.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func primaryKey(at place) item {
	return item{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: at.partition},
		schema.SortKey:      &types.AttributeValueMemberS{Value: at.sort},
	}
}

// put stores an item behind the store's back.
func put(t *testing.T, config dynamo.Config, it item) {
	t.Helper()
	_, err := table.Client(config.Endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &config.Table, Item: it})
	if err != nil {
		t.Fatal(err)
	}
}

// remove deletes an item behind the store's back, as TTL does.
func remove(t *testing.T, config dynamo.Config, at place) {
	t.Helper()
	out, err := table.Client(config.Endpoint).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &config.Table, Key: primaryKey(at), ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil || out.Attributes == nil {
		t.Fatalf("%v: %v, there was %v", at, err, out)
	}
}

var (
	noGrant = access.Grant{}
	// What the SDK keeps with its values is its own.
	ignoreUnexported = cmpopts.IgnoreUnexported(
		types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
		types.AttributeValueMemberM{}, types.AttributeValueMemberL{}, types.AttributeValueMemberBOOL{},
	)
)
