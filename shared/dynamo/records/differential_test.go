package records_test

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/fault"
)

// summed answers with a checksum of a text.
func summed(answer, of string) http.HandlerFunc {
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(of))), 10)
	return awsjsontest.WithHeader("X-Amz-Crc32", sum, awsjsontest.Reply(200, answer))
}

// What the SDK's client does with an answer, ours does. These are the cases that DynamoDB
// has beside those of every service. Of a wrong checksum the SDK finds out when it closes
// the answer, whose error it keeps to itself: to ours such an answer is none.
func ofDynamoDB(good string) []awsjsontest.Case {
	refuse, answers := awsjsontest.Refuse, func(all ...http.HandlerFunc) []http.HandlerFunc { return all }
	named := func(code string) http.HandlerFunc { return refuse(400, "com.amazonaws.dynamodb.v20120810#"+code) }
	unavailable, afterThree := awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 1}, awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}
	internal, success := awsjsontest.Outcome{Kind: fault.Internal, Requests: 1}, awsjsontest.Outcome{Requests: 1}
	return []awsjsontest.Case{
		{Name: "over the table's throughput", Answers: answers(named("ProvisionedThroughputExceededException")), Want: afterThree},
		{Name: "over the account's limit", Answers: answers(named("RequestLimitExceeded")), Want: afterThree},
		{Name: "met a transaction", Answers: answers(named("TransactionConflictException")), Want: afterThree},
		{Name: "met a transaction twice", Answers: answers(named("TransactionConflictException"), named("TransactionConflictException"), summed(good, good)), Want: awsjsontest.Outcome{Requests: 3}},
		{Name: "no table", Answers: answers(named("ResourceNotFoundException")), Want: internal},
		{Name: "internal", Answers: answers(refuse(500, "com.amazonaws.dynamodb.v20120810#InternalServerError")), Want: afterThree},
		{Name: "checksum", Answers: answers(summed(good, good)), Want: success},
		{Name: "wrong checksum", Answers: answers(summed(good, good+" ")), Want: unavailable, OfSDK: &success},
		{Name: "checksum that is none", Answers: answers(awsjsontest.WithHeader("X-Amz-Crc32", "five", awsjsontest.Reply(200, good))), Want: unavailable},
		{Name: "checksum of too many bits", Answers: answers(awsjsontest.WithHeader("X-Amz-Crc32", "4294967296", awsjsontest.Reply(200, good))), Want: unavailable},
		{Name: "refusal with a wrong checksum", Answers: answers(awsjsontest.WithHeader("X-Amz-Crc32", "5", named("ResourceNotFoundException"))), Want: unavailable, OfSDK: &internal},
	}
}

func TestSameAsSDK(t *testing.T) {
	good := answerOf(attributes())
	subjects.Same(t, slices.Concat(awsjsontest.Cases(good), ofDynamoDB(good)))
}

