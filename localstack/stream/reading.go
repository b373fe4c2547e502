package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// A reading is a mapping on its way through one stream.
type reading struct {
	*mapping
	arn    string
	shards []*shard
	known  bool // no other shards are to be expected
}

// A shard is read from its checkpoint on.
type shard struct {
	id, parent string
	iterator   *string // nil: none yet
	ended      bool
}

// turn handles a page of each shard that has its turn, and tells whether there may be
// more at once.
func (r *reading) turn(ctx context.Context) (bool, error) {
	if err := r.describe(ctx); err != nil {
		return false, err
	}
	due := r.due()
	if len(due) == 0 {
		return false, fmt.Errorf("stream %s: no shard that is open", r.arn)
	}
	busy := false
	for _, s := range due {
		more, err := r.page(ctx, s)
		if err != nil {
			return false, err
		}
		busy = busy || more
	}
	return busy, nil
}

// describe finds the shards of the stream. New ones come where others have ended.
func (r *reading) describe(ctx context.Context) error {
	if r.known {
		return nil
	}
	var found []*shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn}
	for {
		out, err := r.config.Streams.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("stream %s: %w", r.arn, err)
		}
		for _, s := range out.StreamDescription.Shards {
			found = append(found, r.shard(s))
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
		if in.ExclusiveStartShardId == nil {
			r.shards, r.known = found, true
			return nil
		}
	}
}

// shard finds what has been read of a shard already.
func (r *reading) shard(found types.Shard) *shard {
	id := aws.ToString(found.ShardId)
	if i := r.index(id); i >= 0 {
		return r.shards[i]
	}
	return &shard{id: id, parent: aws.ToString(found.ParentShardId)}
}

func (r *reading) index(id string) int {
	return slices.IndexFunc(r.shards, func(s *shard) bool { return s.id == id })
}

// due lists the shards that are to be read now: an ended one no more, and no child
// before its parent, unless that is there no more.
func (r *reading) due() []*shard {
	var due []*shard
	for _, s := range r.shards {
		parent := r.index(s.parent)
		if !s.ended && (parent < 0 || r.shards[parent].ended) {
			due = append(due, s)
		}
	}
	return due
}

// page handles the next records of a shard.
func (r *reading) page(ctx context.Context, s *shard) (bool, error) {
	out, err := r.next(ctx, s)
	if _, trimmed := errors.AsType[*types.TrimmedDataAccessException](err); trimmed {
		r.log("shard %s: what comes after the checkpoint is gone; reading the oldest that there is", s.id)
		r.checkpoints.forget(r.op.Name, s.id)
		s.iterator = nil
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("shard %s: %w", s.id, err)
	}
	if err := r.handle(ctx, s.id, out.Records); err != nil {
		return false, err
	}
	s.iterator = out.NextShardIterator
	if s.iterator == nil {
		s.ended, r.known = true, false
	}
	return len(out.Records) > 0, nil
}

func (r *reading) next(ctx context.Context, s *shard) (*dynamodbstreams.GetRecordsOutput, error) {
	if s.iterator == nil {
		out, err := r.config.Streams.GetShardIterator(ctx, r.start(s.id))
		if err != nil {
			return nil, err
		}
		s.iterator = out.ShardIterator
	}
	return r.config.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator})
}

// start is where a shard is read from: after its checkpoint, or from its beginning.
func (r *reading) start(shard string) *dynamodbstreams.GetShardIteratorInput {
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &r.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if number := r.checkpoints.reached(r.op.Name, shard); number != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &number
	}
	return in
}

// handle passes over what the operation does not want and delivers the rest.
func (r *reading) handle(ctx context.Context, shard string, found []types.Record) error {
	if len(found) == 0 {
		return nil
	}
	var wanted []record
	for _, one := range found {
		if !wants(r.op, one) {
			continue
		}
		converted, err := newRecord(r.arn, one)
		if err != nil {
			return fmt.Errorf("shard %s: %w", shard, err)
		}
		wanted = append(wanted, converted)
	}
	for _, batch := range batches(wanted) {
		if err := r.deliver(ctx, shard, batch); err != nil {
			return err
		}
	}
	r.checkpoints.reach(r.op.Name, shard, numberOf(found[len(found)-1]))
	return nil
}
