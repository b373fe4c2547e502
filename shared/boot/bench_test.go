package boot_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/access"
	"latchkey/shared/api/namespaces"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// The bars, as ratios to a bare-bones limit that is measured in the same run.
const (
	maxValidationRatio       = 1.15 // of time and CPU, to a bare GetItem
	maxValidationAllocations = 24   // beyond those of a bare GetItem
	maxPageRatio             = 1.25 // of the time of a page among 5,000 keys to one among 50
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

// A contest is a validation and the bare GetItem in it, over the same canned answer.
type contest struct {
	validate func()
	getItem  func()
}

func newContest(t testing.TB) contest {
	t.Helper()
	table := database.NewTable(t)
	recorder := &recorded{}
	table.Wrap = func(next http.RoundTripper) http.RoundTripper {
		recorder.next = next
		return recorder
	}
	keys := newKeys(dynamo.New(table))
	maker := access.Caller{
		ID: "019b7ca9-8f2e-7e98-833b-d887d15218ce", Name: "maker", Namespace: parse(t, "demo"),
		Grant: access.Grant{Roles: []access.Role{access.Admin}},
	}
	issued, err := keys.Issue(t.Context(), maker, apikey.Draft{
		Namespace: maker.Namespace, Name: "benchmark", Grant: maker.Grant, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if verdict, err := keys.Verify(t.Context(), issued.FullKey); err != nil || !verdict.IsValid() {
		t.Fatalf("%v, %v", verdict.Reason, err)
	}
	table.Wrap = func(http.RoundTripper) http.RoundTripper { return &recorder.last }
	return contest{
		validate: validation(t, newKeys(dynamo.New(table)), issued.FullKey),
		getItem:  bareGetItem(t, table, issued.Key),
	}
}

func newKeys(store *dynamo.Store) *apikey.Service {
	return apikey.NewService(apikey.Config{Store: store, Clock: time.Now, Random: strings.NewReader(strings.Repeat("random", 99))})
}

func validation(t testing.TB, keys *apikey.Service, full apikey.FullKey) func() {
	endpoint := namespaces.ValidateAPIKey(keys.Verifier)
	server := web.NewServer(web.Config{
		Handler:  endpoint.Handler,
		Envelope: endpoint.Envelope,
		Recorder: telemetry.NewRecorder(telemetry.Config{Log: slog.New(slog.DiscardHandler), Clock: time.Now}),
	})
	identifier, secretPart := full.RevealPair()
	body := []byte(fmt.Sprintf(`{"key":%q,"secret":%q}`, identifier, secretPart))
	return func() {
		response := server.Serve(context.Background(), &web.Request{Operation: operation.ValidateAPIKey, Body: body})
		if !bytes.HasSuffix(response.Body, []byte(`"valid":true}`)) {
			t.Fatalf("%s", response.Body)
		}
	}
}

func bareGetItem(t testing.TB, table dynamo.Config, key apikey.Key) func() {
	client := dynamodb.New(dynamodb.Options{
		Region:       table.Region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String(table.Endpoint),
		HTTPClient:   &http.Client{Transport: table.Wrap(nil)},
	})
	name := aws.String(table.Table)
	partition := "demo#" + key.Locator.ID.String()
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
	c := newContest(t)
	beyond := testing.AllocsPerRun(500, c.validate) - testing.AllocsPerRun(500, c.getItem)
	t.Logf("a validation allocates %v times more than the GetItem in it", beyond)
	if beyond > maxValidationAllocations {
		t.Errorf("a validation allocates %v times more than its GetItem, %d are allowed", beyond, maxValidationAllocations)
	}
}

func BenchmarkValidationToBareGetItem(b *testing.B) {
	c := newContest(b)
	ratio := compare(c.validate, c.getItem, 150, 100)
	b.ReportMetric(ratio.time, "time-ratio")
	b.ReportMetric(ratio.cpu, "CPU-ratio")
	b.ReportMetric(0, "ns/op")
	if ratio.time > maxValidationRatio || ratio.cpu > maxValidationRatio {
		b.Errorf("time %.3f, CPU %.3f; the bar is %.2f", ratio.time, ratio.cpu, maxValidationRatio)
	}
}

func BenchmarkPageAmong5000To50(b *testing.B) {
	few, many := newDeployment(b), newDeployment(b)
	fill(b, few, 49)
	fill(b, many, 4999)
	ratio := compare(func() { listPage(b, many) }, func() { listPage(b, few) }, 60, 5)
	b.ReportMetric(ratio.time, "time-ratio")
	b.ReportMetric(0, "ns/op")
	if ratio.time > maxPageRatio {
		b.Errorf("time %.3f; the bar is %.2f", ratio.time, maxPageRatio)
	}
}

type ratios struct{ time, cpu float64 }

// compare times two functions in one process, in turn, by slices, so that a
// machine's ups and downs meet both. It gives the ratio of the medians of the
// slices' times, and of the sums of CPU time.
func compare(subject, limit func(), rounds, slice int) ratios {
	run := func(f func()) (took, cpu time.Duration) {
		began, used := time.Now(), cpuTime()
		for range slice {
			f()
		}
		return time.Since(began), cpuTime() - used
	}
	run(subject)
	run(limit)
	var subjectTimes, limitTimes []time.Duration
	var subjectCPU, limitCPU time.Duration
	for range rounds {
		took, cpu := run(subject)
		subjectTimes, subjectCPU = append(subjectTimes, took), subjectCPU+cpu
		took, cpu = run(limit)
		limitTimes, limitCPU = append(limitTimes, took), limitCPU+cpu
	}
	return ratios{
		time: float64(median(subjectTimes)) / float64(median(limitTimes)),
		cpu:  float64(subjectCPU) / float64(limitCPU),
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
