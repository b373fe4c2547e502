package web

import (
	"net/http"

	"latchkey/shared/fault"
)

var problemStatus = map[fault.Kind]int{
	fault.Internal:         http.StatusInternalServerError,
	fault.Malformed:        http.StatusBadRequest,
	fault.Invalid:          http.StatusBadRequest,
	fault.Unauthenticated:  http.StatusUnauthorized,
	fault.Forbidden:        http.StatusForbidden,
	fault.NotFound:         http.StatusNotFound,
	fault.Exists:           http.StatusConflict,
	fault.Conflict:         http.StatusConflict,
	fault.TooLarge:         http.StatusRequestEntityTooLarge,
	fault.MethodNotAllowed: http.StatusMethodNotAllowed,
	fault.Unavailable:      http.StatusServiceUnavailable,
	fault.TimedOut:         http.StatusGatewayTimeout,
}

// Problem is the envelope of paths that belong to no API (RFC 9457).
func Problem(_ *Request, f *fault.Error) Response {
	status := problemStatus[f.Kind]
	response := MustJSON(status, struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, f.Message})
	response.Header["Content-Type"] = "application/problem+json"
	return response
}
