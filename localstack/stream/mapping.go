package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"latchkey/localstack/lambdahost"
	"latchkey/shared/operation"
)

// A mapping feeds one operation.
type mapping struct {
	config      Config
	op          operation.Operation
	checkpoints *checkpoints
	deadLetters *deadLetters
}

func (m *mapping) log(format string, arguments ...any) {
	logLine(m.config.Log, m.op.Name+": "+format, arguments...)
}

// run reads until the context ends. After an error it begins again: the emulator may
// have been restarted, or the table made anew. Errors in a row are one outage, and one
// line in the log.
func (m *mapping) run(ctx context.Context) {
	outage := false
	for ctx.Err() == nil {
		err := m.follow(ctx, func() { outage = false })
		_, expired := errors.AsType[*types.ExpiredIteratorException](err)
		if ctx.Err() == nil && !outage && !expired {
			outage = true
			m.log("%v; trying again", err)
		}
		_ = m.config.Sleep(ctx, outageDelay*m.config.PollInterval)
	}
}

// follow reads the table's stream until an error. It calls healthy whenever all is
// well.
func (m *mapping) follow(ctx context.Context, healthy func()) error {
	arn, err := latestStream(ctx, m.config)
	if err != nil {
		return err
	}
	if m.checkpoints.begin(m.op.Name, arn) {
		m.log("the stream is another one than at the last time, and read from its beginning")
	}
	r := &reading{mapping: m, arn: arn}
	for {
		busy, err := r.turn(ctx)
		if err == nil && !busy {
			err = m.checkpoints.save()
		}
		if err != nil {
			return err
		}
		healthy()
		if busy {
			continue
		}
		if err := m.config.Sleep(ctx, m.config.PollInterval); err != nil {
			return err
		}
	}
}

// deliver gives a batch to the function until it is done with: handled, or in the dead
// letters. Only its own troubles are an error.
func (m *mapping) deliver(ctx context.Context, shard string, batch []record) error {
	err := m.try(ctx, batch)
	_, failed := errors.AsType[*lambdahost.FunctionError](err)
	switch {
	case err == nil:
		return m.done(shard, batch)
	case !failed:
		return err
	case len(batch) == 1:
		if err := m.bury(batch[0]); err != nil {
			return err
		}
		return m.done(shard, batch)
	}
	half := len(batch) / 2
	if err := m.deliver(ctx, shard, batch[:half]); err != nil {
		return err
	}
	return m.deliver(ctx, shard, batch[half:])
}

// done writes off a batch, and with it all that comes before it in its shard.
func (m *mapping) done(shard string, batch []record) error {
	m.checkpoints.reach(m.op.Name, shard, batch[len(batch)-1].number)
	return m.checkpoints.save()
}

// try invokes the function until it succeeds or has failed too often; then the error is
// the function's. What keeps it from being invoked is no failure of it, and waited out.
func (m *mapping) try(ctx context.Context, batch []record) error {
	event, failures, told := eventOf(batch), 0, false
	for delay := m.config.RetryDelay; ; delay = min(2*delay, longestRetry*m.config.RetryDelay) {
		_, err := m.config.Invoker.Invoke(ctx, m.op, event)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failure, is := errors.AsType[*lambdahost.FunctionError](err); is {
			failures, told = failures+1, false
			m.log("attempt %d of %d at %s: %s", failures, operation.FeedRetries+1, nameOf(batch), kindOf(failure))
		} else if !told {
			told = true
			m.log("%s: %v; trying again", nameOf(batch), err)
		}
		if failures > operation.FeedRetries {
			return err
		}
		if err := m.config.Sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// kindOf is the type of a function's error. Its message is left out, which may quote
// the event.
func kindOf(failure *lambdahost.FunctionError) string {
	var told struct{ ErrorType string }
	if json.Unmarshal(failure.Payload, &told) != nil {
		return "function error"
	}
	return cmp.Or(told.ErrorType, "function error")
}

// bury keeps a record that the function cannot handle.
func (m *mapping) bury(r record) error {
	line, err := m.deadLetters.add(eventOf([]record{r}))
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	if line == 0 {
		m.log("%s is given up, and lost without a state directory", nameOf([]record{r}))
		return nil
	}
	m.log("%s is given up and is line %d of %s; from the source tree, this sends it again:\n%s",
		nameOf([]record{r}), line, m.deadLetters.path, resend(m.op, line, m.deadLetters.path))
	return nil
}

// nameOf tells of records without telling what is in them.
func nameOf(batch []record) string {
	first, last := batch[0].number, batch[len(batch)-1].number
	if len(batch) == 1 {
		return "record " + first
	}
	return fmt.Sprintf("records %s to %s (%d)", first, last, len(batch))
}
