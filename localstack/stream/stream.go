// Package stream stands in for Lambda's event source mappings of a DynamoDB stream:
// it reads the stream of the table and gives what has changed to the functions of the
// operations whose caller is the stream.
//
// Each of these operations has a mapping, and knows nothing of the others. A mapping
// reads every shard of the stream from its oldest record on, passes over what the
// operation's filter does not take, and invokes the function with the rest, a few
// records at a time. It goes on when the function has returned. A batch for which the
// function fails is tried again, later each time; when it still fails, it is halved,
// and so on; and one record that is left is a dead letter.
//
// How far a mapping has come is its checkpoint: the stream's ARN and, for each shard, the
// number of the last record that is done with. In a state directory there are
//
//	stream.json         the checkpoints
//	dead-letters.jsonl  the dead letters, an event in each line
//
// and without one the checkpoints are in memory, and a dead letter is lost but for the
// line in the log that tells of it. The checkpoint is written after the function has
// returned, so that a stack that is killed in between sends the batch once more at its
// next start: a function gets every record at least once. Records that were passed over
// are only written off when there is nothing else to do; after a kill they are passed
// over again. A checkpoint of another stream is of data that are gone, and the new
// stream is read from its beginning.
//
// A dead letter that is kept is an event that the function can be given again, by a
// command that the log names. The log never holds what is in a record, nor what a
// function says of its failure, which may quote it.
//
// What is as in Lambda, and where that is written:
//
//	the event: its form and names                             [event]
//	the records of a shard in order, one batch at a time      [polling]
//	a parent shard before its children                        [streams]
//	a batch: a number of records, and 6 MB, at most           [polling]
//	a filter that needs a text in the new image               [filter]
//	a batch with an error of the function is tried again,
//	with exponential back-off; its shard waits meanwhile      [polling]
//	a number of retries; then halves, which do not count      [errors]
//	what keeps a function from being invoked does not count   [errors]
//	a record that is given up is kept elsewhere, and the
//	next one's turn comes                                     [errors]
//	reading starts at TRIM_HORIZON                            [parameters]
//
// What is not as in Lambda: the shards take turns, so that one that is tried again
// holds up the others (the emulator has a single shard). No record expires. A dead
// letter is the whole event; a queue in AWS gets the place of the records only, and
// they are gone after a day. The emulator's region is its own, "dynoxide".
//
// What no page of AWS's states and is not verified: that a batch is halved when its
// retries are used up, and not at its first failure, and that its halves have as many
// retries again; how long the back-off is.
//
//	[event]      https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
//	[polling]    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#dynamodb-polling-and-batching
//	[streams]    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
//	[filter]     https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
//	[errors]     https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
//	[parameters] https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"latchkey/shared/operation"
)

// Defaults of a Config.
const (
	defaultPollInterval = 100 * time.Millisecond
	defaultRetryDelay   = 100 * time.Millisecond
)

const (
	longestRetry = 32 // times the first delay
	outageDelay  = 10 // times the poll interval
)

// Files of a state directory.
const (
	checkpointFile = "stream.json"
	deadLetterFile = "dead-letters.jsonl"
)

// An Invoker gives an event to an operation's function and returns the response. An
// error of the function itself is a *lambdahost.FunctionError.
type Invoker interface {
	Invoke(ctx context.Context, op operation.Operation, event []byte) ([]byte, error)
}

// Config says what to read and whom to invoke. Tables, Streams, Table and Invoker must
// be set.
type Config struct {
	Tables  *dynamodb.Client
	Streams *dynamodbstreams.Client
	Table   string // its name
	Invoker Invoker

	Operations []operation.Operation // nil: those of the catalogue whose caller is the stream
	Dir        string                // the state directory; empty: in memory
	Log        io.Writer             // nil: nowhere

	PollInterval time.Duration // when there is nothing to do; 0: a default
	RetryDelay   time.Duration // before the first retry; 0: a default

	// Sleep waits, unless the context ends; that is its error. Nil: by the clock.
	Sleep func(context.Context, time.Duration) error
}

// Client is a client for the streams of an emulator, which takes any credentials.
func Client(endpoint string) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// A Poller feeds functions until it is closed.
type Poller struct {
	stop     context.CancelFunc
	mappings sync.WaitGroup
}

// Start starts a mapping for each operation. The poller of a table without a stream
// has nothing to do. The context bounds the start only; Close ends the poller.
func Start(ctx context.Context, config Config) (*Poller, error) {
	config = withDefaults(config)
	running, stop := context.WithCancel(context.Background())
	p := &Poller{stop: stop}
	_, err := latestStream(ctx, config)
	if errors.Is(err, errNoStream) {
		return p, nil
	}
	if err != nil {
		stop()
		return nil, err
	}
	var checkpointPath, deadLetterPath string
	if config.Dir != "" {
		checkpointPath = filepath.Join(config.Dir, checkpointFile)
		deadLetterPath = filepath.Join(config.Dir, deadLetterFile)
	}
	kept := openCheckpoints(checkpointPath, config.Log)
	letters := &deadLetters{path: deadLetterPath}
	for _, op := range config.Operations {
		m := &mapping{config: config, op: op, checkpoints: kept, deadLetters: letters}
		p.mappings.Go(func() { m.run(running) })
	}
	return p, nil
}

func withDefaults(config Config) Config {
	config.PollInterval = cmp.Or(config.PollInterval, defaultPollInterval)
	config.RetryDelay = cmp.Or(config.RetryDelay, defaultRetryDelay)
	if config.Operations == nil {
		config.Operations = slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool {
			return op.Caller != operation.Stream
		})
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	if config.Sleep == nil {
		config.Sleep = sleep
	}
	return config
}

// Close ends the poller and returns when it has ended. What a function is at work on
// is sent again at the next start.
func (p *Poller) Close() error {
	p.stop()
	p.mappings.Wait()
	return nil
}

var errNoStream = errors.New("the table has no stream")

// latestStream is the ARN of the table's stream.
func latestStream(ctx context.Context, config Config) (string, error) {
	out, err := config.Tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &config.Table})
	if err != nil {
		return "", fmt.Errorf("stream of table %s: %w", config.Table, err)
	}
	is := out.Table.StreamSpecification
	if is == nil || !aws.ToBool(is.StreamEnabled) || out.Table.LatestStreamArn == nil {
		return "", fmt.Errorf("table %s: %w", config.Table, errNoStream)
	}
	return *out.Table.LatestStreamArn, nil
}

// sleep is Config.Sleep by the clock.
func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func logLine(log io.Writer, format string, arguments ...any) {
	fmt.Fprintf(log, "stream: "+format+"\n", arguments...)
}
