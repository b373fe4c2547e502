// Package standin stands in for DynamoDB where functions are measured. It answers after a
// time that stays the same, and from memory: the emulator would share the machine with what
// is measured.
package standin

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/shared/schema"
)

// The sizes in bytes of one answer of DynamoDB, at which it tells to ask again.
//
//   - https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
//   - https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const (
	maxQueryBytes = 1 << 20
	maxBatchBytes = 16 << 20
)

// An item is as much of one as is text, in DynamoDB's JSON.
type item map[string]struct{ S string }

// A Table is one of DynamoDB. Nothing that is written to it is there afterwards, but that
// it gives as many copies of samples as it is told to whoever asks for more than one item,
// and the first key's record that was written to whoever asks for one.
type Table struct {
	wait time.Duration

	mu      sync.Mutex
	first   json.RawMessage
	written map[string]json.RawMessage // by sort key, the last one of each

	sample string // an item of a list
	texts  string // the texts of each of them; empty: none
	count  int    // how many of the sample there are
}

// New returns a table that takes so long for each answer.
func New(wait time.Duration) *Table {
	return &Table{wait: wait, written: map[string]json.RawMessage{}}
}

// ServeHTTP answers one request of a DynamoDB client.
func (t *Table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(t.wait)
	answer, err := t.answer(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810."), body)
	status := http.StatusOK
	if err != nil {
		answer, status = fmt.Appendf(nil, `{"__type":"ValidationException","message":%q}`, err), http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a process that is gone does not wait
}

// A request is as much of one as the table understands.
type request struct {
	Key                       item
	Item                      json.RawMessage
	Limit                     int
	ExpressionAttributeValues item
	TransactItems             []struct {
		Put struct{ Item json.RawMessage }
	}
	RequestItems map[string]struct{ Keys []item }
}

func (t *Table) answer(action string, body []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var asked request
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	switch action {
	case "GetItem":
		if t.first == nil || asked.Key[schema.PartitionKey].S == schema.NoPartition {
			return []byte(`{}`), nil
		}
		return fmt.Appendf(nil, `{"Item":%s}`, t.first), nil
	case "Query":
		return t.query(asked)
	case "BatchGetItem":
		return t.batch(asked)
	case "PutItem":
		return []byte(`{}`), t.write(asked.Item)
	case "TransactWriteItems":
		for _, part := range asked.TransactItems {
			if err := t.write(part.Put.Item); err != nil {
				return nil, err
			}
		}
		return []byte(`{}`), nil
	}
	return nil, fmt.Errorf("no answer to %s", action)
}

func (t *Table) write(raw json.RawMessage) error {
	var written item
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		return err
	}
	kind := written[schema.SortKey].S
	if t.written[kind] = raw; kind == schema.KeyItem && t.first == nil {
		t.first = raw
	}
	return nil
}

// Written is the item that was written last by a sort key, empty if none was.
func (t *Table) Written(sortKey string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.written[sortKey])
}

// Fill makes a list of copies of an item, each with texts unless they are empty.
func (t *Table) Fill(sample, texts string, count int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sample, t.texts, t.count = sample, texts, count
}

// query gives a page of the list, from where the range begins: that is the path of a copy
// and '!', or no copy's.
func (t *Table) query(asked request) ([]byte, error) {
	first, items, size := 0, []string(nil), 0
	if path, ok := strings.CutSuffix(asked.ExpressionAttributeValues[":from"].S, "!"); ok {
		last, err := strconv.ParseInt(path[len(path)-idDigits:], 16, 64)
		if err != nil {
			return nil, err
		}
		first = int(last) + 1
	}
	for i := first; i < t.count && size < maxQueryBytes && (asked.Limit == 0 || len(items) < asked.Limit); i++ {
		items = append(items, numbered(t.sample, i))
		size += len(t.sample)
	}
	answer := fmt.Appendf(nil, `{"Count":%d,"Items":[%s]`, len(items), strings.Join(items, ","))
	if end := first + len(items); end < t.count {
		key, err := keyOf(items[len(items)-1])
		if err != nil {
			return nil, err
		}
		answer = fmt.Appendf(answer, `,"LastEvaluatedKey":%s`, key)
	}
	return append(answer, '}'), nil
}

// keyOf is what of an item is in a key of the index.
func keyOf(raw string) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		return !slices.Contains([]string{"pk", "sk", schema.ByNamespace.PartitionKey, schema.ByNamespace.SortKey}, name)
	})
	return json.Marshal(all)
}

// batch gives the texts of the keys that are asked for, as many as fit.
func (t *Table) batch(asked request) ([]byte, error) {
	for name, of := range asked.RequestItems {
		var found []string
		fit := len(of.Keys)
		if t.texts != "" {
			fit = min(fit, maxBatchBytes/len(t.texts))
			for _, key := range of.Keys[:fit] {
				partition := key["pk"].S
				found = append(found, strings.ReplaceAll(t.texts, idOf(t.texts), partition[len(partition)-idLength:]))
			}
		}
		left := map[string]any{}
		if fit < len(of.Keys) {
			left[name] = map[string]any{"Keys": of.Keys[fit:]}
		}
		unprocessed, err := json.Marshal(left)
		return fmt.Appendf(nil, `{"Responses":{%q:[%s]},"UnprocessedKeys":%s}`, name, strings.Join(found, ","), unprocessed), err
	}
	return nil, fmt.Errorf("a batch of nothing")
}

// The length of an id in a text, and how many of its last digits are a copy's number.
const (
	idLength = 36
	idDigits = 12
)

// idOf is the id with which an item's partition key ends.
func idOf(raw string) string {
	var sample item
	if json.Unmarshal([]byte(raw), &sample) != nil || len(sample["pk"].S) < idLength {
		return ""
	}
	return sample["pk"].S[len(sample["pk"].S)-idLength:]
}

// numbered is a copy of an item.
func numbered(sample string, number int) string {
	id := idOf(sample)
	return strings.ReplaceAll(sample, id, fmt.Sprintf("%s%0*x", id[:idLength-idDigits], idDigits, number))
}
