package stream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/localtest"
	"latchkey/localstack/stream"
	"latchkey/shared/schema"
)

// The emulator has one shard that never ends, and never forgets. These tests have
// streams that do more, in the place of the API.

// An answerer answers a request, or leaves it to the emulator: then both are nil.
type answerer func(in any) (out any, err error)

// answering has a poller ask the answerer first.
func answering(answer answerer) func(*stream.Config) {
	initialize := middleware.InitializeMiddlewareFunc("answering", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, err := answer(in.Parameters)
		if out == nil && err == nil {
			return next.HandleInitialize(ctx, in)
		}
		return middleware.InitializeOutput{Result: out}, middleware.Metadata{}, err
	})
	return func(c *stream.Config) {
		c.Streams = dynamodbstreams.New(c.Streams.Options(), func(o *dynamodbstreams.Options) {
			o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
				return stack.Initialize.Add(initialize, middleware.Before)
			})
		})
	}
}

// A fakeStream has shards of records. An iterator is the shard's id and a place in it.
type fakeStream struct {
	mu     sync.Mutex
	shards []*fakeShard
	start  []string // where they were started

	refusal error // of the next page
	perPage int
}

type fakeShard struct {
	id, parent string
	closed     bool // it ends after its records
	records    []types.Record
}

func (f *fakeStream) answer(in any) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch in := in.(type) {
	case *dynamodbstreams.DescribeStreamInput:
		return f.describe(aws.ToString(in.ExclusiveStartShardId)), nil
	case *dynamodbstreams.GetShardIteratorInput:
		f.start = append(f.start, fmt.Sprint(*in.ShardId, " ", in.ShardIteratorType, " ", aws.ToString(in.SequenceNumber)))
		return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: f.iterator(in)}, nil
	case *dynamodbstreams.GetRecordsInput:
		if err := f.refusal; err != nil {
			f.refusal = nil
			return nil, err
		}
		return f.page(*in.ShardIterator), nil
	}
	return nil, errors.New("unexpected request")
}

func (f *fakeStream) started() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.start)
}

// describe has one shard on each page.
func (f *fakeStream) describe(after string) *dynamodbstreams.DescribeStreamOutput {
	next := 0
	for i, s := range f.shards {
		if s.id == after {
			next = i + 1
		}
	}
	s := f.shards[next]
	description := &types.StreamDescription{Shards: []types.Shard{{ShardId: &s.id}}}
	if s.parent != "" {
		description.Shards[0].ParentShardId = &s.parent
	}
	if next+1 < len(f.shards) {
		description.LastEvaluatedShardId = &s.id
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: description}
}

func (f *fakeStream) iterator(in *dynamodbstreams.GetShardIteratorInput) *string {
	place := 0
	for i, r := range f.shard(*in.ShardId).records {
		if in.SequenceNumber != nil && *r.Dynamodb.SequenceNumber == *in.SequenceNumber {
			place = i + 1
		}
	}
	return aws.String(*in.ShardId + " " + strconv.Itoa(place))
}

func (f *fakeStream) shard(id string) *fakeShard {
	for _, s := range f.shards {
		if s.id == id {
			return s
		}
	}
	return &fakeShard{}
}

func (f *fakeStream) page(iterator string) *dynamodbstreams.GetRecordsOutput {
	id, text, _ := strings.Cut(iterator, " ")
	place, _ := strconv.Atoi(text)
	all := f.shard(id).records
	end := len(all)
	if f.perPage > 0 {
		end = min(end, place+f.perPage)
	}
	out := &dynamodbstreams.GetRecordsOutput{Records: all[place:end]}
	if end < len(all) || !f.shard(id).closed {
		out.NextShardIterator = aws.String(id + " " + strconv.Itoa(end))
	}
	return out
}

func fakeRecord(number, pk string) types.Record {
	key := &types.AttributeValueMemberS{Value: pk}
	return types.Record{EventName: types.OperationTypeModify, Dynamodb: &types.StreamRecord{
		SequenceNumber: &number,
		Keys:           map[string]types.AttributeValue{schema.PartitionKey: key},
		NewImage:       map[string]types.AttributeValue{feed: &types.AttributeValueMemberS{Value: "x"}},
	}}
}

