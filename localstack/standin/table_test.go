package standin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"latchkey/shared/schema"
)

// The copies of a list come page by page, each once.
func TestListOfCopies(t *testing.T) {
	const id = "019b7ca9-8f2e-7e98-833b-d887d15218ce"
	sample := fmt.Sprintf(`{"pk":{"S":"demo#%s"},"sk":{"S":"key"},"path":{"S":"demo#%[1]s"},"large":{"S":%q}}`,
		id, strings.Repeat("x", maxQueryBytes/3))
	stand := &Table{sample: sample, count: 10}
	seen := map[string]bool{}
	for from := "demo#"; from != ""; {
		answer, err := stand.query(request{ExpressionAttributeValues: item{":from": {S: from}}})
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Items            []item
			LastEvaluatedKey item
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatal(err)
		}
		for _, copied := range page.Items {
			seen[copied["pk"].S] = true
		}
		from = ""
		if last := page.LastEvaluatedKey["path"].S; last != "" {
			from = last + "!"
		}
	}
	if len(seen) != stand.count {
		t.Errorf("%d copies of %d", len(seen), stand.count)
	}
}

// Of keys, whoever asks for one has the first; the one that nobody has is not there.
func TestOneItem(t *testing.T) {
	stand := New(0)
	for _, pk := range []string{"first", "second"} {
		if _, err := stand.answer("PutItem", fmt.Appendf(nil, `{"Item":{"pk":{"S":%q},"sk":{"S":%q}}}`, pk, schema.KeyItem)); err != nil {
			t.Fatal(err)
		}
	}
	for pk, want := range map[string]string{
		"any":              `{"Item":{"pk":{"S":"first"},"sk":{"S":"key"}}}`,
		schema.NoPartition: `{}`,
	} {
		if got, err := stand.answer("GetItem", fmt.Appendf(nil, `{"Key":{"pk":{"S":%q}}}`, pk)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", pk, got, err, want)
		}
	}
}
