package latchkey_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

// TestAnotherModule has an app of another module use the constructs. The module is made
// from testdata/consumer and our own go.mod, so that it needs nothing but what is there
// already, at the same versions.
func TestAnotherModule(t *testing.T) {
	module, out := newConsumer(t), t.TempDir()
	command := exec.Command("go", "run", ".", stacktest.StubBootstraps(t, allNames()...), out)
	command.Dir, command.Env = module, offline()
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	templates := stacktest.Read(t, out)
	checkConsumerAPIs(t, templates["apis"])
	functions, owners := templates["core"].Properties("AWS::Lambda::Function"), 0
	for _, properties := range functions {
		if strings.HasPrefix(properties["FunctionName"].(string), "core-") {
			owners++
		}
	}
	compare(t, len(deployed()), owners)
}

// newConsumer writes the module into a directory outside of ours.
func newConsumer(t *testing.T) (dir string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for to, from := range map[string]string{
		"main.go": "testdata/consumer/main.go", "go.mod": "../../go.mod", "go.sum": "../../go.sum",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit := exec.Command("go", "mod", "edit", "-module=example.com/platform",
		"-require=latchkey@v0.0.0", "-replace=latchkey="+root)
	edit.Dir, edit.Env = dir, offline()
	if output, err := edit.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return dir
}

// offline is the environment of a module that stands alone and may fetch nothing.
func offline() []string {
	return append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=readonly")
}

func allNames() []string {
	var names []string
	for _, op := range operation.All {
		names = append(names, op.Name)
	}
	return names
}

func checkConsumerAPIs(t *testing.T, tmpl stacktest.Template) {
	const source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
	permissions := make(map[string]string)
	for _, permission := range tmpl.Properties("AWS::Lambda::Permission") {
		compare(t, "lambda:InvokeFunction", permission["Action"].(string))
		permissions[permission["FunctionName"].(string)] = permission["Principal"].(string) + " for " + permission["SourceArn"].(string)
	}
	compare(t, map[string]string{
		"${HTTPAuthorizerFunction.Arn}": "apigateway.amazonaws.com for " +
			source + "${HTTP}/authorizers/${HTTPHTTPAuthorizer}",
		"${RESTAuthorizerFunction.Arn}": "apigateway.amazonaws.com for " +
			source + "${REST}/authorizers/${RESTAuthorizer}",
		"${WebSocketAuthorizerFunction.Arn}": "apigateway.amazonaws.com for " +
			source + "${WebSocket}/authorizers/${WebSocketWebSocketAuthorizer}",
		"${AppSyncAuthorizerFunction.Arn}": "appsync.amazonaws.com for ${AppSync.Arn}",
	}, permissions)

	identities, ttls := make(map[string]any), make(map[string]any)
	for _, kind := range []string{"AWS::ApiGatewayV2::Authorizer", "AWS::ApiGateway::Authorizer"} {
		for id, authorizer := range tmpl.Properties(kind) {
			identities[id], ttls[id] = authorizer["IdentitySource"], authorizer["AuthorizerResultTtlInSeconds"]
		}
	}
	config, _ := tmpl.Properties("AWS::AppSync::GraphQLApi")["AppSync"]["LambdaAuthorizerConfig"].(object)
	ttls["AppSync"] = config["AuthorizerResultTtlInSeconds"]
	compare(t, map[string]any{
		"HTTPHTTPAuthorizer":           []any{"$request.header.Authorization"},
		"RESTAuthorizer":               "method.request.header.x-api-key",
		"WebSocketWebSocketAuthorizer": nil,
	}, identities)
	compare(t, map[string]any{
		"HTTPHTTPAuthorizer": 60.0, "RESTAuthorizer": 0.0, "WebSocketWebSocketAuthorizer": nil, "AppSync": 300.0,
	}, ttls)
}
