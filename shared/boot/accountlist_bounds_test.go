package boot_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/localstack/table"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

const (
	perBatchWrite = 25
	batchWriters  = 4
)

// cloneKeys makes one key of an account, and so many more like it, by their records
// alone. They are called n0000 and so on, and created one after the other behind it.
func (a *accounts) cloneKeys(t testing.TB, account zenEntity, count int) (ids []string) {
	t.Helper()
	first := a.makeKey(t, account, "first")
	id, _ := apikey.ParseID(first.ID)
	client := table.Client(database.Endpoint())
	partition := schema.KeyPartition("demo", first.ID)
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(a.table), Key: map[string]types.AttributeValue{
			schema.PartitionKey: &types.AttributeValueMemberS{Value: partition},
			schema.SortKey:      &types.AttributeValueMemberS{Value: schema.KeyItem},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	writes := make([]types.WriteRequest, count)
	for i := range writes {
		next := id
		binary.BigEndian.PutUint64(next[:8], binary.BigEndian.Uint64(id[:8])+uint64(i+1)<<16)
		ids = append(ids, next.String())
		record := maps.Clone(got.Item)
		record[schema.PartitionKey] = &types.AttributeValueMemberS{Value: schema.KeyPartition("demo", next.String())}
		record[schema.Path] = &types.AttributeValueMemberS{Value: schema.PathOf("demo", next.String())}
		record[schema.Name] = &types.AttributeValueMemberS{Value: fmt.Sprintf("n%05d", i)}
		writes[i].PutRequest = &types.PutRequest{Item: record}
	}
	a.writeAll(t, client, writes)
	return ids
}

func (a *accounts) writeAll(t testing.TB, client *dynamodb.Client, writes []types.WriteRequest) {
	t.Helper()
	batches := slices.Collect(slices.Chunk(writes, perBatchWrite))
	var writers sync.WaitGroup
	for writer := range batchWriters {
		writers.Go(func() {
			for i := writer; i < len(batches); i += batchWriters {
				out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
					RequestItems: map[string][]types.WriteRequest{a.table: batches[i]},
				})
				if err != nil || len(out.UnprocessedItems) > 0 {
					t.Errorf("batch %d: %v", i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// wantStoreError wants ZenML's error of a list that its store refuses.
func (a *accounts) wantStoreError(t *testing.T, r zenRequest, naming string) {
	t.Helper()
	answer := a.send(t, r)
	if answer.status != 400 || !strings.HasPrefix(answer.body, `{"detail":["ValueError","`) || !strings.Contains(answer.body, naming) {
		t.Errorf("%s %q: %d %.300s, want a ValueError that names %q", r.op.Name, r.query, answer.status, answer.body, naming)
	}
}

const mostKept = 10_000

// More than can be sorted is refused; the list as it is made can be walked all the same.
func TestMoreKeysThanCanBeSorted(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	ids := a.cloneKeys(t, account, mostKept)
	of := func(query string) zenRequest {
		return zenRequest{op: operation.ListAccountKeys, account: account.ID, query: query}
	}
	for _, query := range []string{
		"sort_by=name", "sort_by=desc:created", "sort_by=id&name=notequals:x",
		"sort_by=active&name=startswith:n&name=first&logical_operator=or", "sort_by=name&page=99999&size=10000",
	} {
		a.wantStoreError(t, of(query), "More than 10000 match")
	}
	for query, want := range map[string][]string{
		"size=1&page=10001": ids[mostKept-1:],
		"size=2&page=5000":  ids[mostKept-3 : mostKept-1],
		"size=10000&page=2": ids[mostKept-1:],
		"name=notequals:first&sort_by=desc:name&size=1":       ids[mostKept-1:],
		"name=notequals:first&sort_by=name&size=1&page=10000": ids[mostKept-1:],
		"name=n00123":                   ids[123:124],
		"active=true&size=1&page=10001": ids[mostKept-1:],
		"active=true&size=1&sort_by=asc:created&page=10000": ids[mostKept-2 : mostKept-1],
	} {
		page := a.listKeys(t, account, query)
		got := make([]string, len(page.Items))
		for i, item := range page.Items {
			got[i] = item.ID
		}
		total := mostKept + 1
		switch {
		case strings.HasPrefix(query, "name=not"):
			total = mostKept
		case strings.HasPrefix(query, "name"):
			total = 1
		}
		if !slices.Equal(got, want) || page.Total != total || page.TotalPages != (total-1)/page.MaxSize+1 {
			t.Errorf("%q: %q of %d on %d pages, want %q of %d", query, got, page.Total, page.TotalPages, want, total)
		}
	}
	for _, query := range []string{
		"page=10002&size=1", "page=9223372036854775807&size=10000", "page=9223372036854775808", "page=99999999999999999999999&size=1",
		"page=1844674407370956&size=10000", "page=922337203685478&size=10000", "page=4611686018427387905&size=2",
	} {
		a.wantStoreError(t, of(query), "Invalid page")
		a.wantStoreError(t, of(query+"&sort_by=name&name=n00001"), "Invalid page")
	}
}

// An answer that the platform would not take is the client's to make smaller, whatever
// makes it large.
func TestAnswersOfAccountsThatAreTooLarge(t *testing.T) {
	a := newAccounts(t)
	const avatar = 32_768
	large, _ := a.do(t, zenRequest{op: operation.CreateServiceAccount,
		body: fmt.Sprintf(`{"name":"large","active":true,"avatar_url":%q}`, strings.Repeat("é", avatar))})
	a.fillKeys(t, "demo", large.ID, "k", 80) // of 65 KB each, with the account in it
	described := a.makeAccount(t, "described")
	text := strings.Repeat("é", 65_535) // 131 KB
	for i := range 40 {
		a.later(1e6)
		a.do(t, zenRequest{op: operation.CreateAccountKey, account: described.ID, body: fmt.Sprintf(`{"name":"d%d","description":%q}`, i, text)})
		a.later(1e6)
		a.do(t, zenRequest{op: operation.CreateServiceAccount, body: fmt.Sprintf(`{"name":"a%d","active":true,"description":%q}`, i, text)})
	}
	for _, test := range []struct {
		request zenRequest
		fits    bool
	}{
		{zenRequest{op: operation.ListAccountKeys, account: large.ID, query: "size=80"}, false},
		{zenRequest{op: operation.ListAccountKeys, account: large.ID, query: "size=80&sort_by=name"}, false},
		{zenRequest{op: operation.ListAccountKeys, account: large.ID, query: "size=10000&hydrate=true"}, false},
		{zenRequest{op: operation.ListAccountKeys, account: large.ID, query: "size=75"}, true},
		{zenRequest{op: operation.ListAccountKeys, account: large.ID, query: "size=75&page=2"}, true},
		{zenRequest{op: operation.ListAccountKeys, account: described.ID, query: "size=40&hydrate=true"}, false},
		{zenRequest{op: operation.ListAccountKeys, account: described.ID, query: "size=40&hydrate=true&sort_by=desc:description"}, false},
		{zenRequest{op: operation.ListAccountKeys, account: described.ID, query: "size=40&description=contains:É"}, true},
		{zenRequest{op: operation.ListAccountKeys, account: described.ID, query: "size=25&hydrate=true&sort_by=desc:description"}, true},
		{zenRequest{op: operation.ListAccountKeys, account: described.ID, query: "size=25&page=2&hydrate=true&description=contains:éé"}, true},
		{zenRequest{op: operation.ListServiceAccounts, query: "size=100&hydrate=true"}, false},
		{zenRequest{op: operation.ListServiceAccounts, query: "size=100&hydrate=true&sort_by=description"}, false},
		{zenRequest{op: operation.ListServiceAccounts, query: "size=100&description=contains:é"}, true},
		{zenRequest{op: operation.ListServiceAccounts, query: "size=25&hydrate=true&sort_by=desc:description"}, true},
	} {
		if !test.fits {
			a.wantStoreError(t, test.request, "by size")
			continue
		}
		a.wantWhole(t, test.request)
	}
}

// wantWhole wants as many items as the page has, with their metadata.
func (a *accounts) wantWhole(t *testing.T, r zenRequest) {
	t.Helper()
	page := a.page(t, r)
	if want := min(page.MaxSize, page.Total-(page.Index-1)*page.MaxSize); len(page.Items) != want {
		t.Errorf("%q shows %d, want %d", r.query, len(page.Items), want)
	}
	if hydrated := strings.Contains(r.query, "hydrate"); !hydrated {
		return
	}
	for _, item := range page.Items {
		if long := len([]rune(item.Metadata.Description)); long != 65_535 && item.Name != "large" && item.Name != "described" {
			t.Errorf("%q shows a description of %d characters of %s", r.query, long, item.Name)
		}
	}
}

// Texts that are too many to be read for one page are not left out of it.
func TestTextsOfAccountKeysThatAreTooMany(t *testing.T) {
	a := newAccounts(t)
	account := a.makeAccount(t, "ci")
	for i := range 30 { // 25 of 170 KB, which are read at once, and five small ones
		text := "small"
		if i < 25 {
			text = strings.Repeat("😀", 42_500)
		}
		a.later(1e6)
		a.do(t, zenRequest{op: operation.CreateAccountKey, account: account.ID, body: fmt.Sprintf(`{"name":"k%d","description":%q}`, i, text)})
	}
	of := func(query string) zenRequest {
		return zenRequest{op: operation.ListAccountKeys, account: account.ID, query: query}
	}
	a.wantStoreError(t, of("size=30&hydrate=true"), "by size")
	for query, want := range map[string]int{"size=5&page=6&hydrate=true": 5, "description=small&hydrate=true": 5, "size=30&sort_by=description": 30} {
		page := a.page(t, of(query))
		for _, key := range page.Items {
			if strings.Contains(query, "hydrate") && key.Metadata.Description != "small" {
				t.Errorf("%q shows the description %.20q", query, key.Metadata.Description)
			}
		}
		if len(page.Items) != want {
			t.Errorf("%q shows %d", query, len(page.Items))
		}
	}
}
