package latchkey

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/function"
	"latchkey/shared/operation"
)

// The longest that SQS keeps a message.
const deadLetterDays = 14

// newDeadLetters adds the queue of changes that a function could not deal with. A
// message tells which they are and why, and holds nothing of the items themselves,
// which the stream keeps for a day.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func newDeadLetters(scope constructs.Construct) awssqs.Queue {
	return awssqs.NewQueue(scope, jsii.String("DeadLetters"), &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(deadLetterDays)),
		RemovalPolicy:   awscdk.RemovalPolicy_DESTROY,
	})
}

// addFeed leads the changes of the table to the operation's function: from the oldest
// that the stream has, since one that was made while nothing listened counts too. What
// the filter leaves out costs no invocation, and to halve a batch counts as no retry.
//
// The mapping is ours: CDK's would add a policy to the role, with more actions than
// it takes to send a message and a statement for every stream there is.
func (s *Service) addFeed(scope constructs.Construct, op operation.Operation, target awslambda.Function) {
	awslambda.NewCfnEventSourceMapping(scope, jsii.String("Feed"), &awslambda.CfnEventSourceMappingProps{
		EventSourceArn:             s.table.TableStreamArn(),
		FunctionName:               target.FunctionArn(),
		StartingPosition:           jsii.String("TRIM_HORIZON"),
		BatchSize:                  jsii.Number(operation.FeedBatch),
		BisectBatchOnFunctionError: jsii.Bool(true),
		MaximumRetryAttempts:       jsii.Number(operation.FeedRetries),
		FilterCriteria:             changesWith(op.Feed),
		DestinationConfig: &awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: s.deadLetters.QueueArn()},
		},
	})
}

// changesWith lets through the changes after which an item has the attribute. A
// pattern can ask for that only together with the attribute's type, which is that of a
// time in the table. An item that is deleted has nothing afterwards.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
func changesWith(attribute string) *awslambda.CfnEventSourceMapping_FilterCriteriaProperty {
	return &awslambda.CfnEventSourceMapping_FilterCriteriaProperty{Filters: []any{
		awslambda.FilterCriteria_Filter(&map[string]any{
			"dynamodb": map[string]any{"NewImage": map[string]any{attribute: map[string]any{"S": awslambda.FilterRule_Exists()}}},
		}),
	}}
}

// streamStatements let Lambda read the stream for a function and report what that
// could not deal with; it does both in the function's role.
//
// Of a mapping's role Lambda asks for all four actions on the stream. By the
// authorization reference ListStreams can be allowed on "*" only, which would tell of
// every table's streams; in AWS's own example for a mapping it is allowed on the
// stream's ARN as the others are, and no more than that is needed.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.Lambda.Tutorial2.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
func (s *Service) streamStatements(op operation.Operation) []awsiam.PolicyStatement {
	if op.Caller != operation.Stream {
		return nil
	}
	return []awsiam.PolicyStatement{
		function.Allow(s.table.TableStreamArn(),
			"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
		function.Allow(s.deadLetters.QueueArn(), "sqs:SendMessage"),
	}
}
