package dynamotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"latchkey/shared/dynamo"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// A Call is one request to DynamoDB.
type Call struct {
	Action string // as in X-Amz-Target: TransactWriteItems is one
	Units  float64
}

// A Meter is a transport that records calls and what they cost. It is safe for
// concurrent use.
type Meter struct {
	next http.RoundTripper

	mu    sync.Mutex
	calls []Call
}

// Measure puts a Meter into a store's configuration. It asks in each request for what that
// costs, which the emulator lets it, as it does not look at signatures.
func Measure(c *dynamo.Config) *Meter {
	m := &Meter{}
	c.Wrap = func(next http.RoundTripper) http.RoundTripper {
		m.next = next
		return m
	}
	return m
}

// Take gives the calls since it was last called.
func (m *Meter) Take() []Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

// RoundTrip sends a request and records it.
func (m *Meter) RoundTrip(r *http.Request) (*http.Response, error) {
	asking, err := askForCapacity(r)
	if err != nil {
		return nil, err
	}
	response, err := m.next.RoundTrip(asking)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, Call{Action: ActionOf(r.Header), Units: units(body)})
	return response, nil
}

// askForCapacity gives the request with a member more.
func askForCapacity(r *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("body of a request to DynamoDB: %w", err)
	}
	r.Body.Close()
	body = append([]byte(`{"ReturnConsumedCapacity":"TOTAL",`), bytes.TrimPrefix(body, []byte("{"))...)
	asking := r.Clone(r.Context())
	asking.Body, asking.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return asking, nil
}

// units sums what an answer says that it cost; negative if it does not say.
func units(body []byte) float64 {
	type capacity struct{ CapacityUnits float64 }
	var one struct{ ConsumedCapacity capacity }
	if json.Unmarshal(body, &one) == nil && one.ConsumedCapacity.CapacityUnits > 0 {
		return one.ConsumedCapacity.CapacityUnits
	}
	var many struct{ ConsumedCapacity []capacity }
	if json.Unmarshal(body, &many) != nil || len(many.ConsumedCapacity) == 0 {
		return -1
	}
	var sum float64
	for _, c := range many.ConsumedCapacity {
		sum += c.CapacityUnits
	}
	return sum
}

// ActionOf is the DynamoDB action that a request's header asks for.
func ActionOf(header http.Header) string {
	_, action, _ := strings.Cut(header.Get("X-Amz-Target"), ".")
	return action
}

// TouchesOf gives what IAM would ask of a request to DynamoDB on one table, and
// the names of the tables in it. A transaction is authorised part by part. An update of
// a key's use is confined to its attributes, and an error if it goes beyond.
func TouchesOf(header http.Header, body []byte) (touches []operation.Touch, tables []string, err error) {
	var request struct {
		TableName     string
		IndexName     string
		RequestItems  map[string]json.RawMessage
		TransactItems []map[string]struct{ TableName string }
		Key           map[string]struct{ S string }

		ExpressionAttributeNames map[string]string
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, nil, fmt.Errorf("body of a request to DynamoDB: %w", err)
	}
	for name := range request.RequestItems {
		tables = append(tables, name)
	}
	if request.TableName != "" {
		tables = append(tables, request.TableName)
	}
	for _, part := range request.TransactItems {
		for kind, target := range part {
			touches = append(touches, operation.Touch{Action: partAction(kind)})
			tables = append(tables, target.TableName)
		}
	}
	if len(request.TransactItems) > 0 {
		return touches, tables, nil
	}
	touch := operation.Touch{Action: operation.Action(ActionOf(header)), Index: request.IndexName}
	if touch.Action == operation.UpdateItem && request.Key[schema.SortKey].S == schema.UseItem {
		touch.Item = schema.UseItem
		for _, name := range request.ExpressionAttributeNames {
			if !slices.Contains(operation.AttributesOf(touch), name) {
				return nil, nil, fmt.Errorf("update of a key's use that touches its %s", name)
			}
		}
	}
	return []operation.Touch{touch}, tables, nil
}

func partAction(kind string) operation.Action {
	if kind == "ConditionCheck" {
		return "ConditionCheckItem"
	}
	return operation.Action(kind + "Item")
}
