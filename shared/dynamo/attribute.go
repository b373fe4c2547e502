package dynamo

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
)

// Members of the maps in a key's record.
const (
	rolesMember  = "roles"
	rulesMember  = "rules"
	exceptMember = "except"
	idMember     = "id"
	nameMember   = "name"
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
		members[rolesMember] = encodeList(grant.Roles)
	}
	if len(grant.Except) > 0 {
		members[exceptMember] = encodeList(grant.Except)
	}
	if len(grant.Rules) > 0 {
		rules := make(item, len(grant.Rules))
		for kind, methods := range grant.Rules {
			rules[kind] = number(int64(methods))
		}
		members[rulesMember] = &types.AttributeValueMemberM{Value: rules}
	}
	return &types.AttributeValueMemberM{Value: members}
}

func decodeGrant(members item) access.Grant {
	grant := access.Grant{
		Roles:  decodeList[access.Role](members[rolesMember]),
		Except: decodeList[string](members[exceptMember]),
	}
	rules := mapIn(members, rulesMember)
	if len(rules) == 0 {
		return grant
	}
	grant.Rules = make(map[string]access.Method, len(rules))
	for kind := range rules {
		grant.Rules[kind] = access.Method(numberIn(rules, kind))
	}
	return grant
}

func encodeList[T ~string](values []T) types.AttributeValue {
	members := make([]types.AttributeValue, len(values))
	for i, value := range values {
		members[i] = text(string(value))
	}
	return &types.AttributeValueMemberL{Value: members}
}

func decodeList[T ~string](value types.AttributeValue) []T {
	list, ok := value.(*types.AttributeValueMemberL)
	if !ok {
		return nil
	}
	values := make([]T, 0, len(list.Value))
	for _, member := range list.Value {
		if s, ok := member.(*types.AttributeValueMemberS); ok {
			values = append(values, T(s.Value))
		}
	}
	return slices.Clip(values)
}

func encodeActor(actor apikey.Actor) types.AttributeValue {
	members := item{nameMember: text(actor.Name)}
	if actor.ID != "" {
		members[idMember] = text(actor.ID)
	}
	return &types.AttributeValueMemberM{Value: members}
}

func decodeActor(members item) apikey.Actor {
	return apikey.Actor{ID: textIn(members, idMember), Name: textIn(members, nameMember)}
}

func textIn(record item, attribute string) string {
	if value, ok := record[attribute].(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}

func mapIn(record item, attribute string) item {
	if value, ok := record[attribute].(*types.AttributeValueMemberM); ok {
		return value.Value
	}
	return nil
}

// numberIn is zero for what is no whole number. A rule without methods allows
// nothing, and a version of zero meets no condition.
func numberIn(record item, attribute string) int64 {
	value, ok := record[attribute].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	number, err := strconv.ParseInt(value.Value, 10, 64)
	if err != nil {
		return 0
	}
	return number
}

func isTrue(record item, attribute string) bool {
	value, ok := record[attribute].(*types.AttributeValueMemberBOOL)
	return ok && value.Value
}

// A timeReader reads a record's times and keeps the first error: a time that cannot
// be read might be an expiry, and must not pass for none.
type timeReader struct {
	record item
	err    error
}

func (r *timeReader) read(attribute string) time.Time {
	value, there := r.record[attribute]
	if !there {
		return time.Time{}
	}
	written, _ := value.(*types.AttributeValueMemberS)
	if written == nil {
		r.err = fmt.Errorf("stored %s is no text", attribute)
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, written.Value)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("stored %s: %w", attribute, err)
	}
	return at
}
