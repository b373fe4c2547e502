package latchkey_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsappsync"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/function"
	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/access"
	"latchkey/shared/operation"
	"latchkey/shared/protected"
)

// The context of a new app, as far as authorizers need it.
var newAppContext = map[string]any{
	"@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId": true,
	"@aws-cdk/aws-appsync:appSyncGraphQLAPIScopeLambdaPermission": true,
	"@aws-cdk/core:validateAgainstDefaultRules":                   true,
}

// plainReference is a service of another app.
var plainReference = latchkey.ServiceReference{
	Name:           "keys",
	TableName:      "keys-Table-1",
	TableARN:       "arn:aws:dynamodb:eu-central-1:123456789012:table/keys-Table-1",
	SessionKeyARNs: []string{"arn:aws:kms:eu-central-1:123456789012:key/2", "arn:aws:kms:eu-central-1:123456789012:key/1"},
	Issuer:         "https://keys.example.com",
	Audience:       "latchkey",
}

var routes = map[string]protected.Right{"GET /orders": {}, "ANY /orders/{id}": {}}

func apiOf(change func(*protected.API)) protected.API {
	api := protected.API{Namespace: "demo"}
	change(&api)
	return api
}

func withRoutes(api *protected.API) { api.Routes = routes }
func withRight(api *protected.API)  { api.Right = protected.To(access.Read, "feed") }
func withAPIKey(api *protected.API) { api.Header = protected.APIKeyHeader }
func withSimple(api *protected.API) { api.Simple = true }
func withQuery(api *protected.API)  { api.Right, api.QueryParameter = protected.AnyKey(), "token" }
func withNothing(*protected.API)    {}

func withAmbiguousRoutes(api *protected.API) {
	api.Routes = map[string]protected.Right{"GET /files/{path+}": {}, "GET /files/secret/{id}": protected.To(access.Read, "secrets")}
}

func withLargeRoutes(api *protected.API) {
	api.Routes = make(map[string]protected.Right)
	for i := range 10 {
		api.Routes[fmt.Sprintf("ANY /resource-%d/{id}", i)] = protected.Right{}
	}
}
func withUsage(api *protected.API)    { api.UsageIdentifier = true }
func withBadRoute(api *protected.API) { api.Routes = map[string]protected.Right{"GET": {}} }

// A protectedAPI is an API behind an authorizer, and what the template should have of it.
type protectedAPI struct {
	name  string
	props latchkey.AuthorizerProps // without the service and the bootstraps
	add   func(*testing.T, awscdk.Stack, string, latchkey.AuthorizerProps)

	authorizerID string // without its hash
	authorizer   object // what differs from others of its type
}

