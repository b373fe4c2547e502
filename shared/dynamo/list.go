package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
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
	keys := make([]apikey.Key, min(len(listed), sel.Limit))
	for i := range keys {
		if keys[i], err = decodeListed(listed[i]); err != nil {
			return apikey.Page{}, err
		}
	}
	return apikey.Page{Keys: keys, More: len(listed) > sel.Limit}, nil
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

// AddTexts reads the texts of the keys that have any, batch by batch; see apikey.Store.
func (s *Store) AddTexts(ctx context.Context, keys []apikey.Key) (int, error) {
	var waiting []int // places of keys whose texts are still to be read
	read := 0
	for i := range keys {
		if keys[i].HasTexts {
			waiting = append(waiting, i)
		}
		if last := i == len(keys)-1; len(waiting) < textsPerBatch && !last {
			continue
		}
		size, err := s.addBatch(ctx, keys, waiting)
		if err != nil {
			return 0, err
		}
		waiting = waiting[:0]
		if read += size; read > maxPageTextBytes {
			return i + 1, nil
		}
	}
	return len(keys), nil
}

// addBatch reads the texts of the keys at these places, and returns their size.
func (s *Store) addBatch(ctx context.Context, keys []apikey.Key, places []int) (int, error) {
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
	delay, _ := awsclient.Backoff(attempt, nil)
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the key store did not answer in time")
	}
}

// Namespaces skips through the index: the first key behind those of one namespace tells
// the next namespace, however many keys the former has. See apikey.Store.
func (s *Store) Namespaces(ctx context.Context, sel apikey.NamespaceSelection) (apikey.NamespacePage, error) {
	var page apikey.NamespacePage
	at := sel.After
	for range sel.Queries {
		page.Queries++
		found, err := s.namespaceBehind(ctx, sel, at)
		if err != nil || found.IsZero() {
			return page, err
		}
		if len(page.Namespaces) == sel.Limit {
			page.Behind = at
			return page, nil
		}
		// Of a child itself the keys come before those below it.
		child := sel.Parent.Child(found)
		if sel.Deep || child == found {
			page.Namespaces = append(page.Namespaces, found)
		}
		if at = child; sel.Deep {
			at = found
		}
	}
	page.Behind = at
	return page, nil
}

// namespaceBehind is the first namespace behind one that holds keys; zero if there is
// none.
func (s *Store) namespaceBehind(
	ctx context.Context, sel apikey.NamespaceSelection, at namespace.Namespace,
) (namespace.Namespace, error) {
	within := schema.BelowRange(sel.Parent.String())
	if !at.IsZero() {
		within = within.BehindNamespace(at.String(), !sel.Deep)
	}
	first, err := s.query(ctx, schema.TenantOf(sel.Parent.String()), within, 1)
	if err != nil || len(first) == 0 {
		return namespace.Namespace{}, err
	}
	found, err := locatorOf(textIn(first[0], schema.Path))
	return found.Namespace, err
}
