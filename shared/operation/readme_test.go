package operation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/docs/doctable"
	"latchkey/shared/schema"
)

// The README's table is made from the catalogue: go test ./shared/operation -update.
func TestReadmeHasTheCatalogue(t *testing.T) {
	doctable.Hold(t, "../../README.md", "operations", catalogueTable())
}

func catalogueTable() string {
	var table strings.Builder
	table.WriteString("| operation | route | caller | what it does | DynamoDB | KMS | limit |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, op := range All {
		route := "none"
		if op.Route != "" {
			route = "`" + op.Route + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s | %s | %s |\n",
			op.Name, route, op.Caller, op.Summary, touchesText(op.Touches), keyActionsText(op), throttleText(op))
	}
	return table.String()
}

// throttleText is how many requests per second all clients of a route may make together.
func throttleText(op Operation) string {
	if op.Route == "" {
		return "none"
	}
	return fmt.Sprintf("%d/s", op.Throttle.Rate)
}

// keyActionsText tells what an operation may ask of KMS, and when it does.
func keyActionsText(op Operation) string {
	switch {
	case slices.Contains(op.SessionKeys, Sign):
		return "Sign"
	case op.Caller == KeyHolder, op.Caller == Gateway:
		return "GetPublicKey, for the first token"
	case op.UsesSessions():
		return "GetPublicKey, once"
	}
	return "nothing"
}

func touchesText(touches []Touch) string {
	if len(touches) == 0 {
		return "nothing"
	}
	texts := make([]string, len(touches))
	for i, touch := range touches {
		texts[i] = string(touch.Action)
		switch {
		case touch.Index != "":
			texts[i] += " on " + touch.Index
		case touch.Item != "":
			texts[i] += " of " + attributesText(touch)
		}
	}
	return strings.Join(texts, ", ")
}

// attributesText names what a confined touch is for: the key, which it needs as well,
// says where.
func attributesText(touch Touch) string {
	attributes := slices.DeleteFunc(slices.Clone(AttributesOf(touch)), func(attribute string) bool {
		return attribute == schema.PartitionKey || attribute == schema.SortKey
	})
	return "`" + strings.Join(attributes, "`, `") + "`"
}
