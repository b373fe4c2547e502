package workspaces

import (
	"cmp"
	"net/http"
	"strings"

	"latchkey/shared/fault"
	"latchkey/shared/web"
)

type outcome struct {
	status int
	word   string
}

var outcomes = map[fault.Kind]outcome{
	fault.Internal:         {http.StatusInternalServerError, "INTERNAL"},
	fault.Malformed:        {http.StatusBadRequest, "UNHANDLED_REQUEST_ERROR"},
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

// Envelope renders a fault. Its message names the fields that are wrong.
func Envelope(_ *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	message := messageOf(f)
	return web.MustJSON(o.status, envelope{
		StatusCode: o.status,
		Status:     o.word,
		Message:    message,
		Error:      failure{ErrorKey: o.word, Message: message},
	})
}

func messageOf(f *fault.Error) string {
	if len(f.Fields) == 0 {
		return f.Message
	}
	texts := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		texts[i] = cmp.Or(wireNames[field.Name], field.Name) + ": " + field.Problem
	}
	return strings.Join(texts, "; ")
}
