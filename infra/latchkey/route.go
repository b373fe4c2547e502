package latchkey

import (
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
)

// newAPI adds the HTTP API with its stage $default, which has no path of its
// own and deploys every change of a route by itself.
//
// That its own URL answers is always said: API Gateway updates what a template says, and leaves
// the rest as it was.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func newAPI(scope constructs.Construct, name string, p ServiceProps) awsapigatewayv2.HttpApi {
	return awsapigatewayv2.NewHttpApi(scope, jsii.String("API"), &awsapigatewayv2.HttpApiProps{
		ApiName:     &name,
		Description: jsii.String("Latchkey"),

		CorsPreflight:             corsOf(p.AllowedOrigins),
		DisableExecuteApiEndpoint: jsii.Bool(p.Domain.Exclusive),
	})
}

// addRoute leads the operation's route to its function. The permission is ours:
// the one that CDK's integration adds is for a path with any method, which
// another operation's route may have.
func (s *Service) addRoute(scope constructs.Construct, op operation.Operation, function awslambda.Function) {
	integration := awsapigatewayv2.NewCfnIntegration(scope, jsii.String("Integration"), &awsapigatewayv2.CfnIntegrationProps{
		ApiId:                s.api.ApiId(),
		IntegrationType:      jsii.String("AWS_PROXY"),
		IntegrationUri:       function.FunctionArn(),
		PayloadFormatVersion: jsii.String("2.0"),
	})
	s.routes[op.Name] = awsapigatewayv2.NewCfnRoute(scope, jsii.String("Route"), &awsapigatewayv2.CfnRouteProps{
		ApiId:    s.api.ApiId(),
		RouteKey: &op.Route,
		Target:   jsii.String("integrations/" + *integration.Ref()),
	})
	function.AddPermission(jsii.String("Permission"), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: awscdk.Stack_Of(s.scope).FormatArn(&awscdk.ArnComponents{
			Service:      jsii.String("execute-api"),
			Resource:     s.api.ApiId(),
			ResourceName: jsii.String(sourceOf(op)),
		}),
	})
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// sourceOf is how API Gateway names a route when it calls a function: the stage,
// of which there is one, the method and the path, whose parameters may have any
// value. The route $default has neither method nor path.
func sourceOf(op operation.Operation) string {
	if op.Route == operation.DefaultRoute {
		return "*/" + operation.DefaultRoute
	}
	return "*/" + op.Method() + pathParameter.ReplaceAllString(op.Path(), "*")
}
