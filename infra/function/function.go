// Package function makes Lambda functions for stacks, each from a row like those of the
// catalogue of operations: with a log group and a role of its own. The role allows what
// it is given, to write to that log group, and nothing else.
//
// The log format is JSON. Lambda passes on what a function writes as JSON unchanged, and
// leaves out its own lines of each invocation that went well, which would cost more than
// the invocation; what fails, runs out of time or is lost it still tells.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
package function

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// The executable that the provided.al2023 runtime starts.
const bootstrap = "bootstrap"

// Props are what a function is made of.
type Props struct {
	// Operation says how it is called, and how much memory and time it has.
	Operation operation.Operation

	// Bootstraps is the directory that holds <operation>/bootstrap, built for arm64.
	Bootstraps string

	// Name is the function's, which its log group's follows. Empty: CloudFormation names
	// both, so that a stack may have several.
	Name string

	// Environment are its variables, beside those of the operation's runtime, which it may
	// replace.
	Environment map[string]*string

	// Statements are what it may do.
	Statements []awsiam.PolicyStatement

	// Settings are those of the deployment.
	Settings Settings

	// ReservedConcurrency is how many instances it may have, which then are taken from
	// all others of the account; zero: as many as those leave.
	ReservedConcurrency int
}

// Validate finds out whether an operation has been built, and says in one sentence what
// to do if not.
func Validate(bootstraps string, op operation.Operation) error {
	path := filepath.Join(bootstraps, op.Name, bootstrap)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("function %s has no executable %s: build the functions with \"make lambda\"", op.Name, path)
	}
	return nil
}

// New adds a function to a scope that is its own.
func New(scope constructs.Construct, props Props) awslambda.Function {
	op := props.Operation
	logs := newLogGroup(scope, props)
	target := awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: names.OrNone(props.Name),
		Description:  &op.Summary,
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		Code:         awslambda.Code_FromAsset(jsii.String(filepath.Join(props.Bootstraps, op.Name)), nil),
		Handler:      jsii.String(bootstrap),
		MemorySize:   jsii.Number(op.MemoryMB),
		Timeout:      awscdk.Duration_Millis(jsii.Number(op.Timeout.Milliseconds())),
		Environment:  props.environment(),
		Role:         newRole(scope, props, logs),
		LogGroup:     logs,

		LoggingFormat:         awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: props.logLevel(),
		SystemLogLevelV2:      awslambda.SystemLogLevel_WARN,

		ReservedConcurrentExecutions: numberOrNil(props.ReservedConcurrency),
	})
	props.Settings.trace(target)
	return target
}

// environment is what the runtime is told and what the props say.
func (p Props) environment() *map[string]*string {
	variables := map[string]*string{}
	for name, value := range p.Operation.RuntimeEnvironment() {
		variables[name] = &value
	}
	maps.Copy(variables, p.Environment)
	return &variables
}

// logLevel is that of the settings, but that what IAM calls leaves its line in any case: those
// functions make administrators' keys and end tenants, and nobody calls them often.
func (p Props) logLevel() awslambda.ApplicationLogLevel {
	if p.Operation.Caller == operation.IAM && !p.Settings.LogsRequests() {
		return defaultLogLevel
	}
	return p.Settings.logLevel()
}

func newLogGroup(scope constructs.Construct, props Props) awslogs.LogGroup {
	name := ""
	if props.Name != "" {
		name = names.LogGroup(props.Name)
	}
	return props.Settings.NewLogGroup(scope, "Logs", name)
}

// newRole adds a role of our own rather than let CDK make one, whose managed
// policy would allow to write to every log group of the account.
func newRole(scope constructs.Construct, props Props, logs awslogs.LogGroup) awsiam.Role {
	statements := append(slices.Clone(props.Statements),
		Allow(logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"))
	statements = append(statements, props.Settings.statements()...)
	return awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			props.Operation.Name: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
		},
	})
}

// Allow gives a statement that allows actions on one resource.
func Allow(resource *string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	})
}

func numberOrNil(number int) *float64 {
	if number == 0 {
		return nil
	}
	return jsii.Number(number)
}
