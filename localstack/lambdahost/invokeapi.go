package lambdahost

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"latchkey/shared/operation"
)

const invokePath = "/2015-03-31/functions/{name}/invocations"

// guard refuses what a web page can send.
func (h *Host) guard(next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(h.address())
	own := map[string]bool{
		h.address():                         true,
		net.JoinHostPort("127.0.0.1", port): true,
		net.JoinHostPort("localhost", port): true,
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Origin") != "" || !own[request.Host] {
			invokeError(response, http.StatusForbidden, "AccessDeniedException", "not for web pages")
			return
		}
		next.ServeHTTP(response, request)
	})
}

// invoke is Lambda's Invoke for an event whose response is waited for.
func (h *Host) invoke(response http.ResponseWriter, request *http.Request) {
	op, ok := h.named(request.PathValue("name"))
	if !ok {
		invokeError(response, http.StatusNotFound, "ResourceNotFoundException",
			"Function not found: "+functionARN(request.PathValue("name")))
		return
	}
	if kind := request.Header.Get("X-Amz-Invocation-Type"); kind != "" && kind != "RequestResponse" {
		invokeError(response, http.StatusBadRequest, "InvalidParameterValueException",
			"only RequestResponse is served locally")
		return
	}
	event, tooLarge, err := readPayload(request, MaxEvent)
	if len(event) == 0 {
		event = []byte("{}")
	}
	switch {
	case err != nil:
		return // the caller is gone
	case tooLarge:
		invokeError(response, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "event over 6 MB")
	case !json.Valid(event):
		invokeError(response, http.StatusBadRequest, "InvalidRequestContentException",
			"Could not parse request body into json")
	default:
		payload, err := h.Invoke(request.Context(), op, event)
		answerInvoke(response, payload, err)
	}
}

// answerInvoke gives a function's error as an answer, any other as a failure.
func answerInvoke(response http.ResponseWriter, payload []byte, err error) {
	failed, isFailed := errors.AsType[*FunctionError](err)
	if err != nil && !isFailed {
		invokeError(response, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	header := response.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Amz-Executed-Version", "$LATEST")
	header.Set("X-Amzn-Requestid", randomID())
	if isFailed {
		header.Set("X-Amz-Function-Error", "Unhandled")
		payload = failed.Payload
	}
	_, _ = response.Write(payload) // a caller that is gone is no concern of ours
}

// named finds the operation that a function's name, or its ARN, stands for: the
// operation's own name, or one that ends in it after a hyphen.
func (h *Host) named(function string) (operation.Operation, bool) {
	if name, err := url.PathUnescape(function); err == nil {
		function = name
	}
	if _, name, isARN := strings.Cut(function, ":function:"); isARN {
		function, _, _ = strings.Cut(name, ":")
	}
	best, found := operation.Operation{}, false
	for name, p := range h.pools {
		fits := function == name || strings.HasSuffix(function, "-"+name)
		if fits && len(name) > len(best.Name) {
			best, found = p.op, true
		}
	}
	return best, found
}

func invokeError(response http.ResponseWriter, status int, kind, message string) {
	response.Header().Set("X-Amzn-Errortype", kind)
	writeJSON(response, status, map[string]string{"Type": "User", "Message": message})
}

func writeJSON(response http.ResponseWriter, status int, body map[string]string) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings always marshal
	}
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	_, _ = response.Write(text) // a caller that is gone is no concern of ours
}
