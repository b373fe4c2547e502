package dynamotest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/shared/dynamo"
)

// A Fault makes of a request what DynamoDB or the network would on a bad day. It
// may send the request on, and answer otherwise all the same.
type Fault func(r *http.Request, next http.RoundTripper) (*http.Response, error)

// Failing is a transport that gives the first requests to faults, one each, and
// sends on the others.
type Failing struct {
	Faults    []Fault
	Throttles atomic.Int64 // what the store has counted

	next  http.RoundTripper
	count atomic.Int64
}

// Fail puts a Failing into a store's configuration.
func Fail(c *dynamo.Config) *Failing {
	f := &Failing{}
	c.Throttles = &f.Throttles
	c.Wrap = func(next http.RoundTripper) http.RoundTripper {
		f.next = next
		return f
	}
	return f
}

// RoundTrip lets a fault act, or sends the request on.
func (f *Failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if n := int(f.count.Add(1)); n <= len(f.Faults) {
		return f.Faults[n-1](r, f.next)
	}
	return f.next.RoundTrip(r)
}

// Requests counts the requests so far.
func (f *Failing) Requests() int { return int(f.count.Load()) }

// Break puts a fault into a store's configuration that strikes every request for an
// action, beneath whatever the configuration has around its transport already.
func Break(c *dynamo.Config, action string, fault Fault) {
	around := c.Wrap
	c.Wrap = func(next http.RoundTripper) http.RoundTripper {
		var broken http.RoundTripper = breaking{action, fault, next}
		if around != nil {
			broken = around(broken)
		}
		return broken
	}
}

type breaking struct {
	action string
	fault  Fault
	next   http.RoundTripper
}

func (b breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	if ActionOf(r.Header) == b.action {
		return b.fault(r, b.next)
	}
	return b.next.RoundTrip(r)
}

// Pass sends the request on.
func Pass(r *http.Request, next http.RoundTripper) (*http.Response, error) { return next.RoundTrip(r) }

// Refuse answers with an error of DynamoDB, and sends nothing on.
func Refuse(status int, body string) Fault {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return &http.Response{
			StatusCode: status,
			Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body:       io.NopCloser(bytes.NewReader([]byte(body))),
			Request:    r,
		}, nil
	}
}

// Throttle refuses as an overloaded table does.
var Throttle = Refuse(http.StatusBadRequest,
	`{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`)

// ConflictOfTransactions refuses a transaction that met another one, and anything else that
// met one in its own way.
func ConflictOfTransactions(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	if strings.HasPrefix(ActionOf(r.Header), "Transact") {
		return canceled(r, next)
	}
	return ConflictWithTransaction(r, next)
}

var canceled = Refuse(http.StatusBadRequest,
	`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"canceled",`+
		`"CancellationReasons":[{"Code":"TransactionConflict","Message":"conflict"},{"Code":"None"}]}`)

// ConflictWithTransaction refuses a single write that met a transaction.
var ConflictWithTransaction = Refuse(http.StatusBadRequest,
	`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"conflict"}`)

// ServerError is DynamoDB's own failure.
var ServerError = Refuse(http.StatusInternalServerError,
	`{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"ouch"}`)

// AccessDenied is what a function whose policy lacks an action is told.
var AccessDenied = Refuse(http.StatusBadRequest,
	`{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User is not authorized"}`)

// Hang sends the request to a server that never answers.
func Hang(t testing.TB) Fault {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		astray := r.Clone(r.Context())
		astray.URL.Host = listener.Addr().String()
		return next.RoundTrip(astray)
	}
}

// LoseAnswer sends the request on, which takes effect, and loses the answer.
func LoseAnswer(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	return nil, errors.New("connection reset by peer")
}