var protectedAPIs = []protectedAPI{
	{
		name: "HTTP", props: latchkey.AuthorizerProps{API: apiOf(withNothing)}, add: addHTTP,
		authorizerID: "HTTPAPIHTTP",
		authorizer:   httpAuthorizer("HTTP", false, 0, "$request.header.Authorization"),
	},
	{
		name: "HTTPCached", props: latchkey.AuthorizerProps{API: apiOf(withRoutes), CacheTTL: time.Minute}, add: addHTTP,
		authorizerID: "HTTPCachedAPIHTTPCached",
		authorizer:   httpAuthorizer("HTTPCached", false, 60, "$request.header.Authorization"),
	},
	{
		name: "HTTPSimple", add: addHTTP,
		props: latchkey.AuthorizerProps{
			API: protected.API{Namespace: "demo", Simple: true, Header: protected.APIKeyHeader}, CacheTTL: time.Hour,
		},
		authorizerID: "HTTPSimpleAPIHTTPSimple",
		authorizer: httpAuthorizer("HTTPSimple", true, 3600,
			"$request.header.x-api-key", "$context.routeKey", "$context.httpMethod", "$context.path"),
	},
	{
		name: "HTTPUncached", add: addHTTP,
		props: latchkey.AuthorizerProps{
			API:      apiOf(withSimple),
			Function: function.Settings{LogRetentionDays: 1, LogLevel: awslambda.ApplicationLogLevel_DEBUG, Tracing: true}, ReservedConcurrency: 5,
		},
		authorizerID: "HTTPUncachedAPIHTTPUncached",
		authorizer:   httpAuthorizer("HTTPUncached", true, 0, "$request.header.Authorization"),
	},
	{
		name: "REST", props: latchkey.AuthorizerProps{API: apiOf(withUsage)}, add: addREST(latchkey.NewRESTAuthorizer),
		authorizerID: "RESTAuthorizer",
		authorizer:   restAuthorizer("REST", "REQUEST", 0, "method.request.header.Authorization"),
	},
	{
		name: "RESTCached", add: addREST(latchkey.NewRESTAuthorizer),
		props: latchkey.AuthorizerProps{
			API: protected.API{Namespace: "demo", Routes: routes, Header: protected.APIKeyHeader}, CacheTTL: time.Second,
		},
		authorizerID: "RESTCachedAuthorizer",
		authorizer:   restAuthorizer("RESTCached", "REQUEST", 1, "method.request.header.x-api-key"),
	},
	{
		name: "RESTToken", props: latchkey.AuthorizerProps{API: apiOf(withRoutes)}, add: addREST(latchkey.NewRESTTokenAuthorizer),
		authorizerID: "RESTTokenAuthorizer",
		authorizer:   restAuthorizer("RESTToken", "TOKEN", 0, "method.request.header.Authorization"),
	},
	{
		name: "WebSocket", add: addWebSocket,
		props:        latchkey.AuthorizerProps{API: protected.API{Namespace: "demo", Right: protected.AnyKey(), Header: protected.APIKeyHeader}},
		authorizerID: "WebSocketAPIWebSocket",
		authorizer:   webSocketAuthorizer("WebSocket", []any{"route.request.header.x-api-key"}),
	},
	{
		name: "WebSocketQuery", props: latchkey.AuthorizerProps{API: apiOf(withQuery)}, add: addWebSocket,
		authorizerID: "WebSocketQueryAPIWebSocketQuery",
		authorizer:   webSocketAuthorizer("WebSocketQuery", nil),
	},
	{name: "AppSync", props: latchkey.AuthorizerProps{API: apiOf(withRight)}, add: addAppSync},
	{name: "AppSyncCached", props: latchkey.AuthorizerProps{API: apiOf(withRight), CacheTTL: 5 * time.Minute}, add: addAppSync},
}

// watchedAuthorizers are those with a topic, one of each kind of API, and whether an error of
// theirs is an alarm.
var watchedAuthorizers = map[string]bool{"HTTP": true, "AppSync": true, "REST": false, "RESTToken": false, "WebSocket": false}

func httpAuthorizer(name string, simple bool, ttl float64, identity ...any) object {
	return object{
		"ApiId": "${" + name + "API}", "Name": name, "AuthorizerType": "REQUEST", "AuthorizerUri": uri(name),
		"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": simple,
		"AuthorizerResultTtlInSeconds": ttl, "IdentitySource": identity,
	}
}

func restAuthorizer(name, kind string, ttl float64, identity string) object {
	return object{
		"RestApiId": "${" + name + "API}", "Type": kind, "AuthorizerResultTtlInSeconds": ttl, "IdentitySource": identity,
	}
}

func webSocketAuthorizer(name string, identity []any) object {
	properties := object{
		"ApiId": "${" + name + "API}", "Name": name, "AuthorizerType": "REQUEST", "AuthorizerUri": uri(name),
	}
	if identity != nil {
		properties["IdentitySource"] = identity
	}
	return properties
}

func uri(name string) string {
	return "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + name + "Function.Arn}/invocations"
}

func addHTTP(t *testing.T, stack awscdk.Stack, name string, props latchkey.AuthorizerProps) {
	authorizer, err := latchkey.NewHTTPAuthorizer(stack, name, props)
	if err != nil {
		t.Fatal(err)
	}
	api := awsapigatewayv2.NewHttpApi(stack, jsii.String(name+"API"), &awsapigatewayv2.HttpApiProps{DefaultAuthorizer: authorizer})
	for _, path := range []string{"/orders", "/orders/{id}"} {
		api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
			Path:        &path,
			Integration: backend(),
		})
	}
}

