// Package capacity works out what DynamoDB charges for a request, from AWS's rules and the
// items that the request reads or that were there before and are there after it. It is a
// second opinion on the ConsumedCapacity of an emulator, which is somebody else's reading
// of the same rules.
//
// The rules are those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html,
// of a write to a global secondary index those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes,
// and of transactions those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-capacity-handling.
//
//	read       a unit for each 4 KB, of which there is one at least; eventually consistent half of it
//	query      the same for the sum of what it reads
//	write      a unit for each 1 KB of the larger of the two, the item before and the item after
//	batch      each item as if it came alone
//	index      a write of the entry that appears, changes or goes, and two where its key changes;
//	           nothing where it stays as it is
//	transact   each read or write of the table twice, also a check, which is a write; an index,
//	           which follows later, once
package capacity

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/dynamo"
	"latchkey/shared/schema"
)

// An Item is one of the table; nil is none.
type Item = map[string]types.AttributeValue

// A Consistency is how many units a read of up to 4 KB takes.
type Consistency float64

// The consistencies of a read.
const (
	Eventual      Consistency = 0.5
	Strong        Consistency = 1
	Transactional Consistency = 2
)

// What a unit is for, in bytes.
const (
	readBlock  = 4096
	writeBlock = 1024
)

// Read gives the read units of a GetItem, or of a Query, which reads all its items as one.
func Read(items []Item, how Consistency) float64 {
	bytes := 0
	for _, item := range items {
		bytes += dynamo.SizeOf(item)
	}
	return blocks(bytes, readBlock) * float64(how)
}

// A Change is what a write makes of an item. They are the same if it only checks.
type Change struct{ Before, After Item }

// Table gives the write units of a change in the table, outside a transaction.
func (c Change) Table() float64 {
	return blocks(max(dynamo.SizeOf(c.Before), dynamo.SizeOf(c.After)), writeBlock)
}

// Index gives the write units of a change in an index.
func (c Change) Index(index schema.Index) float64 {
	before, after := entryOf(index, c.Before), entryOf(index, c.After)
	larger := blocks(max(dynamo.SizeOf(before), dynamo.SizeOf(after)), writeBlock)
	switch {
	case reflect.DeepEqual(before, after):
		return 0
	case before == nil || after == nil || isSame(before, after, index.PartitionKey, index.SortKey):
		return larger
	}
	return blocks(dynamo.SizeOf(before), writeBlock) + blocks(dynamo.SizeOf(after), writeBlock)
}

func isSame(a, b Item, attributes ...string) bool {
	for _, attribute := range attributes {
		if !reflect.DeepEqual(a[attribute], b[attribute]) {
			return false
		}
	}
	return true
}

// entryOf is what an index holds of an item; nil if the item lacks one of its keys.
func entryOf(index schema.Index, item Item) Item {
	if item[index.PartitionKey] == nil || item[index.SortKey] == nil {
		return nil
	}
	keys := []string{schema.PartitionKey, schema.SortKey, index.PartitionKey, index.SortKey}
	entry := Item{}
	for _, attribute := range append(keys, index.Projected...) {
		if value, there := item[attribute]; there {
			entry[attribute] = value
		}
	}
	return entry
}

func blocks(bytes, block int) float64 { return float64(max(1, (bytes+block-1)/block)) }
