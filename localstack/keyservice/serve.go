package keyservice

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
)

const (
	maxBody     = 16 << 10
	contentType = "application/x-amz-json-1.1"
)

// Kinds of refusals. All are the caller's fault but the last.
const (
	notFound         = "NotFoundException"
	invalidKeyUsage  = "InvalidKeyUsageException"
	validation       = "ValidationException"
	serialization    = "SerializationException"
	unknownOperation = "UnknownOperationException"
	accessDenied     = "AccessDeniedException"
	internal         = "KMSInternalException"
)

// A refusal is an error as KMS tells it.
type refusal struct {
	Kind    string `json:"__type"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Kind + ": " + r.Message }

func (r *refusal) status() int {
	if r.Kind == internal {
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func invalid(format string, arguments ...any) error {
	return &refusal{Kind: validation, Message: fmt.Sprintf(format, arguments...)}
}

// ServeHTTP answers one request of a KMS client.
func (k *Keys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := k.answer(w, r)
	if err != nil {
		refused := asRefusal(err)
		writeJSON(w, refused.status(), refused)
		return
	}
	writeJSON(w, http.StatusOK, response)
}

// asRefusal keeps the text of any other error to itself: it may tell of a key.
func asRefusal(err error) *refusal {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused
	}
	return &refusal{Kind: internal, Message: "internal error"}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings and bytes always marshal
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	w.WriteHeader(status)
	_, _ = w.Write(text) // a caller that is gone is no concern of ours
}

func (k *Keys) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	// Browsers send it with every POST, and no client of KMS does.
	if r.Header.Get("Origin") != "" {
		return nil, &refusal{Kind: accessDenied, Message: "not for web pages"}
	}
	do, ok := k.action(r)
	if !ok {
		return nil, &refusal{Kind: unknownOperation, Message: "only Sign and GetPublicKey are served locally"}
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return do(body)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, isTooLarge := errors.AsType[*http.MaxBytesError](err); isTooLarge {
		return nil, invalid("the body is over %d bytes", maxBody)
	}
	if err != nil {
		return nil, &refusal{Kind: serialization, Message: "the body cannot be read"}
	}
	return body, nil
}

// An action carries out the request of a body.
type action func(body []byte) (any, error)

func (k *Keys) action(r *http.Request) (action, bool) {
	if r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, false
	}
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.Sign":
		return decoded(k.sign), true
	case "TrentService.GetPublicKey":
		return decoded(k.publicKey), true
	}
	return nil, false
}

func decoded[Request, Response any](do func(Request) (Response, error)) action {
	return func(body []byte) (any, error) {
		var request Request
		if err := json.Unmarshal(body, &request); err != nil {
			return nil, &refusal{Kind: serialization, Message: "the body is not JSON of this action's form"}
		}
		return do(request)
	}
}
