package capacity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"latchkey/localstack/table"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/schema"
)

// An Entry is a request to DynamoDB, and the units that it takes.
type Entry struct {
	Action  string // as in X-Amz-Target: TransactWriteItems is one
	Index   string // that is queried; empty: the table
	Items   int    // that a transaction or a batch names; 1 otherwise
	Read    float64
	Written float64 // in the table and in the indexes
	Indexed float64 // in the indexes, a part of Written
	Refused bool    // by DynamoDB: what that costs is not worked out
}

// A Ledger is a transport that enters the requests that pass it. Around each write it reads
// what is there before and after, so that it is for a table that nobody else writes
// meanwhile. A request that it cannot make an entry of fails. It is safe for concurrent use.
type Ledger struct {
	client *dynamodb.Client
	table  string

	mu      sync.Mutex
	entries []Entry
}

// Keep puts a Ledger into a store's configuration, beneath whatever that has around its
// transport already. What it reads itself passes by it.
func Keep(c *dynamo.Config) *Ledger {
	l := &Ledger{client: table.Client(c.Endpoint), table: c.Table}
	around := c.Wrap
	c.Wrap = func(next http.RoundTripper) http.RoundTripper {
		if around == nil {
			return entering{l, next}
		}
		return around(entering{l, next})
	}
	return l
}

// Take gives the entries since it was last called.
func (l *Ledger) Take() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries := l.entries
	l.entries = nil
	return entries
}

type entering struct {
	ledger *Ledger
	next   http.RoundTripper
}

// RoundTrip sends a request and enters it.
func (e entering) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	asked, err := readRequest(dynamotest.ActionOf(r.Header), body)
	if err != nil {
		return nil, err
	}
	changes, err := e.ledger.before(r.Context(), asked.writes)
	if err != nil {
		return nil, err
	}
	response, err := e.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := e.ledger.enter(r.Context(), asked, changes, response); err != nil {
		return nil, err
	}
	return response, nil
}

// enter enters a request that has been answered.
func (l *Ledger) enter(ctx context.Context, asked request, changes []Change, response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	entry := Entry{Action: asked.action, Index: asked.IndexName, Items: asked.items}
	if response.StatusCode != http.StatusOK {
		entry.Refused = true
		l.add(entry)
		return nil
	}
	if err := l.after(ctx, asked.writes, changes); err != nil {
		return err
	}
	if entry.Read, err = asked.read(body); err != nil {
		return err
	}
	entry.Written, entry.Indexed = written(changes, asked.action == "TransactWriteItems")
	l.add(entry)
	return nil
}

func (l *Ledger) add(entry Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
}

// written gives the write units of a request's changes, and what of them is in indexes.
func written(changes []Change, inTransaction bool) (all, indexed float64) {
	times := 1.0
	if inTransaction {
		times = 2
	}
	for _, change := range changes {
		all += times * change.Table()
		for _, index := range schema.Table.Indexes {
			indexed += change.Index(index)
		}
	}
	return all + indexed, indexed
}

