package latchkey

import (
	"cmp"
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// A TableProps is what may be chosen of the table.
type TableProps struct {
	// Name is a fixed one. With it, a table that outlives its stack stands in the way of
	// the next deployment, and no change can replace it; without, CloudFormation names it.
	// It is for the first deployment alone: a later one with another name, or with none where
	// there was one, makes a new and empty table in place of the old one.
	//
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
	Name string

	// RetentionDays is for how many days an expired key stays listed, until TTL removes it;
	// zero for schema.RetentionDays. It is at most operation.MaxRetentionDays, and holds
	// for keys that are made or changed from then on.
	RetentionDays int

	// KeyARN is that of a symmetric KMS key of yours, in the same region, that encrypts the
	// table; without it, DynamoDB's own key in the account does. Its policy must leave it
	// to IAM who may use it, and who deploys needs the rights that DynamoDB documents.
	// Functions may have it decrypt, for this table and by way of DynamoDB. It, too, is for the
	// first deployment alone: a later one gives the table the key before it gives functions
	// that right, and until then they cannot read.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-kms-authz
	KeyARN string

	// WithoutDeletionProtection lets whoever may delete tables delete this one.
	WithoutDeletionProtection bool

	// WithoutPointInTimeRecovery keeps no backup to go back to.
	WithoutPointInTimeRecovery bool
}

var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

func (p TableProps) validate() error {
	switch {
	case p.Name != "" && !tableName.MatchString(p.Name):
		return fmt.Errorf("table's Name %q must be 3 to 255 letters, digits, underscores, dots and hyphens", p.Name)
	case p.RetentionDays < 0 || p.RetentionDays > operation.MaxRetentionDays:
		return fmt.Errorf("table's RetentionDays %d must be from 1 to %d", p.RetentionDays, operation.MaxRetentionDays)
	case p.KeyARN != "" && !keyARN.MatchString(p.KeyARN):
		return fmt.Errorf("table's KeyARN %q must be the ARN of a KMS key, and no alias", p.KeyARN)
	}
	return nil
}

func (p TableProps) retentionDays() int { return cmp.Or(p.RetentionDays, schema.RetentionDays) }

// encryption is the kind, and for a given key the key.
func (p TableProps) encryption(scope constructs.Construct) (awsdynamodb.TableEncryption, awskms.IKey) {
	if p.KeyARN == "" {
		return awsdynamodb.TableEncryption_AWS_MANAGED, nil
	}
	return awsdynamodb.TableEncryption_CUSTOMER_MANAGED, awskms.Key_FromKeyArn(scope, jsii.String("TableKey"), &p.KeyARN)
}

// newTable adds the table of the schema.
//
// Without a key that is given it is encrypted with the AWS managed key of DynamoDB. The
// default would be a key that AWS owns, free, but in nobody's account: its use is in no
// CloudTrail, and the usual compliance rules do not count it. The managed key costs
// nothing while nobody calls, and then one request to KMS per connection and five
// minutes; its own policy admits whoever may use DynamoDB, so no role names it. A key
// that is given adds a monthly fee, a statement in each role, and a way to lose every
// key by disabling one; what it guards are digests of 256 random bits.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
func newTable(scope constructs.Construct, p TableProps, removal awscdk.RemovalPolicy) awsdynamodb.Table {
	encryption, key := p.encryption(scope)
	table := awsdynamodb.NewTable(scope, jsii.String("Table"), &awsdynamodb.TableProps{
		TableName:           names.OrNone(p.Name),
		PartitionKey:        stringAttribute(schema.Table.PartitionKey),
		SortKey:             stringAttribute(schema.Table.SortKey),
		TimeToLiveAttribute: jsii.String(schema.Table.TTL),
		Stream:              awsdynamodb.StreamViewType(schema.Table.StreamView),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Encryption:          encryption,
		EncryptionKey:       key,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(!p.WithoutPointInTimeRecovery),
		},
		DeletionProtection: jsii.Bool(!p.WithoutDeletionProtection),
		RemovalPolicy:      removal,
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
