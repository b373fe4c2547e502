package stream_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/emulator"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/localtest"
	"latchkey/localstack/placeholder"
	"latchkey/localstack/stream"
	"latchkey/localstack/table"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

const (
	checkpointFile = "stream.json"
	deadLetterFile = "dead-letters.jsonl"
)

// The attribute that the test operation waits for, and one that it does not.
const (
	feed  = "marked"
	other = "other"
)

var fed = operation.Operation{Name: "fed", Caller: operation.Stream, Feed: feed}

var shared *emulator.Emulator

func TestMain(m *testing.M) {
	var err error
	if shared, err = emulator.Start(context.Background(), emulator.Config{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = shared.Close()
	os.Exit(code)
}

// A database is a table of an emulator.
type database struct {
	t      *testing.T
	client *dynamodb.Client
	config stream.Config
}

// newDatabase makes a table that no test has had before.
func newDatabase(t *testing.T, e *emulator.Emulator) *database {
	t.Helper()
	return databaseNamed(t, e, strings.ReplaceAll(t.Name(), "/", ".")+"."+rand.Text())
}

func databaseNamed(t *testing.T, e *emulator.Emulator, name string) *database {
	t.Helper()
	client := table.Client(e.Endpoint())
	if err := table.Create(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	return &database{t: t, client: client, config: stream.Config{
		Tables: client, Streams: stream.Client(e.Endpoint()), Table: name,
		Operations:   []operation.Operation{fed},
		PollInterval: time.Millisecond, RetryDelay: 10 * time.Microsecond,
	}}
}

type item = map[string]types.AttributeValue

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func keyOf(pk string) item {
	return item{schema.PartitionKey: text(pk), schema.SortKey: text("x")}
}

// put writes an item with the attributes, each of which has its own name as its value.
func (d *database) put(pk string, attributes ...string) {
	d.t.Helper()
	whole := keyOf(pk)
	for _, name := range attributes {
		whole[name] = text(name)
	}
	d.putItem(whole)
}

func (d *database) putItem(whole item) {
	d.t.Helper()
	in := &dynamodb.PutItemInput{TableName: &d.config.Table, Item: whole}
	if _, err := d.client.PutItem(d.t.Context(), in); err != nil {
		d.t.Fatal(err)
	}
}

func (d *database) remove(pk string) {
	d.t.Helper()
	in := &dynamodb.DeleteItemInput{TableName: &d.config.Table, Key: keyOf(pk)}
	if _, err := d.client.DeleteItem(d.t.Context(), in); err != nil {
		d.t.Fatal(err)
	}
}

// poll starts a poller. A changed config is the test's own.
func (d *database) poll(f *function, changes ...func(*stream.Config)) *stream.Poller {
	d.t.Helper()
	config := d.config
	config.Invoker = f
	for _, change := range changes {
		change(&config)
	}
	p, err := stream.Start(d.t.Context(), config)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = p.Close() })
	return p
}

func in(dir string) func(*stream.Config) { return func(c *stream.Config) { c.Dir = dir } }

func logging(log *localtest.Buffer) func(*stream.Config) {
	return func(c *stream.Config) { c.Log = log }
}

// Waits are the delays of a poller that does not wait.
type waits struct {
	mu     sync.Mutex
	delays []time.Duration
}

// instead has a poller note a delay and go on at once.
func (w *waits) instead(c *stream.Config) {
	c.Sleep = func(ctx context.Context, delay time.Duration) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.delays = append(w.delays, delay)
		return ctx.Err()
	}
}

func (w *waits) all() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.delays)
}

// A function notes what it is invoked with. Answer, if any, says how it ends.
type function struct {
	answer func(ctx context.Context, op operation.Operation, event events.DynamoDBEvent) error

	mu    sync.Mutex
	calls []call
}

type call struct {
	op    string
	text  []byte
	event events.DynamoDBEvent
	err   error
}

func (f *function) Invoke(ctx context.Context, op operation.Operation, text []byte) ([]byte, error) {
	c := call{op: op.Name, text: text}
	c.err = json.Unmarshal(text, &c.event)
	if c.err == nil && f.answer != nil {
		c.err = f.answer(ctx, op, c.event)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, c)
	return nil, c.err
}

