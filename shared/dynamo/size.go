package dynamo

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	containerBytes = 3  // of a list or a map, and one more for each member
	numberBytes    = 21 // the largest that a number can take
)

// SizeOf is an item's size in bytes as DynamoDB counts it for read and write units.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func SizeOf(encoded map[string]types.AttributeValue) int { return sizer(sizeOfNumber).of(encoded) }

// sizeOf is the same or a little more: a number is counted at its largest, which it may
// become.
func sizeOf(encoded item) int {
	return sizer(func(string) int { return numberBytes }).of(encoded)
}

// sizeOfNumber takes a byte, and one for each two of the digits that tell something.
func sizeOfNumber(number string) int {
	digits := strings.Trim(number, "-0")
	return 1 + (len(digits)+1)/2
}

// A sizer sizes items, whose numbers it sizes itself. We store whole numbers.
type sizer func(number string) int

func (s sizer) of(encoded item) int {
	size := 0
	for name, value := range encoded {
		size += len(name) + s.ofValue(value)
	}
	return size
}

func (s sizer) ofValue(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return s(v.Value)
	case *types.AttributeValueMemberM:
		return containerBytes + len(v.Value) + s.of(v.Value)
	case *types.AttributeValueMemberL:
		size := containerBytes + len(v.Value)
		for _, member := range v.Value {
			size += s.ofValue(member)
		}
		return size
	}
	return 1 // a boolean or null
}
