package protected

import (
	"errors"
	"strings"

	"latchkey/shared/access"
)

// A Right is what a route asks of a key. The zero Right is nobody's.
type Right struct {
	AnyKey bool   // that it is valid, and no more
	Kind   string // of resource
	Method access.Method
}

// AnyKey is the right of every valid key.
func AnyKey() Right { return Right{AnyKey: true} }

// To is the right to do a method to a kind of resource.
func To(method access.Method, kind string) Right { return Right{Method: method, Kind: kind} }

const anyKey = "any key"

var errRight = errors.New(`a right must be to "read", "create", "update" or "delete" one kind of resource, or "any key"`)

var methodNames = []struct {
	method access.Method
	name   string
}{
	{access.Read, "read"}, {access.Create, "create"}, {access.Update, "update"}, {access.Delete, "delete"},
}

// For is the right that a request by an HTTP method asks for: where no method is said,
// what the HTTP method does. False: nothing follows from it, or there is no kind.
func (r Right) For(httpMethod string) (Right, bool) {
	if r.Method == 0 && !r.AnyKey {
		r.Method = methodOf(httpMethod)
	}
	return r, r.AnyKey || r.Method != 0 && access.IsKind(r.Kind)
}

// MarshalText writes "any key", "read orders" or, of the zero Right, nothing.
func (r Right) MarshalText() ([]byte, error) {
	if r.AnyKey {
		return []byte(anyKey), nil
	}
	if r == (Right{}) {
		return nil, nil
	}
	for _, m := range methodNames {
		if m.method == r.Method && access.IsKind(r.Kind) {
			return []byte(m.name + " " + r.Kind), nil
		}
	}
	return nil, errRight
}

// UnmarshalText reads what MarshalText writes.
func (r *Right) UnmarshalText(text []byte) error {
	*r = Right{}
	switch string(text) {
	case anyKey:
		r.AnyKey = true
		fallthrough
	case "":
		return nil
	}
	name, kind, _ := strings.Cut(string(text), " ")
	for _, m := range methodNames {
		if m.name == name && access.IsKind(kind) {
			*r = To(m.method, kind)
			return nil
		}
	}
	return errRight
}
