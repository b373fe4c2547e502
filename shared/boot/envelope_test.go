package boot_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/table"
	"latchkey/shared/api/unrouted"
	"latchkey/shared/boot"
	"latchkey/shared/boot/guard"
	"latchkey/shared/boot/store"
	"latchkey/shared/dynamo"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/web"
)

// Statuses that mean one kind of fault, whatever the API.
var ofOneKind = map[int]fault.Kind{500: fault.Internal, 503: fault.Unavailable, 504: fault.TimedOut}

// Every API renders every kind of fault, in its envelope, and shows what a client
// may see and nothing else.
func TestEveryEnvelopeHasEveryKind(t *testing.T) {
	for _, path := range []string{"/v1/x", "/api/v1/api-key/x", "/api/v1/login/x", "/api/v1/service_accounts/x", "/api/v1/current-user", "/x"} {
		for _, kind := range fault.Kinds() {
			f := fault.Wrap(kind, errors.New("internals"), "what may be seen")
			response := unrouted.EnvelopeOf(path)(&web.Request{Path: path}, f)
			if response.Status < 400 || response.Status > 599 {
				t.Errorf("%s: %v has the status %d", path, kind, response.Status)
			}
			for status, only := range ofOneKind {
				if (kind == only) != (response.Status == status) {
					t.Errorf("%s: %v has the status %d", path, kind, response.Status)
				}
			}
			text := string(response.Body)
			if !json.Valid(response.Body) || !strings.Contains(text, "what may be seen") || strings.Contains(text, "internals") {
				t.Errorf("%s: %v is %s", path, kind, text)
			}
		}
	}
}