func (f *function) all() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// handled are the items of the successful invocations, batch by batch, of all
// operations or of those that are named.
func (f *function) handled(ops ...string) [][]string {
	var batches [][]string
	for _, c := range f.all() {
		if c.err == nil && (len(ops) == 0 || slices.Contains(ops, c.op)) {
			batches = append(batches, itemsOf(c.event))
		}
	}
	return batches
}

func itemsOf(event events.DynamoDBEvent) []string {
	var pks []string
	for _, r := range event.Records {
		pks = append(pks, r.Change.Keys[schema.PartitionKey].String())
	}
	return pks
}

// wait waits until the items have been handled, and fails the test if others were.
func (f *function) wait(t *testing.T, want ...string) {
	t.Helper()
	localtest.WaitUntil(t, func() bool { return len(slices.Concat(f.handled()...)) >= len(want) })
	if diff := cmp.Diff(want, slices.Concat(f.handled()...)); diff != "" {
		t.Fatalf("handled (-want +got):\n%s", diff)
	}
}

func failure(kind, message string) error {
	payload, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	return &lambdahost.FunctionError{Payload: payload}
}

func has(event events.DynamoDBEvent, pk string) bool { return slices.Contains(itemsOf(event), pk) }

func TestChangesComeInOrderAndThroughTheFilter(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	d.put("before", feed)
	d.poll(f)
	d.put("without", other)
	d.put("a", feed)
	d.put("b", other)
	d.put("b", other, feed) // it is given the attribute
	d.put("b", feed)        // it still has it
	d.put("b", other)       // and loses it
	d.remove("a")
	d.put("a", feed)
	d.remove("a")
	d.put("last", feed)
	f.wait(t, "before", "a", "b", "b", "a", "last")

	var kinds []string
	for _, c := range f.all() {
		for _, r := range c.event.Records {
			kinds = append(kinds, r.EventName)
		}
	}
	want := []string{"INSERT", "INSERT", "MODIFY", "MODIFY", "INSERT", "INSERT"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// The filter asks for the attribute as a text.
func TestAnAttributeOfAnotherTypeIsPassedOver(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	for pk, value := range map[string]types.AttributeValue{
		"number": &types.AttributeValueMemberN{Value: "1"},
		"null":   &types.AttributeValueMemberNULL{Value: true},
		"map":    &types.AttributeValueMemberM{Value: item{"S": text("deep")}},
		"list":   &types.AttributeValueMemberL{Value: []types.AttributeValue{text("deep")}},
		"texts":  &types.AttributeValueMemberSS{Value: []string{"one"}},
	} {
		whole := keyOf(pk)
		whole[feed] = value
		d.putItem(whole)
	}
	empty := keyOf("empty text")
	empty[feed] = text("")
	d.putItem(empty)
	d.poll(f)
	f.wait(t, "empty text")
}

func TestABatchHasARecordsLimit(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	var want [][]string
	for i := range 2*operation.FeedBatch + 3 {
		if i%operation.FeedBatch == 0 {
			want = append(want, nil)
		}
		pk := strconv.Itoa(i)
		want[len(want)-1] = append(want[len(want)-1], pk)
		d.put(pk, feed)
		d.put("passed over", other, pk)
	}
	d.poll(f)
	localtest.WaitUntil(t, func() bool { return len(f.all()) >= len(want) })
	if diff := cmp.Diff(want, f.handled()); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

// The emulator gives at most 1,000 records at once.
func TestManyPages(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	for i := range 1200 {
		d.put("passed over", strconv.Itoa(i))
	}
	d.put("behind", feed)
	d.poll(f)
	f.wait(t, "behind")
}

func TestAnEventIsAsLambdaSendsIt(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	old := keyOf("all types")
	old["text"] = text("old")
	d.putItem(old)
	whole := keyOf("all types")
	for name, value := range everyType() {
		whole[name] = value
	}
	d.putItem(whole)
	d.poll(f)
	f.wait(t, "all types")

	c := f.all()[0]
	var got map[string]any
	if err := json.Unmarshal(c.text, &got); err != nil {
		t.Fatal(err)
	}
	r := c.event.Records[0]
	if r.EventID == "" || r.EventVersion == "" || r.AWSRegion == "" || r.Change.SequenceNumber == "" || r.Change.SizeBytes <= 0 {
		t.Errorf("a part of %+v is empty", r)
	}
	if age := time.Since(r.Change.ApproximateCreationDateTime.Time); age < -time.Second || age > time.Minute {
		t.Errorf("created %v ago", age)
	}
	if diff := cmp.Diff(wantedEvent(t, d, r), got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	wantDecoded(t, r.Change.NewImage)
}

func everyType() item {
	return item{
		feed:         text("<{{x}}>"),
		"map":        &types.AttributeValueMemberM{Value: item{"deep": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("<{{x}}>"), &types.AttributeValueMemberNULL{Value: true}}}}},
		"text":       text("é\n\"\\"),
		"empty":      text(""),
		"number":     &types.AttributeValueMemberN{Value: "12345678901234567890123456789012345678"},
		"yes":        &types.AttributeValueMemberBOOL{Value: true},
		"no":         &types.AttributeValueMemberBOOL{Value: false},
		"null":       &types.AttributeValueMemberNULL{Value: true},
		"binary":     &types.AttributeValueMemberB{Value: []byte{0, 1, 255}},
		"texts":      &types.AttributeValueMemberSS{Value: []string{"one"}},
		"numbers":    &types.AttributeValueMemberNS{Value: []string{"1.5"}},
		"binaries":   &types.AttributeValueMemberBS{Value: [][]byte{{0, 1}}},
		"empty list": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		"empty map":  &types.AttributeValueMemberM{Value: item{}},
	}
}

// wantedEvent is written as in AWS's documentation, with what nobody can foresee.
func wantedEvent(t *testing.T, d *database, r events.DynamoDBEventRecord) (want map[string]any) {
	t.Helper()
	arn := d.arn()
	text := fmt.Sprintf(`{"Records": [{
		"eventID": %q, "eventName": "MODIFY", "eventVersion": %q, "eventSource": "aws:dynamodb", "awsRegion": %q,
		"eventSourceARN": %q,
		"dynamodb": {
			"ApproximateCreationDateTime": %d, "SequenceNumber": %q, "SizeBytes": %d, "StreamViewType": "NEW_AND_OLD_IMAGES",
			"Keys": {"pk": {"S": "all types"}, "sk": {"S": "x"}},
			"OldImage": {"pk": {"S": "all types"}, "sk": {"S": "x"}, "text": {"S": "old"}},
			"NewImage": {
				"pk": {"S": "all types"}, "sk": {"S": "x"},
				"marked": {"S": "<{{x}}>"},
				"map": {"M": {"deep": {"L": [{"S": "<{{x}}>"}, {"NULL": true}]}}},
				"text": {"S": "é\n\"\\"}, "empty": {"S": ""},
				"number": {"N": "12345678901234567890123456789012345678"},
				"yes": {"BOOL": true}, "no": {"BOOL": false}, "null": {"NULL": true},
				"binary": {"B": "AAH/"}, "texts": {"SS": ["one"]}, "numbers": {"NS": ["1.5"]}, "binaries": {"BS": ["AAE="]},
				"empty list": {"L": []}, "empty map": {"M": {}}
			}
		}}]}`, r.EventID, r.EventVersion, r.AWSRegion, arn,
		r.Change.ApproximateCreationDateTime.Unix(), r.Change.SequenceNumber, r.Change.SizeBytes)
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// closeAndWant closes a poller, and wants the next one on a state directory to send an item.
func (d *database) closeAndWant(p *stream.Poller, dir, pk string) {
	d.t.Helper()
	if err := p.Close(); err != nil {
		d.t.Fatal(err)
	}
	again := &function{}
	d.poll(again, in(dir))
	again.wait(d.t, pk)
}

func (d *database) arn() string {
	d.t.Helper()
	out, err := d.client.DescribeTable(d.t.Context(), &dynamodb.DescribeTableInput{TableName: &d.config.Table})
	if err != nil {
		d.t.Fatal(err)
	}
	return *out.Table.LatestStreamArn
}

func wantDecoded(t *testing.T, image map[string]events.DynamoDBAttributeValue) {
	t.Helper()
	deep := image["map"].Map()["deep"].List()
	if deep[0].String() != "<{{x}}>" || !deep[1].IsNull() || !image["null"].IsNull() || image["text"].String() != "é\n\"\\" ||
		image["number"].Number() != "12345678901234567890123456789012345678" || !image["yes"].Boolean() ||
		!bytes.Equal(image["binary"].Binary(), []byte{0, 1, 255}) || image["texts"].StringSet()[0] != "one" ||
		image["numbers"].NumberSet()[0] != "1.5" || !bytes.Equal(image["binaries"].BinarySet()[0], []byte{0, 1}) {
		t.Errorf("decoded: %+v", image)
	}
}

func TestAFailedBatchIsTriedAgain(t *testing.T) {
	d, log := newDatabase(t, shared), &localtest.Buffer{}
	attempts := 0
	f := &function{answer: func(context.Context, operation.Operation, events.DynamoDBEvent) error {
		if attempts++; attempts <= operation.FeedRetries {
			return failure("Oops", "secret message")
		}
		return nil
	}}
	d.put("a", feed)
	d.put("b", feed)
	d.poll(f, logging(log))
	f.wait(t, "a", "b")
	for i, c := range f.all() {
		if diff := cmp.Diff([]string{"a", "b"}, itemsOf(c.event)); diff != "" {
			t.Errorf("attempt %d (-want +got):\n%s", i+1, diff)
		}
	}
	last := fmt.Sprintf("stream: fed: attempt %d of %d at records ", operation.FeedRetries, operation.FeedRetries+1)
	if got := log.String(); strings.Count(got, "\n") != operation.FeedRetries || !strings.Contains(got, last) ||
		strings.Count(got, " (2): Oops\n") != operation.FeedRetries || strings.Contains(got, "secret") {
		t.Errorf("log: %s", got)
	}
}

// Each delay is twice the one before, up to the longest.
func TestRetriesBackOff(t *testing.T) {
	d, waits := newDatabase(t, shared), &waits{}
	attempts := 0
	f := &function{answer: func(context.Context, operation.Operation, events.DynamoDBEvent) error {
		if attempts++; attempts <= operation.FeedRetries {
			return failure("Oops", "")
		}
		return nil
	}}
	d.put("a", feed)
	d.poll(f, waits.instead, func(c *stream.Config) { c.PollInterval, c.RetryDelay = time.Hour, time.Second })
	f.wait(t, "a")
	var want []time.Duration
	for _, times := range []time.Duration{1, 2, 4, 8, 16, 32, 32, 32, 32, 32} {
		want = append(want, times*time.Second)
	}
	retries := slices.DeleteFunc(waits.all(), func(delay time.Duration) bool { return delay >= time.Hour })
	if diff := cmp.Diff(want, retries); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeHandledIsADeadLetter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d, log := newDatabase(t, shared), &localtest.Buffer{}
	f := &function{answer: func(_ context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if has(event, "poison {{{x}}") || has(event, "more poison") {
			return failure("Oops", "poison")
		}
		return nil
	}}
	for _, pk := range []string{"a", "b", "poison {{{x}}", "c", "d"} {
		d.put(pk, feed)
	}
	d.poll(f, in(dir), logging(log))
	f.wait(t, "a", "b", "c", "d")
	d.put("more poison", feed)
	d.put("e", feed)
	f.wait(t, "a", "b", "c", "d", "e")

	path := filepath.Join(dir, deadLetterFile)
	localtest.WantMode(t, path, 0o600)
	letters := lines(t, path)
	if len(letters) != 2 {
		t.Fatalf("%d dead letters", len(letters))
	}
	alone := map[string]call{}
	for _, c := range f.all() {
		if len(c.event.Records) == 1 {
			alone[itemsOf(c.event)[0]] = c
		}
	}
	for i, pk := range []string{"poison {{{x}}", "more poison"} {
		wantSent(t, log, dir, i+1, alone[pk].text)
	}
	if got := log.String(); strings.Contains(got, "poison") || strings.Contains(got, feed) {
		t.Errorf("the log holds contents: %s", got)
	}
	if got := f.attempts("more poison"); got != 1+operation.FeedRetries {
		t.Errorf("%d attempts at one record", got)
	}
}

// wantSent runs the command in the log that sends a dead letter again, up to make.
func wantSent(t *testing.T, log *localtest.Buffer, dir string, line int, event []byte) {
	t.Helper()
	start := fmt.Sprintf("\nsed -n %dp ", line)
	_, rest, found := strings.Cut(log.String(), start)
	command, _, _ := strings.Cut(rest, "\n")
	command, makes, _ := strings.Cut(command, " | ")
	if want := `make invoke OP=fed DATA='` + strings.ReplaceAll(dir, "'", `'\''`) + `' EVENT=/dev/stdin`; !found || makes != want {
		t.Fatalf("log: %s", log.String())
	}
	letter, err := exec.Command("sh", "-c", start+command).Output()
	if err != nil {
		t.Fatal(err)
	}
	sent, err := placeholder.Fill(string(letter), func(string) (string, error) { return "", errors.New("there is none") })
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal([]byte(sent), &got), json.Unmarshal(event, &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

// attempts counts the invocations with this item and no other.
func (f *function) attempts(pk string) int {
	count := 0
	for _, c := range f.all() {
		if slices.Equal(itemsOf(c.event), []string{pk}) {
			count++
		}
	}
	return count
}

func TestABatchIsHalvedInOrder(t *testing.T) {
	d := newDatabase(t, shared)
	f := &function{answer: func(_ context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if has(event, "d") {
			return failure("Oops", "")
		}
		return nil
	}}
	for _, pk := range []string{"a", "b", "c", "d", "e"} {
		d.put(pk, feed)
	}
	d.poll(f)
	f.wait(t, "a", "b", "c", "e")
	var sizes []int
	for _, c := range f.all() {
		sizes = append(sizes, len(c.event.Records))
	}
	n := 1 + operation.FeedRetries
	want := slices.Concat(slices.Repeat([]int{5}, n), []int{2}, slices.Repeat([]int{3}, n), []int{1}, slices.Repeat([]int{2}, n),
		slices.Repeat([]int{1}, n), []int{1})
	if diff := cmp.Diff(want, sizes); diff != "" {
		t.Errorf("sizes of the batches (-want +got):\n%s", diff)
	}
}

func TestALetterAfterATornOneIsALineOfItsOwn(t *testing.T) {
	dir, log := t.TempDir(), &localtest.Buffer{}
	path := filepath.Join(dir, deadLetterFile)
	if err := os.WriteFile(path, []byte("{}\n{\"Rec"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDatabase(t, shared)
	f := &function{answer: func(_ context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if has(event, "poison") {
			return failure("Oops", "")
		}
		return nil
	}}
	d.put("poison", feed)
	d.poll(f, in(dir), logging(log))
	d.put("next", feed)
	f.wait(t, "next")
	letters := lines(t, path)
	if len(letters) != 3 || letters[1] != `{"Rec` || !json.Valid([]byte(letters[2])) || !strings.Contains(log.String(), "sed -n 3p ") {
		t.Errorf("%d letters; log: %s", len(letters), log.String())
	}
}

func TestWithoutADirectoryADeadLetterIsLost(t *testing.T) {
	d, log := newDatabase(t, shared), &localtest.Buffer{}
	f := &function{answer: func(_ context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if has(event, "poison") {
			return &lambdahost.FunctionError{Payload: []byte("poison")}
		}
		return nil
	}}
	d.put("poison", feed)
	d.put("next", feed)
	d.poll(f, logging(log))
	f.wait(t, "next")
	got := log.String()
	if strings.Count(got, "is given up, and lost without a state directory\n") != 1 || strings.Contains(got, "poison") ||
		!strings.Contains(got, ": function error\n") {
		t.Errorf("log: %s", got)
	}
}

// A dead letter that cannot be kept must not be lost.
func TestADeadLetterThatCannotBeKeptIsTriedAgain(t *testing.T) {
	dir, log := t.TempDir(), &localtest.Buffer{}
	path := filepath.Join(dir, deadLetterFile)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	d := newDatabase(t, shared)
	f := &function{answer: func(context.Context, operation.Operation, events.DynamoDBEvent) error {
		return failure("Oops", "")
	}}
	d.put("poison", feed)
	d.poll(f, in(dir), logging(log))
	localtest.WaitUntil(t, func() bool { return f.attempts("poison") > 2*(1+operation.FeedRetries) })
	if got := strings.Count(log.String(), "stream: fed: dead letter: "); got != 1 {
		t.Errorf("%d lines of it in the log: %s", got, log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return strings.Contains(log.String(), "is given up and is line 1 of") })
}

func TestWhatIsNotTheFunctionsFaultDoesNotCount(t *testing.T) {
	dir, d, log := t.TempDir(), newDatabase(t, shared), &localtest.Buffer{}
	attempts := 0
	f := &function{answer: func(context.Context, operation.Operation, events.DynamoDBEvent) error {
		switch attempts++; {
		case attempts == 2*operation.FeedRetries:
			return failure("Oops", "")
		case attempts <= 4*operation.FeedRetries:
			return errors.New("no process starts")
		}
		return nil
	}}
	d.put("a", feed)
	d.poll(f, in(dir), logging(log))
	f.wait(t, "a")
	if got := log.String(); strings.Count(got, "no process starts; trying again\n") != 2 || strings.Count(got, "\n") != 3 {
		t.Errorf("log: %s", got)
	}
	if names := localtest.Entries(t, dir); slices.Contains(names, deadLetterFile) {
		t.Error("there is a dead letter")
	}
}

func TestARestartContinues(t *testing.T) {
	dir, d := t.TempDir(), newDatabase(t, shared)
	for i := range operation.FeedBatch + 1 {
		d.put(strconv.Itoa(i), feed)
	}
	first := &function{}
	p := d.poll(first, in(dir))
	localtest.WaitUntil(t, func() bool { return len(first.all()) == 2 })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	localtest.WantMode(t, filepath.Join(dir, checkpointFile), 0o600)
	d.put("meanwhile", feed)

	second := &function{}
	p = d.poll(second, in(dir))
	second.wait(t, "meanwhile")
	d.put("later", feed)
	second.wait(t, "meanwhile", "later")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	third := &function{}
	d.poll(third, in(dir))
	d.put("last", feed)
	third.wait(t, "last")
}

// Without a directory nobody remembers.
func TestARestartWithoutADirectoryStartsAgain(t *testing.T) {
	d, first, second := newDatabase(t, shared), &function{}, &function{}
	d.put("a", feed)
	p := d.poll(first)
	first.wait(t, "a")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	d.put("b", feed)
	d.poll(second)
	second.wait(t, "a", "b")
}

// A kill between the function's return and the checkpoint leaves the checkpoint that
// the function saw.
func TestAfterAKillABatchIsSentAgain(t *testing.T) {
	dir, killed, d := t.TempDir(), t.TempDir(), newDatabase(t, shared)
	f := &function{answer: func(_ context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if !has(event, "b") {
			return nil
		}
		left, err := os.ReadFile(filepath.Join(dir, checkpointFile))
		return errors.Join(err, os.WriteFile(filepath.Join(killed, checkpointFile), left, 0o600))
	}}
	p := d.poll(f, in(dir))
	d.put("a", feed)
	f.wait(t, "a")
	d.put("b", feed)
	f.wait(t, "a", "b")
	d.closeAndWant(p, killed, "b")
}

// A batch is written off before the next one's turn comes.
func TestBatchesAreWrittenOffOneByOne(t *testing.T) {
	dir, d := t.TempDir(), newDatabase(t, shared)
	stuck := make(chan struct{})
	f := &function{answer: func(ctx context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
		if !has(event, "last") {
			return nil
		}
		close(stuck)
		<-ctx.Done()
		return ctx.Err()
	}}
	for i := range operation.FeedBatch {
		d.put(strconv.Itoa(i), feed)
	}
	d.put("last", feed)
	p := d.poll(f, in(dir))
	<-stuck
	d.closeAndWant(p, dir, "last")
}

func TestHalvesAreWrittenOffOneByOne(t *testing.T) {
	for name, ofFirst := range map[string]error{"handled": nil, "given up": failure("Oops", "")} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), newDatabase(t, shared)
			stuck := make(chan struct{})
			f := &function{answer: func(ctx context.Context, _ operation.Operation, event events.DynamoDBEvent) error {
				switch {
				case len(event.Records) > 1:
					return failure("Oops", "")
				case has(event, "first"):
					return ofFirst
				}
				close(stuck)
				<-ctx.Done()
				return ctx.Err()
			}}
			d.put("first", feed)
			d.put("second", feed)
			p := d.poll(f, in(dir))
			<-stuck
			d.closeAndWant(p, dir, "second")
		})
	}
}

func TestCloseDoesNotWaitForTheFunction(t *testing.T) {
	dir, d, log := t.TempDir(), newDatabase(t, shared), &localtest.Buffer{}
	started := make(chan struct{})
	f := &function{answer: func(ctx context.Context, _ operation.Operation, _ events.DynamoDBEvent) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}}
	d.put("a", feed)
	p := d.poll(f, in(dir), logging(log))
	<-started
	d.closeAndWant(p, dir, "a")
	if log.String() != "" || len(f.all()) != 1 {
		t.Errorf("%d invocations have ended; log: %s", len(f.all()), log.String())
	}
}

func TestCloseDoesNotWaitForARetry(t *testing.T) {
	d := newDatabase(t, shared)
	f := &function{answer: func(context.Context, operation.Operation, events.DynamoDBEvent) error {
		return failure("Oops", "")
	}}
	d.put("a", feed)
	p := d.poll(f, func(c *stream.Config) { c.RetryDelay = time.Hour })
	localtest.WaitUntil(t, func() bool { return len(f.all()) == 1 })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(f.all()); got != 1 {
		t.Errorf("%d attempts", got)
	}
}

// What is passed over is not read again and again either.
func TestPassedOverRecordsAreWrittenOff(t *testing.T) {
	dir, d, f := t.TempDir(), newDatabase(t, shared), &function{}
	d.put("a", feed)
	d.put("b", other)
	d.poll(f, in(dir))
	f.wait(t, "a")
	handled, err := strconv.Atoi(f.all()[0].event.Records[0].Change.SequenceNumber)
	if err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return reached(t, dir, "fed") == handled+1 })
}

