// Command platform is the CDK app of another module than Latchkey's, with a service in
// one of its stacks and an API of each kind behind an authorizer in another:
//
//	platform <folder of bootstraps> <folder for what is synthesised>
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsappsync"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/latchkey"
	"latchkey/shared/access"
	"latchkey/shared/protected"
)

func main() {
	defer jsii.Close()
	bootstraps, out := os.Args[1], os.Args[2]
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out, Context: &map[string]any{
		"@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId": true,
		"@aws-cdk/aws-appsync:appSyncGraphQLAPIScopeLambdaPermission": true,
		"@aws-cdk/core:validateAgainstDefaultRules":                   true,
	}})
	core := awscdk.NewStack(app, jsii.String("core"), nil)
	service := must(latchkey.NewService(core, "Keys", latchkey.ServiceProps{Bootstraps: bootstraps}))
	apis := awscdk.NewStack(app, jsii.String("apis"), nil)
	behind := func(api protected.API, ttl time.Duration) latchkey.AuthorizerProps {
		return latchkey.AuthorizerProps{Service: service.Reference(), Bootstraps: bootstraps, API: api, CacheTTL: ttl}
	}
	addHTTP(apis, behind(protected.API{Namespace: "shop", Routes: map[string]protected.Right{"GET /orders": {}}}, time.Minute))
	addREST(apis, behind(protected.API{Namespace: "shop.rest", Header: protected.APIKeyHeader}, 0))
	addWebSocket(apis, behind(protected.API{Namespace: "shop", QueryParameter: "token", Right: protected.AnyKey()}, 0))
	addAppSync(apis, behind(protected.API{Namespace: "shop", Right: protected.To(access.Read, "feed")}, 5*time.Minute), out)
	app.Synth(nil)
}

func addHTTP(stack awscdk.Stack, props latchkey.AuthorizerProps) {
	api := awsapigatewayv2.NewHttpApi(stack, jsii.String("HTTP"), &awsapigatewayv2.HttpApiProps{
		DefaultAuthorizer: must(latchkey.NewHTTPAuthorizer(stack, "HTTPAuthorizer", props)),
	})
	api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
		Path:        jsii.String("/orders"),
		Methods:     &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_GET},
		Integration: awsapigatewayv2integrations.NewHttpUrlIntegration(jsii.String("Orders"), jsii.String("https://example.com/orders"), nil),
	})
}

func addREST(stack awscdk.Stack, props latchkey.AuthorizerProps) {
	api := awsapigateway.NewRestApi(stack, jsii.String("REST"), &awsapigateway.RestApiProps{
		CloudWatchRole: jsii.Bool(false),
		DefaultMethodOptions: &awsapigateway.MethodOptions{
			Authorizer: must(latchkey.NewRESTAuthorizer(stack, "RESTAuthorizer", props)),
		},
	})
	api.Root().AddResource(jsii.String("orders"), nil).AddMethod(jsii.String("GET"), awsapigateway.NewMockIntegration(nil), nil)
}

func addWebSocket(stack awscdk.Stack, props latchkey.AuthorizerProps) {
	backend := awslambda.Function_FromFunctionArn(stack, jsii.String("Backend"),
		jsii.String("arn:aws:lambda:eu-central-1:123456789012:function:backend"))
	awsapigatewayv2.NewWebSocketApi(stack, jsii.String("WebSocket"), &awsapigatewayv2.WebSocketApiProps{
		ConnectRouteOptions: &awsapigatewayv2.WebSocketRouteOptions{
			Authorizer:  must(latchkey.NewWebSocketAuthorizer(stack, "WebSocketAuthorizer", props)),
			Integration: awsapigatewayv2integrations.NewWebSocketLambdaIntegration(jsii.String("Connect"), backend, nil),
		},
	})
}

func addAppSync(stack awscdk.Stack, props latchkey.AuthorizerProps, folder string) {
	schema := filepath.Join(folder, "schema.graphql")
	check(os.WriteFile(schema, []byte("type Query { feed: String }"), 0o644))
	awsappsync.NewGraphqlApi(stack, jsii.String("AppSync"), &awsappsync.GraphqlApiProps{
		Name:       jsii.String("feed"),
		Definition: awsappsync.Definition_FromFile(&schema),
		AuthorizationConfig: &awsappsync.AuthorizationConfig{
			DefaultAuthorization: must(latchkey.NewAppSyncAuthorizer(stack, "AppSyncAuthorizer", props)),
		},
	})
}

func must[T any](made T, err error) T {
	check(err)
	return made
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
