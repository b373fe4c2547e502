package function

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
)

// defaultLogRetentionDays are long enough to look into last week's incident, and short
// enough not to be an archive: who needs one subscribes to the log groups.
const defaultLogRetentionDays = 30

// defaultLogLevel has one line for each request.
const defaultLogLevel = awslambda.ApplicationLogLevel_INFO

// Settings are what somebody who deploys functions may choose for all of them. Without any,
// they are what suits production.
type Settings struct {
	// LogRetentionDays is for how many days log lines are kept, one of the numbers that
	// CloudWatch knows; zero for 30.
	LogRetentionDays int

	// LogLevel is the least that is logged: DEBUG, INFO, WARN or ERROR; empty for INFO.
	// Above INFO there is no line of a request that went well or was refused,
	// no metric is made of one, and what is no JSON, as the trace of a crash, counts as INFO.
	// Functions that IAM calls log at INFO then all the same.
	LogLevel awslambda.ApplicationLogLevel

	// Tracing has Lambda send X-Ray the times of some of the invocations.
	Tracing bool
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

var logLevels = []awslambda.ApplicationLogLevel{
	awslambda.ApplicationLogLevel_DEBUG, awslambda.ApplicationLogLevel_INFO, awslambda.ApplicationLogLevel_WARN,
	awslambda.ApplicationLogLevel_ERROR,
}

// Validate says in one sentence what is wrong with a setting.
func (s Settings) Validate() error {
	if !slices.Contains(logRetentions, s.logRetentionDays()) {
		return fmt.Errorf("LogRetentionDays %d must be one of CloudWatch's: %v", s.LogRetentionDays, logRetentions)
	}
	if !slices.Contains(logLevels, s.logLevel()) {
		return fmt.Errorf("LogLevel %q must be one of %v", s.LogLevel, logLevels)
	}
	return nil
}

func (s Settings) logRetentionDays() int { return cmp.Or(s.LogRetentionDays, defaultLogRetentionDays) }

func (s Settings) logLevel() awslambda.ApplicationLogLevel {
	return cmp.Or(s.LogLevel, defaultLogLevel)
}

// LogsRequests reports whether each request leaves a line, and the metrics that are made of it.
// The level of such a line is INFO.
func (s Settings) LogsRequests() bool {
	level := s.logLevel()
	return level == awslambda.ApplicationLogLevel_DEBUG || level == awslambda.ApplicationLogLevel_INFO
}

// trace does what CDK's own property would, but for the policy that this adds beside the
// role's own. It always says the mode, of which PassThrough is Lambda's own choice: an update
// that says none leaves the last one.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (s Settings) trace(target awslambda.Function) {
	mode := "PassThrough"
	if s.Tracing {
		mode = "Active"
	}
	target.Node().DefaultChild().(awslambda.CfnFunction).SetTracingConfig(
		&awslambda.CfnFunction_TracingConfigProperty{Mode: &mode})
}

// statements let Lambda send traces in the function's role. X-Ray has no resources that
// these could name.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
func (s Settings) statements() []awsiam.PolicyStatement {
	if !s.Tracing {
		return nil
	}
	return []awsiam.PolicyStatement{Allow(jsii.String("*"), "xray:PutTraceSegments", "xray:PutTelemetryRecords")}
}

// NewLogGroup adds a log group whose lines are kept for as long as the settings say, and
// which goes with its stack. Without a name, CloudFormation gives one. The number of days is
// set where CloudFormation has it: CDK has a name for each.
func (s Settings) NewLogGroup(scope constructs.Construct, id, name string) awslogs.LogGroup {
	logs := awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{
		LogGroupName: names.OrNone(name), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(s.logRetentionDays()))
	return logs
}
