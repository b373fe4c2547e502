package dynamo_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/fault"
)

// A storeOperation is one way to use a store.
type storeOperation struct {
	name    string
	creates bool // its key does not exist before
	texts   bool // its key has texts
	do      func(context.Context, *dynamo.Store, apikey.Key) error
}

var operations = []storeOperation{
	{"create", true, false, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error { return s.Create(ctx, key) }},
	{"create with texts", true, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error { return s.Create(ctx, key) }},
	{"lookup", false, false, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return second(s.Lookup(ctx, key.Locator))
	}},
	{"get", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return second(s.Get(ctx, key.Locator))
	}},
	{"get at once", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return second(s.GetAtOnce(ctx, key.Locator))
	}},
	{"list", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return second(s.List(ctx, apikey.Selection{Namespace: key.Locator.Namespace, Limit: 5}))
	}},
	{"add texts", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		key.HasTexts = true
		return second(s.AddTexts(ctx, []apikey.Key{key}))
	}},
	{"namespaces", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return second(s.Namespaces(ctx, apikey.NamespaceSelection{Parent: key.Locator.Namespace, Limit: 5, Queries: apikey.MaxNamespaces}))
	}},
	{"update", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error { return s.Update(ctx, key, key) }},
	{"delete", false, true, func(ctx context.Context, s *dynamo.Store, key apikey.Key) error {
		return s.Delete(ctx, key)
	}},
}

var passingFaults = map[string]dynamotest.Fault{
	"throttling":                dynamotest.Throttle,
	"server error":              dynamotest.ServerError,
	conflictOfTransactions:      dynamotest.ConflictOfTransactions,
	"conflict with transaction": dynamotest.ConflictWithTransaction,
}

// conflictOfTransactions is what is tried for longer than the others.
const conflictOfTransactions = "conflict of transactions"

// Many may want one name, or make keys of one account: who met others on its items is not
// sent away at once.
func TestPatienceWithOtherTransactions(t *testing.T) {
	const tries = 12
	for conflicts, want := range map[int]fault.Kind{tries - 1: 0, tries: fault.Unavailable} {
		store, key, transport := storeWithFaults(t, true, true)
		transport.Faults = slices.Repeat([]dynamotest.Fault{dynamotest.ConflictOfTransactions}, conflicts)
		err := store.Create(t.Context(), key)
		if (want == 0) != (err == nil) || err != nil && !errors.Is(err, want) || transport.Requests() != tries {
			t.Errorf("after %d conflicts and %d requests: %v", conflicts, transport.Requests(), err)
		}
	}
	store, key, transport := storeWithFaults(t, true, true)
	transport.Faults = slices.Repeat([]dynamotest.Fault{dynamotest.ConflictOfTransactions}, tries)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantFault(t, "when the caller's time is up", store.Create(ctx, key), fault.Unavailable)
	if transport.Requests() == tries {
		t.Error("it is tried beyond the caller's time")
	}
}

func TestPassingFaults(t *testing.T) {
	for name, injected := range passingFaults {
		for _, op := range operations {
			t.Run(name+"/"+op.name, func(t *testing.T) {
				wantSuccessAfter(t, op, injected)
				if name == conflictOfTransactions {
					return
				}
				store, key, transport := storeWithFaults(t, op.creates, op.texts)
				transport.Faults = slices.Repeat([]dynamotest.Fault{injected}, 3)
				wantFault(t, "after three faults", op.do(t.Context(), store, key), fault.Unavailable)
				if transport.Requests() != 3 {
					t.Errorf("%d requests, want 3", transport.Requests())
				}
			})
		}
	}
}

// A write that was stored is recognised when it is repeated.
func TestLostAnswers(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) { wantSuccessAfter(t, op, dynamotest.LoseAnswer) })
	}
}

