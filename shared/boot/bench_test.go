package boot_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/localstack/bars"
	"latchkey/localstack/sidebyside"
	"latchkey/shared/access"
	"latchkey/shared/api/namespaces"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// A canned transport answers every request at once with the same bytes, so that
// what is measured is our work and the SDK's.
type canned struct {
	header http.Header
	body   []byte
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)),
		ContentLength: int64(len(c.body)), Request: r,
	}, nil
}

// A recorded transport keeps the last answer that goes through it.
type recorded struct {
	next http.RoundTripper
	last canned
}

func (r *recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	r.last = canned{header: response.Header, body: body}
	return response, err
}

// newKeys is what is under the validate function, on a table.
func newKeys(table dynamo.Config) *apikey.Service {
	return apikey.NewService(apikey.Config{
		Store: dynamo.New(table), Clock: time.Now, Random: strings.NewReader(strings.Repeat("random", 99)),
	})
}

// A recording is a key, and what DynamoDB answers to whoever reads it and to whoever reads
// one that is not there.
type recording struct {
	table          dynamo.Config
	issued         apikey.Issued
	wrong          apikey.FullKey // the same key with another secret
	known, unknown *canned
}

func newRecording(t testing.TB) *recording {
	t.Helper()
	r := &recording{table: database.NewTable(t)}
	recorder := &recorded{}
	r.table.Wrap = func(next http.RoundTripper) http.RoundTripper {
		recorder.next = next
		return recorder
	}
	keys := newKeys(r.table)
	maker := access.Caller{
		ID: "019b7ca9-8f2e-7e98-833b-d887d15218ce", Name: "maker", Namespace: parse(t, "demo"),
		Grant: access.Grant{Roles: []access.Role{access.Admin}},
	}
	draft := apikey.Draft{Namespace: maker.Namespace, Name: "benchmark", Grant: maker.Grant, ExpiresAt: time.Now().Add(time.Hour)}
	other, otherErr := keys.Issue(t.Context(), maker, draft)
	issued, err := keys.Issue(t.Context(), maker, draft)
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	r.issued, r.wrong = issued, apikey.FullKey{Locator: issued.FullKey.Locator, Secret: other.FullKey.Secret}
	r.known = recorder.answerTo(t, keys, r.issued.FullKey, apikey.Valid)
	r.unknown = recorder.answerTo(t, keys, unknownKey(t, r.issued.FullKey), apikey.Unknown)
	return r
}

func (r *recorded) answerTo(t testing.TB, keys *apikey.Service, full apikey.FullKey, want apikey.Reason) *canned {
	t.Helper()
	if verdict, err := keys.Verify(t.Context(), full); err != nil || verdict.Reason != want {
		t.Fatalf("%v, %v", verdict.Reason, err)
	}
	answer := r.last
	return &answer
}

// unknownKey has the same secret, and nobody's identifier.
func unknownKey(t testing.TB, full apikey.FullKey) apikey.FullKey {
	t.Helper()
	id, ok := apikey.ParseID("019b7ca9-8f2e-7e98-833b-d887d15218ce")
	if !ok {
		t.Fatal("an identifier that is none")
	}
	full.Locator.ID = id
	return full
}

// answering is the table behind a transport with one answer.
func (r *recording) answering(answer *canned) dynamo.Config {
	table := r.table
	table.Wrap = func(http.RoundTripper) http.RoundTripper { return answer }
	return table
}

// validation is of the recorded key.
func (r *recording) validation(t testing.TB) func() {
	return validation(t, r.answering(r.known), r.issued.FullKey, true)
}

func validation(t testing.TB, table dynamo.Config, full apikey.FullKey, valid bool) func() {
	endpoint := namespaces.ValidateAPIKey(newKeys(table).Verifier)
	server := web.NewServer(web.Config{
		Handler:  endpoint.Handler,
		Envelope: endpoint.Envelope,
		Recorder: telemetry.NewRecorder(telemetry.Config{Log: slog.New(slog.DiscardHandler), Clock: time.Now}),
	})
	identifier, secretPart := full.RevealPair()
	body := fmt.Appendf(nil, `{"key":%q,"secret":%q}`, identifier, secretPart)
	want := fmt.Appendf(nil, `"valid":%t}`, valid)
	return func() {
		response := server.Serve(context.Background(), &web.Request{Operation: operation.ValidateAPIKey, Body: body})
		if !bytes.HasSuffix(response.Body, want) {
			t.Fatalf("%s", response.Body)
		}
	}
}

