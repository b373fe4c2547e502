package capacity_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/dynamo/dynamotest/capacity"
	"latchkey/shared/schema"
)

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

// item is one with texts, given as name, value, name, value.
func item(texts ...string) capacity.Item {
	made := capacity.Item{schema.PartitionKey: text("p"), schema.SortKey: text("s")}
	for i := 0; i < len(texts); i += 2 {
		made[texts[i]] = text(texts[i+1])
	}
	return made
}

// sized is an item of so many bytes, which is in no index.
func sized(bytes int) capacity.Item {
	const others = len("pk" + "p" + "sk" + "s" + "x")
	return item("x", strings.Repeat("x", bytes-others))
}

// listed is an item that is in the index by-namespace, with more texts.
func listed(texts ...string) capacity.Item {
	return item(append([]string{schema.Tenant, "t", schema.Path, "a"}, texts...)...)
}

func long(bytes int) string { return strings.Repeat("x", bytes) }

func TestRead(t *testing.T) {
	tests := []struct {
		name  string
		items []capacity.Item
		how   capacity.Consistency
		units float64
	}{
		{"none", nil, capacity.Strong, 1},
		{"none, eventually", nil, capacity.Eventual, 0.5},
		{"none, in a transaction", nil, capacity.Transactional, 2},
		{"4 KB", []capacity.Item{sized(4096)}, capacity.Strong, 1},
		{"more", []capacity.Item{sized(4097)}, capacity.Strong, 2},
		{"more, eventually", []capacity.Item{sized(4097)}, capacity.Eventual, 1},
		{"more, in a transaction", []capacity.Item{sized(4097)}, capacity.Transactional, 4},
		{"several of 4 KB together", []capacity.Item{sized(96), sized(2000), sized(2000)}, capacity.Strong, 1},
		{"several of more", []capacity.Item{sized(97), sized(2000), sized(2000)}, capacity.Strong, 2},
	}
	for _, test := range tests {
		if got := capacity.Read(test.items, test.how); got != test.units {
			t.Errorf("%s: %g, want %g", test.name, got, test.units)
		}
	}
}

func TestChange(t *testing.T) {
	tests := []struct {
		name          string
		before, after capacity.Item
		table, index  float64 // by-namespace
	}{
		{"nothing to delete", nil, nil, 1, 0},
		{"a new item in no index", nil, sized(1024), 1, 0},
		{"a larger one", nil, sized(1025), 2, 0},
		{"one that shrinks", sized(3000), sized(10), 3, 0},
		{"one that grows", sized(10), sized(3000), 3, 0},
		{"one that goes", sized(2000), nil, 2, 0},

		{"a new entry", nil, listed(), 1, 1},
		{"an entry of an old item", item(), listed(), 1, 1},
		{"an item without one of the keys", nil, item(schema.Tenant, "t"), 1, 0},
		{"what stays", listed("name", "n"), listed("name", "n"), 1, 0},
		{"a change of what the index has", listed("name", "n"), listed("name", "m"), 1, 1},
		{"a change of what it has not", listed("digest", "n"), listed("digest", "m"), 1, 0},
		{"another key", listed(), item(schema.Tenant, "t", schema.Path, "b"), 1, 2},
		{"an entry that goes with its item", listed(), nil, 1, 1},
		{"an entry that goes", listed(), item(schema.Tenant, "t"), 1, 1},

		{"a large new entry", nil, listed("name", long(2500)), 3, 3},
		{"a large item with a small entry", nil, listed("digest", long(2500)), 3, 1},
		{"an entry that shrinks", listed("name", long(2500)), listed("name", "n"), 3, 3},
		{"a large entry that goes", listed("name", long(2500)), nil, 3, 3},
		{"a large entry of another key", listed("name", long(2500)), item(schema.Tenant, "u", schema.Path, "a"), 3, 4},
	}
	for _, test := range tests {
		change := capacity.Change{Before: test.before, After: test.after}
		if got := change.Table(); got != test.table {
			t.Errorf("%s: %g in the table, want %g", test.name, got, test.table)
		}
		if got := change.Index(schema.ByNamespace); got != test.index {
			t.Errorf("%s: %g in the index, want %g", test.name, got, test.index)
		}
	}
}
