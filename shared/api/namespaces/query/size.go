package query

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// What surrounds the values of a group, with numbers as long as they get.
const (
	groupFrame = `:{"aggregation_count":{"count":9223372036854775807},"aggregation_uuids":[],` +
		`"unique_counts":{},"unique_values":{},"aggregation_value":{}},`
	countFrame  = `:{"count":9223372036854775807},`
	valuesFrame = `:[],`
	comma       = 1
)

// Size is how many bytes the groups have in JSON, at most. It counts each quote and
// each backslash twice: on its way a body is a text in JSON itself.
func (g *Groups) Size() int { return len(`{}`) + g.size }

// Held is about how many bytes are kept for values that are only counted.
func (g *Groups) Held() int { return g.held }

func (g Grouping) sizeOfGroup(key string) int {
	size := wireSize(key) + wireSizeOfJSON(groupFrame)
	for _, path := range g.uniqueCounts {
		size += wireSize(path.text) + wireSizeOfJSON(countFrame)
	}
	for _, path := range g.uniqueValues {
		size += wireSize(path.text) + wireSizeOfJSON(valuesFrame)
	}
	return size
}

// wireSize is that of a text as a string of JSON. What is not UTF-8 in it becomes
// longer, in the place of the error that is not looked at here.
func wireSize(text string) int {
	encoded, _ := jsontext.AppendQuote(nil, text)
	return wireSizeOfJSON(encoded)
}

func wireSizeOfJSON[Bytes ~string | ~[]byte](encoded Bytes) int {
	text := string(encoded)
	return len(text) + strings.Count(text, `"`) + strings.Count(text, `\`)
}
