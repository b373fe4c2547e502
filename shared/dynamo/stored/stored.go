// Package stored reads what the table holds of a key and of an account, whichever client
// has fetched it. Package schema says what that is.
//
// What cannot be read is an error where leaving it out would give a key more than it has,
// or a longer life. A client gives what it has fetched as an Item, in the types of
// DynamoDB, so that there is one way to read it.
package stored

import (
	"fmt"
	"strconv"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/schema"
)

// A Type is a type of DynamoDB's, by the name that it has in JSON. Those that nothing of
// ours is stored in have no name here.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type Type string

// The types.
const (
	String Type = "S"
	Number Type = "N"
	Binary Type = "B"
	Bool   Type = "BOOL"
	List   Type = "L"
	Map    Type = "M"
)

// A Value is one of an attribute, or of a member of one. Its type says which of its
// members it is in.
type Value struct {
	Type    Type
	Text    string // of a String and a Number, and the bytes of a Binary
	IsTrue  bool
	Members Item // of a Map, and without names of a List
}

// An Attribute is a value and its name in the item or map that it is in.
type Attribute struct {
	Name string
	Value
}

// An Item is one of the table, or what is in a map or list of it. The order of attributes
// means nothing. Nil is an item that is not there.
type Item []Attribute

// find gives an attribute, and whether the item has it. Items are small: to look through
// one takes less than to make a map of it.
func (i Item) find(name string) (Value, bool) {
	for _, attribute := range i {
		if attribute.Name == name {
			return attribute.Value, true
		}
	}
	return Value{}, false
}

// Has reports whether the item has an attribute.
func (i Item) Has(name string) bool {
	_, there := i.find(name)
	return there
}

// text is empty for what is no text.
func (i Item) text(name string) string {
	if value, _ := i.find(name); value.Type == String {
		return value.Text
	}
	return ""
}

func (i Item) number(name string) int64 {
	value, _ := i.find(name)
	return value.number()
}

// number is zero for what is no whole number. A version of zero meets no condition.
func (v Value) number() int64 {
	number, err := strconv.ParseInt(v.Text, 10, 64)
	if v.Type != Number || err != nil {
		return 0
	}
	return number
}

func (i Item) members(name string) Item {
	if value, _ := i.find(name); value.Type == Map {
		return value.Members
	}
	return nil
}

func (i Item) isTrue(name string) bool {
	value, _ := i.find(name)
	return value.Type == Bool && value.IsTrue
}

func (i Item) actor(name string) apikey.Actor {
	members := i.members(name)
	return apikey.Actor{ID: members.text(schema.ActorID), Name: members.text(schema.ActorName)}
}

// A reader reads a record and keeps the first error: an expiry or an exception that
// cannot be read must not pass for none.
type reader struct {
	record Item
	err    error
}

func (r *reader) fail(attribute string) {
	if r.err == nil {
		r.err = fmt.Errorf("stored %s cannot be read", attribute)
	}
}

func (r *reader) time(attribute string) time.Time {
	if !r.record.Has(attribute) {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, r.record.text(attribute))
	if err != nil {
		r.fail(attribute)
	}
	return at
}

// account reads whose a key is. One that could not be read must not pass for nobody's.
func (r *reader) account() apikey.ID {
	if !r.record.Has(schema.Owner) {
		return apikey.ID{}
	}
	at, err := AccountIn(r.record.text(schema.Owner))
	if err != nil {
		r.fail(schema.Owner)
	}
	return at.ID
}

// digest reads a digest that must be there.
func (r *reader) digest(attribute string) apikey.Digest {
	value, _ := r.record.find(attribute)
	if value.Type != Binary || len(value.Text) != len(apikey.Digest{}) {
		r.fail(attribute)
		return apikey.Digest{}
	}
	return apikey.Digest([]byte(value.Text))
}

func (r *reader) grant() access.Grant {
	members := r.record.members(schema.Grant)
	grant := access.Grant{
		Roles:  readList[access.Role](r, members, schema.GrantRoles),
		Except: readList[string](r, members, schema.GrantExcept),
	}
	rules := members.members(schema.GrantRules)
	if len(rules) == 0 {
		return grant
	}
	grant.Rules = make(map[string]access.Method, len(rules))
	for _, rule := range rules {
		methods := rule.number()
		if methods <= 0 || methods > int64(access.All) {
			r.fail(schema.GrantRules)
		}
		grant.Rules[rule.Name] = access.Method(methods)
	}
	return grant
}

func readList[T ~string](r *reader, members Item, name string) []T {
	list, there := members.find(name)
	if !there {
		return nil
	}
	if list.Type != List {
		r.fail(name)
		return nil
	}
	values := make([]T, len(list.Members))
	for i, member := range list.Members {
		if member.Type != String {
			r.fail(name)
			return nil
		}
		values[i] = T(member.Text)
	}
	return values
}
