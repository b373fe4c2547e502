package endtoend_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"latchkey/localstack/stack"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/operation"
)

// A recorder stands between the functions and DynamoDB and KMS, and keeps what each
// operation's function asks for. Each function has a path of its own to each service.
type recorder struct {
	dynamoDB string
	kms      string
	broken   atomic.Bool // no answer of DynamoDB to anything

	mu         sync.Mutex
	touches    map[string]map[operation.Touch]bool
	keyActions map[string]map[operation.KeyAction]bool
	surprise   []string
}

// newRecorder stands before a DynamoDB and before a KMS that is known when the first
// request to it comes.
func newRecorder(t *testing.T, dynamoDB string, kms func() string) *recorder {
	t.Helper()
	r := &recorder{touches: map[string]map[operation.Touch]bool{}, keyActions: map[string]map[operation.KeyAction]bool{}}
	r.dynamoDB = proxy(t, func() string { return dynamoDB }, func(request *http.Request) {
		if r.broken.Load() {
			panic(http.ErrAbortHandler)
		}
		r.record(request)
	})
	r.kms = proxy(t, kms, r.recordKeyAction)
	return r
}

// proxy sends each request on after it was seen, and gives its own URL.
func proxy(t *testing.T, target func() string, see func(*http.Request)) string {
	t.Helper()
	reverse := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		to, err := url.Parse(target())
		if err != nil {
			panic(err)
		}
		p.Out.URL.Scheme, p.Out.URL.Host, p.Out.URL.Path = to.Scheme, to.Host, "/"
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		see(request)
		reverse.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (r *recorder) environment(op operation.Operation) map[string]string {
	return map[string]string{
		operation.DynamoDBVariable: r.dynamoDB + "/" + op.Name,
		operation.KMSVariable:      r.kms + "/" + op.Name,
	}
}

func (r *recorder) recordKeyAction(request *http.Request) {
	name := strings.Trim(request.URL.Path, "/")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keyActions[name] == nil {
		r.keyActions[name] = map[operation.KeyAction]bool{}
	}
	r.keyActions[name][operation.KeyAction(dynamotest.ActionOf(request.Header))] = true
}

func (r *recorder) record(request *http.Request) {
	name := strings.Trim(request.URL.Path, "/")
	body, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.surprise = append(r.surprise, err.Error())
		return
	}
	touches, tables, err := dynamotest.TouchesOf(request.Header, body)
	if err != nil {
		r.surprise = append(r.surprise, err.Error())
	}
	for _, table := range tables {
		if table != stack.DefaultTable {
			r.surprise = append(r.surprise, name+" touches the table "+table)
		}
	}
	if r.touches[name] == nil {
		r.touches[name] = map[operation.Touch]bool{}
	}
	for _, touch := range touches {
		r.touches[name][touch] = true
	}
}

// proveRows holds each row of the catalogue against what its function did, in both
// directions.
func (r *recorder) proveRows(t *testing.T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, surprise := range r.surprise {
		t.Error(surprise)
	}
	for _, op := range operation.All {
		claimed := map[operation.Touch]bool{}
		for _, touch := range op.Touches {
			claimed[touch] = true
		}
		if did := r.touches[op.Name]; !maps.Equal(claimed, did) {
			t.Errorf("%s did %v, its row says %v", op.Name, slices.Collect(maps.Keys(did)), op.Touches)
		}
		if did := slices.Sorted(maps.Keys(r.keyActions[op.Name])); !slices.Equal(did, slices.Sorted(slices.Values(op.SessionKeys))) {
			t.Errorf("%s did %v with session keys, its row says %v", op.Name, did, op.SessionKeys)
		}
	}
}
