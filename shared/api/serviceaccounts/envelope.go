// Package serviceaccounts speaks the service-account API of ZenML's server:
// /api/v1/service_accounts, /api/v1/login and /api/v1/current-user.
//
// An error is {"detail": ["<exception class>", "<message>"]}. The client takes the
// class from it, and the status where it does not know the class. A path that does
// not exist is {"detail": "Not Found"}, as the framework below ZenML says it.
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

// Envelope renders a fault.
func Envelope(_ *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	if o.class == "" {
		return web.MustJSON(o.status, map[string]string{"detail": f.Message})
	}
	return web.MustJSON(o.status, map[string][]string{"detail": {o.class, f.Message}})
}