// A used key whose use is newer than what is to be noted is no failure.
func TestConditionOfNoteUse(t *testing.T) {
	for client, open := range subjects.Clients {
		server := awsjsontest.Play(t, awsjsontest.Refuse(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"))
		if _, err := subjects.Actions["NoteUse"](t.Context(), open(awsjsontest.ConfigOf(server.URL))); err != nil || server.Requests() != 1 {
			t.Errorf("%s: after %d requests: %v", client, server.Requests(), err)
		}
	}
}

// Items of every kind that the table may hold, whole and damaged, are the same records to
// both clients, or no record to either.
func TestSameRecordsAsSDK(t *testing.T) {
	minimal := map[string]any{}
	for _, name := range []string{"pk", "path", "digest", "created_at", "created_by", "version"} {
		minimal[name] = attributes()[name]
	}
	answers := map[string]string{"all of it": answerOf(attributes()), "the least": answerOf(minimal), "nothing": "{}",
		"null": `{"Item":null}`, "empty": `{"Item":{}}`, "a list": `{"Item":[]}`, "a text": `{"Item":"{}"}`, "no": `{"Item":false}`, "more of it": `{"More":[{"Item":{"S":"x"}}],"Item":{}}`,
		"in another order": `{"Item":` + strings.TrimSuffix(strings.SplitN(answerOf(attributes()), `"Item":`, 2)[1], "}") + `,"ConsumedCapacity":null}`}
	for name := range attributes() {
		for what, value := range map[string]any{
			"null": nil, "empty": member{}, "a null text": member{"S": nil}, "a text": text("x"), "an empty text": text(""), "a number": member{"N": "1"},
			"a fraction": member{"N": "1.5"}, "bytes": member{"B": "eA=="}, "a truth": member{"BOOL": true}, "a list": member{"L": []any{text("x"), member{}, nil}},
			"a map": member{"M": map[string]any{"x": text("x"), "y": nil}}, "an empty map": member{"M": map[string]any{}}, "a set": member{"SS": []any{"x"}},
			"numbers": member{"NS": []any{"1"}}, "blobs": member{"BS": []any{"eA=="}}, "nothing": member{"NULL": true}, "something new": member{"X": 1},
			"a removal": text(noon.Format(time.RFC3339)),
			"bad text":  member{"S": 5}, "bad number": member{"N": 5}, "bad bytes": member{"B": "?"}, "bad truth": member{"BOOL": "true"},
			"bad list": member{"L": "x"}, "bad map": member{"M": []any{}}, "bare": "x", "a bare list": []any{},
		} {
			answers[name+" is "+what] = changed(name, value)
		}
	}
	answers["a removed account"] = changed("removed_at", text(noon.Format(time.RFC3339)))
	answers["a disabled key"] = changed("disabled", member{"BOOL": false})
	for name, answer := range answers {
		for _, action := range []string{"Lookup", "LookupAccount"} {
			wantSame(t, name, action, answer)
		}
	}
}

// wantSame sends both clients one answer.
func wantSame(t *testing.T, name, action, answer string) {
	t.Helper()
	config := awsjsontest.Answering(200, http.Header{}, answer)
	ours, err := subjects.Actions[action](t.Context(), newRecords(config))
	theirs, errOfSDK := subjects.Actions[action](t.Context(), newReference(config))
	if awsjsontest.KindOf(err) != awsjsontest.KindOf(errOfSDK) || err == nil && ours != theirs {
		t.Errorf("%s: %s: %.200s\n%s, %v\nthe SDK's %s, %v", name, action, answer, ours, err, theirs, errOfSDK)
	}
}

// What is only ours: an answer that DynamoDB never sends is none. The SDK's client calls
// all of them a success or, without an item, a key that is not there.
func TestStricterThanSDK(t *testing.T) {
	good := answerOf(attributes())
	for name, answer := range map[string]string{
		"empty body":          "",
		"null":                "null",
		"JSON and more":       good + "}",
		"two answers":         good + good,
		"a member twice":      `{"Item":{},` + good[1:],
		"an item and null":    good[:len(good)-1] + `,"Item":null}`,
		"null and an item":    `{"Item":null,` + good[1:],
		"an attribute twice":  strings.Replace(good, `"Item":{`, `"Item":{"name":{"S":"x"},`, 1),
		"value of two types":  strings.Replace(good, `{"S":"ci/cd"}`, `{"S":"ci/cd","N":"1"}`, 1),
		"no UTF-8":            strings.Replace(good, "ci/cd", "ci\xff", 1),
		"half of a surrogate": strings.Replace(good, "ci/cd", `\ud800`, 1),
		"huge":                awsjsontest.Padded(good, 5<<20),
	} {
		config := awsjsontest.Answering(200, http.Header{}, answer)
		if _, err := newRecords(config).Lookup(t.Context(), keyAt); awsjsontest.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := newReference(config).Lookup(t.Context(), keyAt); awsjsontest.KindOf(err) == fault.Unavailable {
			t.Errorf("%s: the SDK's client is as strict: %v", name, err)
		}
	}
}

// A record that says to be another's is nobody's.
func TestRecordOfAnother(t *testing.T) {
	const other = "0199a5b4-7a00-7000-8000-000000000001"
	for action, answer := range map[string]string{
		"Lookup":        changed("path", text("a$b-c#"+other)),
		"LookupAccount": changed("pk", text("a.b#account/"+uuid)),
	} {
		_, err := subjects.Actions[action](t.Context(), newRecords(awsjsontest.Answering(200, http.Header{}, answer)))
		if err == nil || !strings.Contains(err.Error(), "is that of another") {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// What was noted of refusals is the same: how many were for too much, and whether one was
// for credentials that have expired.
func TestSameNotesAsSDK(t *testing.T) {
	subjects.Each(t, func(t *testing.T, client, action string) {
		for code, want := range map[string]struct {
			throttles int64
			isExpired bool
		}{
			"ThrottlingException":                    {3, false},
			"ProvisionedThroughputExceededException": {3, false},
			"ExpiredTokenException":                  {0, true},
			"AccessDeniedException":                  {0, false},
		} {
			config := awsjsontest.ConfigOf(awsjsontest.Play(t, awsjsontest.Refuse(400, code)).URL)
			config.Throttles, config.Expired = new(atomic.Int64), new(atomic.Bool)
			_, err := subjects.Actions[action](t.Context(), subjects.Clients[client](config))
			if config.Throttles.Load() != want.throttles || config.Expired.Load() != want.isExpired || err == nil {
				t.Errorf("%s: %d throttles, expired %v, %v", code, config.Throttles.Load(), config.Expired.Load(), err)
			}
		}
	})
}

func TestSameRequestAsSDK(t *testing.T) {
	capture := func(client, action, path string) awsjsontest.Sent {
		return awsjsontest.Capture(t, answerOf(attributes()), path, func(config awsclient.Config) error {
			_, err := subjects.Actions[action](t.Context(), subjects.Clients[client](config))
			return err
		})
	}
	for action := range subjects.Actions {
		for _, path := range []string{"", "/", "/dynamodb"} {
			ours, theirs := capture("ours", action, path), capture("SDK", action, path)
			if diff := cmp.Diff(theirs.Blanked(), ours.Blanked()); diff != "" {
				t.Errorf("%s at %q:\n%s", action, path, diff)
			}
			ours.WantSigned(t, "dynamodb")
			theirs.WantSigned(t, "dynamodb")
		}
	}
}

// Whatever is answered, nothing is a record to ours that is another one, or none, to the
// SDK's, and nothing says that there is no record but what says so to the SDK's: but for
// values of the types that nothing of ours has, which ours does not look at.
func FuzzAnswer(f *testing.F) {
	f.Add(answerOf(attributes()))
	f.Add(`{"Item":{"path":{"S":"a#0199a5b4-7a00-7000-8000-000000000000"},"digest":{"B":"` + strings.Repeat("A", 43) + `="}}}`)
	f.Add(`{"Item":{"a":{"L":[{"M":{"b":{"N":"1"}}},null,{}]}}}`)
	f.Add(`{"item":{},"Item":{"name":{"S":"\ud83d\ude00"}}}`)
	f.Fuzz(func(t *testing.T, answer string) {
		config := awsjsontest.Answering(200, http.Header{}, answer)
		for _, action := range []string{"Lookup", "LookupAccount"} {
			ours, err := subjects.Actions[action](t.Context(), newRecords(config))
			theirs, errOfSDK := subjects.Actions[action](t.Context(), newReference(config))
			kind, kindOfSDK := awsjsontest.KindOf(err), awsjsontest.KindOf(errOfSDK)
			if (kind == nil || kind == fault.NotFound) && kind != kindOfSDK || err == nil && ours != theirs {
				t.Errorf("%s: %s, %v\nthe SDK's %s, %v", action, ours, err, theirs, errOfSDK)
			}
		}
	})
}

// Warm opens a connection that the first request then uses, and asks for nothing that is
// there.
func TestWarm(t *testing.T) {
	var from, asked []string
	server := awsjsontest.Play(t, func(w http.ResponseWriter, r *http.Request) {
		sent := awsjsontest.Receive(t, r)
		from, asked = append(from, r.RemoteAddr), append(asked, fmt.Sprint(sent.Body["Key"]))
		awsjsontest.Reply(200, "{}")(w, r)
	})
	r := records.New(records.Config{Config: awsjsontest.ConfigOf(server.URL), Table: table})
	if err := r.Warm(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Lookup(t.Context(), keyAt); awsjsontest.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	want := []string{"map[pk:map[S:#] sk:map[S:key]]", "map[pk:map[S:a.b-c#" + uuid + "] sk:map[S:key]]"}
	if diff := cmp.Diff(want, asked); diff != "" || from[0] != from[1] {
		t.Errorf("from %v\n%s", from, diff)
	}
}
