package latchkey

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsappsync"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// The id of the platform's authorizer in ours.
const platformID = "Authorizer"

// NewHTTPAuthorizer adds an authorizer of an HTTP API, for the API's DefaultAuthorizer
// or for each of its routes. It takes payload format 2.0 and answers with policies, or
// simply if the API says so.
//
// CDK's own HttpLambdaAuthorizer has policies with format 1.0 alone; 2.0 says by its key
// which route was chosen.
func NewHTTPAuthorizer(
	scope constructs.Construct, id string, props AuthorizerProps,
) (awsapigatewayv2.IHttpRouteAuthorizer, error) {
	_, function, err := newAuthorizer(scope, id, props, ofHTTP)
	if err != nil {
		return nil, err
	}
	return &httpAuthorizer{lateAuthorizer{id: id, function: function, props: awsapigatewayv2.CfnAuthorizerProps{
		AuthorizerPayloadFormatVersion: jsii.String("2.0"),
		EnableSimpleResponses:          props.API.Simple,
		IdentitySource:                 jsii.Strings(props.httpIdentity()...),
		AuthorizerResultTtlInSeconds:   props.ttl().ToSeconds(nil),
	}}}, nil
}

// httpIdentity is what a request must have, and what answers are kept by. A simple
// answer is of what was asked for alone: of the route, and of the method and the path,
// since one route may take many.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (p AuthorizerProps) httpIdentity() []string {
	identity := []string{"$request.header." + p.header()}
	if p.API.Simple && p.CacheTTL > 0 {
		identity = append(identity, "$context.routeKey", "$context.httpMethod", "$context.path")
	}
	return identity
}

type httpAuthorizer struct{ lateAuthorizer }

// Bind is called by CDK for each route.
func (a *httpAuthorizer) Bind(
	options *awsapigatewayv2.HttpRouteAuthorizerBindOptions,
) *awsapigatewayv2.HttpRouteAuthorizerConfig {
	return &awsapigatewayv2.HttpRouteAuthorizerConfig{
		AuthorizationType: jsii.String("CUSTOM"),
		AuthorizerId:      a.bind(options.Scope, options.Route.HttpApi().ApiId()),
	}
}

// NewWebSocketAuthorizer adds an authorizer of a WebSocket API, for its $connect route:
// no other may have one, and a connection outlives the key that opened it.
//
// API Gateway wants every identity source of a request at once. Where the query string
// may hold the credential in place of the header there is none, which is allowed and
// leaves a request without either to the function; CDK's own WebSocketLambdaAuthorizer
// would write an empty list. Answers are never kept.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
func NewWebSocketAuthorizer(
	scope constructs.Construct, id string, props AuthorizerProps,
) (awsapigatewayv2.IWebSocketRouteAuthorizer, error) {
	_, function, err := newAuthorizer(scope, id, props, ofWebSocket)
	if err != nil {
		return nil, err
	}
	a := &webSocketAuthorizer{lateAuthorizer{id: id, function: function}}
	if props.API.QueryParameter == "" {
		a.props.IdentitySource = jsii.Strings("route.request.header." + props.header())
	}
	return a, nil
}

type webSocketAuthorizer struct{ lateAuthorizer }

// Bind is called by CDK for the route.
func (a *webSocketAuthorizer) Bind(
	options *awsapigatewayv2.WebSocketRouteAuthorizerBindOptions,
) *awsapigatewayv2.WebSocketRouteAuthorizerConfig {
	return &awsapigatewayv2.WebSocketRouteAuthorizerConfig{
		AuthorizationType: jsii.String("CUSTOM"),
		AuthorizerId:      a.bind(options.Scope, options.Route.WebSocketApi().ApiId()),
	}
}

// A lateAuthorizer becomes the platform's when CDK binds it to the first route of an
// API: it may be needed before there is an API, as the default of all its routes.
type lateAuthorizer struct {
	id       string
	function awslambda.Function
	props    awsapigatewayv2.CfnAuthorizerProps // without what the API and the function say
	bound    awsapigatewayv2.CfnAuthorizer      // nil until then
	api      string                             // the id of the API that it is bound to
}

