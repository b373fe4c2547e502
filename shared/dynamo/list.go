package dynamo

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo/fetched"
	"latchkey/shared/dynamo/stored"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

const (
	// The texts of one key are bounded by the size of a request, 256 KiB, so that a
	// batch is far below the 16 MB that one answer may have.
	textsPerBatch = 25
	// As many as one call may ask for. A use is smaller than 2.5 KB.
	usesPerBatch = 100
	// A page ends early behind so many bytes of texts.
	maxPageTextBytes = 4 << 20
	batchAttempts    = 5
)

// Both names are aliases: "path" is a word that DynamoDB reserves.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
var pathInRange = aws.String("#partition = :partition AND #path BETWEEN :from AND :to")

// A listing is one partition of an index.
type listing struct {
	index     schema.Index
	partition string
}

// keysOf is the partition that holds a namespace's keys.
func keysOf(ns namespace.Namespace) listing {
	return listing{schema.ByNamespace, schema.TenantOf(ns.String())}
}

// List reads a page from the index by namespace; see apikey.Store.
func (s *Store) List(ctx context.Context, sel apikey.Selection) (apikey.Page, error) {
	in := keysOf(sel.Namespace)
	within, err := s.firstOf(ctx, in, sel)
	if err != nil || within == nil {
		return apikey.Page{}, err
	}
	// One more than asked for tells whether anything follows.
	listed, err := s.query(ctx, in, *within, sel.Limit+1)
	if err != nil {
		return apikey.Page{}, err
	}
	keys := make([]apikey.Key, min(len(listed), sel.Limit))
	for i := range keys {
		if keys[i], err = stored.Listed(fetched.Item(listed[i])); err != nil {
			return apikey.Page{}, err
		}
	}
	return apikey.Page{Keys: keys, More: len(listed) > sel.Limit}, nil
}

// firstOf is the range where a page begins; nil if it begins behind the last key.
func (s *Store) firstOf(ctx context.Context, in listing, sel apikey.Selection) (*schema.Range, error) {
	within := schema.NamespaceRange(sel.Namespace.String())
	if sel.Below {
		within = schema.SubtreeRange(sel.Namespace.String())
	}
	switch {
	case sel.After != nil:
		within = within.After(schema.PathOf(sel.After.Namespace.String(), sel.After.ID.String()))
	case sel.Skip > 0:
		return s.skip(ctx, in, within, sel.Skip)
	}
	return &within, nil
}

// SubtreeKeys reads the keys of a subtree from the index; see apikey.Store.
func (s *Store) SubtreeKeys(ctx context.Context, ns namespace.Namespace) iter.Seq2[apikey.Key, error] {
	return decoded(s.walk(ctx, keysOf(ns), schema.SubtreeRange(ns.String())), stored.Handle)
}

// skip passes over the first keys of a range. They are read, and paid for, but
// not sent.
func (s *Store) skip(ctx context.Context, in listing, within schema.Range, count int) (*schema.Range, error) {
	for {
		query := s.queryInput(in, within)
		query.Select, query.Limit = types.SelectCount, aws.Int32(int32(count))
		out, err := s.client.Query(ctx, query)
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
func (s *Store) query(ctx context.Context, in listing, within schema.Range, limit int) ([]item, error) {
	var items []item
	for {
		query := s.queryInput(in, within)
		query.Limit = aws.Int32(int32(limit - len(items)))
		out, err := s.client.Query(ctx, query)
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

// walk reads all items of a range, part by part, as its caller takes them.
func (s *Store) walk(ctx context.Context, in listing, within schema.Range) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for {
			out, err := s.client.Query(ctx, s.queryInput(in, within))
			if err != nil {
				yield(nil, classify(err))
				return
			}
			for _, it := range out.Items {
				if !yield(it, nil) {
					return
				}
			}
			if len(out.LastEvaluatedKey) == 0 {
				return
			}
			within = within.After(textIn(out.LastEvaluatedKey, schema.Path))
		}
	}
}

// decoded decodes the items of a walk.
func decoded[T any](items iter.Seq2[item, error], decode func(stored.Item) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for it, err := range items {
			var value T
			if err == nil {
				value, err = decode(fetched.Item(it))
			}
			if !yield(value, err) || err != nil {
				return
			}
		}
	}
}

// queryInput continues a listing by its range alone. A start key would do too, but
// would have to be checked: a range cannot lead out of the partition.
func (s *Store) queryInput(in listing, within schema.Range) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                s.table,
		IndexName:                aws.String(in.index.Name),
		KeyConditionExpression:   pathInRange,
		ExpressionAttributeNames: map[string]string{"#partition": in.index.PartitionKey, "#path": in.index.SortKey},
		ExpressionAttributeValues: item{
			":partition": text(in.partition), ":from": text(within.From), ":to": text(within.To),
		},
	}
}

