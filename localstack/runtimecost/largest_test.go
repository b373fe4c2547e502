package runtimecost_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"latchkey/localstack/lambdahost"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// A work is one of the largest that an operation does.
type work struct {
	name  string
	op    operation.Operation
	fill  func() // the table
	event string
}

// largest are lists over as many of the largest keys as there may be: 10,000 with the
// largest grants, 38 MB in all, or as many with the largest texts as are read to filter or
// sort, 39 MB in all.
func (w *world) largest(b *testing.B) []work {
	b.Helper()
	w.create(b, operation.CreateAPIKey, largeTexts())
	texts := w.filler("key", "about", 160)
	w.create(b, operation.CreateAPIKey, largeGrant())
	grants := w.filler("key", "", apikey.MaxSkip)
	w.create(b, operation.CreateServiceAccount, `{"name":"n","description":"","active":true}`)
	accounts := w.filler("account", "", apikey.MaxSkip)
	keys := func(parameters string) string { return w.listing(b, operation.ListAPIKeys, parameters) }
	return []work{
		{"filter-texts", operation.ListAPIKeys, texts, keys(`filter=meta.description matches "y"`)},
		{"sort-texts", operation.ListAPIKeys, texts, keys(`sort.path=meta.description&page_size=500`)},
		{"group-texts", operation.ListAPIKeys, texts, keys(`group.aggregation_paths=meta.description`)},
		{"sort-grants", operation.ListAPIKeys, grants, keys(`sort.path=meta.name&page_size=500`)},
		{"count-grants", operation.ListAPIKeys, grants, keys(`count=true`)},
		{"texts", operation.ListWorkspaceKeys, texts, w.listing(b, operation.ListWorkspaceKeys, "")},
		{"grants", operation.ListWorkspaceKeys, grants, w.listing(b, operation.ListWorkspaceKeys, "")},
		{"accounts", operation.ListServiceAccounts, accounts,
			w.sample(b, operation.ListServiceAccounts, map[string]any{"rawQueryString": "sort_by=asc:name&size=10000"})},
	}
}

// create has an operation make something, whose items the table then knows.
func (w *world) create(b *testing.B, op operation.Operation, body string) {
	b.Helper()
	answer := w.deploy(b, asInCatalogue).invoke(b, op, w.sample(b, op, map[string]any{"body": body}))
	if !strings.Contains(answer, `"statusCode":200`) {
		b.Fatalf("%s: %.500s", op.Name, answer)
	}
}

// filler makes what fills the table with copies of what was written last.
func (w *world) filler(sortKey, textsKey string, count int) func() {
	sample, texts := w.table.Written(sortKey), w.table.Written(textsKey)
	return func() { w.table.Fill(sample, texts, count) }
}

// fillSample fills the table with a page of keys as small as most.
func (w *world) fillSample(b *testing.B) {
	b.Helper()
	const page = 20
	w.deploy(b, asInCatalogue).invoke(b, operation.CreateAPIKey, w.sample(b, operation.CreateAPIKey, nil))
	w.filler("key", "about", page)()
}

// listing asks for a list by parameters that are separated by "&" and not yet escaped.
func (w *world) listing(b *testing.B, op operation.Operation, parameters string) string {
	b.Helper()
	values := url.Values{}
	for parameter := range strings.SplitSeq(parameters, "&") {
		if name, value, ok := strings.Cut(parameter, "="); ok {
			values.Set("list_parameters."+name, value)
		}
	}
	return w.sample(b, op, map[string]any{"rawQueryString": values.Encode()})
}

// flood is an event whose body is as large as Lambda takes.
func (w *world) flood(b *testing.B, op operation.Operation) string {
	b.Helper()
	const rest = 10_000
	return w.sample(b, op, map[string]any{"body": strings.Repeat("x", lambdahost.MaxEvent-rest)})
}

// largeTexts asks for a key with texts that fill a request.
func largeTexts() string {
	var annotations []string
	for i := range 15 {
		annotations = append(annotations, fmt.Sprintf(`"%d":%q`, i, strings.Repeat("x", 16<<10)))
	}
	return fmt.Sprintf(`{"meta":{"name":"n","annotations":{%s}},"spec":{"expiration_time":"2099-12-31T00:00:00Z",`+
		`"permissions":{"roles":["SYSTEM_ROLE_READ_ONLY"]}}}`, strings.Join(annotations, ","))
}

// largeGrant asks for a key whose grant fills its record.
func largeGrant() string {
	var rules []string
	for i := range 100 {
		rules = append(rules, fmt.Sprintf(`"kind%04d":{"methods":["METHOD_READ"]}`, i))
	}
	return fmt.Sprintf(`{"meta":{"name":"n"},"spec":{"expiration_time":"2099-12-31T00:00:00Z","permissions":{"rules":{%s}}}}`,
		strings.Join(rules, ","))
}
