package serviceaccounts

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

// An outcome is the form of an error: its status, the class of ZenML's exception, or none
// if the detail is the message alone, and whether there is no detail around it.
type outcome struct {
	status int
	class  string
	bare   bool
}

var outcomes = map[fault.Kind]outcome{
	fault.Internal:         {status: http.StatusInternalServerError, class: "RuntimeError"},
	fault.Malformed:        {status: http.StatusUnprocessableEntity, class: "ValueError", bare: true},
	fault.Invalid:          {status: http.StatusUnprocessableEntity, class: "ValueError", bare: true},
	fault.Unauthenticated:  {status: http.StatusUnauthorized, class: "CredentialsNotValid"},
	fault.Forbidden:        {status: http.StatusForbidden, class: "IllegalOperationError"},
	fault.NotFound:         {status: http.StatusNotFound},
	fault.Exists:           {status: http.StatusConflict, class: "EntityExistsError"},
	fault.Conflict:         {status: http.StatusConflict, class: "EntityExistsError"},
	fault.TooLarge:         {status: http.StatusRequestEntityTooLarge, class: "ValueError"},
	fault.MethodNotAllowed: {status: http.StatusMethodNotAllowed, class: "MethodNotAllowedError"},
	fault.Unavailable:      {status: http.StatusServiceUnavailable, class: "RuntimeError"},
	fault.TimedOut:         {status: http.StatusGatewayTimeout, class: "RuntimeError"},
}

// errNotAuthenticated is of a request without any credential, which the framework refuses
// before ZenML could raise an exception with a class.
var errNotAuthenticated = fault.Wrap(fault.Unauthenticated,
	&exception{outcome{status: http.StatusUnauthorized}, errors.New("no credential")}, "Not authenticated")

// An exception says which of ZenML's forms a fault has that could have several.
type exception struct {
	outcome
	cause error
}

// Error gives the cause, for the log.
func (e *exception) Error() string { return e.cause.Error() }

// Unwrap gives the cause.
func (e *exception) Unwrap() error { return e.cause }

// missing makes of a fault NotFound the exception that ZenML's store raises. Its message
// is quoted as Python quotes the argument of a KeyError.
func missing(err error, what, asked string) error {
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	raised := &exception{outcome{status: http.StatusNotFound, class: "KeyError"}, err}
	return fault.Wrap(fault.NotFound, raised, quoted("No "+what+" '"+shortened(asked)+"' was found."))
}

// outOfStore is what ZenML's store says of a list that cannot be.
func outOfStore(text string) error {
	raised := &exception{outcome{status: http.StatusBadRequest, class: "ValueError"}, errors.New("list that cannot be shown")}
	return fault.Wrap(fault.Invalid, raised, text)
}

// misasked makes a fault of what is wrong with how a list was asked for.
func misasked(err error) error {
	wrong, ok := errors.AsType[*query.Error](err)
	if !ok {
		return err
	}
	switch wrong.Kind {
	case query.Store:
		return outOfStore(wrong.Text)
	case query.Filter:
		raised := &exception{outcome{status: http.StatusUnprocessableEntity, class: "ValueError"}, err}
		return fault.Wrap(fault.Invalid, raised, wrong.Text)
	}
	return fault.New(fault.Invalid, wrong.Text)
}

// Envelope renders a fault.
func Envelope(_ *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	if raised, ok := errors.AsType[*exception](f); ok {
		o = raised.outcome
	}
	switch {
	case o.class == "":
		return web.MustJSON(o.status, map[string]string{"detail": f.Message})
	case o.bare:
		return web.MustJSON(o.status, []string{o.class, messageOf(f)})
	}
	return web.MustJSON(o.status, map[string][]string{"detail": {o.class, messageOf(f)}})
}

// messageOf names every field that is wrong, as pydantic does.
func messageOf(f *fault.Error) string {
	if len(f.Fields) == 0 {
		return f.Message
	}
	heading := "1 validation error:"
	if len(f.Fields) > 1 {
		heading = fmt.Sprintf("%d validation errors:", len(f.Fields))
	}
	lines := []string{heading}
	for _, field := range f.Fields {
		lines = append(lines, field.Name+": "+field.Problem)
	}
	return strings.Join(lines, "\n  ")
}

// quoted writes a text as Python's repr does, as far as quotes and backslashes go.
func quoted(text string) string {
	text = strings.ReplaceAll(text, `\`, `\\`)
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `\'`) + "'"
}

// How much of what a client has asked for an error repeats, in characters.
const maxRepeated = 100

func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxRepeated {
		return string(runes[:maxRepeated]) + "…"
	}
	return text
}
