package dynamo

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/schema"
)

func text(value string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: value}
}

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}

func moment(value time.Time) types.AttributeValue {
	return text(value.UTC().Format(time.RFC3339Nano))
}

func setIf(record item, attribute string, value bool) {
	if value {
		record[attribute] = &types.AttributeValueMemberBOOL{Value: true}
	}
}

func encodeGrant(grant access.Grant) types.AttributeValue {
	members := item{}
	if len(grant.Roles) > 0 {
		members[schema.GrantRoles] = encodeList(grant.Roles)
	}
	if len(grant.Except) > 0 {
		members[schema.GrantExcept] = encodeList(grant.Except)
	}
	if len(grant.Rules) > 0 {
		rules := make(item, len(grant.Rules))
		for kind, methods := range grant.Rules {
			rules[kind] = number(int64(methods))
		}
		members[schema.GrantRules] = &types.AttributeValueMemberM{Value: rules}
	}
	return &types.AttributeValueMemberM{Value: members}
}

func encodeList[T ~string](values []T) types.AttributeValue {
	members := make([]types.AttributeValue, len(values))
	for i, value := range values {
		members[i] = text(string(value))
	}
	return &types.AttributeValueMemberL{Value: members}
}

func encodeActor(actor apikey.Actor) types.AttributeValue {
	members := item{schema.ActorName: text(actor.Name)}
	if actor.ID != "" {
		members[schema.ActorID] = text(actor.ID)
	}
	return &types.AttributeValueMemberM{Value: members}
}

func textIn(record item, attribute string) string {
	if value, ok := record[attribute].(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}
