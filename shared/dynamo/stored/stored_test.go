package stored

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

const (
	uuid = "0199a5b4-7a00-7000-8000-000000000000"
	noon = "2026-05-06T12:00:00.123456789Z"
)

func text(value string) Value   { return Value{Type: String, Text: value} }
func number(value string) Value { return Value{Type: Number, Text: value} }
func blob(length int) Value     { return Value{Type: Binary, Text: strings.Repeat("\x01", length)} }
func truth() Value              { return Value{Type: Bool, IsTrue: true} }

func list(values ...Value) Value {
	all := Value{Type: List}
	for _, value := range values {
		all.Members = append(all.Members, Attribute{Value: value})
	}
	return all
}

func members(name string, value Value) Value { return Value{Type: Map, Members: Item{{name, value}}} }

// record is a key's and an account's with one attribute that is another.
func record(name string, value Value) Item {
	all := Item{
		{schema.PartitionKey, text("demo#account/" + uuid)}, {schema.Path, text("demo#" + uuid)}, {schema.Owner, text("demo#account/" + uuid)},
		{schema.Digest, blob(32)}, {schema.Previous, blob(32)}, {schema.RotatedAt, text(noon)}, {schema.Retain, number("5")},
		{schema.ExpiresAt, text(noon)}, {schema.CreatedAt, text(noon)}, {schema.UpdatedAt, text(noon)}, {schema.Version, number("7")},
		{schema.Propagate, truth()}, {schema.Grant, members(schema.GrantRoles, list(text("SYSTEM_ROLE_READ_ONLY")))},
	}
	for i := range all {
		if all[i].Name == name {
			all[i].Value = value
			return all
		}
	}
	return append(all, Attribute{name, value})
}

// others are values of every type, none of which is what any attribute should be.
var others = []Value{
	{}, text(""), text("x"), text(strings.Repeat("x", 32)), number("1"), blob(0), blob(31), blob(33), truth(), list(), list(text("x")),
	{Type: Map}, members("x", text("x")),
}

// What would give a key more than it has, or a longer life, if it passed for nothing.
func TestWhatCannotBeReadIsAnError(t *testing.T) {
	if key, err := Key(record("later", text("x"))); err != nil || key.Account.IsZero() || key.ExpiresAt.IsZero() || key.RotatedAt.IsZero() {
		t.Fatalf("%+v, %v", key, err)
	}
	damages := map[string][]Value{
		schema.GrantRoles:  {{}, text("x"), members("x", text("x")), list(number("1")), list(text("x"), Value{}), list(list(text("x")))},
		schema.GrantExcept: {{}, text("x"), members("x", text("x")), list(number("1")), list(text("x"), Value{}), list(list(text("x")))},
	}
	for _, methods := range []Value{
		{}, text("1"), blob(1), truth(), number("0"), number("-1"), number("1.5"), number(""), number(strconv.Itoa(int(access.All) + 1)),
		number("9223372036854775808"), number("257"),
	} {
		damages[schema.GrantRules] = append(damages[schema.GrantRules], members("key", methods))
	}
	for name, values := range damages {
		for _, value := range values {
			if key, err := Key(record(schema.Grant, members(name, value))); err == nil {
				t.Errorf("%s of %+v is read as %+v", name, value, key.Grant)
			}
		}
	}
	for _, name := range []string{
		schema.Path, schema.Owner, schema.Digest, schema.Previous, schema.RotatedAt, schema.ExpiresAt, schema.CreatedAt, schema.UpdatedAt,
	} {
		for _, value := range others {
			if key, err := Key(record(name, value)); err == nil || errors.Is(err, fault.NotFound) {
				t.Errorf("a key whose %s is %+v is read as %+v, %v", name, value, key, err)
			}
		}
	}
}

// What gives nothing if it passes for nothing, and what takes away whatever it is.
func TestWhatIsDamagedGivesNothing(t *testing.T) {
	for _, value := range others {
		key, err := Key(record(schema.Grant, value))
		if diff := cmp.Diff(access.Grant{}, key.Grant); err != nil || diff != "" {
			t.Errorf("a grant of %+v: %v\n%s", value, err, diff)
		}
		if key, err := Key(record(schema.Propagate, value)); err != nil || key.Propagate != value.IsTrue {
			t.Errorf("propagation of %+v: %v, %v", value, key.Propagate, err)
		}
		if key, err := Key(record(schema.Retain, value)); err != nil || key.RetainMinutes > 1 {
			t.Errorf("retention of %+v: %v, %v", value, key.RetainMinutes, err)
		}
		if key, err := Key(record(schema.Disabled, value)); err != nil || !key.Disabled {
			t.Errorf("disabled by %+v: %v, %v", value, key.Disabled, err)
		}
		if account, err := Account(record(schema.Disabled, value)); err != nil || !account.Disabled {
			t.Errorf("account disabled by %+v: %v, %v", value, account.Disabled, err)
		}
		if account, err := Account(record(schema.RemovedAt, value)); !errors.Is(err, fault.NotFound) {
			t.Errorf("account removed at %+v: %+v, %v", value, account, err)
		}
	}
}

// What is not there is not what is there without attributes.
func TestMissing(t *testing.T) {
	for _, there := range []bool{false, true} {
		var item Item
		if there {
			item = Item{}
		}
		_, ofKey := Key(item)
		_, ofAccount := Account(item)
		if ofKey == nil || ofAccount == nil || errors.Is(ofKey, fault.NotFound) == there || errors.Is(ofAccount, fault.NotFound) == there {
			t.Errorf("an item that is there: %v; key: %v; account: %v", there, ofKey, ofAccount)
		}
	}
}
