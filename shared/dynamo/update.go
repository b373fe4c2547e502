package dynamo

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/schema"
)

// A change is what is done to a record without replacing it: attributes that are set and
// some that are removed. It counts the version up, so that whoever has read the record
// before does not replace it.
type change struct {
	set    item
	remove []string
}

// switching switches a record off or on.
func switching(off bool, set item) change {
	if off {
		set[schema.Disabled] = &types.AttributeValueMemberBOOL{Value: true}
		return change{set: set}
	}
	return change{set: set, remove: []string{schema.Disabled}}
}

// expression writes a change for DynamoDB, with an alias for every attribute.
func (c change) expression() (text string, names map[string]string, values item) {
	names = map[string]string{"#version": schema.Version}
	values = item{":one": number(1)}
	var set, remove []string
	for _, attribute := range slices.Sorted(maps.Keys(c.set)) {
		names["#"+attribute], values[":"+attribute] = attribute, c.set[attribute]
		set = append(set, "#"+attribute+" = :"+attribute)
	}
	for _, attribute := range c.remove {
		names["#"+attribute] = attribute
		remove = append(remove, "#"+attribute)
	}
	text = "ADD #version :one SET " + strings.Join(set, ", ")
	if len(remove) > 0 {
		text += " REMOVE " + strings.Join(remove, ", ")
	}
	return text, names, values
}

// update is a change as a part of a transaction. It is never sent alone: a transaction is
// recognised when it is repeated, and waits for others on the same items.
func (s *Store) update(c condition, partition, sort string, done change, refused func(item, error) error) write {
	text, names, values := done.expression()
	maps.Copy(names, c.names)
	maps.Copy(values, c.values)
	return write{part: types.TransactWriteItem{Update: &types.Update{
		TableName:                           s.table,
		Key:                                 primaryKey(partition, sort),
		UpdateExpression:                    &text,
		ConditionExpression:                 c.text,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, refused: refused}
}
