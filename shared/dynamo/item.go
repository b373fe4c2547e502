package dynamo

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

type item = map[string]types.AttributeValue

// maxNewKeyBytes leaves room in one read unit for what a key gets later on, without
// its maker asking: that it was changed, when and by whom, that it is disabled, a
// second digest. An update is never refused for its size: revoking must not fail. At
// worst, after one by a key with a very long name, a read costs a second unit.
const maxNewKeyBytes = schema.MaxKeyItemBytes - 384

// An aboutItem holds the texts of a key or an account.
type aboutItem struct {
	Partition   string            `dynamodbav:"pk"`
	Sort        string            `dynamodbav:"sk"`
	Description string            `dynamodbav:"description,omitempty"`
	Tags        []string          `dynamodbav:"tags,omitempty"`
	Annotations map[string]string `dynamodbav:"annotations,omitempty"`
	Parent      parentItem        `dynamodbav:"parent"`
	AvatarURL   string            `dynamodbav:"avatar_url,omitempty"` // of an account
	PurgeAt     int64             `dynamodbav:"purge_at,omitempty"`
}

type parentItem struct {
	Kind string `dynamodbav:"kind,omitempty"`
	UUID string `dynamodbav:"uuid,omitempty"`
}

// encodeNewKey is encodeKey for a key that is to be made. Invalid: its record would
// be too large. The field is grant, which alone can fill it; together with a
// namespace and names of the greatest length a small grant can be too much, and it is
// what its maker can do something about.
func (s *Store) encodeNewKey(key apikey.Key) (item, error) {
	record := s.encodeKey(key)
	if size := sizeOf(record); size > maxNewKeyBytes {
		return nil, fault.InvalidField("grant", fmt.Sprintf(
			"value is too large: with its names the key's record would have %d bytes, %d are allowed", size, maxNewKeyBytes))
	}
	return record, nil
}

// encodeKey gives a key's record. That it was changed is not stored until it was.
func (s *Store) encodeKey(key apikey.Key) item {
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
		schema.Version:      number(key.Version),
	}
	if !key.UpdatedAt.Equal(key.CreatedAt) || key.UpdatedBy != key.CreatedBy {
		record[schema.UpdatedAt] = moment(key.UpdatedAt)
		record[schema.UpdatedBy] = encodeActor(key.UpdatedBy)
	}
	if !key.ExpiresAt.IsZero() {
		record[schema.ExpiresAt] = moment(key.ExpiresAt)
		record[schema.PurgeAt] = number(s.purgeAt(key))
	}
	if key.User != "" {
		record[schema.User] = text(key.User)
	}
	if !key.Account.IsZero() {
		record[schema.Owner] = text(schema.AccountPartition(ns, key.Account.String()))
	}
	if !key.RotatedAt.IsZero() {
		record[schema.Previous] = &types.AttributeValueMemberB{Value: key.Previous[:]}
		record[schema.RotatedAt] = moment(key.RotatedAt)
		record[schema.Retain] = number(key.RetainMinutes)
	}
	setIf(record, schema.Disabled, key.Disabled)
	setIf(record, schema.Propagate, key.Propagate)
	setIf(record, schema.HasTexts, key.HasTexts)
	return record
}

func (s *Store) encodeTexts(key apikey.Key) (item, error) {
	return encodeAbout(aboutItem{
		Partition:   partitionOf(key.Locator),
		Description: key.Texts.Description,
		Tags:        key.Texts.Tags,
		Annotations: key.Texts.Annotations,
		Parent:      parentItem(key.Texts.Parent),
		PurgeAt:     s.purgeAt(key),
	})
}

func encodeAbout(about aboutItem) (item, error) {
	about.Sort = schema.AboutItem
	encoded, err := attributevalue.MarshalMap(about)
	if err != nil {
		return nil, fmt.Errorf("texts to store: %w", err)
	}
	return encoded, nil
}

// encodeUse gives the use of a key that was never used.
func (s *Store) encodeUse(key apikey.Key) item {
	record := primaryKey(partitionOf(key.Locator), schema.UseItem)
	record[schema.UsedAt] = number(0)
	if at := s.purgeAt(key); at > 0 {
		record[schema.PurgeAt] = number(at)
	}
	return record
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

func decodeTexts(encoded item) (apikey.Texts, error) {
	about, err := decodeAbout(encoded)
	return apikey.Texts{
		Description: about.Description,
		Tags:        about.Tags,
		Annotations: about.Annotations,
		Parent:      apikey.Parent(about.Parent),
	}, err
}

func decodeAbout(encoded item) (aboutItem, error) {
	var about aboutItem
	if err := attributevalue.UnmarshalMap(encoded, &about); err != nil {
		return aboutItem{}, fmt.Errorf("stored texts: %w", err)
	}
	return about, nil
}