// AddTexts reads the texts of the keys that have any; see apikey.Store.
func (s *Store) AddTexts(ctx context.Context, keys []apikey.Key) (int, error) {
	partitions := make([]string, len(keys))
	for i, key := range keys {
		if key.HasTexts {
			partitions[i] = partitionOf(key.Locator)
		}
	}
	return s.addTexts(ctx, partitions, func(i int, about item) (err error) {
		keys[i].Texts, err = decodeTexts(about)
		return err
	})
}

// addTexts reads texts batch by batch, an empty partition for none, and says how many
// places it has completed.
func (s *Store) addTexts(ctx context.Context, partitions []string, add func(int, item) error) (int, error) {
	var waiting []int // places whose texts are still to be read
	read := 0
	for i, partition := range partitions {
		if partition != "" {
			waiting = append(waiting, i)
		}
		if last := i == len(partitions)-1; len(waiting) < textsPerBatch && !last {
			continue
		}
		size, err := s.addBatch(ctx, partitions, waiting, schema.AboutItem, add)
		if err != nil {
			return 0, err
		}
		waiting = waiting[:0]
		if read += size; read > maxPageTextBytes {
			return i + 1, nil
		}
	}
	return len(partitions), nil
}

// AddUses reads the uses of keys that belong to an account; see apikey.Store.
func (s *Store) AddUses(ctx context.Context, keys []apikey.Key) error {
	partitions := make([]string, len(keys))
	var owned []int
	for i, key := range keys {
		if !key.Account.IsZero() {
			partitions[i] = partitionOf(key.Locator)
			owned = append(owned, i)
		}
	}
	for places := range slices.Chunk(owned, usesPerBatch) {
		_, err := s.addBatch(ctx, partitions, places, schema.UseItem, func(i int, use item) error {
			keys[i].UsedAt = stored.UsedAt(fetched.Item(use))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addBatch reads the items with a sort key in the partitions at these places, and
// returns their size.
func (s *Store) addBatch(
	ctx context.Context, partitions []string, places []int, sort string, add func(int, item) error,
) (int, error) {
	if len(places) == 0 {
		return 0, nil
	}
	wanted := make([]item, len(places))
	byPartition := make(map[string]int, len(places))
	for i, place := range places {
		wanted[i] = primaryKey(partitions[place], sort)
		byPartition[partitions[place]] = place
	}
	found, err := s.batchGet(ctx, wanted)
	if err != nil {
		return 0, err
	}
	size := 0
	for _, it := range found {
		if err := add(byPartition[textIn(it, schema.PartitionKey)], it); err != nil {
			return 0, err
		}
		size += sizeOf(it)
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
	first, err := s.query(ctx, keysOf(sel.Parent), within, 1)
	if err != nil || len(first) == 0 {
		return namespace.Namespace{}, err
	}
	found, err := stored.LocatorIn(textIn(first[0], schema.Path))
	return found.Namespace, err
}