// bind gives the id of the platform's authorizer. Where CDK itself finds something wrong,
// it panics, and so does bind.
func (a *lateAuthorizer) bind(scope constructs.Construct, api *string) *string {
	if a.bound == nil {
		a.add(scope, api)
	}
	if a.api != *api {
		panic(fmt.Sprintf("authorizer %s protects one API and cannot protect another", a.id))
	}
	return a.bound.Ref()
}

// add adds the platform's authorizer and lets it, and nobody else, call the function.
// Both stand beside the API, so that the function may be in another stack.
func (a *lateAuthorizer) add(scope constructs.Construct, api *string) {
	stack := awscdk.Stack_Of(scope)
	a.api = *api
	a.props.ApiId, a.props.Name, a.props.AuthorizerType = api, &a.id, jsii.String("REQUEST")
	a.props.AuthorizerUri = jsii.String(fmt.Sprintf("arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations",
		*stack.Partition(), *stack.Region(), *a.function.FunctionArn()))
	a.bound = awsapigatewayv2.NewCfnAuthorizer(scope, &a.id, &a.props)
	a.function.AddPermission(jsii.String(a.id+"Permission"), &awslambda.Permission{
		Scope:     scope,
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: stack.FormatArn(&awscdk.ArnComponents{
			Service:      jsii.String("execute-api"),
			Resource:     api,
			ResourceName: jsii.String("authorizers/" + *a.bound.Ref()),
		}),
	})
}

// NewRESTAuthorizer adds an authorizer of a REST API, for the API's
// DefaultMethodOptions or for each of its methods. Its function is told of the whole
// request but the body.
//
// A stage of a REST API has what was last deployed to it: a shorter CacheTTL holds from
// then on. CDK deploys such a change only in apps whose context says so.
func NewRESTAuthorizer(scope constructs.Construct, id string, props AuthorizerProps) (awsapigateway.IAuthorizer, error) {
	own, function, err := newAuthorizer(scope, id, props, ofREST)
	if err != nil {
		return nil, err
	}
	return awsapigateway.NewRequestAuthorizer(own, jsii.String(platformID), &awsapigateway.RequestAuthorizerProps{
		Handler:         function,
		IdentitySources: &[]*string{awsapigateway.IdentitySource_Header(jsii.String(props.header()))},
		ResultsCacheTtl: props.ttl(),
	}), nil
}

// NewRESTTokenAuthorizer is NewRESTAuthorizer for a function that is told of nothing but
// the credential and what is asked for, which is the older of API Gateway's two ways. It
// takes the API's Routes, as nothing tells which of them a request is for but its path.
func NewRESTTokenAuthorizer(scope constructs.Construct, id string, props AuthorizerProps) (awsapigateway.IAuthorizer, error) {
	own, function, err := newAuthorizer(scope, id, props, ofRESTToken)
	if err != nil {
		return nil, err
	}
	return awsapigateway.NewTokenAuthorizer(own, jsii.String(platformID), &awsapigateway.TokenAuthorizerProps{
		Handler:         function,
		IdentitySource:  awsapigateway.IdentitySource_Header(jsii.String(props.header())),
		ResultsCacheTtl: props.ttl(),
	}), nil
}

// NewAppSyncAuthorizer adds an authorizer of an AppSync API, for its
// DefaultAuthorization or one of its additional modes.
//
// CDK lets the API call the function when it makes the API; whether that API alone or
// every one of every account, the context of the app says.
func NewAppSyncAuthorizer(scope constructs.Construct, id string, props AuthorizerProps) (*awsappsync.AuthorizationMode, error) {
	_, function, err := newAuthorizer(scope, id, props, ofAppSync)
	if err != nil {
		return nil, err
	}
	return &awsappsync.AuthorizationMode{
		AuthorizationType: awsappsync.AuthorizationType_LAMBDA,
		LambdaAuthorizerConfig: &awsappsync.LambdaAuthorizerConfig{
			Handler:         function,
			ResultsCacheTtl: props.ttl(),
		},
	}, nil
}
