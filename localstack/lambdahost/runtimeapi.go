package lambdahost

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Paths of the Runtime API.
const (
	workerPath  = "/w/{worker}/2018-06-01/runtime"
	nextPath    = workerPath + "/invocation/next"
	resultPath  = workerPath + "/invocation/{id}/response"
	failurePath = workerPath + "/invocation/{id}/error"
	initPath    = workerPath + "/init/error"
)

// Trailers with which a runtime reports an error in the middle of a response.
const (
	errorTypeTrailer = "Lambda-Runtime-Function-Error-Type"
	errorBodyTrailer = "Lambda-Runtime-Function-Error-Body"
)

func (h *Host) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+nextPath, h.forWorker(h.next))
	mux.HandleFunc("POST "+resultPath, h.forWorker(h.result))
	mux.HandleFunc("POST "+failurePath, h.forWorker(h.failure))
	mux.HandleFunc("POST "+initPath, h.forWorker(h.initFailure))
	mux.HandleFunc("POST "+invokePath, h.invoke)
	return mux
}

func (h *Host) forWorker(handle func(http.ResponseWriter, *http.Request, *worker)) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		w, ok := h.worker(request.PathValue("worker"))
		if !ok {
			runtimeError(response, http.StatusForbidden, "InvalidWorker", "no process has this path")
			return
		}
		handle(response, request, w)
	}
}

// next answers when there is an event for the process.
func (h *Host) next(response http.ResponseWriter, request *http.Request, w *worker) {
	select {
	case inv := <-w.deliver:
		w.begin(inv)
		// The process compares the deadline with the machine's own clock.
		deadline := time.Now().Add(w.pool.op.Timeout).UnixMilli()
		header := response.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline, 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", functionARN(w.pool.op.Name))
		header.Set("Lambda-Runtime-Trace-Id", traceID(inv.id))
		_, _ = response.Write(inv.event) // a process that is gone is noticed by its end
	case <-request.Context().Done():
	}
}

func (h *Host) result(response http.ResponseWriter, request *http.Request, w *worker) {
	id := request.PathValue("id")
	body, tooLarge, err := readPayload(request, MaxResponse)
	switch {
	case err != nil:
		runtimeError(response, http.StatusBadRequest, "InvalidRequest", "unreadable response")
	case tooLarge:
		reason := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponse)
		w.end(id, outcome{err: newFunctionError("Function.ResponseSizeTooLarge", id, reason)})
		runtimeError(response, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", reason)
	default:
		accept(response, w.end(id, outcomeOf(request, body)))
	}
}

// outcomeOf is an error when the runtime said so in a trailer.
func outcomeOf(request *http.Request, body []byte) outcome {
	if request.Trailer.Get(errorTypeTrailer) == "" {
		return outcome{payload: body}
	}
	payload, err := base64.StdEncoding.DecodeString(request.Trailer.Get(errorBodyTrailer))
	if err != nil {
		return outcome{err: fmt.Errorf("error trailer: %w", err)}
	}
	return outcome{err: &FunctionError{Payload: payload}}
}

func (h *Host) failure(response http.ResponseWriter, request *http.Request, w *worker) {
	body, tooLarge, err := readPayload(request, MaxResponse)
	if err != nil || tooLarge {
		runtimeError(response, http.StatusBadRequest, "InvalidRequest", "unreadable error")
		return
	}
	accept(response, w.end(request.PathValue("id"), outcome{err: &FunctionError{Payload: body}}))
}

func (h *Host) initFailure(response http.ResponseWriter, request *http.Request, w *worker) {
	body, tooLarge, err := readPayload(request, MaxResponse)
	if err != nil || tooLarge {
		runtimeError(response, http.StatusBadRequest, "InvalidRequest", "unreadable error")
		return
	}
	w.failInit(body)
	accept(response, true)
}

// readPayload reads at most one byte more than is allowed.
func readPayload(request *http.Request, limit int) (body []byte, tooLarge bool, err error) {
	body, err = io.ReadAll(io.LimitReader(request.Body, int64(limit)+1))
	return body, len(body) > limit, err
}

func accept(response http.ResponseWriter, known bool) {
	if !known {
		runtimeError(response, http.StatusBadRequest, "InvalidRequestID", "no such invocation in this process")
		return
	}
	writeJSON(response, http.StatusAccepted, map[string]string{"status": "OK"})
}

func runtimeError(response http.ResponseWriter, status int, kind, message string) {
	writeJSON(response, status, map[string]string{"errorType": kind, "errorMessage": message})
}

func functionARN(name string) string {
	return "arn:aws:lambda:" + Region + ":" + account + ":function:" + name
}

func traceID(requestID string) string {
	digits := strings.ReplaceAll(requestID, "-", "")
	return fmt.Sprintf("Root=1-%08x-%s;Sampled=0", time.Now().Unix(), digits[:24])
}
