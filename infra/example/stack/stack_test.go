package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/example"
	"latchkey/infra/example/stack"
	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

const name = "orders"

type object = stacktest.Object

// A service is what the stack should know of one, as the template says it.
type service struct {
	name             string
	table, tableARN  string
	keys             []string // the ARNs of the session keys
	issuer, audience string
}

func TestBesideItsService(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	app := stacktest.NewApp(t, stacktest.ContextOf(t, "../../../cdk.json"))
	bootstraps := stubBootstraps(t)
	keys, err := latchkey.NewStack(app, "keys", latchkey.ServiceProps{Bootstraps: bootstraps})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stack.NewStack(app, name, stack.Props{Bootstraps: bootstraps, Service: keys.Reference()}); err != nil {
		t.Fatal(err)
	}
	check(t, stacktest.Synthesise(t, app)[name], service{
		name: "keys", table: "${keys/Table}", tableARN: "${keys/Table.Arn}", keys: []string{"${keys/SessionKey1.Arn}"},
		issuer: "${keys/API.ApiEndpoint}", audience: "latchkey",
	})
}

// With a service of another app nothing is imported.
func TestAlone(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	const table, key = "arn:aws:dynamodb:eu-central-1:123456789012:table/keys", "arn:aws:kms:eu-central-1:123456789012:key/"
	app := stacktest.NewApp(t, stacktest.ContextOf(t, "../../../cdk.json"))
	_, err := stack.NewStack(app, name, stack.Props{Bootstraps: stubBootstraps(t), Service: latchkey.ServiceReference{
		Name: "other", TableName: "keys", TableARN: table, SessionKeyARNs: []string{key + "a", key + "b"},
		Issuer: "https://keys.example.com", Audience: "example",
	}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, stacktest.Synthesise(t, app)[name], service{
		name: "other", table: "keys", tableARN: table, keys: []string{key + "a", key + "b"},
		issuer: "https://keys.example.com", audience: "example",
	})
}

func check(t *testing.T, tmpl stacktest.Template, s service) {
	for name, check := range map[string]func(*testing.T, stacktest.Template){
		"inventory":   checkInventory,
		"routes":      checkRoutes,
		"authorizer":  checkAuthorizer,
		"permissions": checkPermissions,
		"functions":   func(t *testing.T, tmpl stacktest.Template) { checkFunctions(t, tmpl, s) },
		"policies":    func(t *testing.T, tmpl stacktest.Template) { checkPolicies(t, tmpl, s) },
	} {
		t.Run(name, func(t *testing.T) { check(t, tmpl) })
	}
}

func checkInventory(t *testing.T, tmpl stacktest.Template) {
	got := make(map[string]int)
	for _, resource := range tmpl.Resources {
		got[resource.Type]++
	}
	compare(t, map[string]int{
		"AWS::ApiGatewayV2::Api":         1,
		"AWS::ApiGatewayV2::Stage":       1,
		"AWS::ApiGatewayV2::Authorizer":  1,
		"AWS::ApiGatewayV2::Integration": 1,
		"AWS::ApiGatewayV2::Route":       len(example.Routes()),
		"AWS::Lambda::Function":          2,
		"AWS::Lambda::Permission":        2,
		"AWS::IAM::Role":                 2,
		"AWS::Logs::LogGroup":            2,
	}, got)
	compare(t, map[string]object{stack.OutputBaseURL: {"Value": "${API.ApiEndpoint}"}}, stacktest.Without("Description", tmpl.Outputs))
}

// checkRoutes has every route behind the authorizer.
func checkRoutes(t *testing.T, tmpl stacktest.Template) {
	want, got := make(map[string]object), make(map[string]object)
	for _, key := range example.Routes() {
		want[key] = object{
			"ApiId": "${API}", "RouteKey": key, "Target": "integrations/${APIGETordersIntegration}",
			"AuthorizationType": "CUSTOM", "AuthorizerId": "${APIAuthorizer}",
		}
	}
	for _, route := range tmpl.Properties("AWS::ApiGatewayV2::Route") {
		got[route["RouteKey"].(string)] = route
	}
	compare(t, want, got)
	compare(t, map[string]object{"APIGETordersIntegration": {
		"ApiId": "${API}", "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": "${ordersFunction.Arn}",
	}}, tmpl.Properties("AWS::ApiGatewayV2::Integration"))
}

func checkAuthorizer(t *testing.T, tmpl stacktest.Template) {
	compare(t, map[string]object{"APIAuthorizer": {
		"ApiId": "${API}", "Name": "Authorizer", "AuthorizerType": "REQUEST",
		"AuthorizerPayloadFormatVersion": "2.0",
		"EnableSimpleResponses":          false,
		"AuthorizerResultTtlInSeconds":   0.0,
		"IdentitySource":                 []any{"$request.header.Authorization"},
		"AuthorizerUri": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" +
			"${AuthorizerFunction.Arn}/invocations",
	}}, tmpl.Properties("AWS::ApiGatewayV2::Authorizer"))
}

func checkPermissions(t *testing.T, tmpl stacktest.Template) {
	const arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${API}/"
	want, got := make(map[string]object), make(map[string]object)
	for function, source := range map[string]string{
		"${AuthorizerFunction.Arn}": arn + "authorizers/${APIAuthorizer}",
		"${ordersFunction.Arn}":     arn + "*/*/*",
	} {
		want[function] = object{
			"Action": "lambda:InvokeFunction", "FunctionName": function,
			"Principal": "apigateway.amazonaws.com", "SourceArn": source,
		}
	}
	for _, permission := range tmpl.Properties("AWS::Lambda::Permission") {
		got[permission["FunctionName"].(string)] = permission
	}
	compare(t, want, got)
}

func checkFunctions(t *testing.T, tmpl stacktest.Template, s service) {
	api, err := example.Protected().Encode()
	if err != nil {
		t.Fatal(err)
	}
	authorizer := stacktest.Function("Authorizer", operation.Authorizer)
	authorizer["Environment"] = stacktest.Environment(operation.Authorizer, object{
		"SERVICE_NAME": s.name, "TABLE_NAME": s.table, "SESSION_KEYS": strings.Join(s.keys, ","), "SESSION_ISSUER": s.issuer, "SESSION_AUDIENCE": s.audience,
		"PROTECTED_API": api,
	})
	orders := stacktest.Function("orders", example.Orders)
	orders["Environment"] = stacktest.Environment(example.Orders, nil)
	compare(t, map[string]object{"AuthorizerFunction": authorizer, "ordersFunction": orders},
		stacktest.Without("Code", tmpl.Properties("AWS::Lambda::Function")))
	compare(t, operation.Authorizer.Name, tmpl.Bootstrap(t, "AuthorizerFunction"))
	compare(t, example.Orders.Name, tmpl.Bootstrap(t, "ordersFunction"))
}

// checkPolicies gives the authorizer what it does to the service, and the orders nothing
// but their log.
func checkPolicies(t *testing.T, tmpl stacktest.Template, s service) {
	authorizer := []string{
		"dynamodb:GetItem on " + s.tableARN,
		"dynamodb:UpdateItem on " + s.tableARN + ` if {"ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","used_at"]},` +
			`"Null":{"dynamodb:Attributes":"false"},"StringEquals":{"dynamodb:ReturnValues":"NONE"}}`,
	}
	for _, key := range s.keys {
		authorizer = append(authorizer, "kms:GetPublicKey on "+key)
	}
	want := map[string][]string{"AuthorizerRole": append(authorizer, logs("Authorizer")...), "ordersRole": logs("orders")}
	got := make(map[string][]string)
	for id, role := range tmpl.Properties("AWS::IAM::Role") {
		got[id] = stacktest.Allowed(t, role)
		compare(t, nil, role["ManagedPolicyArns"])
		compare[any](t, object{"Version": "2012-10-17", "Statement": []any{object{
			"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": object{"Service": "lambda.amazonaws.com"},
		}}}, role["AssumeRolePolicyDocument"])
	}
	compare(t, want, got)
}

func logs(id string) []string {
	return []string{"logs:CreateLogStream on ${" + id + "Logs.Arn}", "logs:PutLogEvents on ${" + id + "Logs.Arn}"}
}

func TestMissingBootstraps(t *testing.T) {
	_, err := stack.NewStack(nil, name, stack.Props{Bootstraps: "elsewhere"})
	compare(t, `function orders has no executable elsewhere/orders/bootstrap: build the functions with "make lambda"`, fmt.Sprint(err))
}

func stubBootstraps(t *testing.T) string {
	t.Helper()
	names := []string{example.Orders.Name}
	for _, op := range operation.All {
		names = append(names, op.Name)
	}
	return stacktest.StubBootstraps(t, names...)
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
