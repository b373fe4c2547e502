package lambdahost

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"latchkey/localstack/child"
	"latchkey/shared/operation"
)

// Region is where the functions are told that they run.
const Region = "us-east-1"

const account = "000000000000"

// A worker is one process of a function.
type worker struct {
	id      string
	pool    *pool
	process *child.Process
	deliver chan *invocation // received from by the process's request for the next event

	// These two belong to who has acquired the worker, or to the pool.
	idle *time.Timer
	used bool

	mu         sync.Mutex
	current    *invocation
	initFailed []byte
}

// An invocation is one event on its way through a function.
type invocation struct {
	id      string
	event   []byte
	outcome chan outcome
}

// An outcome is the function's response, or an error.
type outcome struct {
	payload []byte
	err     error
}

func newInvocation(event []byte) *invocation {
	return &invocation{id: randomID(), event: event, outcome: make(chan outcome, 1)}
}

// A FunctionError is an error of the function itself. Its payload is what Lambda
// answers: a JSON object with errorMessage and errorType.
type FunctionError struct {
	Payload []byte
}

func newFunctionError(kind, requestID, reason string) *FunctionError {
	payload, err := json.Marshal(map[string]string{
		"errorType":    kind,
		"errorMessage": fmt.Sprintf("RequestId: %s Error: %s", requestID, reason),
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return &FunctionError{Payload: payload}
}

// Error is the payload's type and message.
func (e *FunctionError) Error() string {
	var told struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(e.Payload, &told) != nil {
		return "function error"
	}
	return cmp.Or(told.ErrorType, "function error") + ": " + told.ErrorMessage
}

// startWorker starts a process. It asks for its first event once it has
// initialised itself.
func (h *Host) startWorker(p *pool) (*worker, error) {
	h.starting.RLock()
	defer h.starting.RUnlock()
	if h.closed {
		return nil, ErrClosed
	}
	w := &worker{id: randomID(), pool: p, deliver: make(chan *invocation)}
	lines := h.log.writer()
	cmd := exec.Command(filepath.Join(h.config.Dir, p.op.Name))
	cmd.Env = h.environment(p.op, w.id)
	cmd.Stdout, cmd.Stderr = lines, lines

	h.mu.Lock()
	h.workers[w.id] = w
	h.mu.Unlock()
	process, err := child.Start(cmd)
	if err != nil {
		h.remove(w)
		return nil, fmt.Errorf("start: %w", err)
	}
	w.process = process
	h.watchers.Go(func() { h.watch(w, lines) })
	return w, nil
}

// watch cleans up after a process.
func (h *Host) watch(w *worker, lines *lineWriter) {
	<-w.process.Done()
	lines.flush()
	h.remove(w)
	w.pool.forget(w)
}

func (h *Host) remove(w *worker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.workers, w.id)
}

// environment is all that a process gets to see: nothing of the host's own AWS
// settings reaches it.
func (h *Host) environment(op operation.Operation, id string) []string {
	variables := map[string]string{
		"PATH":                            os.Getenv("PATH"),
		"TZ":                              ":UTC",
		"_HANDLER":                        "bootstrap",
		"AWS_REGION":                      Region,
		"AWS_DEFAULT_REGION":              Region,
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_EC2_METADATA_DISABLED":       "true",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_FUNCTION_NAME":        op.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(op.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + op.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      id,
	}
	maps.Copy(variables, op.RuntimeEnvironment())
	maps.Copy(variables, h.config.Environment(op))
	variables["AWS_LAMBDA_RUNTIME_API"] = h.address() + "/w/" + id

	pairs := make([]string, 0, len(variables))
	for name, value := range variables {
		pairs = append(pairs, name+"="+value)
	}
	return pairs
}

// begin makes an invocation the one that the process works on.
func (w *worker) begin(inv *invocation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = inv
}

// end finishes the invocation that the process works on. It reports false when
// that is another one.
func (w *worker) end(id string, out outcome) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil || w.current.id != id {
		return false
	}
	w.current.outcome <- out
	w.current = nil
	return true
}

func (w *worker) failInit(payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.initFailed = bytes.Clone(payload)
}

func (w *worker) initError() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.initFailed
}
