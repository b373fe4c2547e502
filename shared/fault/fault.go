// Package fault is the closed set of ways in which an operation can fail.
//
// The domain and the store return a *Error whose Kind says what went wrong in
// words that know no protocol. Each API renders a Kind in its own envelope from
// one table, and a test holds that table complete. An error without a Kind is
// Internal: its text goes to the log and never to a client.
//
// A Kind is itself an error, so that callers ask
//
//	errors.Is(err, fault.NotFound)
//
// without a sentinel for every case.
package fault

import (
	"errors"
	"slices"
	"strings"
)

// A Kind says what sort of failure an error is. The zero Kind is Internal.
type Kind uint8

// The kinds.
const (
	Internal         Kind = iota // a defect of ours; its text is for the log only
	Malformed                    // the request cannot be read at all
	Invalid                      // the request is wrong; Fields names what is
	Unauthenticated              // no credential, or one that is refused
	Forbidden                    // the caller is known and may not do this
	NotFound                     // there is no such thing, or none that the caller may see
	Exists                       // the thing to be made is there already
	Conflict                     // somebody else changed the thing since it was read
	TooLarge                     // the request's body is over the limit
	MethodNotAllowed             // the path is known, the method is not
	Unavailable                  // what we depend on did not answer; try again later
	TimedOut                     // the time for an answer is over, by what the client asked for
)

var kindNames = [...]string{
	Internal:         "internal error",
	Malformed:        "malformed request",
	Invalid:          "invalid request",
	Unauthenticated:  "unauthenticated",
	Forbidden:        "forbidden",
	NotFound:         "not found",
	Exists:           "already exists",
	Conflict:         "conflict",
	TooLarge:         "too large",
	MethodNotAllowed: "method not allowed",
	Unavailable:      "unavailable",
	TimedOut:         "timed out",
}

// Kinds lists every kind once, for the tests that hold a table complete.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindNames))
	for i := range kindNames {
		kinds[i] = Kind(i)
	}
	return kinds
}

// IsOurs reports whether a failure of this kind is no fault of the request: its text
// holds nothing that a client has sent.
func (k Kind) IsOurs() bool { return k == Internal || k == Unavailable }

// Error names the kind, which makes a Kind a target for errors.Is.
func (k Kind) Error() string { return kindNames[k] }

// A Field names one part of a request that is wrong, by the domain's name for
// it, and says how. An API translates the name to its own spelling.
type Field struct {
	Name    string
	Problem string
}

// Fields collects what is wrong with a request.
type Fields []Field

// Far more than an answer names, and few enough to be collected in no time.
const maxFields = 1000

// Add adds a problem.
func (f *Fields) Add(name, problem string) {
	if len(*f) < maxFields {
		*f = append(*f, Field{Name: name, Problem: problem})
	}
}

// AddUnlessNamed adds a problem with a field that has none yet: the domain's rules say
// again what an API's own say more strictly.
func (f *Fields) AddUnlessNamed(name, problem string) {
	if !slices.ContainsFunc(*f, func(known Field) bool { return known.Name == name }) {
		f.Add(name, problem)
	}
}

// An Error is a failure with a kind. Message and Fields may be shown to a
// client; what Unwrap gives may not.
type Error struct {
	Kind    Kind
	Message string
	Fields  []Field

	cause error
}

// New returns a fault with a message that a client may see.
func New(kind Kind, message string) *Error {
	return &Error{Kind: kind, Message: message}
}

// Wrap returns a fault that a client sees as message, with its cause for the log.
func Wrap(kind Kind, cause error, message string) *Error {
	return &Error{Kind: kind, Message: message, cause: cause}
}

// InvalidFields returns an Invalid fault that names every wrong field at once.
func InvalidFields(fields ...Field) *Error {
	return &Error{Kind: Invalid, Message: "invalid request", Fields: fields}
}

// InvalidField returns an Invalid fault about one field.
func InvalidField(name, problem string) *Error {
	return InvalidFields(Field{Name: name, Problem: problem})
}

// Error gives the whole chain, for the log.
func (e *Error) Error() string {
	parts := []string{e.Message}
	for _, f := range e.Fields {
		parts = append(parts, f.Name+" "+f.Problem)
	}
	if e.cause != nil {
		parts = append(parts, e.cause.Error())
	}
	return strings.Join(parts, ": ")
}

// Is reports whether target is this fault's Kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Unwrap gives the cause, which is for the log only.
func (e *Error) Unwrap() error { return e.cause }

// Of finds the fault in err's chain. An error that has none becomes an Internal
// fault with err as its cause, so that its text cannot reach a client.
func Of(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return Wrap(Internal, err, "internal error")
}
