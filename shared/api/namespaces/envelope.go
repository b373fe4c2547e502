package namespaces

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

// An outcome is a code of google.rpc and the HTTP status that goes with it.
//
// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
type outcome struct {
	code   int
	status int
}

var outcomes = map[fault.Kind]outcome{
	fault.Internal:         {13, http.StatusInternalServerError},
	fault.Malformed:        {3, http.StatusBadRequest},
	fault.Invalid:          {3, http.StatusBadRequest},
	fault.Unauthenticated:  {16, http.StatusUnauthorized},
	fault.Forbidden:        {7, http.StatusForbidden},
	fault.NotFound:         {5, http.StatusNotFound},
	fault.Exists:           {6, http.StatusConflict},
	fault.Conflict:         {10, http.StatusConflict},
	fault.TooLarge:         {3, http.StatusRequestEntityTooLarge},
	fault.MethodNotAllowed: {12, http.StatusNotImplemented},
	fault.Unavailable:      {14, http.StatusServiceUnavailable},
	fault.TimedOut:         {4, http.StatusGatewayTimeout},
}

// wireNames are the paths of the domain's fields in this API.
var wireNames = map[string]string{
	"name":       "meta.name",
	"expires_at": "spec.expiration_time",
	"grant":      "spec.permissions",
	"after":      listPrefix + "page_id",
	"skip":       listPrefix + "page_token",
}

type status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details []any  `json:"details"`
}

type httpErrorInfo struct {
	Type       string `json:"@type"`
	StatusCode int    `json:"status_code"`
}

type badRequest struct {
	Type            string           `json:"@type"`
	FieldViolations []fieldViolation `json:"field_violations"`
}

type fieldViolation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// Envelope renders a fault as a google.rpc.Status. Its message names wrong fields
// as the vendor's validator does; google.rpc.BadRequest in its details names them
// by their path in JSON.
func Envelope(r *web.Request, f *fault.Error) web.Response {
	o := outcomes[f.Kind]
	body := status{Code: o.code, Message: f.Message, Details: []any{
		httpErrorInfo{"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo", o.status},
	}}
	if violations := violationsOf(f); len(violations) > 0 {
		body.Message = messageOf(r.Operation, violations)
		body.Details = append(body.Details, badRequest{"type.googleapis.com/google.rpc.BadRequest", violations})
	}
	return web.MustJSON(o.status, body)
}

// What an error names at most, so that it stays far below the size of an answer.
const (
	maxViolations  = 100
	maxFieldLength = 200
)

// violationsOf gives the wrong fields, each once and in an order that does not change.
func violationsOf(f *fault.Error) []fieldViolation {
	var violations []fieldViolation
	for _, field := range f.Fields {
		name := field.Name
		if wire, ok := wireNames[name]; ok {
			name = wire
		}
		name = name[:min(len(name), maxFieldLength)]
		violations = append(violations, fieldViolation{Field: name, Description: field.Problem})
	}
	slices.SortFunc(violations, func(a, b fieldViolation) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Description, b.Description))
	})
	violations = slices.Compact(violations)
	return violations[:min(len(violations), maxViolations)]
}

func messageOf(op operation.Operation, violations []fieldViolation) string {
	texts := make([]string, len(violations))
	for i, v := range violations {
		texts[i] = "invalid " + qualified(op, v.Field) + ": " + v.Description
	}
	return strings.Join(texts, "; ")
}

// qualified writes a path as the vendor does: meta.name of an APIKey is
// APIKey.Meta.Name.
func qualified(op operation.Operation, path string) string {
	name := messageType(op, path)
	for member := range strings.SplitSeq(path, ".") {
		name += "." + camel(member)
	}
	return strings.TrimPrefix(name, ".")
}

// messageType is the message that a path begins in; parameters of a query name it
// themselves.
func messageType(op operation.Operation, path string) string {
	first, _, _ := strings.Cut(path, ".")
	switch {
	case op.Name == operation.ValidateAPIKey.Name:
		return "ValidateAPIKeyReq"
	case op.Name == operation.ExchangeAPIKey.Name:
		return "AuthenticateReq"
	case first == "request" || first == "object":
		return "UpdateAPIKeyReq"
	case strings.HasSuffix(first, "_parameters"):
		return ""
	}
	return "APIKey"
}

func camel(member string) string {
	var text strings.Builder
	for word := range strings.SplitSeq(member, "_") {
		first, size := utf8.DecodeRuneInString(word)
		if size > 0 {
			text.WriteRune(unicode.ToUpper(first))
		}
		text.WriteString(word[size:])
	}
	return text.String()
}
