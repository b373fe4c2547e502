package table

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A layout is what two tables are compared by, without what DynamoDB adds to a
// description and without any order.
type layout struct {
	Keys       map[string]string
	Attributes map[string]string
	Stream     string
	Indexes    map[string]index
}

type index struct {
	Keys       map[string]string
	Projection string
	Projected  []string
}

func layoutOf(in *dynamodb.CreateTableInput) layout {
	l := newLayout(in.KeySchema, in.AttributeDefinitions, in.StreamSpecification)
	for _, i := range in.GlobalSecondaryIndexes {
		l.Indexes[aws.ToString(i.IndexName)] = newIndex(i.KeySchema, i.Projection)
	}
	return l
}

func foundLayout(table *types.TableDescription) layout {
	l := newLayout(table.KeySchema, table.AttributeDefinitions, table.StreamSpecification)
	for _, i := range table.GlobalSecondaryIndexes {
		l.Indexes[aws.ToString(i.IndexName)] = newIndex(i.KeySchema, i.Projection)
	}
	return l
}

func newLayout(
	keys []types.KeySchemaElement, attributes []types.AttributeDefinition, stream *types.StreamSpecification,
) layout {
	l := layout{Keys: keyMap(keys), Attributes: map[string]string{}, Indexes: map[string]index{}}
	for _, attribute := range attributes {
		l.Attributes[aws.ToString(attribute.AttributeName)] = string(attribute.AttributeType)
	}
	if stream != nil && aws.ToBool(stream.StreamEnabled) {
		l.Stream = string(stream.StreamViewType)
	}
	return l
}

func newIndex(keys []types.KeySchemaElement, projection *types.Projection) index {
	i := index{Keys: keyMap(keys)}
	if projection != nil {
		i.Projection = string(projection.ProjectionType)
		i.Projected = slices.Sorted(slices.Values(projection.NonKeyAttributes))
	}
	return i
}

func keyMap(keys []types.KeySchemaElement) map[string]string {
	byType := map[string]string{}
	for _, key := range keys {
		byType[string(key.KeyType)] = aws.ToString(key.AttributeName)
	}
	return byType
}
