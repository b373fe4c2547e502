// Package stack is the example's CDK stack: an HTTP API whose routes lead to one
// function, behind an authorizer. It is what somebody writes who protects an API of his
// own, and in no other way than he would.
//
// The authorizer is the default of the API and not an option of each route, so that a
// route is protected unless somebody says otherwise.
package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/example"
	"latchkey/infra/function"
	"latchkey/infra/latchkey"
)

// OutputBaseURL is the name of the stack's output.
const OutputBaseURL = "BaseURL"

// Props are what the stack cannot know by itself. All must be set.
type Props struct {
	// Bootstraps is the directory that holds authorizer/bootstrap and orders/bootstrap,
	// built for arm64.
	Bootstraps string

	// Service is the Latchkey whose keys count.
	Service latchkey.ServiceReference
}

// NewStack adds the stack to an app. An error says in one sentence what is wrong with
// props; the app is of no use then.
func NewStack(scope constructs.Construct, name string, props Props) (awscdk.Stack, error) {
	if err := function.Validate(props.Bootstraps, example.Orders); err != nil {
		return nil, err
	}
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{
		StackName:   &name,
		Description: jsii.String("An example of an API that Latchkey protects"),
	})
	authorizer, err := latchkey.NewHTTPAuthorizer(stack, "Authorizer", latchkey.AuthorizerProps{
		Service:    props.Service,
		Bootstraps: props.Bootstraps,
		API:        example.Protected(),
	})
	if err != nil {
		return nil, err
	}
	api := awsapigatewayv2.NewHttpApi(stack, jsii.String("API"), &awsapigatewayv2.HttpApiProps{
		ApiName:           &name,
		DefaultAuthorizer: authorizer,
	})
	addRoutes(api, newOrders(stack, props.Bootstraps))
	awscdk.NewCfnOutput(stack, jsii.String(OutputBaseURL), &awscdk.CfnOutputProps{
		Description: jsii.String("Where the example answers"),
		Value:       api.ApiEndpoint(),
	})
	return stack, nil
}

func newOrders(stack awscdk.Stack, bootstraps string) awslambda.Function {
	scope := constructs.NewConstruct(stack, &example.Orders.Name)
	return function.New(scope, function.Props{Operation: example.Orders, Bootstraps: bootstraps})
}

// addRoutes leads every route to the function, which has one permission for all of them:
// they are the whole API.
func addRoutes(api awsapigatewayv2.HttpApi, orders awslambda.Function) {
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Integration"), orders,
		&awsapigatewayv2integrations.HttpLambdaIntegrationProps{ScopePermissionToRoute: jsii.Bool(false)})
	for _, key := range example.Routes() {
		method, path, _ := strings.Cut(key, " ")
		api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
			Path:        &path,
			Methods:     &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod(method)},
			Integration: integration,
		})
	}
}
