// Package workspaces speaks the API-key API of KubeSlice EGS: /api/v1/api-key and
// /api/v1/auth.
//
// Every answer has one envelope, whose members are exactly statusCode, status,
// message, data and, on errors, error; its statusCode is the HTTP status. The
// vendor's client reads the code from the body and fails on any other member.
package workspaces

import (
	"net/http"

	"latchkey/shared/fault"
	"latchkey/shared/web"
)

type outcome struct {
	status int
	word   string
}

var outcomes = map[fault.Kind]outcome{
	fault.Internal:         {http.StatusInternalServerError, "INTERNAL"},
	fault.Invalid:          {http.StatusUnprocessableEntity, "VALIDATION_ERROR"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "UNAUTHENTICATED"},
	fault.Forbidden:        {http.StatusForbidden, "PERMISSION_DENIED"},
	fault.NotFound:         {http.StatusNotFound, "NOT_FOUND"},
	fault.Exists:           {http.StatusConflict, "ALREADY_EXISTS"},
	fault.Conflict:         {http.StatusConflict, "ALREADY_EXISTS"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "UNAVAILABLE"},
	fault.TimedOut:         {http.StatusGatewayTimeout, "DEADLINE_EXCEEDED"},
}

type envelope struct {
	StatusCode int     `json:"statusCode"`
	Status     string  `json:"status"`
	Message    string  `json:"message"`
	Data       *string `json:"data"`
	Error      failure `json:"error"`
}

type failure struct {
	ErrorKey string  `json:"errorKey"`
	Message  string  `json:"message"`
	Data     *string `json:"data"`
}

// Envelope renders a fault.
func Envelope(_ *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	return web.MustJSON(o.status, envelope{
		StatusCode: o.status,
		Status:     o.word,
		Message:    f.Message,
		Error:      failure{ErrorKey: o.word, Message: f.Message},
	})
}