func TestParentsComeBeforeTheirChildren(t *testing.T) {
	d, dir, log, f := newDatabase(t, shared), t.TempDir(), &localtest.Buffer{}, &function{}
	fake := &fakeStream{perPage: 1, shards: []*fakeShard{
		{id: "grandchild", parent: "child", closed: true, records: []types.Record{fakeRecord("5", "last")}},
		{id: "child", parent: "parent", closed: true, records: []types.Record{fakeRecord("3", "third"), fakeRecord("4", "fourth")}},
		{id: "parent", parent: "long gone", closed: true, records: []types.Record{fakeRecord("1", "first"), fakeRecord("2", "second")}},
	}}
	d.poll(f, in(dir), logging(log), answering(fake.answer))
	f.wait(t, "first", "second", "third", "fourth", "last")
	want := map[string]string{"parent": "2", "child": "4", "grandchild": "5"}
	localtest.WaitUntil(t, func() bool { return cmp.Equal(want, checkpoints(t, dir)["fed"].Shards) })
	// All shards have ended now, and then the stream has.
	localtest.WaitUntil(t, func() bool { return strings.Contains(log.String(), "no shard that is open") })
}

func TestAShardThatEndsIsFollowedByNewOnes(t *testing.T) {
	d, log, f := newDatabase(t, shared), &localtest.Buffer{}, &function{}
	fake := &fakeStream{shards: []*fakeShard{{id: "old", records: []types.Record{fakeRecord("1", "first")}}}}
	d.poll(f, logging(log), answering(fake.answer))
	f.wait(t, "first")
	fake.mu.Lock()
	fake.shards[0].closed = true
	fake.shards = append(fake.shards, &fakeShard{id: "new", parent: "old", records: []types.Record{fakeRecord("2", "second")}})
	fake.mu.Unlock()
	f.wait(t, "first", "second")
	if want := []string{"old TRIM_HORIZON ", "new TRIM_HORIZON "}; log.String() != "" || !cmp.Equal(want, fake.started()) {
		t.Errorf("started at %v; log: %s", fake.started(), log.String())
	}
}

// Shards without a relation take turns.
func TestShardsTakeTurns(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	fake := &fakeStream{perPage: 1, shards: []*fakeShard{
		{id: "one", records: []types.Record{fakeRecord("1", "1a"), fakeRecord("3", "1b")}},
		{id: "two", records: []types.Record{fakeRecord("2", "2a"), fakeRecord("4", "2b")}},
	}}
	d.poll(f, answering(fake.answer))
	f.wait(t, "1a", "2a", "1b", "2b")
}

func TestAnExpiredIteratorIsReplaced(t *testing.T) {
	d, log, f := newDatabase(t, shared), &localtest.Buffer{}, &function{}
	fake := &fakeStream{shards: []*fakeShard{{id: "only", records: []types.Record{fakeRecord("1", "a")}}}}
	d.poll(f, logging(log), answering(fake.answer))
	f.wait(t, "a")
	fake.mu.Lock()
	fake.refusal = &types.ExpiredIteratorException{}
	fake.shards[0].records = append(fake.shards[0].records, fakeRecord("2", "b"))
	fake.mu.Unlock()
	f.wait(t, "a", "b")
	want := []string{"only TRIM_HORIZON ", "only AFTER_SEQUENCE_NUMBER 1"}
	if diff := cmp.Diff(want, fake.started()); diff != "" {
		t.Errorf("iterators (-want +got):\n%s", diff)
	}
	if log.String() != "" {
		t.Errorf("log: %s", log.String())
	}
}

func TestTrimmedRecordsArePassedOver(t *testing.T) {
	dir, d, log, first, second := t.TempDir(), newDatabase(t, shared), &localtest.Buffer{}, &function{}, &function{}
	d.put("a", feed)
	p := d.poll(first, in(dir))
	first.wait(t, "a")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	trimmed := func(in any) (any, error) {
		start, ok := in.(*dynamodbstreams.GetShardIteratorInput)
		if ok && start.ShardIteratorType != types.ShardIteratorTypeTrimHorizon {
			return nil, &types.TrimmedDataAccessException{}
		}
		return nil, nil
	}
	d.put("b", feed)
	d.poll(second, in(dir), logging(log), answering(trimmed))
	second.wait(t, "a", "b")
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "what comes after the checkpoint is gone") {
		t.Errorf("log: %s", got)
	}
}

