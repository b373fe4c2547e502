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
	statements := slices.Concat(d.tableStatements(op), d.sessions.statements(op), d.streamStatements(op),
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
// allowed on another. A confined touch has one of its own.
func (d deployment) tableStatements(op operation.Operation) []awsiam.PolicyStatement {
	var resources []string
	var confined []awsiam.PolicyStatement
	actions := make(map[string][]string)
	for _, touch := range op.Touches {
		if attributes := operation.AttributesOf(touch); attributes != nil {
			confined = append(confined, d.allowConfined(touch, attributes))
			continue
		}
		if actions[touch.Index] == nil {
			resources = append(resources, touch.Index)
		}
		actions[touch.Index] = append(actions[touch.Index], actionOf(touch))
	}
	var statements []awsiam.PolicyStatement
	for _, index := range resources {
		statements = append(statements, allow(d.resource(index), actions[index]...))
	}
	return append(statements, confined...)
}

// allowConfined allows an update that names no other attributes, whether to change
// them or in its condition. It takes three conditions: "for all" is true of a request
// that tells of no attributes at all, and UpdateItem could give back the whole item.
// ReturnValues is in every request, as NONE where nothing is asked for; Select, which
// confines reads, is in none.
//
// No condition can ask for a sort key: an update may be of any item, or make one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (d deployment) allowConfined(touch operation.Touch, attributes []string) awsiam.PolicyStatement {
	statement := allow(d.resource(touch.Index), actionOf(touch))
	statement.AddConditions(&map[string]any{
		"ForAllValues:StringEquals": map[string]any{"dynamodb:Attributes": attributes},
		"Null":                      map[string]any{"dynamodb:Attributes": "false"},
		"StringEquals":              map[string]any{"dynamodb:ReturnValues": "NONE"},
	})
	return statement
}

func actionOf(touch operation.Touch) string { return "dynamodb:" + string(touch.Action) }

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
