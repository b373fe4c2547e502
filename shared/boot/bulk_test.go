package boot_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
)

const (
	maxBatch = 25 // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
	writers  = 4
)

// A bulk is a transport that takes the records of new keys from a store, one PutItem each,
// and writes them by the batch. The store encodes them; only how they travel is another.
type bulk struct {
	table   string
	next    http.RoundTripper
	header  http.Header
	url     string
	batch   []json.RawMessage
	batches chan []json.RawMessage
}

// RoundTrip keeps a record for later, and answers as if it was stored.
func (b *bulk) RoundTrip(r *http.Request) (*http.Response, error) {
	var put struct{ Item json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&put); err != nil || dynamotest.ActionOf(r.Header) != "PutItem" {
		return nil, fmt.Errorf("%s in a bulk: %w", dynamotest.ActionOf(r.Header), err)
	}
	if b.header == nil {
		b.header, b.url = r.Header.Clone(), r.URL.String()
		b.header.Set("X-Amz-Target", "DynamoDB_20120810.BatchWriteItem")
	}
	if b.batch = append(b.batch, put.Item); len(b.batch) == maxBatch {
		b.flush()
	}
	answer := canned{header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body: []byte("{}")}
	return answer.RoundTrip(r)
}

func (b *bulk) flush() {
	if len(b.batch) > 0 {
		b.batches <- b.batch
		b.batch = nil
	}
}

// write writes batches until there are no more. After an error it only takes them.
func (b *bulk) write() error {
	var failure error
	for batch := range b.batches {
		if failure == nil {
			failure = b.send(batch)
		}
	}
	return failure
}

func (b *bulk) send(batch []json.RawMessage) error {
	type put struct {
		PutRequest struct{ Item json.RawMessage }
	}
	puts := make([]put, len(batch))
	for i, item := range batch {
		puts[i].PutRequest.Item = item
	}
	body, err := json.Marshal(map[string]any{"RequestItems": map[string]any{b.table: puts}})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = b.header
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	var left struct{ UnprocessedItems map[string]any }
	if err := errors.Join(err, json.Unmarshal(answer, &left)); err != nil || response.StatusCode != http.StatusOK || len(left.UnprocessedItems) > 0 {
		return fmt.Errorf("batch of %d: %s, %w: %.300s", len(batch), response.Status, err, answer)
	}
	return nil
}

// fillFast is fill for many keys, by batches.
func (d *deployment) fillFast(t testing.TB, count int) {
	t.Helper()
	b := &bulk{table: d.table, batches: make(chan []json.RawMessage)}
	config := d.place
	config.Wrap = func(next http.RoundTripper) http.RoundTripper {
		b.next = next
		return b
	}
	keys := apikey.NewService(apikey.Config{
		Store: dynamo.New(config), Clock: d.config.Clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	failures := make(chan error)
	for range writers {
		go func() { failures <- b.write() }()
	}
	err := issueFillers(t, keys, count)
	b.flush()
	close(b.batches)
	for range writers {
		err = errors.Join(err, <-failures)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// issueFillers adds keys to the namespace demo.
func issueFillers(t testing.TB, keys *apikey.Service, count int) error {
	t.Helper()
	ns := parse(t, "demo")
	root := access.Caller{Namespace: ns, Grant: access.Grant{Roles: []access.Role{access.Admin}}}
	for range count {
		if _, err := keys.Issue(t.Context(), root, apikey.Draft{Namespace: ns, Name: "filler"}); err != nil {
			return err
		}
	}
	return nil
}
