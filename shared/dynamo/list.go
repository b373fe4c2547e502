package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

const (
	// The texts of one key are bounded by the size of a request, 256 KiB, so that a
	// batch is far below the 16 MB that one answer may have.
	textsPerBatch = 25
	// A page ends early behind so many bytes of texts.
	maxPageTextBytes = 4 << 20
	batchAttempts    = 5
)

// Both names are aliases: "path" is a word that DynamoDB reserves.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
var pathInRange = aws.String("#tenant = :tenant AND #path BETWEEN :from AND :to")

// List reads a page from the index by namespace; see apikey.Store.
func (s *Store) List(ctx context.Context, sel apikey.Selection) (apikey.Page, error) {
	tenant := schema.TenantOf(sel.Namespace.String())
	within, err := s.firstOf(ctx, tenant, sel)
	if err != nil || within == nil {
		return apikey.Page{}, err
	}
	// One more than asked for tells whether anything follows.
	listed, err := s.query(ctx, tenant, *within, sel.Limit+1)
	if err != nil {
		return apikey.Page{}, err
	}
	more := len(listed) > sel.Limit
	return s.page(ctx, listed[:min(len(listed), sel.Limit)], more)
}

// firstOf is the range where a page begins; nil if it begins behind the last key.
func (s *Store) firstOf(ctx context.Context, tenant string, sel apikey.Selection) (*schema.Range, error) {
	within := schema.NamespaceRange(sel.Namespace.String())
	if sel.Below {
		within = schema.SubtreeRange(sel.Namespace.String())
	}
	switch {
	case sel.After != nil:
		within = within.After(schema.PathOf(sel.After.Namespace.String(), sel.After.ID.String()))
	case sel.Skip > 0:
		return s.skip(ctx, tenant, within, sel.Skip)
	}
	return &within, nil
}

// skip passes over the first keys of a range. They are read, and paid for, but
// not sent.
func (s *Store) skip(ctx context.Context, tenant string, within schema.Range, count int) (*schema.Range, error) {
	for {
		in := s.queryInput(tenant, within, count)
		in.Select = types.SelectCount
		out, err := s.client.Query(ctx, in)
		if err != nil {
			return nil, classify(err)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil, nil
		}
		within = within.After(textIn(out.LastEvaluatedKey, schema.Path))
		if count -= int(out.Count); count <= 0 {
			return &within, nil
		}
	}
}

// query reads up to limit items of a range, in as many calls as it takes.
func (s *Store) query(ctx context.Context, tenant string, within schema.Range, limit int) ([]item, error) {
	var items []item
	for {
		out, err := s.client.Query(ctx, s.queryInput(tenant, within, limit-len(items)))
		if err != nil {
			return nil, classify(err)
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 || len(items) >= limit {
			return items, nil
		}
		within = within.After(textIn(out.LastEvaluatedKey, schema.Path))
	}
}

// queryInput continues a listing by its range alone. A start key would do too, but
// would have to be checked: a range cannot lead out of the partition.
func (s *Store) queryInput(tenant string, within schema.Range, limit int) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                s.table,
		IndexName:                aws.String(schema.ByNamespace.Name),
		KeyConditionExpression:   pathInRange,
		ExpressionAttributeNames: map[string]string{"#tenant": schema.Tenant, "#path": schema.Path},
		ExpressionAttributeValues: item{
			":tenant": text(tenant), ":from": text(within.From), ":to": text(within.To),
		},
		Limit: aws.Int32(int32(limit)),
	}
}

// page decodes what an index gave and adds the texts, batch by batch, until the
// page has enough.
func (s *Store) page(ctx context.Context, listed []item, more bool) (apikey.Page, error) {
	keys := make([]apikey.Key, len(listed))
	var waiting []int // places of keys whose texts are still to be read
	read := 0
	for i, it := range listed {
		key, err := decodeKey(it)
		if err != nil {
			return apikey.Page{}, err
		}
		keys[i] = key
		if isTrue(it, schema.HasTexts) {
			waiting = append(waiting, i)
		}
		if last := i == len(listed)-1; len(waiting) < textsPerBatch && !last {
			continue
		}
		size, err := s.addTexts(ctx, keys, waiting)
		if err != nil {
			return apikey.Page{}, err
		}
		waiting = waiting[:0]
		if read += size; read > maxPageTextBytes && i < len(listed)-1 {
			return apikey.Page{Keys: keys[:i+1], More: true}, nil
		}
	}
	return apikey.Page{Keys: keys, More: more}, nil
}

// addTexts reads the texts of the keys at these places, and returns their size.
func (s *Store) addTexts(ctx context.Context, keys []apikey.Key, places []int) (int, error) {
	if len(places) == 0 {
		return 0, nil
	}
	wanted := make([]item, len(places))
	byPartition := make(map[string]*apikey.Key, len(places))
	for i, place := range places {
		partition := partitionOf(keys[place].Locator)
		wanted[i] = primaryKey(partition, schema.AboutItem)
		byPartition[partition] = &keys[place]
	}
	found, err := s.batchGet(ctx, wanted)
	if err != nil {
		return 0, err
	}
	size := 0
	for _, about := range found {
		texts, err := decodeTexts(about)
		if err != nil {
			return 0, err
		}
		byPartition[textIn(about, schema.PartitionKey)].Texts = texts
		size += sizeOf(about)
	}
	return size, nil
}

// batchGet reads items by their keys and asks again for those that DynamoDB left
// unprocessed.
func (s *Store) batchGet(ctx context.Context, wanted []item) ([]item, error) {
	var found []item
	request := map[string]types.KeysAndAttributes{*s.table: {Keys: wanted}}
	for attempt := range batchAttempts {
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return nil, classify(err)
		}
		found = append(found, out.Responses[*s.table]...)
		if len(out.UnprocessedKeys) == 0 {
			return found, nil
		}
		request = out.UnprocessedKeys
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return nil, classify(errors.New("keys of a batch were left unprocessed"))
}

func pause(ctx context.Context, attempt int) error {
	delay, _ := backoff(attempt, nil)
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the key store did not answer in time")
	}
}