// A client whose time is over is told so in its own protocol's words, through the
// whole function and the store.
func TestClientTimeIsOver(t *testing.T) {
	d := newDeployment(t)
	payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		RawPath:        "/v1/namespaces/demo/api-keys",
		PathParameters: map[string]string{"namespace": "demo"},
		Headers:        map[string]string{"authorization": "Bearer " + d.root.FullKey, "request-timeout": "0.000000001"},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.function(t, operation.ListAPIKeys).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode != 504 {
		t.Errorf("the answer is %s, %v", answer, err)
	}
	want := `{"code":4,"message":"context deadline exceeded","details":[` +
		`{"@type":"type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo","status_code":504}]}`
	if diff := cmp.Diff(want, response.Body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const protectedAPI = `{"namespace":"demo"}`

func TestEveryOperationHasAFunction(t *testing.T) {
	var names, served []string
	for _, op := range operation.All {
		names = append(names, op.Name)
	}
	for _, p := range programs {
		served = append(served, p.operation.Name)
		if _, err := p.function(p.operation, boot.Config{Protected: protectedAPI}); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(names, served); diff != "" {
		t.Errorf("(-operations +programs):\n%s", diff)
	}
}

// A function with a route answers in the envelope of its own API, whatever the path says;
// one that takes every path, in that of the path's.
func TestEnvelopeOfAFunction(t *testing.T) {
	paths := map[operation.API]string{
		operation.Namespaces: "/v1/x", operation.Workspaces: "/api/v1/api-key/x", operation.ServiceAccounts: "/api/v1/login/x", operation.Platform: "/x",
	}
	tooLarge := strings.Repeat(" ", web.MaxBodyBytes+1)
	for _, op := range operation.All {
		for api, path := range paths {
			if op.Route == "" || op.Name == operation.Health.Name {
				continue
			}
			payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{RawPath: path, Body: tooLarge})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := made(t, op, boot.Config{Log: slog.New(slog.DiscardHandler), Clock: time.Now}).Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			if op.Name != operation.NotFound.Name {
				api = op.API
			}
			want := unrouted.EnvelopeOf(paths[api])(&web.Request{}, fault.New(fault.TooLarge, "the body is over the limit of 262144 bytes"))
			var response events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(answer, &response); err != nil || response.Body != string(want.Body) {
				t.Errorf("%s at %s: %s, want %s", op.Name, path, answer, want.Body)
			}
		}
	}
}

// Every variable that is missing is named, and no other.
func TestMissingEnvironment(t *testing.T) {
	nothing := func(string) string { return "" }
	for _, p := range programs {
		wants := map[string]bool{
			operation.ServiceNameVariable:     true,
			operation.TableNameVariable:       p.operation.UsesTable(),
			operation.SessionKeysVariable:     p.operation.UsesSessions(),
			operation.SessionIssuerVariable:   p.operation.UsesSessions(),
			operation.SessionAudienceVariable: p.operation.UsesSessions(),
			operation.ProtectedAPIVariable:    p.operation.Name == operation.Authorizer.Name,
		}
		_, err := boot.FromEnvironment(p.operation, nothing, p.parts...)
		for variable, wanted := range wants {
			if named := err != nil && strings.Contains(err.Error(), variable); named != wanted {
				t.Errorf("%s, %s: %v", p.operation.Name, variable, err)
			}
		}
	}
}

// Who stores nothing that has an end need not be told of a retention; one that cannot be
// meant is refused by whoever can store something.
func TestRefusedRetention(t *testing.T) {
	const refusal = "RETENTION_DAYS must be a number of days from 1 to 3650"
	for value, wants := range map[string]bool{
		"": true, "1": true, "30": true, "3650": true,
		"0": false, "-1": false, "3651": false, "30d": false, " 30": false, "1e3": false, "99999999999999999999": false,
	} {
		for _, p := range programs {
			_, err := boot.FromEnvironment(p.operation, func(name string) string {
				if name == operation.RetentionVariable {
					return value
				}
				return protectedAPI
			}, p.parts...)
			if refused := err != nil && strings.Contains(err.Error(), refusal); refused == (wants || !p.operation.UsesTable() || p.operation.OnlyVerifies()) {
				t.Errorf("%s, %q: %v", p.operation.Name, value, err)
			}
		}
	}
}

// What is stored stays for as long after its end as the environment says.
func TestRetentionIsStored(t *testing.T) {
	d, config := newDeployment(t), database.NewTable(t)
	config.Table = d.table
	for value, days := range map[string]time.Duration{"": 30, "7": 7} {
		variables := map[string]string{
			operation.ServiceNameVariable: "latchkey", operation.RetentionVariable: value,
			operation.TableNameVariable: config.Table, operation.DynamoDBVariable: config.Endpoint,
			"AWS_REGION": config.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		}
		made, err := boot.FromEnvironment(operation.Bootstrap, func(name string) string { return variables[name] }, store.DynamoDB)
		if err != nil {
			t.Fatal(err)
		}
		d.config.Records, d.config.Store = made.Records, made.Store
		end := time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
		key := d.create(t, `{"meta":{"name":"ci"},"spec":{"expiration_time":"`+end.Format(time.RFC3339)+`","permissions":{"roles":["SYSTEM_ROLE_READ_ONLY"]}}}`)
		if got, want := purgeAt(t, config, key.UUID), end.Add(days*24*time.Hour).Unix(); got != strconv.FormatInt(want, 10) {
			t.Errorf("with %q a key is purged at %s, want %d", value, got, want)
		}
	}
}

// purgeAt is what a key of the namespace demo has for TTL.
func purgeAt(t *testing.T, config dynamo.Config, id string) string {
	t.Helper()
	out, err := table.Client(config.Endpoint).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &config.Table, Key: map[string]types.AttributeValue{
			schema.PartitionKey: &types.AttributeValueMemberS{Value: schema.KeyPartition("demo", id)},
			schema.SortKey:      &types.AttributeValueMemberS{Value: schema.KeyItem},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	at, _ := out.Item[schema.PurgeAt].(*types.AttributeValueMemberN)
	if at == nil {
		return ""
	}
	return at.Value
}

// Where everything is set, the parts that are named are there, and no others.
func TestFromEnvironment(t *testing.T) {
	for _, p := range programs {
		config, err := boot.FromEnvironment(p.operation, func(name string) string {
			if name == operation.RetentionVariable {
				return "30"
			}
			return protectedAPI
		}, p.parts...)
		if err != nil {
			t.Fatal(err)
		}
		managesKeys := p.operation.UsesTable() && !p.operation.OnlyVerifies()
		if (config.Records != nil) != p.operation.UsesTable() || (config.Store != nil) != managesKeys ||
			(config.Sessions.KeyStore != nil) != p.operation.UsesSessions() {
			t.Errorf("%s: records %T, store %T, keys of sessions %T",
				p.operation.Name, config.Records, config.Store, config.Sessions.KeyStore)
		}
		if _, err := p.function(p.operation, config); err != nil || config.Clock == nil || config.Random == nil || config.Log == nil {
			t.Errorf("%s: %+v, %v", p.operation.Name, config, err)
		}
	}
}

// What is wrong with the protected API ends the function before its first event.
func TestAuthorizerOfABadAPI(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"namespace":"demo","unknown":1}`, `{"namespace":"demo","routes":{"GET":{}}}`} {
		if _, err := guard.Authorizer(operation.Authorizer, boot.Config{Protected: text}); err == nil {
			t.Errorf("%q makes an authorizer", text)
		}
	}
}
