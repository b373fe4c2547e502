package stacktest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// Allowed gives what a role's policies allow, as pairs of action and resource with their
// condition, in order: which of them share a statement does not matter, what the
// statements allow together does. A statement that is of another form is an error.
func Allowed(t *testing.T, role Object) []string {
	t.Helper()
	var all []string
	for _, statement := range Statements(role["Policies"]) {
		all = append(all, pairs(t, statement)...)
	}
	slices.Sort(all)
	return all
}

func pairs(t *testing.T, statement Object) []string {
	t.Helper()
	condition := ""
	if conditions, ok := statement["Condition"]; ok {
		text, err := json.Marshal(conditions)
		if err != nil {
			t.Fatal(err)
		}
		condition = " if " + string(text)
		statement = maps.Clone(statement)
		delete(statement, "Condition")
	}
	parts := slices.Sorted(maps.Keys(statement))
	if !slices.Equal(parts, []string{"Action", "Effect", "Resource"}) || statement["Effect"] != "Allow" {
		t.Errorf("a statement that does more than allow: %v", statement)
	}
	var all []string
	for _, action := range OneOrMany(statement["Action"]) {
		for _, resource := range OneOrMany(statement["Resource"]) {
			all = append(all, action+" on "+resource+condition)
		}
	}
	return all
}

// Statements finds the statements of every policy document in a tree.
func Statements(node any) []Object {
	var found []Object
	switch node := node.(type) {
	case Object:
		for key, value := range node {
			if key != "Statement" {
				found = append(found, Statements(value)...)
				continue
			}
			for _, statement := range value.([]any) {
				found = append(found, statement.(Object))
			}
		}
	case []any:
		for _, value := range node {
			found = append(found, Statements(value)...)
		}
	}
	return found
}

// OneOrMany reads what CloudFormation writes as a text or as a list of texts.
func OneOrMany(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var texts []string
		for _, text := range value {
			texts = append(texts, text.(string))
		}
		return texts
	}
	return nil
}

// Without leaves out one property of each resource.
func Without(key string, all map[string]Object) map[string]Object {
	kept := make(map[string]Object)
	for id, properties := range all {
		kept[id] = maps.Clone(properties)
		delete(kept[id], key)
	}
	return kept
}
