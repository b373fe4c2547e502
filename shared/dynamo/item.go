package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/schema"
)

type item = map[string]types.AttributeValue

// maxKeyItemBytes leaves room in one read unit for what a key may get later on,
// without its maker asking: a second digest and when its time is up.
const maxKeyItemBytes = schema.MaxKeyItemBytes - 128

// An aboutItem holds a key's texts.
type aboutItem struct {
	Partition   string            `dynamodbav:"pk"`
	Sort        string            `dynamodbav:"sk"`
	Description string            `dynamodbav:"description,omitempty"`
	Tags        []string          `dynamodbav:"tags,omitempty"`
	Annotations map[string]string `dynamodbav:"annotations,omitempty"`
	Parent      parentItem        `dynamodbav:"parent"`
	PurgeAt     int64             `dynamodbav:"purge_at,omitempty"`
}

type parentItem struct {
	Kind string `dynamodbav:"kind,omitempty"`
	UUID string `dynamodbav:"uuid,omitempty"`
}

// encodeKey gives a key's record. Invalid: it would be larger than a read unit;
// the field is grant, as everything else in it is bounded.
func (s *Store) encodeKey(key apikey.Key) (item, error) {
	ns, id := key.Locator.Namespace.String(), key.Locator.ID.String()
	record := item{
		schema.PartitionKey: text(schema.KeyPartition(ns, id)),
		schema.SortKey:      text(schema.KeyItem),
		schema.Tenant:       text(schema.TenantOf(ns)),
		schema.Path:         text(schema.PathOf(ns, id)),
		schema.Name:         text(key.Name),
		schema.Digest:       &types.AttributeValueMemberB{Value: key.Digest[:]},
		schema.Grant:        encodeGrant(key.Grant),
		schema.CreatedAt:    moment(key.CreatedAt),
		schema.CreatedBy:    encodeActor(key.CreatedBy),
		schema.UpdatedAt:    moment(key.UpdatedAt),
		schema.UpdatedBy:    encodeActor(key.UpdatedBy),
		schema.Version:      number(key.Version),
	}
	if !key.ExpiresAt.IsZero() {
		record[schema.ExpiresAt] = moment(key.ExpiresAt)
		record[schema.PurgeAt] = number(s.purgeAt(key))
	}
	setIf(record, schema.Disabled, key.Disabled)
	setIf(record, schema.Propagate, key.Propagate)
	setIf(record, schema.HasTexts, !key.Texts.IsZero())
	if size := sizeOf(record); size > maxKeyItemBytes {
		return nil, fault.InvalidField("grant", fmt.Sprintf(
			"value is too large: the key's record would have %d bytes, %d are allowed", size, maxKeyItemBytes))
	}
	return record, nil
}

func (s *Store) encodeTexts(key apikey.Key) (item, error) {
	encoded, err := attributevalue.MarshalMap(aboutItem{
		Partition:   partitionOf(key.Locator),
		Sort:        schema.AboutItem,
		Description: key.Texts.Description,
		Tags:        key.Texts.Tags,
		Annotations: key.Texts.Annotations,
		Parent:      parentItem(key.Texts.Parent),
		PurgeAt:     s.purgeAt(key),
	})
	if err != nil {
		return nil, fmt.Errorf("texts to store: %w", err)
	}
	return encoded, nil
}

// purgeAt is when TTL may remove the key's items, in seconds since 1970; zero is
// never.
func (s *Store) purgeAt(key apikey.Key) int64 {
	if key.ExpiresAt.IsZero() {
		return 0
	}
	return key.ExpiresAt.Add(s.retention).Unix()
}

func partitionOf(at apikey.Locator) string {
	return schema.KeyPartition(at.Namespace.String(), at.ID.String())
}

// decodeKey reads a record, or what an index holds of one. It does so by hand,
// because it is on the way of every verification: reflection would take four times
// the allocations.
func decodeKey(record item) (apikey.Key, error) {
	at, err := locatorOf(textIn(record, schema.Path))
	if err != nil {
		return apikey.Key{}, err
	}
	times := timeReader{record: record}
	_, disabled := record[schema.Disabled]
	key := apikey.Key{
		Locator:   at,
		Name:      textIn(record, schema.Name),
		Grant:     decodeGrant(mapIn(record, schema.Grant)),
		Propagate: isTrue(record, schema.Propagate),
		ExpiresAt: times.read(schema.ExpiresAt),
		Disabled:  disabled,
		CreatedAt: times.read(schema.CreatedAt),
		CreatedBy: decodeActor(mapIn(record, schema.CreatedBy)),
		UpdatedAt: times.read(schema.UpdatedAt),
		UpdatedBy: decodeActor(mapIn(record, schema.UpdatedBy)),
		Version:   numberIn(record, schema.Version),
	}
	if digest, ok := record[schema.Digest].(*types.AttributeValueMemberB); ok {
		copy(key.Digest[:], digest.Value)
	}
	return key, times.err
}

func decodeTexts(encoded item) (apikey.Texts, error) {
	var record aboutItem
	if err := attributevalue.UnmarshalMap(encoded, &record); err != nil {
		return apikey.Texts{}, fmt.Errorf("stored texts: %w", err)
	}
	return apikey.Texts{
		Description: record.Description,
		Tags:        record.Tags,
		Annotations: record.Annotations,
		Parent:      apikey.Parent(record.Parent),
	}, nil
}

func locatorOf(path string) (apikey.Locator, error) {
	nsText, idText, ok := schema.SplitPath(path)
	ns, err := namespace.Parse(nsText)
	id, idOK := apikey.ParseID(idText)
	if !ok || err != nil || !idOK {
		return apikey.Locator{}, fmt.Errorf("stored path %q is of no key", path)
	}
	return apikey.Locator{Namespace: ns, ID: id}, nil
}
