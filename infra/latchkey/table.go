package latchkey

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/schema"
)

// newTable adds the table of the schema.
//
// It is encrypted with the AWS managed key of DynamoDB. The default would be a
// key that AWS owns, free, but in nobody's account: its use is in no CloudTrail,
// and the usual compliance rules do not count it. The managed key costs nothing
// while nobody calls, and then one request to KMS per connection and five
// minutes; its own policy admits whoever may use DynamoDB, so no role names it.
// A customer managed key would add a monthly fee, a statement in each role, and
// a way to lose every key by disabling one; what it would guard are digests of
// 256 random bits.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
func newTable(scope constructs.Construct) awsdynamodb.Table {
	table := awsdynamodb.NewTable(scope, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey:        stringAttribute(schema.Table.PartitionKey),
		SortKey:             stringAttribute(schema.Table.SortKey),
		TimeToLiveAttribute: jsii.String(schema.Table.TTL),
		Stream:              awsdynamodb.StreamViewType(schema.Table.StreamView),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Encryption:          awsdynamodb.TableEncryption_AWS_MANAGED,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	})
	for _, index := range schema.Table.Indexes {
		addIndex(table, index)
	}
	return table
}

func addIndex(table awsdynamodb.Table, index schema.Index) {
	table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:        &index.Name,
		PartitionKey:     stringAttribute(index.PartitionKey),
		SortKey:          stringAttribute(index.SortKey),
		ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
		NonKeyAttributes: jsii.Strings(index.Projected...),
	})
}

func stringAttribute(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}