type kept struct {
	Stream string            `json:"stream"`
	Shards map[string]string `json:"shards"`
}

// checkpoints reads the file of a directory; none where there is none, or a damaged one.
func checkpoints(t *testing.T, dir string) map[string]kept {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var found map[string]kept
	if json.Unmarshal(content, &found) != nil {
		return nil
	}
	return found
}

// reached is the emulator's number in a checkpoint, 0 where there is none.
func reached(t *testing.T, dir, op string) int {
	t.Helper()
	for _, number := range checkpoints(t, dir)[op].Shards {
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 0
}

func TestACheckpointOfOtherDataIsIgnored(t *testing.T) {
	dir, log := t.TempDir(), &localtest.Buffer{}
	d, first, second := newDatabase(t, shared), &function{}, &function{}
	for _, pk := range []string{"a", "b", "c"} {
		d.put(pk, feed)
	}
	p := d.poll(first, in(dir), logging(log))
	first.wait(t, "a", "b", "c")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	e, err := emulator.Start(t.Context(), emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	fresh := databaseNamed(t, e, d.config.Table)
	fresh.put("new", feed)
	fresh.poll(second, in(dir), logging(log))
	second.wait(t, "new")
	localtest.WaitUntil(t, func() bool { return checkpoints(t, dir)["fed"].Stream == fresh.arn() })
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "stream: fed: the stream is another one") {
		t.Errorf("log: %s", got)
	}
}

func TestATableThatIsMadeAnewWhileItIsPolled(t *testing.T) {
	e, err := emulator.Start(t.Context(), emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	dir, log, f := t.TempDir(), &localtest.Buffer{}, &function{}
	d := newDatabase(t, e)
	d.poll(f, in(dir), logging(log))
	d.put("a", feed)
	f.wait(t, "a")
	before := d.arn()
	if _, err := d.client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &d.config.Table}); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return strings.Contains(log.String(), "; trying again\n") })
	if err := table.Create(t.Context(), d.client, d.config.Table); err != nil {
		t.Fatal(err)
	}
	d.put("b", feed)
	localtest.WaitUntil(t, func() bool {
		found := checkpoints(t, dir)["fed"].Stream
		return found != before && found == d.arn()
	})
	localtest.WaitUntil(t, func() bool { return slices.Contains(slices.Concat(f.handled()...), "b") })
	if got := log.String(); strings.Count(got, "\n") != 2 {
		t.Errorf("log: %s", got)
	}
}