func (l *Ledger) before(ctx context.Context, keys []Item) (changes []Change, err error) {
	changes = make([]Change, len(keys))
	for i, key := range keys {
		if changes[i].Before, err = l.get(ctx, key); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (l *Ledger) after(ctx context.Context, keys []Item, changes []Change) (err error) {
	for i, key := range keys {
		if changes[i].After, err = l.get(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) get(ctx context.Context, key Item) (Item, error) {
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("item to be measured: %w", err)
	}
	return out.Item, nil
}

// A request is what an entry takes of one.
type request struct {
	ConsistentRead bool
	IndexName      string

	action string
	items  int
	writes []Item // the primary keys of what it writes or checks
}

// A target is the item of a write, as a whole or by its key.
type target struct{ Key, Item json.RawMessage }

func readRequest(action string, body []byte) (request, error) {
	r := request{action: action, items: 1}
	if err := json.Unmarshal(body, &r); err != nil {
		return request{}, fmt.Errorf("body of a request to DynamoDB: %w", err)
	}
	targets, err := r.targets(body)
	if err != nil {
		return request{}, err
	}
	for _, target := range targets {
		key, err := target.primaryKey()
		if err != nil {
			return request{}, err
		}
		r.writes = append(r.writes, key)
	}
	return r, nil
}

// targets finds what a request writes, and counts the items of one that names several.
func (r *request) targets(body []byte) (targets []target, err error) {
	switch r.action {
	case "GetItem", "Query":
	case "PutItem", "UpdateItem", "DeleteItem":
		targets = make([]target, 1)
		err = json.Unmarshal(body, &targets[0])
	case "TransactWriteItems":
		targets, err = transacted(body)
		r.items = len(targets)
	case "BatchWriteItem":
		targets, err = batched(body)
		r.items = len(targets)
	case "TransactGetItems":
		gets, wrong := transacted(body)
		r.items, err = len(gets), wrong
	case "BatchGetItem":
		r.items, err = wanted(body)
	default:
		err = fmt.Errorf("capacity of a %s is not known", r.action)
	}
	return targets, err
}

// transacted reads the parts of a transaction, each of which names what it does.
func transacted(body []byte) (targets []target, err error) {
	var request struct{ TransactItems []map[string]target }
	err = json.Unmarshal(body, &request)
	for _, part := range request.TransactItems {
		for _, of := range part {
			targets = append(targets, of)
		}
	}
	return targets, err
}

func batched(body []byte) (targets []target, err error) {
	var request struct {
		RequestItems map[string][]map[string]target
	}
	err = json.Unmarshal(body, &request)
	for _, writes := range request.RequestItems {
		for _, write := range writes {
			for _, of := range write {
				targets = append(targets, of)
			}
		}
	}
	return targets, err
}

func wanted(body []byte) (count int, err error) {
	var request struct {
		RequestItems map[string]struct{ Keys []json.RawMessage }
	}
	err = json.Unmarshal(body, &request)
	for _, asked := range request.RequestItems {
		count += len(asked.Keys)
	}
	return count, err
}

func (t target) primaryKey() (Item, error) {
	encoded := t.Key
	if encoded == nil {
		encoded = t.Item
	}
	item, err := attributevalue.UnmarshalMapJSON(encoded)
	if err != nil {
		return nil, fmt.Errorf("item of a request to DynamoDB: %w", err)
	}
	return Item{schema.PartitionKey: item[schema.PartitionKey], schema.SortKey: item[schema.SortKey]}, nil
}

// read gives the read units of a request that was answered with items.
func (r request) read(body []byte) (float64, error) {
	how := Eventual
	if r.ConsistentRead {
		how = Strong
	}
	items, err := found(body)
	switch r.action {
	case "GetItem", "Query":
		return Read(items, how), err
	case "BatchGetItem":
		return each(items, r.items, how), err
	case "TransactGetItems":
		return each(items, r.items, Transactional), err
	}
	return 0, err
}

// each gives the read units of so many items that are read one by one, of which some were
// found.
func each(found []Item, of int, how Consistency) (units float64) {
	for _, item := range found {
		units += Read([]Item{item}, how)
	}
	return units + float64(of-len(found))*Read(nil, how)
}

// found reads the items of an answer.
func found(body []byte) (items []Item, err error) {
	var answer struct {
		Item      json.RawMessage
		Items     []json.RawMessage
		Responses json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("answer of DynamoDB: %w", err)
	}
	encoded, err := responses(answer.Responses)
	if err != nil {
		return nil, err
	}
	for _, one := range append(append(encoded, answer.Items...), answer.Item) {
		if one == nil {
			continue
		}
		item, err := attributevalue.UnmarshalMapJSON(one)
		if err != nil {
			return nil, fmt.Errorf("item in an answer of DynamoDB: %w", err)
		}
		items = append(items, item)
	}
	return items, nil
}

// responses reads what a batch answers table by table, or a transaction part by part.
func responses(encoded json.RawMessage) (items []json.RawMessage, err error) {
	if len(encoded) == 0 {
		return nil, nil
	}
	if encoded[0] == '[' {
		var parts []struct{ Item json.RawMessage }
		err = json.Unmarshal(encoded, &parts)
		for _, part := range parts {
			items = append(items, part.Item)
		}
		return items, err
	}
	var tables map[string][]json.RawMessage
	err = json.Unmarshal(encoded, &tables)
	for _, found := range tables {
		items = append(items, found...)
	}
	return items, err
}