func backend() awsapigatewayv2integrations.HttpUrlIntegration {
	return awsapigatewayv2integrations.NewHttpUrlIntegration(jsii.String("Backend"), jsii.String("https://example.com"), nil)
}

func addREST(newAuthorizer func(constructs.Construct, string, latchkey.AuthorizerProps) (awsapigateway.IAuthorizer, error)) func(
	*testing.T, awscdk.Stack, string, latchkey.AuthorizerProps) {
	return func(t *testing.T, stack awscdk.Stack, name string, props latchkey.AuthorizerProps) {
		authorizer, err := newAuthorizer(stack, name, props)
		if err != nil {
			t.Fatal(err)
		}
		api := awsapigateway.NewRestApi(stack, jsii.String(name+"API"), &awsapigateway.RestApiProps{
			DefaultMethodOptions: &awsapigateway.MethodOptions{Authorizer: authorizer},
		})
		api.Root().AddResource(jsii.String("orders"), nil).AddMethod(jsii.String("GET"), awsapigateway.NewMockIntegration(nil), nil)
	}
}

func addWebSocket(t *testing.T, stack awscdk.Stack, name string, props latchkey.AuthorizerProps) {
	authorizer, err := latchkey.NewWebSocketAuthorizer(stack, name, props)
	if err != nil {
		t.Fatal(err)
	}
	awsapigatewayv2.NewWebSocketApi(stack, jsii.String(name+"API"), &awsapigatewayv2.WebSocketApiProps{
		ConnectRouteOptions: &awsapigatewayv2.WebSocketRouteOptions{
			Authorizer: authorizer,
			Integration: awsapigatewayv2integrations.NewWebSocketLambdaIntegration(jsii.String("Backend"),
				awslambda.Function_FromFunctionArn(stack, jsii.String(name+"Backend"),
					jsii.String("arn:aws:lambda:eu-central-1:123456789012:function:backend")), nil),
		},
	})
}

func addAppSync(t *testing.T, stack awscdk.Stack, name string, props latchkey.AuthorizerProps) {
	mode, err := latchkey.NewAppSyncAuthorizer(stack, name, props)
	if err != nil {
		t.Fatal(err)
	}
	schema := filepath.Join(t.TempDir(), "schema.graphql")
	if err := os.WriteFile(schema, []byte("type Query { feed: String }"), 0o644); err != nil {
		t.Fatal(err)
	}
	awsappsync.NewGraphqlApi(stack, jsii.String(name+"API"), &awsappsync.GraphqlApiProps{
		Name:                &name,
		Definition:          awsappsync.Definition_FromFile(&schema),
		AuthorizationConfig: &awsappsync.AuthorizationConfig{DefaultAuthorization: mode},
	})
}