func TestADamagedCheckpointIsIgnored(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "{", "another JSON": "[]", "null": "null", "half a JSON": `{"fed":{"stream":"ARN","shards":{"SHARD":"1"}},"x":1}`, "no shards": `{"fed":{"stream":"ARN"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir, d, log, f := t.TempDir(), newDatabase(t, shared), &localtest.Buffer{}, &function{}
			path := filepath.Join(dir, checkpointFile)
			content = strings.NewReplacer("ARN", d.arn(), "SHARD", "shardId-00000001-"+d.config.Table).Replace(content)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			d.put("a", feed)
			d.poll(f, in(dir), logging(log))
			f.wait(t, "a")
			localtest.WaitUntil(t, func() bool { return len(checkpoints(t, dir)["fed"].Shards) == 1 })
			damaged := name != "null" && name != "no shards"
			if got := strings.Contains(log.String(), "stream: checkpoints in "+path+": "); got != damaged {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func TestTheEmulatorIsStartedAgain(t *testing.T) {
	e, err := emulator.Start(t.Context(), emulator.Config{Path: filepath.Join(t.TempDir(), "data.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	d, f := newDatabase(t, e), &function{}
	d.poll(f)
	d.put("a", feed)
	f.wait(t, "a")
	pid := e.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return e.PID() != pid })
	d.put("b", feed)
	f.wait(t, "a", "b")
}

func TestOperationsKnowNothingOfOneAnother(t *testing.T) {
	dir, d := t.TempDir(), newDatabase(t, shared)
	second := operation.Operation{Name: "second", Caller: operation.Stream, Feed: other}
	f := &function{answer: func(ctx context.Context, op operation.Operation, event events.DynamoDBEvent) error {
		if op.Name == "second" && has(event, "stuck") {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	both := func(c *stream.Config) { c.Operations = append(c.Operations, second) }
	p := d.poll(f, in(dir), both)
	d.put("both", feed, other)
	localtest.WaitUntil(t, func() bool { return len(f.handled("fed")) == 1 && len(f.handled("second")) == 1 })
	d.put("stuck", other)
	d.put("first", feed)
	localtest.WaitUntil(t, func() bool { return len(f.handled("fed")) == 2 })
	localtest.WaitUntil(t, func() bool { return reached(t, dir, "fed") == reached(t, dir, "second")+2 })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	again := &function{}
	d.poll(again, in(dir), both)
	d.put("last", feed, other)
	localtest.WaitUntil(t, func() bool {
		return len(slices.Concat(again.handled("fed")...)) == 1 && len(slices.Concat(again.handled("second")...)) == 2
	})
	if diff := cmp.Diff([]string{"stuck", "last"}, slices.Concat(again.handled("second")...)); diff != "" {
		t.Errorf("the second operation (-want +got):\n%s", diff)
	}
}

func TestTheCatalogueSaysWhoIsFed(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	want := map[string]bool{}
	for _, op := range operation.All {
		if op.Caller == operation.Stream {
			want[op.Name] = true
			d.put(op.Name, op.Feed)
		}
	}
	if len(want) == 0 {
		t.Fatal("nobody is")
	}
	d.poll(f, func(c *stream.Config) { c.Operations = nil })
	got := map[string]bool{}
	localtest.WaitUntil(t, func() bool {
		for _, c := range f.all() {
			got[c.op] = true
		}
		return len(got) == len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fed (-want +got):\n%s", diff)
	}
}

func TestATableWithoutAStream(t *testing.T) {
	d := newDatabase(t, shared)
	d.config.Table += ".without"
	if err := table.Create(t.Context(), d.client, d.config.Table, table.WithoutStream); err != nil {
		t.Fatal(err)
	}
	log, f := &localtest.Buffer{}, &function{}
	// A poller that polled would need a client.
	p := d.poll(f, logging(log), func(c *stream.Config) { c.Streams = nil })
	if err := p.Close(); err != nil || log.String() != "" {
		t.Errorf("error %v; log: %s", err, log.String())
	}
}

func TestATableThatIsNotThere(t *testing.T) {
	d := newDatabase(t, shared)
	d.config.Table = "none"
	if _, err := stream.Start(t.Context(), d.config); err == nil || !strings.HasPrefix(err.Error(), "stream of table none: ") {
		t.Errorf("got %v", err)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{checkpointFile, deadLetterFile, "." + checkpointFile + ".123", "stack.json", ".stack.json.123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(stream.Remove(dir), stream.Remove(dir), stream.Remove(filepath.Join(dir, "none"))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".stack.json.123", "stack.json"}, localtest.Entries(t, dir)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
