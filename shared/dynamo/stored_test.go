package dynamo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/table"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// TTL removes every item of a key a retention after its expiry, and none of a key
// that has no expiry.
func TestPurgeTimes(t *testing.T) {
	config := database.NewTable(t)
	config.Retention = 48 * time.Hour
	expiring, forever := withTexts(newKey("demo")), withTexts(newKey("demo"))
	expiring.ExpiresAt = noon
	for _, key := range []apikey.Key{expiring, forever} {
		create(t, dynamo.New(config), key)
	}
	want := strconv.FormatInt(noon.Add(48*time.Hour).Unix(), 10)
	for _, sort := range []string{schema.KeyItem, schema.AboutItem} {
		if got, ok := itemOf(t, config, expiring, sort)[schema.PurgeAt].(*types.AttributeValueMemberN); !ok || got.Value != want {
			t.Errorf("%s has the purge time %v, want %s", sort, got, want)
		}
		if got, there := itemOf(t, config, forever, sort)[schema.PurgeAt]; there {
			t.Errorf("%s of a key without expiry has the purge time %v", sort, got)
		}
	}
}

// What cannot be read is an error where leaving it out would give more rights, or a
// longer life.
func TestCorruptRecordsAreRefused(t *testing.T) {
	broken := &types.AttributeValueMemberN{Value: "1"}
	grant := func(member string, value types.AttributeValue) types.AttributeValue {
		return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{member: value}}
	}
	for name, change := range map[string]func(map[string]types.AttributeValue){
		"an expiry of another type": func(i map[string]types.AttributeValue) { i[schema.ExpiresAt] = broken },
		"an expiry that is no time": func(i map[string]types.AttributeValue) {
			i[schema.ExpiresAt] = &types.AttributeValueMemberS{Value: "soon"}
		},
		"exceptions that are no list": func(i map[string]types.AttributeValue) { i[schema.Grant] = grant("except", broken) },
		"an exception that is no text": func(i map[string]types.AttributeValue) {
			i[schema.Grant] = grant("except", &types.AttributeValueMemberL{Value: []types.AttributeValue{broken}})
		},
		"methods that are no number": func(i map[string]types.AttributeValue) {
			i[schema.Grant] = grant("rules", &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
				"x": &types.AttributeValueMemberS{Value: "all"},
			}})
		},
		"no digest": func(i map[string]types.AttributeValue) { delete(i, schema.Digest) },
		"a short digest": func(i map[string]types.AttributeValue) {
			i[schema.Digest] = &types.AttributeValueMemberB{Value: []byte{1}}
		},
		"no path": func(i map[string]types.AttributeValue) { delete(i, schema.Path) },
	} {
		config := database.NewTable(t)
		config.Table += strconv.Itoa(len(name))
		if err := table.Create(t.Context(), table.Client(config.Endpoint), config.Table, table.WithoutStream); err != nil {
			t.Fatal(err)
		}
		key := newKey("demo")
		create(t, dynamo.New(config), key)
		item := itemOf(t, config, key, schema.KeyItem)
		change(item)
		_, err := table.Client(config.Endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &config.Table, Item: item})
		if err != nil {
			t.Fatal(err)
		}
		wantFault(t, name, asFault(second(dynamo.New(config).Lookup(t.Context(), key.Locator))), fault.Internal)
	}
}

// asFault is what a client would be told.
func asFault(err error) error {
	if err == nil {
		return nil
	}
	return fault.Of(err)
}

func TestDisabledOfAnyKindIsDisabled(t *testing.T) {
	config := database.NewTable(t)
	key := newKey("demo")
	create(t, dynamo.New(config), key)
	item := itemOf(t, config, key, schema.KeyItem)
	item[schema.Disabled] = &types.AttributeValueMemberS{Value: "yes"}
	_, err := table.Client(config.Endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &config.Table, Item: item})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := dynamo.New(config).Lookup(t.Context(), key.Locator); err != nil || !got.Disabled {
		t.Errorf("disabled %v, %v", got.Disabled, err)
	}
}

func itemOf(t *testing.T, config dynamo.Config, key apikey.Key, sort string) map[string]types.AttributeValue {
	t.Helper()
	out, err := table.Client(config.Endpoint).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &config.Table,
		Key: map[string]types.AttributeValue{
			schema.PartitionKey: &types.AttributeValueMemberS{
				Value: schema.KeyPartition(key.Locator.Namespace.String(), key.Locator.ID.String()),
			},
			schema.SortKey: &types.AttributeValueMemberS{Value: sort},
		},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil || out.Item == nil {
		t.Fatalf("%s: %v, %v", sort, out, err)
	}
	return out.Item
}

