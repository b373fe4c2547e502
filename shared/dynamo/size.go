package dynamo

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

const (
	containerBytes = 3  // of a list or a map, and one more for each member
	numberBytes    = 21 // the largest that a number can take
)

// sizeOf is an item's size as DynamoDB counts it for read and write units, or a
// little more: a number is counted at its largest.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func sizeOf(encoded item) int {
	size := 0
	for name, value := range encoded {
		size += len(name) + sizeOfValue(value)
	}
	return size
}

func sizeOfValue(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return numberBytes
	case *types.AttributeValueMemberM:
		return containerBytes + len(v.Value) + sizeOf(v.Value)
	case *types.AttributeValueMemberL:
		size := containerBytes + len(v.Value)
		for _, member := range v.Value {
			size += sizeOfValue(member)
		}
		return size
	}
	return 1 // a boolean or null
}
