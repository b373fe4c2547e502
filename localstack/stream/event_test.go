package stream

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/lambdahost"
	"latchkey/shared/operation"
)

// A batch is as large as an event may be, to the last byte.
func TestBatches(t *testing.T) {
	const room = lambdahost.MaxEvent - len(`{"Records":[]}`)
	const half = (room - len(`,`)) / 2
	const rest = room - len(`,`) - half
	tests := []struct {
		name  string
		sizes []int // of the records
		want  []int // records in each batch
	}{
		{"none", nil, nil},
		{"as many as may be", slices.Repeat([]int{1}, operation.FeedBatch), []int{operation.FeedBatch}},
		{"one more", slices.Repeat([]int{1}, operation.FeedBatch+1), []int{operation.FeedBatch, 1}},
		{"many", slices.Repeat([]int{1}, 3*operation.FeedBatch), []int{operation.FeedBatch, operation.FeedBatch, operation.FeedBatch}},
		{"as large as may be", []int{half, rest}, []int{2}},
		{"one byte too large", []int{half, rest + 1}, []int{1, 1}},
		{"three of them", []int{half, rest, half, rest}, []int{2, 2}},
		{"a small one behind", []int{half, rest, 1}, []int{2, 1}},
		{"too large alone", []int{1, room + 1, 1}, []int{1, 1, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var records []record
			for _, size := range test.sizes {
				records = append(records, record{text: bytes.Repeat([]byte("x"), size)})
			}
			var got []int
			for _, batch := range batches(records) {
				got = append(got, len(batch))
				if size := len(eventOf(batch)); size > lambdahost.MaxEvent && len(batch) > 1 {
					t.Errorf("an event of %d bytes", size)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		})
	}
}
