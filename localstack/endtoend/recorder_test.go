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

// A recorder stands between the functions and DynamoDB and keeps what each
// operation's function asks for. Each function has a path of its own to it.
type recorder struct {
	url    string
	broken atomic.Bool // no answer to anything

	mu       sync.Mutex
	touches  map[string]map[operation.Touch]bool
	surprise []string
}

func newRecorder(t *testing.T, endpoint string) *recorder {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{touches: map[string]map[operation.Touch]bool{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host, p.Out.URL.Path = target.Scheme, target.Host, "/"
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.broken.Load() {
			panic(http.ErrAbortHandler)
		}
		r.record(request)
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *recorder) environment(op operation.Operation) map[string]string {
	return map[string]string{operation.DynamoDBVariable: r.url + "/" + op.Name}
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
	}
}
