package coldstart_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answerTime is how long the table takes for an answer.
const answerTime = time.Millisecond

// A table stands in for DynamoDB. It keeps the item that was put last, and gives it to
// whoever asks for any.
type table struct {
	mu   sync.Mutex
	item json.RawMessage
}

// ServeHTTP answers one request of a DynamoDB client.
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(answerTime)
	answer, status := t.answer(r.Header.Get("X-Amz-Target"), body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a process that is gone does not wait
}

func (t *table) answer(target string, body []byte) ([]byte, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch target {
	case "DynamoDB_20120810.GetItem":
		return fmt.Appendf(nil, `{"Item":%s}`, t.item), http.StatusOK
	case "DynamoDB_20120810.PutItem":
		var put struct{ Item json.RawMessage }
		if json.Unmarshal(body, &put) == nil {
			t.item = put.Item
			return []byte("{}"), http.StatusOK
		}
	}
	return []byte(`{"__type":"ValidationException"}`), http.StatusBadRequest
}