// So it is when a shard has not been read for a day.
func TestRecordsAreTrimmedMeanwhile(t *testing.T) {
	d, log, f := newDatabase(t, shared), &localtest.Buffer{}, &function{}
	fake := &fakeStream{shards: []*fakeShard{{id: "only", records: []types.Record{fakeRecord("1", "a")}}}}
	d.poll(f, logging(log), answering(fake.answer))
	f.wait(t, "a")
	fake.mu.Lock()
	fake.refusal = &types.TrimmedDataAccessException{}
	fake.shards[0].records = []types.Record{fakeRecord("3", "c")}
	fake.mu.Unlock()
	f.wait(t, "a", "c")
	if want := []string{"only TRIM_HORIZON ", "only TRIM_HORIZON "}; !cmp.Equal(want, fake.started()) {
		t.Errorf("started at %v", fake.started())
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "what comes after the checkpoint is gone") {
		t.Errorf("log: %s", got)
	}
}

func TestAnOutageIsOneLine(t *testing.T) {
	d, log, f := newDatabase(t, shared), &localtest.Buffer{}, &function{}
	var down atomic.Bool
	var refused, reads atomic.Int32
	d.poll(f, logging(log), answering(func(in any) (any, error) {
		if down.Load() {
			refused.Add(1)
			return nil, errors.New("out of order")
		}
		if _, is := in.(*dynamodbstreams.GetRecordsInput); is {
			reads.Add(1)
		}
		return nil, nil
	}))
	for outages := 1; outages <= 2; outages++ {
		before := refused.Load()
		down.Store(true)
		localtest.WaitUntil(t, func() bool { return refused.Load() >= before+5 })
		if got := strings.Count(log.String(), "out of order; trying again\n"); got != outages {
			t.Errorf("%d lines after outage %d: %s", got, outages, log.String())
		}
		d.put(strconv.Itoa(outages), feed)
		before = reads.Load()
		down.Store(false)
		localtest.WaitUntil(t, func() bool { return len(f.handled()) == outages && reads.Load() >= before+2 })
	}
}

func TestAnOutageIsNotHammeredAt(t *testing.T) {
	d, waits := newDatabase(t, shared), &waits{}
	var asked atomic.Int32
	p := d.poll(&function{}, waits.instead, func(c *stream.Config) { c.PollInterval = time.Minute }, answering(func(any) (any, error) {
		asked.Add(1)
		return nil, errors.New("out of order")
	}))
	localtest.WaitUntil(t, func() bool { return asked.Load() >= 3 })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	delays := waits.all()
	if diff := cmp.Diff(slices.Repeat([]time.Duration{10 * time.Minute}, len(delays)), delays); diff != "" || len(delays) < int(asked.Load()) {
		t.Errorf("after %d attempts (-want +got):\n%s", asked.Load(), diff)
	}
}

// When nothing happens, nothing is written.
func TestACheckpointIsWrittenOnce(t *testing.T) {
	dir, d, f := t.TempDir(), newDatabase(t, shared), &function{}
	var reads atomic.Int32
	d.poll(f, in(dir), answering(func(in any) (any, error) {
		if _, is := in.(*dynamodbstreams.GetRecordsInput); is {
			reads.Add(1)
		}
		return nil, nil
	}))
	d.put("a", feed)
	f.wait(t, "a")
	readsOn := func() {
		before := reads.Load()
		localtest.WaitUntil(t, func() bool { return reads.Load() >= before+3 })
	}
	written := func() os.FileInfo {
		readsOn()
		info, err := os.Stat(filepath.Join(dir, checkpointFile))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	if once, later := written(), written(); !os.SameFile(once, later) || !once.ModTime().Equal(later.ModTime()) {
		t.Error("it is written again")
	}
}

// A record of DynamoDB's own says so.
func TestWhoHasMadeTheChange(t *testing.T) {
	d, f := newDatabase(t, shared), &function{}
	r := fakeRecord("1", "a")
	r.UserIdentity = &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")}
	fake := &fakeStream{shards: []*fakeShard{{id: "only", records: []types.Record{r}}}}
	d.poll(f, answering(fake.answer))
	f.wait(t, "a")
	want := &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	if diff := cmp.Diff(want, f.all()[0].event.Records[0].UserIdentity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

// Without a disk that takes the checkpoint, the poller goes on from what it remembers.
func TestACheckpointThatCannotBeWritten(t *testing.T) {
	dir, d, log, f := filepath.Join(t.TempDir(), "none"), newDatabase(t, shared), &localtest.Buffer{}, &function{}
	d.poll(f, in(dir), logging(log))
	d.put("a", feed)
	f.wait(t, "a")
	d.put("b", feed)
	f.wait(t, "a", "b")
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "stream: fed: checkpoint of the stream: ") {
		t.Errorf("log: %s", got)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	last, err := strconv.Atoi(f.all()[1].event.Records[0].Change.SequenceNumber)
	if err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool { return reached(t, dir, "fed") == last })
}
