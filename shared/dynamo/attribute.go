package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/schema"
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

func encodeList[T ~string](values []T) types.AttributeValue {
	members := make([]types.AttributeValue, len(values))
	for i, value := range values {
		members[i] = text(string(value))
	}
	return &types.AttributeValueMemberL{Value: members}
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

// numberIn is zero for what is no whole number. A version of zero meets no condition.
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

// A reader reads a record and keeps the first error: an expiry or an exception that
// cannot be read must not pass for none.
type reader struct {
	record item
	err    error
}

func (r *reader) fail(attribute string) {
	if r.err == nil {
		r.err = fmt.Errorf("stored %s cannot be read", attribute)
	}
}

func (r *reader) time(attribute string) time.Time {
	if _, there := r.record[attribute]; !there {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, textIn(r.record, attribute))
	if err != nil {
		r.fail(attribute)
	}
	return at
}

// account reads whose a key is. One that could not be read must not pass for nobody's.
func (r *reader) account(owner types.AttributeValue) apikey.ID {
	value, ok := owner.(*types.AttributeValueMemberS)
	if !ok {
		r.fail(schema.Owner)
		return apikey.ID{}
	}
	at, err := AccountIn(value.Value)
	if err != nil {
		r.fail(schema.Owner)
	}
	return at.ID
}

func (r *reader) grant(attribute string) access.Grant {
	members := mapIn(r.record, attribute)
	grant := access.Grant{
		Roles:  readList[access.Role](r, members, rolesMember),
		Except: readList[string](r, members, exceptMember),
	}
	rules := mapIn(members, rulesMember)
	if len(rules) == 0 {
		return grant
	}
	grant.Rules = make(map[string]access.Method, len(rules))
	for kind := range rules {
		methods := numberIn(rules, kind)
		if methods <= 0 || methods > int64(access.All) {
			r.fail(rulesMember)
		}
		grant.Rules[kind] = access.Method(methods)
	}
	return grant
}

func readList[T ~string](r *reader, members item, name string) []T {
	value, there := members[name]
	if !there {
		return nil
	}
	list, ok := value.(*types.AttributeValueMemberL)
	if !ok {
		r.fail(name)
		return nil
	}
	values := make([]T, len(list.Value))
	for i, member := range list.Value {
		s, ok := member.(*types.AttributeValueMemberS)
		if !ok {
			r.fail(name)
			return nil
		}
		values[i] = T(s.Value)
	}
	return values
}
