// Package fetched gives what the SDK has fetched from the table as package stored reads it.
package fetched

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/dynamo/stored"
)

// Item gives an item of the SDK's, and nil for nil.
func Item(record map[string]types.AttributeValue) stored.Item {
	if record == nil {
		return nil
	}
	attributes := make(stored.Item, 0, len(record))
	for name, value := range record {
		attributes = append(attributes, stored.Attribute{Name: name, Value: valueOf(value)})
	}
	return attributes
}

// valueOf has no type for what nothing of ours is stored in.
func valueOf(value types.AttributeValue) stored.Value {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return stored.Value{Type: stored.String, Text: v.Value}
	case *types.AttributeValueMemberN:
		return stored.Value{Type: stored.Number, Text: v.Value}
	case *types.AttributeValueMemberB:
		return stored.Value{Type: stored.Binary, Text: string(v.Value)}
	case *types.AttributeValueMemberBOOL:
		return stored.Value{Type: stored.Bool, IsTrue: v.Value}
	case *types.AttributeValueMemberM:
		return stored.Value{Type: stored.Map, Members: Item(v.Value)}
	case *types.AttributeValueMemberL:
		values := make(stored.Item, len(v.Value))
		for i, member := range v.Value {
			values[i].Value = valueOf(member)
		}
		return stored.Value{Type: stored.List, Members: values}
	}
	return stored.Value{}
}
