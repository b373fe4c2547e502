package serviceaccounts

import (
	"net/http"

	"latchkey/shared/fault"
	"latchkey/shared/web"
)

type outcome struct {
	status int
	class  string // empty: the detail is the message alone
}

var outcomes = map[fault.Kind]outcome{
	fault.Internal:         {http.StatusInternalServerError, "RuntimeError"},
	fault.Malformed:        {http.StatusUnprocessableEntity, "ValueError"},
	fault.Invalid:          {http.StatusUnprocessableEntity, "ValueError"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "CredentialsNotValid"},
	fault.Forbidden:        {http.StatusForbidden, "IllegalOperationError"},
	fault.NotFound:         {http.StatusNotFound, ""},
	fault.Exists:           {http.StatusConflict, "EntityExistsError"},
	fault.Conflict:         {http.StatusConflict, "EntityExistsError"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "ValueError"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "MethodNotAllowedError"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "RuntimeError"},
	fault.TimedOut:         {http.StatusGatewayTimeout, "RuntimeError"},
}

// errNotAuthenticated is of a request without any credential, which the framework refuses
// before an exception could be raised.
var errNotAuthenticated = fault.New(fault.Unauthenticated, "Not authenticated")

// Envelope renders a fault.
func Envelope(_ *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	if o.class == "" || f == errNotAuthenticated {
		return web.MustJSON(o.status, map[string]string{"detail": f.Message})
	}
	return web.MustJSON(o.status, map[string][]string{"detail": {o.class, f.Message}})
}
