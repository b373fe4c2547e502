package latchkey

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

// Long enough to look into last week's incident, short enough not to be an
// archive: who needs one subscribes to the log groups.
const logRetention = awslogs.RetentionDays_ONE_MONTH

func (p Props) validateBootstraps() error {
	for _, op := range operation.All {
		path := filepath.Join(p.Bootstraps, op.Name, bootstrap)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("function %s has no executable %s: build the functions with \"make lambda\"", op.Name, path)
		}
	}
	return nil
}

func (d deployment) newFunction(scope constructs.Construct, op operation.Operation) awslambda.Function {
	name := names.Function(d.name, op)
	logs := awslogs.NewLogGroup(scope, jsii.String("Logs"), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String(names.LogGroup(name)),
		Retention:     logRetention,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	return awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: &name,
		Description:  &op.Summary,
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		Code:         awslambda.Code_FromAsset(jsii.String(filepath.Join(d.bootstraps, op.Name)), nil),
		Handler:      jsii.String(bootstrap),
		MemorySize:   jsii.Number(op.MemoryMB),
		Timeout:      awscdk.Duration_Millis(jsii.Number(op.Timeout.Milliseconds())),
		Environment:  d.environment(op),
		Role:         d.newRole(scope, op, logs),
		LogGroup:     logs,
	})
}

func (d deployment) environment(op operation.Operation) *map[string]*string {
	variables := make(map[string]*string)
	if op.UsesTable() {
		variables[operation.TableNameVariable] = d.table.TableName()
	}
	if op.UsesSessions() {
		maps.Copy(variables, d.sessions.variables())
	}
	return &variables
}

// newRole adds a role of our own rather than let CDK make one, whose managed
// policy would allow to write to every log group of the account.
func (d deployment) newRole(scope constructs.Construct, op operation.Operation, logs awslogs.LogGroup) awsiam.Role {
	statements := slices.Concat(d.tableStatements(op), d.sessions.statements(op),
		[]awsiam.PolicyStatement{allow(logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")})
	return awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			op.Name: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
		},
	})
}

// tableStatements has one statement for the table and one for each index that
// the operation touches: an action that is allowed on one must not become
// allowed on another.
func (d deployment) tableStatements(op operation.Operation) []awsiam.PolicyStatement {
	var resources []string
	actions := make(map[string][]string)
	for _, touch := range op.Touches {
		if actions[touch.Index] == nil {
			resources = append(resources, touch.Index)
		}
		actions[touch.Index] = append(actions[touch.Index], "dynamodb:"+string(touch.Action))
	}
	var statements []awsiam.PolicyStatement
	for _, index := range resources {
		statements = append(statements, allow(d.resource(index), actions[index]...))
	}
	return statements
}

// resource is the ARN of an index, or of the table itself where index is empty.
func (d deployment) resource(index string) *string {
	if index == "" {
		return d.table.TableArn()
	}
	return jsii.String(*d.table.TableArn() + "/index/" + index)
}

func allow(resource *string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	})
}