// The largest new key can still be disabled, renamed by another, and described.
func TestLargestKeyCanBeChanged(t *testing.T) {
	store := database.NewStore(t)
	read := largestKey(t, store)
	key := read
	key.Disabled, key.HasTexts = true, true
	key.Texts = apikey.Texts{Description: "too dangerous"}
	key.UpdatedAt = noon.Add(time.Hour)
	key.UpdatedBy = apikey.Actor{ID: key.Locator.ID.String(), Name: strings.Repeat("é", 255) + "@api-key"}
	if err := store.Update(t.Context(), read, key); err != nil {
		t.Fatal(err)
	}
	key.Version++
	got, err := store.Get(t.Context(), key.Locator)
	if diff := cmp.Diff(key, got, comparers...); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// DynamoDB ends a page at 1 MB, and leaves keys of a batch unprocessed, when it
// likes; the emulator does neither with small items. This transport does both, with
// the emulator's own answers.
func TestShortAnswersAreContinued(t *testing.T) {
	config := database.NewTable(t)
	config.Wrap = func(next http.RoundTripper) http.RoundTripper { return &sparing{next: next} }
	store := dynamo.New(config)
	var want []apikey.ID
	for i := range 20 {
		key := withTexts(newKeyAt("demo", noon.Add(time.Duration(i)*time.Second)))
		create(t, store, key)
		want = append(want, key.Locator.ID)
	}
	page := listWithTexts(t, store, apikey.Selection{Namespace: parse("demo"), Skip: 7, Limit: 9})
	if diff := cmp.Diff(want[7:16], idsOf(page)); diff != "" || !page.More {
		t.Errorf("more %v\n%s", page.More, diff)
	}
	for _, key := range page.Keys {
		if key.Texts.Description != "described" {
			t.Errorf("key %v has the texts %+v", key.Locator.ID, key.Texts)
		}
	}
}

func TestBatchThatNeverEndsIsUnavailable(t *testing.T) {
	config := database.NewTable(t)
	create(t, dynamo.New(config), withTexts(newKey("demo")))
	config.Wrap = func(next http.RoundTripper) http.RoundTripper { return &sparing{next: next, nothing: true} }
	store := dynamo.New(config)
	page := list(t, store, apikey.Selection{Namespace: parse("demo"), Limit: 1})
	_, err := store.AddTexts(t.Context(), page.Keys)
	wantFault(t, "a batch of which nothing is processed", err, fault.Unavailable)
}

// A sparing transport asks for three items at most where more are asked for.
type sparing struct {
	next    http.RoundTripper
	nothing bool // process no key of a batch
}

func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	const most = 3
	action := dynamotest.ActionOf(r.Header)
	if action != "Query" && action != "BatchGetItem" {
		return s.next.RoundTrip(r)
	}
	var request map[string]any
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	var left map[string]any
	if limit, ok := request["Limit"].(float64); ok {
		request["Limit"] = min(limit, most)
	}
	if tables, ok := request["RequestItems"].(map[string]any); ok {
		left = s.split(tables, most)
	}
	return s.send(r, request, left)
}

// split leaves the first keys of a batch in the request and returns the others. It
// says how many the batch had only by what it returns.
func (s *sparing) split(tables map[string]any, most int) map[string]any {
	left := map[string]any{}
	for name, wanted := range tables {
		keys := wanted.(map[string]any)["Keys"].([]any)
		most := min(most, len(keys))
		tables[name] = map[string]any{"Keys": keys[:most]}
		if s.nothing {
			most = 0
		}
		if rest := keys[most:]; len(rest) > 0 {
			left[name] = map[string]any{"Keys": rest}
		}
	}
	return left
}

func (s *sparing) send(r *http.Request, request, left map[string]any) (*http.Response, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response, err := s.next.RoundTrip(changed)
	if err != nil || left == nil {
		return response, err
	}
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	answer["UnprocessedKeys"] = left
	if s.nothing {
		answer["Responses"] = map[string]any{}
	}
	if body, err = json.Marshal(answer); err != nil {
		return nil, err
	}
	response.Header.Del("X-Amz-Crc32")
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// Refusals by the server's status are passing, whatever their body says; those of a
// request are not.
func TestClassification(t *testing.T) {
	refusal := func(status int, code string) dynamotest.Fault {
		return dynamotest.Refuse(status, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no"}`, code))
	}
	canceled := func(codes ...string) dynamotest.Fault {
		var reasons []string
		for _, code := range codes {
			reasons = append(reasons, fmt.Sprintf(`{"Code":%q}`, code))
		}
		return dynamotest.Refuse(http.StatusBadRequest, fmt.Sprintf(
			`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"no","CancellationReasons":[%s]}`,
			strings.Join(reasons, ",")))
	}
	for name, test := range map[string]struct {
		fault     dynamotest.Fault
		want      fault.Kind
		requests  int
		throttles int64
	}{
		"service unavailable":         {refusal(503, "ServiceUnavailable"), fault.Unavailable, 3, 0},
		"503 without a body":          {dynamotest.Refuse(503, ""), fault.Unavailable, 3, 0},
		"502 of something between":    {dynamotest.Refuse(502, "<html>"), fault.Unavailable, 3, 0},
		"500 of another name":         {refusal(500, "InternalFailure"), fault.Unavailable, 3, 0},
		"over the account's limit":    {refusal(400, "RequestLimitExceeded"), fault.Unavailable, 3, 3},
		"throttled by the front":      {refusal(400, "ThrottlingException"), fault.Unavailable, 3, 3},
		"transaction in progress":     {refusal(400, "TransactionInProgressException"), fault.Unavailable, 3, 3},
		"expired credentials":         {refusal(400, "ExpiredTokenException"), fault.Unavailable, 1, 0},
		"a table that is not there":   {refusal(400, "ResourceNotFoundException"), fault.Internal, 1, 0},
		"a request that is malformed": {refusal(400, "ValidationException"), fault.Internal, 1, 0},
		"throttled in a transaction":  {canceled("None", "ThrottlingError"), fault.Unavailable, 3, 3},
		"a write that is malformed":   {canceled("None", "ValidationError"), fault.Internal, 1, 0},
		"a condition of another item": {canceled("None", "ConditionalCheckFailed"), fault.Internal, 1, 0},
		"one that conflicts for good": {canceled("TransactionConflict", "ValidationError"), fault.Internal, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			store, key, transport := storeWithFaults(t, true, true)
			transport.Faults = slices.Repeat([]dynamotest.Fault{test.fault}, 3)
			wantFault(t, "create", store.Create(t.Context(), key), test.want)
			if transport.Requests() != test.requests {
				t.Errorf("%d requests, want %d", transport.Requests(), test.requests)
			}
			if transport.Throttles.Load() != test.throttles {
				t.Errorf("%d throttles, want %d", transport.Throttles.Load(), test.throttles)
			}
		})
	}
}