// TestAuthorizers holds every kind of authorizer against what it should be, in another
// stack than its service.
func TestAuthorizers(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	app := stacktest.NewApp(t, newAppContext)
	service, err := latchkey.NewStack(app, stackName, latchkey.ServiceProps{
		Bootstraps: stubBootstraps(t), SessionKeys: []string{"2", "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stack := awscdk.NewStack(app, jsii.String("apis"), nil)
	bootstraps := stacktest.StubBootstraps(t, operation.Authorizer.Name)
	for _, api := range protectedAPIs {
		api.props.Service, api.props.Bootstraps = service.Reference(), bootstraps
		if _, watched := watchedAuthorizers[api.name]; watched {
			api.props.AlarmTopic = topic
		}
		api.add(t, stack, api.name, api.props)
	}
	tmpl := stacktest.Synthesise(t, app)["apis"]
	for name, check := range map[string]func(*testing.T, stacktest.Template){
		"authorizers": checkAuthorizers,
		"functions":   checkAuthorizerFunctions,
		"log groups":  checkAuthorizerLogs,
		"rights":      checkAuthorizerRights,
		"permissions": checkAuthorizerPermissions,
		"AppSync":     checkAppSync,
		"protected":   checkProtected,
		"alarms":      checkAuthorizerAlarms,
	} {
		t.Run(name, func(t *testing.T) { check(t, tmpl) })
	}
}

func checkAuthorizers(t *testing.T, tmpl stacktest.Template) {
	want, got := make(map[string]object), tmpl.Properties("AWS::ApiGatewayV2::Authorizer")
	for id, properties := range tmpl.Properties("AWS::ApiGateway::Authorizer") {
		compare(t, restURI(strings.TrimSuffix(id, "Authorizer")), properties["AuthorizerUri"])
		delete(properties, "AuthorizerUri")
		delete(properties, "Name")
		got[id] = properties
	}
	for _, api := range protectedAPIs {
		if api.authorizer != nil {
			want[api.authorizerID] = api.authorizer
		}
	}
	compare(t, want, got)
}

// restURI has partition and region of the function itself.
func restURI(name string) any {
	function := "${" + name + "Function.Arn"
	return "arn:" + function + ":1}:apigateway:" + function + ":3}:lambda:path/2015-03-31/functions/" + function + "}/invocations"
}

func checkAuthorizerFunctions(t *testing.T, tmpl stacktest.Template) {
	want := make(map[string]object)
	for _, api := range protectedAPIs {
		known := api.props.API
		if strings.HasPrefix(api.name, "AppSync") {
			known.CacheSeconds = int(api.props.CacheTTL.Seconds())
		}
		encoded, err := known.Encode()
		if err != nil {
			t.Fatal(err)
		}
		function := stacktest.Function(api.name, operation.Authorizer)
		if level := api.props.Function.LogLevel; level != "" {
			function["LoggingConfig"].(object)["ApplicationLogLevel"] = string(level)
			function["TracingConfig"] = object{"Mode": "Active"}
			function["ReservedConcurrentExecutions"] = float64(api.props.ReservedConcurrency)
		}
		function["Environment"] = stacktest.Environment(operation.Authorizer, object{
			"SERVICE_NAME":     "keys",
			"TABLE_NAME":       "${keys/Table}",
			"SESSION_KEYS":     "${keys/SessionKey2.Arn},${keys/SessionKey1.Arn}",
			"SESSION_ISSUER":   "${keys/API.ApiEndpoint}",
			"SESSION_AUDIENCE": "latchkey",
			"PROTECTED_API":    encoded,
		})
		want[api.name+"Function"] = function
		compare(t, operation.Authorizer.Name, tmpl.Bootstrap(t, api.name+"Function"))
	}
	compare(t, want, stacktest.Without("Code", tmpl.Properties("AWS::Lambda::Function")))
}

func checkAuthorizerLogs(t *testing.T, tmpl stacktest.Template) {
	want := make(map[string]object)
	for _, api := range protectedAPIs {
		want[api.name+"Logs"] = object{"RetentionInDays": float64(orMonth(api.props.Function.LogRetentionDays))}
	}
	compare(t, want, tmpl.Properties("AWS::Logs::LogGroup"))
}

// checkAuthorizerRights knows no way to a right but a function's own role.
func checkAuthorizerRights(t *testing.T, tmpl stacktest.Template) {
	want, got := make(map[string][]string), make(map[string][]string)
	for _, api := range protectedAPIs {
		logs := "${" + api.name + "Logs.Arn}"
		want[api.name+"Role"] = append([]string{
			"dynamodb:GetItem on ${keys/Table.Arn}",
			"dynamodb:UpdateItem on ${keys/Table.Arn} if " +
				`{"ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","used_at"]},` +
				`"Null":{"dynamodb:Attributes":"false"},"StringEquals":{"dynamodb:ReturnValues":"NONE"}}`,
			"kms:GetPublicKey on ${keys/SessionKey1.Arn}",
			"kms:GetPublicKey on ${keys/SessionKey2.Arn}",
			"logs:CreateLogStream on " + logs,
			"logs:PutLogEvents on " + logs,
		}, tracePairs(api.props.Function)...)
	}
	for id, role := range tmpl.Properties("AWS::IAM::Role") {
		if strings.HasPrefix(id, "REST") && strings.HasSuffix(id, "CloudWatchRole") {
			continue
		}
		got[id] = stacktest.Allowed(t, role)
		compare(t, nil, role["ManagedPolicyArns"])
	}
	compare(t, want, got)
	compare(t, map[string]resource{}, tmpl.OfType("AWS::IAM::Policy"))
}

func checkAuthorizerPermissions(t *testing.T, tmpl stacktest.Template) {
	var want, got []string
	for _, api := range protectedAPIs {
		caller := "apigateway.amazonaws.com for arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" +
			api.name + "API}/authorizers/${" + api.authorizerID + "}"
		if strings.HasPrefix(api.name, "AppSync") {
			caller = "appsync.amazonaws.com for ${" + api.name + "API.Arn}"
		}
		want = append(want, "${"+api.name+"Function.Arn} by "+caller)
	}
	for _, permission := range tmpl.Properties("AWS::Lambda::Permission") {
		compare(t, []string{"Action", "FunctionName", "Principal", "SourceArn"}, slices.Sorted(maps.Keys(permission)))
		compare(t, "lambda:InvokeFunction", permission["Action"].(string))
		got = append(got, fmt.Sprintf("%v by %v for %v", permission["FunctionName"], permission["Principal"], permission["SourceArn"]))
	}
	slices.Sort(want)
	slices.Sort(got)
	compare(t, want, got)
}

func checkAppSync(t *testing.T, tmpl stacktest.Template) {
	want, got := make(map[string]any), make(map[string]any)
	for name, ttl := range map[string]float64{"AppSync": 0, "AppSyncCached": 300} {
		want[name+"API"] = object{"AuthorizerUri": "${" + name + "Function.Arn}", "AuthorizerResultTtlInSeconds": ttl}
	}
	for id, api := range tmpl.Properties("AWS::AppSync::GraphQLApi") {
		compare(t, "AWS_LAMBDA", api["AuthenticationType"].(string))
		compare(t, nil, api["AdditionalAuthenticationProviders"])
		got[id] = api["LambdaAuthorizerConfig"]
	}
	compare(t, want, got)
}

// checkProtected sees to it that no route of the APIs is without its authorizer.
func checkProtected(t *testing.T, tmpl stacktest.Template) {
	want, got := make(map[string]int), make(map[string]int)
	for _, api := range protectedAPIs {
		switch {
		case strings.HasPrefix(api.name, "HTTP"):
			want["${"+api.authorizerID+"}"] = 2
		case api.authorizer != nil:
			want["${"+api.authorizerID+"}"] = 1
		}
	}
	for _, kind := range []string{"AWS::ApiGatewayV2::Route", "AWS::ApiGateway::Method"} {
		for id, route := range tmpl.Properties(kind) {
			if route["AuthorizationType"] != "CUSTOM" {
				t.Errorf("%s is open to everybody", id)
				continue
			}
			got[route["AuthorizerId"].(string)]++
		}
	}
	compare(t, want, got)
}

// Whoever is refused finds nothing added: there is not even a scope to add it to.
func TestRefusedAuthorizers(t *testing.T) {
	bootstraps := stacktest.StubBootstraps(t, operation.Authorizer.Name)
	for _, test := range []struct {
		add  func(latchkey.AuthorizerProps) error
		api  func(*protected.API)
		ttl  time.Duration
		want string
	}{
		{newHTTP, withBadRoute, 0, `protected API: route key "GET" has no method and path`},
		{newHTTP, withRoutes, -time.Second, `cache TTL -1s must be whole seconds from 0s to 1h0m0s`},
		{newREST, withRoutes, time.Hour + time.Second, `cache TTL 1h0m1s must be whole seconds from 0s to 1h0m0s`},
		{newAppSync, withRight, 1500 * time.Millisecond, `cache TTL 1.5s must be whole seconds from 0s to 1h0m0s`},
		{newHTTP, withNothing, time.Second, "cache TTL 1s: " + noTable + "an HTTP API would use it for the others"},
		{newREST, withNothing, time.Minute, "cache TTL 1m0s: " + noTable + "a REST API would use it for the others"},
		{newHTTP, withRight, 0, `an HTTP API has routes to tell rights by: say in Routes, not in Right, what is asked for`},
		{newRESTToken, withNothing, 0, `a REST API's TOKEN authorizer does not tell the route of a request: say in Routes which there are`},
		{newHTTP, withAmbiguousRoutes, time.Minute, `cache TTL 1m0s: no answer can cover all routes: ` +
			`IAM's patterns cannot tell "GET /files/{path+}" from "GET /files/secret/{id}"`},
		{newREST, withLargeRoutes, time.Minute, `cache TTL 1m0s: no answer can cover all routes: ` +
			`a policy may have 11107 characters, of 8192 that API Gateway takes`},
		{newWebSocket, withRight, time.Second, `a WebSocket API keeps no answers: its cache TTL must be 0s`},
		{newWebSocket, withNothing, 0, `a WebSocket API would refuse every request: say in Right what is asked for`},
		{newAppSync, withNothing, 0, `an AppSync API would refuse every request: say in Right what is asked for`},
		{newWebSocket, withRoutes, 0, `a WebSocket API has no routes to tell rights by: say in Right what is asked for`},
		{newAppSync, withRoutes, 0, `an AppSync API has no routes to tell rights by: say in Right what is asked for`},
		{newAppSync, withAPIKey, 0, `an AppSync API takes credentials from the header Authorization alone`},
		{newREST, withSimple, 0, `a REST API takes no simple answers in place of its own`},
		{newWebSocket, withSimple, 0, `a WebSocket API takes no simple answers in place of its own`},
		{newAppSync, withSimple, 0, `an AppSync API takes no simple answers in place of its own`},
		{newHTTP, withQuery, 0, `an HTTP API takes no credential from the query string: only a WebSocket API's $connect may`},
		{newREST, withQuery, 0, `a REST API takes no credential from the query string: only a WebSocket API's $connect may`},
		{newAppSync, withQuery, 0, `an AppSync API takes no credential from the query string: only a WebSocket API's $connect may`},
		{newHTTP, withUsage, 0, `an HTTP API has no usage plans to count by: only a REST API has`},
	} {
		t.Run(test.want, func(t *testing.T) {
			err := test.add(latchkey.AuthorizerProps{
				Service: plainReference, Bootstraps: bootstraps, API: apiOf(test.api), CacheTTL: test.ttl,
			})
			compare(t, test.want, fmt.Sprint(err))
		})
	}
}

func TestRefusedAuthorizerSettings(t *testing.T) {
	for want, props := range map[string]latchkey.AuthorizerProps{
		"ReservedConcurrency -1 must be at least 1, or not be there": {ReservedConcurrency: -1},
		`LogLevel "LOUD" must be one of [DEBUG INFO WARN ERROR]`:     {Function: function.Settings{LogLevel: "LOUD"}},
	} {
		props.Service, props.Bootstraps, props.API = plainReference, "elsewhere", apiOf(withNothing)
		compare(t, want, fmt.Sprint(newHTTP(props)))
	}
}

const noTable = "without a table of routes an answer covers the requested route alone, and "

func TestMissingAuthorizer(t *testing.T) {
	err := newHTTP(latchkey.AuthorizerProps{Service: plainReference, Bootstraps: "elsewhere", API: apiOf(withNothing)})
	compare(t, `function authorizer has no executable elsewhere/authorizer/bootstrap: build the functions with "make lambda"`, fmt.Sprint(err))
}

// The constructors, as far as they refuse.
var (
	newHTTP      = errorOf(latchkey.NewHTTPAuthorizer)
	newREST      = errorOf(latchkey.NewRESTAuthorizer)
	newRESTToken = errorOf(latchkey.NewRESTTokenAuthorizer)
	newWebSocket = errorOf(latchkey.NewWebSocketAuthorizer)
	newAppSync   = errorOf(latchkey.NewAppSyncAuthorizer)
)

func errorOf[T any](
	constructor func(constructs.Construct, string, latchkey.AuthorizerProps) (T, error),
) func(latchkey.AuthorizerProps) error {
	return func(props latchkey.AuthorizerProps) error {
		_, err := constructor(nil, "Authorizer", props)
		return err
	}
}

func TestIncompleteReferences(t *testing.T) {
	for want, spoil := range map[string]func(*latchkey.ServiceReference){
		"Name":           func(r *latchkey.ServiceReference) { r.Name = "" },
		"TableName":      func(r *latchkey.ServiceReference) { r.TableName = "" },
		"TableARN":       func(r *latchkey.ServiceReference) { r.TableARN = "" },
		"SessionKeyARNs": func(r *latchkey.ServiceReference) { r.SessionKeyARNs = nil },
		"Issuer":         func(r *latchkey.ServiceReference) { r.Issuer = "" },
		"Audience":       func(r *latchkey.ServiceReference) { r.Audience = "" },
	} {
		reference := plainReference
		spoil(&reference)
		err := newHTTP(latchkey.AuthorizerProps{Service: reference, API: apiOf(withNothing)})
		compare(t, "service reference has no "+want, fmt.Sprint(err))
	}
	unsplit := plainReference
	unsplit.SessionKeyARNs = []string{"arn:aws:kms:one,arn:aws:kms:other"}
	err := newHTTP(latchkey.AuthorizerProps{Service: unsplit, API: apiOf(withNothing)})
	compare(t, "service reference: SessionKeyARNs must be one ARN each: split the output at its commas", fmt.Sprint(err))
}

// An app whose context is old would get what its authorizers must not have.
func TestOldApps(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	stack := awscdk.NewStack(stacktest.NewApp(t, nil), jsii.String("apis"), nil)
	props := latchkey.AuthorizerProps{
		Service: plainReference, Bootstraps: stacktest.StubBootstraps(t, operation.Authorizer.Name), API: apiOf(withRoutes),
	}
	_, err := latchkey.NewRESTAuthorizer(stack, "REST", props)
	compare(t, `a change of the authorizer would not be deployed: set `+
		`"@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId" to true in the context of the app`, fmt.Sprint(err))
	_, err = latchkey.NewRESTTokenAuthorizer(stack, "RESTToken", props)
	compare(t, true, err != nil && strings.Contains(err.Error(), "in the context of the app"))
	props.API = apiOf(withRight)
	_, err = latchkey.NewAppSyncAuthorizer(stack, "AppSync", props)
	compare(t, `every AppSync API could call the authorizer: set `+
		`"@aws-cdk/aws-appsync:appSyncGraphQLAPIScopeLambdaPermission" to true in the context of the app`, fmt.Sprint(err))
	compare(t, 0, len(*stack.Node().Children()))
}

// An authorizer knows one API: to put it before another would judge that by the first
// one's rights.
func TestOneAPIEach(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	stack := awscdk.NewStack(stacktest.NewApp(t, nil), jsii.String("apis"), nil)
	authorizer, err := latchkey.NewHTTPAuthorizer(stack, "Authorizer", latchkey.AuthorizerProps{
		Service: plainReference, Bootstraps: stacktest.StubBootstraps(t, operation.Authorizer.Name), API: apiOf(withNothing),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		compare(t, any("authorizer Authorizer protects one API and cannot protect another"), recover())
	}()
	for _, name := range []string{"One", "Two"} {
		api := awsapigatewayv2.NewHttpApi(stack, &name, nil)
		routes := *api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: jsii.String("/orders"), Integration: backend()})
		authorizer.Bind(&awsapigatewayv2.HttpRouteAuthorizerBindOptions{Route: routes[0], Scope: api})
	}
	t.Error("two APIs are protected by one authorizer")
}
