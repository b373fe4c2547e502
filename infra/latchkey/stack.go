// Package latchkey is everything that Latchkey puts into an AWS account, as one
// CDK stack: the table, a function, a role and a log group for each operation,
// and an HTTP API with the catalogue's routes. It loops over operation.All and
// schema.Table and adds no list of its own, so that an operation is deployed by
// being in the catalogue. It imports nothing of the functions' code: it takes
// their bootstraps as files.
//
// Least privilege is exact. A role allows the actions of its operation's
// touches, each on the table or on the one index that the touch names and never
// on both, and to write to the function's own log group. API Gateway may call a
// function for its own route and for no other; an operation without a route is
// left to IAM alone.
//
// What outlives the stack is the table. It is protected from deletion, kept
// when the stack is deleted and kept when a change would replace it. It has no
// fixed name, and the log groups go with the stack: what is left behind must not
// stand in the way of the next deployment.
package latchkey

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// The names of the stack's outputs.
const (
	OutputBaseURL           = "BaseURL"
	OutputTableName         = "TableName"
	OutputBootstrapFunction = "BootstrapFunction"
)

// Props are what the stack cannot know by itself.
type Props struct {
	// Bootstraps is the directory that holds <operation>/bootstrap for every
	// operation, built for arm64. It must be set.
	Bootstraps string
}

// NewStack adds the stack to an app. It names no account and no region, so that
// one template fits all. An error is that of Validate: nothing has been added
// then.
func NewStack(scope constructs.Construct, name string, props Props) (awscdk.Stack, error) {
	if err := props.Validate(); err != nil {
		return nil, err
	}
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{
		StackName:   &name,
		Description: jsii.String("Latchkey: issues, validates and revokes API keys"),
	})
	d := deployment{
		Stack:      stack,
		name:       name,
		bootstraps: props.Bootstraps,
		table:      newTable(stack),
		api:        newAPI(stack, name),
	}
	for _, op := range operation.All {
		d.addOperation(op)
	}
	d.addOutputs()
	return stack, nil
}

// A deployment is the stack while it is built, with what its operations share.
type deployment struct {
	awscdk.Stack
	name       string
	bootstraps string
	table      awsdynamodb.Table
	api        awsapigatewayv2.HttpApi
}

func (d deployment) addOperation(op operation.Operation) {
	scope := constructs.NewConstruct(d.Stack, &op.Name)
	function := d.newFunction(scope, op)
	if op.Route != "" {
		d.addRoute(scope, op, function)
	}
}

func (d deployment) addOutputs() {
	d.addOutput(OutputBaseURL, "Where the API answers", d.api.ApiEndpoint())
	d.addOutput(OutputTableName, "The table, which outlives the stack", d.table.TableName())
	d.addOutput(OutputBootstrapFunction, "The function that makes the first key of a namespace",
		jsii.String(names.Function(d.name, operation.Bootstrap)))
}

func (d deployment) addOutput(name, description string, value *string) {
	awscdk.NewCfnOutput(d.Stack, &name, &awscdk.CfnOutputProps{Description: &description, Value: value})
}
