package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/dynamo"
)

// The sizes are those that follow from AWS's page, less the name's one byte.
func TestSizeOf(t *testing.T) {
	number := func(text string) types.AttributeValue { return &types.AttributeValueMemberN{Value: text} }
	yes := &types.AttributeValueMemberBOOL{Value: true}
	for _, test := range []struct {
		name  string
		value types.AttributeValue
		bytes int
	}{
		{"text", &types.AttributeValueMemberS{Value: "grün"}, 5},
		{"bytes", &types.AttributeValueMemberB{Value: make([]byte, 32)}, 32},
		{"boolean", yes, 1},
		{"zero", number("0"), 1},
		{"one digit", number("7"), 2},
		{"two digits", number("42"), 2},
		{"three digits", number("123"), 3},
		{"digits that tell nothing", number("4200000"), 2},
		{"a time", number("1795338001"), 6},
		{"empty map", &types.AttributeValueMemberM{}, 3},
		{"map", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"ab": yes, "n": number("12")}}, 3 + (1 + 2 + 1) + (1 + 1 + 2)},
		{"list", &types.AttributeValueMemberL{Value: []types.AttributeValue{yes, yes}}, 3 + 2*(1+1)},
	} {
		if got := dynamo.SizeOf(map[string]types.AttributeValue{"x": test.value}); got != 1+test.bytes {
			t.Errorf("%s: %d, want %d", test.name, got-1, test.bytes)
		}
	}
}