// wantSuccessAfter demands that an operation is tried again after two faults.
func wantSuccessAfter(t *testing.T, op storeOperation, injected dynamotest.Fault) {
	t.Helper()
	store, key, transport := storeWithFaults(t, op.creates, op.texts)
	transport.Faults = slices.Repeat([]dynamotest.Fault{injected}, 2)
	if err := op.do(t.Context(), store, key); err != nil {
		t.Errorf("after two faults: %v", err)
	}
	wantRequestsAtLeast(t, transport, 3)
}

func TestRefusalIsInternalAndNotRetried(t *testing.T) {
	for _, op := range operations {
		store, key, transport := storeWithFaults(t, op.creates, op.texts)
		transport.Faults = []dynamotest.Fault{dynamotest.AccessDenied}
		wantFault(t, op.name, op.do(t.Context(), store, key), fault.Internal)
		if transport.Requests() != 1 {
			t.Errorf("%s: %d requests, want 1", op.name, transport.Requests())
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			store, key, transport := storeWithFaults(t, op.creates, op.texts)
			hang := dynamotest.Hang(t)
			transport.Faults = []dynamotest.Fault{hang, hang}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			wantFault(t, "when the caller's time is up", op.do(ctx, store, key), fault.Unavailable)
			if err := op.do(t.Context(), store, key); err != nil {
				t.Errorf("when only the first try hangs: %v", err)
			}
			wantRequestsAtLeast(t, transport, 3)
		})
	}
}

// A write whose answer is lost every time is reported as a failure, and is whole.
func TestLostAnswersLeaveNothingHalfWritten(t *testing.T) {
	store, key, transport := storeWithFaults(t, true, true)
	lose := dynamotest.Fault(dynamotest.LoseAnswer)
	transport.Faults = []dynamotest.Fault{lose, lose, lose}
	wantFault(t, "create", store.Create(t.Context(), key), fault.Unavailable)
	if got, err := store.Get(t.Context(), key.Locator); err != nil || got.Texts.Description != key.Texts.Description {
		t.Errorf("the key is %+v, %v", got, err)
	}
}

func TestNoServer(t *testing.T) {
	config := database.NewTable(t)
	config.Endpoint = "http://127.0.0.1:1"
	store := dynamo.New(config)
	for _, op := range operations {
		wantFault(t, op.name, op.do(t.Context(), store, newKey("demo")), fault.Unavailable)
	}
}

// storeWithFaults gives a store with a key, or a key to create, and the transport
// below it, which sends everything on until it is given faults.
func storeWithFaults(t *testing.T, creates, texts bool) (*dynamo.Store, apikey.Key, *dynamotest.Failing) {
	t.Helper()
	config := database.NewTable(t)
	key := newKey("demo")
	if texts {
		key = withTexts(key)
	}
	if !creates {
		create(t, dynamo.New(config), key)
	}
	transport := dynamotest.Fail(&config)
	return dynamo.New(config), key, transport
}

func wantRequestsAtLeast(t *testing.T, transport *dynamotest.Failing, want int) {
	t.Helper()
	if got := transport.Requests(); got < want {
		t.Errorf("%d requests, want %d at least", got, want)
	}
}

// What one client of a store has opened the other one uses.
func TestClientsShareConnections(t *testing.T) {
	var from []string
	server := awsjsontest.Play(t, func(w http.ResponseWriter, r *http.Request) {
		awsjsontest.Receive(t, r)
		from = append(from, r.RemoteAddr)
		awsjsontest.Reply(http.StatusOK, "{}")(w, r)
	})
	store := dynamo.New(dynamo.Config{Config: records.Config{Config: awsjsontest.ConfigOf(server.URL), Table: "keys"}})
	key := newKey("demo")
	for _, read := range []func(context.Context, apikey.Locator) (apikey.Key, error){store.Lookup, store.Get, store.Lookup} {
		if _, err := read(t.Context(), key.Locator); !errors.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}
	if len(slices.Compact(from)) != 1 {
		t.Errorf("reads came from %v", from)
	}
}