// getItem reads and decodes the recorded item, whichever is asked for.
func (r *recording) getItem(t testing.TB) func() {
	table := r.answering(r.known)
	client := records.New(table.Config)
	return func() {
		if err := client.Warm(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// getItemThroughSDK is the limit.
func (r *recording) getItemThroughSDK(t testing.TB) func() {
	table := r.answering(r.known)
	client := dynamodb.New(dynamodb.Options{
		Region:       table.Region,
		Credentials:  table.Credentials,
		BaseEndpoint: aws.String(table.Endpoint),
		HTTPClient:   &http.Client{Transport: table.Wrap(nil)},
	})
	name := aws.String(table.Table)
	partition := "demo#" + r.issued.Key.Locator.ID.String()
	return func() {
		out, err := client.GetItem(context.Background(), &dynamodb.GetItemInput{
			TableName:      name,
			ConsistentRead: aws.Bool(true),
			Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: partition},
				"sk": &types.AttributeValueMemberS{Value: "key"},
			},
		})
		if err != nil || len(out.Item) == 0 {
			t.Fatal(err)
		}
	}
}

func TestAllocationsOfValidation(t *testing.T) {
	r := newRecording(t)
	all := testing.AllocsPerRun(500, r.validation(t))
	bars.Hold(t, "validation/allocations", bars.Once(all-testing.AllocsPerRun(500, r.getItem(t))))
	bars.Hold(t, "validation/all-allocations", bars.Once(all))
}

// BenchmarkValidation compares validations with a bare GetItem through the SDK and with one
// another, over the same answers.
func BenchmarkValidation(b *testing.B) {
	r := newRecording(b)
	times := sidebyside.Run(500, 100,
		r.getItemThroughSDK(b),
		r.getItem(b),
		r.validation(b),
		validation(b, r.answering(r.known), r.wrong, false),
		validation(b, r.answering(r.unknown), unknownKey(b, r.issued.FullKey), false),
	)
	limit, getItem, valid, wrong, unknown := times[0], times[1], times[2], times[3], times[4]
	holdTime(b, "validation", valid, limit)
	_, cpu := valid.Over(limit)
	bars.Hold(b, "validation/cpu", cpu)
	holdTime(b, "getitem", getItem, limit)
	holdTime(b, "wrong-secret", wrong, valid)
	holdTime(b, "unknown", unknown, valid)
	bars.Hold(b, "getitem/call", limit.Call().Scaled(1e6))
	bars.Hold(b, "validation/call", valid.Call().Scaled(1e6))
	b.ReportMetric(0, "ns/op")
}

func holdTime(b *testing.B, id string, subject, limit sidebyside.Times) {
	b.Helper()
	elapsed, _ := subject.Over(limit)
	bars.Hold(b, id+"/time", elapsed)
}

// pageSizes are the numbers of keys among which a page is listed; the first is the limit.
var pageSizes = []int{50, 500, 5_000, 50_000}

// BenchmarkPages lists the first page of a namespace, by however many keys it holds.
func BenchmarkPages(b *testing.B) {
	var lists []func()
	for _, size := range pageSizes {
		d := newDeployment(b)
		d.fillFast(b, size-1) // the root key is one
		lists = append(lists, func() { listPage(b, d) })
		bars.Hold(b, fmt.Sprintf("page/%d/calls", size), d.callsOfPage(b))
	}
	times := sidebyside.Run(150, 5, lists...)
	for i, size := range pageSizes[1:] {
		holdTime(b, fmt.Sprintf("page/%d", size), times[i+1], times[0])
	}
	bars.Hold(b, "page/50/call", times[0].Call().Scaled(1e3))
	b.ReportMetric(0, "ns/op")
}

func (d *deployment) callsOfPage(t testing.TB) bars.Figure {
	t.Helper()
	d.meter.Take()
	listPage(t, d)
	return callsOf(d.meter.Take())
}

// callsOf writes calls as the bars do.
func callsOf(calls []dynamotest.Call) bars.Figure {
	if len(calls) == 0 {
		return bars.Text("none")
	}
	texts := make([]string, len(calls))
	for i, call := range calls {
		texts[i] = fmt.Sprintf("%s %g", call.Action, call.Units)
	}
	return bars.Text(strings.Join(texts, ", "))
}
