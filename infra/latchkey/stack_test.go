package latchkey_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/function"
	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

// TestTemplate holds the template against the catalogue and the schema. Each
// check compares everything there is of a kind with everything there should be,
// so that what is missing and what is too much both show.
func TestTemplate(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	plain := synthesise(t, latchkey.ServiceProps{},
		sessions{keys: []string{"1"}, issuer: "${API.ApiEndpoint}", audience: "latchkey"})
	rotated := synthesise(t, rotated(), sessions{keys: []string{"2", "1"}, issuer: "https://keys.example.com", audience: "example"})
	dev := synthesise(t, latchkey.Dev(), sessions{keys: []string{"1"}, issuer: "${API.ApiEndpoint}", audience: "latchkey"})
	full := synthesise(t, everything(), sessions{given: everything().SessionKeyARNs, issuer: "https://keys.example.com", audience: "latchkey"})
	t.Run("plain", func(t *testing.T) { checkAll(t, plain) })
	t.Run("dev", func(t *testing.T) { checkAll(t, dev) })
	t.Run("everything", func(t *testing.T) { checkAll(t, full) })
	t.Run("rotated", func(t *testing.T) { checkAll(t, rotated) })
	t.Run("rotation", func(t *testing.T) { checkRotation(t, plain, rotated) })
}

func checkAll(t *testing.T, tmpl template) {
	for name, check := range map[string]func(*testing.T, template){
		"inventory":    checkInventory,
		"table":        checkTable,
		"session keys": checkSessionKeys,
		"functions":    checkFunctions,
		"code":         checkCode,
		"log groups":   checkLogGroups,
		"roles":        checkRoles,
		"policies":     checkPolicies,
		"signers":      checkSigners,
		"strangers":    checkStrangers,
		"wildcards":    checkWildcards,
		"api":          checkAPI,
		"stage":        checkStage,
		"domain":       checkDomain,
		"tags":         checkTags,
		"size":         checkSize,
		"routes":       checkRoutes,
		"permissions":  checkPermissions,
		"feeds":        checkFeeds,
		"filters":      checkFilters,
		"dead letters": checkDeadLetters,
		"outputs":      checkOutputs,
		"dashboard":    checkDashboard,
		"access logs":  checkAccessLogs,
	} {
		t.Run(name, func(t *testing.T) { check(t, tmpl) })
	}
}

// checkRotation sees to it that a new session key replaces nothing: whatever
// there was keeps its logical id, and CloudFormation what stands behind it.
func checkRotation(t *testing.T, before, after template) {
	for _, id := range logicalIDs(t, before) {
		if !slices.Contains(logicalIDs(t, after), id) {
			t.Errorf("%s is gone", id)
		}
	}
}

func checkInventory(t *testing.T, tmpl template) {
	want := map[string]int{
		"AWS::DynamoDB::Table":            1,
		"AWS::KMS::Key":                   len(tmpl.sessions.keys),
		"AWS::ApiGatewayV2::Api":          1,
		"AWS::ApiGatewayV2::Stage":        1,
		"AWS::Lambda::Function":           len(deployed()),
		"AWS::IAM::Role":                  len(deployed()),
		"AWS::Logs::LogGroup":             len(deployed()) + 1, // the access log's
		"AWS::Lambda::Permission":         len(routed()),
		"AWS::ApiGatewayV2::Route":        len(routed()),
		"AWS::ApiGatewayV2::Integration":  len(routed()),
		"AWS::Lambda::EventSourceMapping": len(fed()),
		"AWS::SQS::Queue":                 1,
		"AWS::SQS::QueuePolicy":           1,
		"AWS::CloudWatch::Dashboard":      1,
	}
	if tmpl.props.Domain.Name != "" {
		want["AWS::ApiGatewayV2::DomainName"], want["AWS::ApiGatewayV2::ApiMapping"] = 1, 1
	}
	maps.DeleteFunc(want, func(_ string, count int) bool { return count == 0 })
	got := make(map[string]int)
	for _, resource := range tmpl.Resources {
		got[resource.Type]++
	}
	compare(t, want, got)
}

func checkTable(t *testing.T, tmpl template) {
	want := map[string]resource{"Table": {
		Type: "AWS::DynamoDB::Table",
		Properties: object{
			"BillingMode":                      "PAY_PER_REQUEST",
			"PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": !tmpl.props.Table.WithoutPointInTimeRecovery},
			"DeletionProtectionEnabled":        !tmpl.props.Table.WithoutDeletionProtection,
			"SSESpecification":                 object{"SSEEnabled": true},
			"StreamSpecification":              object{"StreamViewType": schema.Table.StreamView},
			"TimeToLiveSpecification":          object{"AttributeName": schema.Table.TTL, "Enabled": true},
			"KeySchema":                        keySchema(schema.Table.PartitionKey, schema.Table.SortKey),
			"AttributeDefinitions":             attributeDefinitions(),
			"GlobalSecondaryIndexes":           indexes(),
		},
		DeletionPolicy:      removal(tmpl),
		UpdateReplacePolicy: removal(tmpl),
	}}
	if key := tmpl.props.Table.KeyARN; key != "" {
		want["Table"].Properties["SSESpecification"] = object{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": key}
	}
	if name := tmpl.props.Table.Name; name != "" {
		want["Table"].Properties["TableName"] = name
	}
	got := tmpl.OfType("AWS::DynamoDB::Table")
	sortBy("AttributeName", got["Table"].Properties["AttributeDefinitions"])
	compare(t, want, got)
}

// removal is what becomes of what outlives a stack of production.
func removal(tmpl template) string {
	if tmpl.props.RemovalPolicy == awscdk.RemovalPolicy_DESTROY {
		return "Delete"
	}
	return "Retain"
}

func keySchema(partition, sort string) []any {
	return []any{
		object{"AttributeName": partition, "KeyType": "HASH"},
		object{"AttributeName": sort, "KeyType": "RANGE"},
	}
}

func attributeDefinitions() []any {
	names := []string{schema.Table.PartitionKey, schema.Table.SortKey}
	for _, index := range schema.Table.Indexes {
		names = append(names, index.PartitionKey, index.SortKey)
	}
	slices.Sort(names)
	var definitions []any
	for _, name := range slices.Compact(names) {
		definitions = append(definitions, object{"AttributeName": name, "AttributeType": "S"})
	}
	return definitions
}

func indexes() []any {
	var all []any
	for _, index := range schema.Table.Indexes {
		all = append(all, object{
			"IndexName":  index.Name,
			"KeySchema":  keySchema(index.PartitionKey, index.SortKey),
			"Projection": object{"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.Projected)},
		})
	}
	return all
}

// checkSessionKeys has the one policy in which everything is allowed: that of a
// key, whose resource "*" is the key, leaves the account's IAM to say who may
// use it.
func checkSessionKeys(t *testing.T, tmpl template) {
	want := make(map[string]resource)
	for _, name := range tmpl.sessions.keys {
		want["SessionKey"+name] = resource{
			Type: "AWS::KMS::Key",
			Properties: object{
				"Description": "Session key " + name + " of " + stackName,
				"KeySpec":     "RSA_2048",
				"KeyUsage":    "SIGN_VERIFY",
				"KeyPolicy": object{"Version": "2012-10-17", "Statement": []any{object{
					"Action":    "kms:*",
					"Effect":    "Allow",
					"Principal": object{"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
					"Resource":  "*",
				}}},
			},
			DeletionPolicy:      removal(tmpl),
			UpdateReplacePolicy: removal(tmpl),
		}
		if removal(tmpl) == "Delete" {
			want["SessionKey"+name].Properties["PendingWindowInDays"] = 7.0
		}
	}
	compare(t, want, tmpl.OfType("AWS::KMS::Key"))
}

func checkFunctions(t *testing.T, tmpl template) {
	want := make(map[string]object)
	for _, op := range deployed() {
		want[id(op, "Function")] = functionOf(op, tmpl)
	}
	got := tmpl.Properties("AWS::Lambda::Function")
	compare(t, want, stacktest.Without("Code", got))
}

func functionOf(op operation.Operation, tmpl template) object {
	properties := stacktest.Function(id(op, ""), op)
	properties["FunctionName"] = functionName(op)
	properties["Environment"] = stacktest.Environment(op, environment(op, tmpl.sessions, tmpl.props.Table.RetentionDays))
	level := tmpl.props.Functions.LogLevel
	if level != "" && !(level == awslambda.ApplicationLogLevel_WARN && op.Caller == operation.IAM) {
		properties["LoggingConfig"].(object)["ApplicationLogLevel"] = string(level)
	}
	if tmpl.props.Functions.Tracing {
		properties["TracingConfig"] = object{"Mode": "Active"}
	}
	if reserved, ok := tmpl.props.ReservedConcurrency[op.Name]; ok {
		properties["ReservedConcurrentExecutions"] = float64(reserved)
	}
	return properties
}

func environment(op operation.Operation, s sessions, retentionDays int) object {
	variables := object{operation.ServiceNameVariable: stackName}
	if op.WritesItems() {
		variables[operation.RetentionVariable] = strconv.Itoa(orMonth(retentionDays))
	}
	if op.UsesTable() {
		variables[operation.TableNameVariable] = "${Table}"
	}
	if op.UsesSessions() {
		variables[operation.SessionKeysVariable] = strings.Join(sessionKeys(s), ",")
		variables[operation.SessionIssuerVariable] = s.issuer
		variables[operation.SessionAudienceVariable] = s.audience
	}
	return variables
}

// orMonth is for how many days things are kept if nobody says.
func orMonth(days int) int {
	if days == 0 {
		return 30
	}
	return days
}

func sessionKeys(s sessions) []string {
	arns := slices.Clone(s.given)
	for _, name := range s.keys {
		arns = append(arns, "${SessionKey"+name+".Arn}")
	}
	return arns
}

// checkCode follows each function to its asset.
func checkCode(t *testing.T, tmpl template) {
	for _, op := range deployed() {
		compare(t, op.Name, tmpl.Bootstrap(t, id(op, "Function")))
	}
}

func checkLogGroups(t *testing.T, tmpl template) {
	names := map[string]string{"AccessLogs": "/aws/vendedlogs/" + stackName + "-access"}
	for _, op := range deployed() {
		names[id(op, "Logs")] = "/aws/lambda/" + functionName(op)
	}
	want := make(map[string]resource)
	for id, name := range names {
		want[id] = resource{
			Type:                "AWS::Logs::LogGroup",
			Properties:          object{"LogGroupName": name, "RetentionInDays": float64(orMonth(tmpl.props.Functions.LogRetentionDays))},
			DeletionPolicy:      "Delete",
			UpdateReplacePolicy: "Delete",
		}
	}
	compare(t, want, tmpl.OfType("AWS::Logs::LogGroup"))
}

// checkRoles sees to it that Lambda alone assumes a role, and that a role has no
// managed policy.
func checkRoles(t *testing.T, tmpl template) {
	want := make(map[string]object)
	for _, op := range deployed() {
		want[id(op, "Role")] = object{"AssumeRolePolicyDocument": object{
			"Version": "2012-10-17",
			"Statement": []any{object{
				"Action":    "sts:AssumeRole",
				"Effect":    "Allow",
				"Principal": object{"Service": "lambda.amazonaws.com"},
			}},
		}}
	}
	compare(t, want, stacktest.Without("Policies", tmpl.Properties("AWS::IAM::Role")))
}

func checkPolicies(t *testing.T, tmpl template) {
	want, got := make(map[string][]string), make(map[string][]string)
	for _, op := range deployed() {
		want[id(op, "Role")] = slices.Sorted(slices.Values(slices.Concat(
			logPairs(op), tablePairs(t, op), sessionPairs(t, op, tmpl.sessions), streamPairs(op),
			tableKeyPairs(op, tmpl.props.Table.KeyARN), tracePairs(tmpl.props.Functions))))
	}
	for role, properties := range tmpl.Properties("AWS::IAM::Role") {
		got[role] = stacktest.Allowed(t, properties)
	}
	compare(t, want, got)
}

func logPairs(op operation.Operation) []string {
	logs := "${" + id(op, "Logs") + ".Arn}"
	return []string{"logs:CreateLogStream on " + logs, "logs:PutLogEvents on " + logs}
}

func tablePairs(t *testing.T, op operation.Operation) []string {
	t.Helper()
	var want []string
	for _, touch := range op.Touches {
		resource := "${Table.Arn}"
		if touch.Index != "" {
			resource += "/index/" + touch.Index
		}
		want = append(want, fmt.Sprintf("dynamodb:%s on %s%s", touch.Action, resource, confinement(t, touch)))
	}
	return want
}

// confinement is the condition of a touch. It knows no confined action but UpdateItem:
// PutItem and DeleteItem replace what they are not to touch, and a read is confined by
// what it selects.
func confinement(t *testing.T, touch operation.Touch) string {
	t.Helper()
	attributes := operation.AttributesOf(touch)
	if attributes == nil {
		return ""
	}
	if touch.Action != operation.UpdateItem {
		t.Errorf("a confined action that is not known here: %s", touch.Action)
	}
	return " if " + encode(t, object{
		"ForAllValues:StringEquals": object{"dynamodb:Attributes": attributes},
		"Null":                      object{"dynamodb:Attributes": "false"},
		"StringEquals":              object{"dynamodb:ReturnValues": "NONE"},
	})
}

// tableKeyPairs let nobody decrypt by himself, nor anything of another table.
func tableKeyPairs(op operation.Operation, key string) []string {
	if key == "" || !op.UsesTable() {
		return nil
	}
	return []string{"kms:Decrypt on " + key + ` if {"StringEquals":{"kms:EncryptionContext:aws:dynamodb:tableName":"${Table}",` +
		`"kms:ViaService":"dynamodb.${AWS::Region}.amazonaws.com"}}`}
}

func tracePairs(settings function.Settings) []string {
	if !settings.Tracing {
		return nil
	}
	return []string{"xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *"}
}

func streamPairs(op operation.Operation) []string {
	if op.Caller != operation.Stream {
		return nil
	}
	const stream = " on ${Table.StreamArn}"
	return []string{
		"dynamodb:DescribeStream" + stream, "dynamodb:GetRecords" + stream,
		"dynamodb:GetShardIterator" + stream, "dynamodb:ListStreams" + stream,
		"sqs:SendMessage on ${DeadLetters.Arn}",
	}
}

// conditions knows no action but those of today: a new one fails here until somebody
// says under which condition it should be allowed.
var conditions = map[operation.KeyAction]string{
	operation.Sign:         ` if {"StringEquals":{"kms:MessageType":"DIGEST","kms:SigningAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"}}`,
	operation.GetPublicKey: "",
}

func sessionPairs(t *testing.T, op operation.Operation, s sessions) []string {
	t.Helper()
	var want []string
	for _, action := range op.SessionKeys {
		condition, known := conditions[action]
		if !known {
			t.Errorf("%s: an action on session keys that is not known here: %s", op.Name, action)
		}
		for _, arn := range sessionKeys(s) {
			want = append(want, "kms:"+string(action)+" on "+arn+condition)
		}
	}
	return want
}

// checkSigners holds the catalogue itself to it that the exchanges alone issue tokens.
func checkSigners(t *testing.T, tmpl template) {
	var signers []string
	for id, resource := range tmpl.Resources {
		for _, statement := range stacktest.Statements(resource.Properties) {
			if slices.Contains(stacktest.OneOrMany(statement["Action"]), "kms:Sign") {
				signers = append(signers, id)
			}
		}
	}
	slices.Sort(signers)
	compare(t, []string{id(operation.ExchangeAPIKey, "Role"), id(operation.ExchangeWorkspaceKey, "Role"), id(operation.Login, "Role")}, signers)
}

// checkStrangers holds the catalogue itself to it that whoever shows no credential has
// nothing in the table changed but when a key was used.
func checkStrangers(t *testing.T, tmpl template) {
	roles := tmpl.Properties("AWS::IAM::Role")
	for _, op := range deployed() {
		if op.Caller != operation.Anyone {
			continue
		}
		want := []string{}
		if op.UsesTable() {
			want = []string{
				"dynamodb:GetItem on ${Table.Arn}",
				"dynamodb:UpdateItem on ${Table.Arn} if " +
					`{"ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","used_at"]},` +
					`"Null":{"dynamodb:Attributes":"false"},"StringEquals":{"dynamodb:ReturnValues":"NONE"}}`,
			}
		}
		compare(t, want, slices.DeleteFunc(stacktest.Allowed(t, roles[id(op, "Role")]), func(pair string) bool {
			return !strings.HasPrefix(pair, "dynamodb:")
		}))
	}
}

// untraceable are the actions that have no resource to be allowed on: it is "*", or nothing.
var untraceable = []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}

// never are actions that nobody may do to the table, not even by way of a pattern.
var never = []string{"dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:*"}

// checkWildcards looks at every statement that allows something wherever it stands, but
// in the session keys' own policies, and for what nobody may do at every byte.
func checkWildcards(t *testing.T, tmpl template) {
	found := 0
	for id, resource := range tmpl.Resources {
		if resource.Type == "AWS::KMS::Key" {
			continue
		}
		for _, statement := range stacktest.Statements(resource.Properties) {
			if statement["Effect"] == "Deny" {
				continue
			}
			found++
			for _, action := range stacktest.OneOrMany(statement["Action"]) {
				if strings.ContainsAny(action, "*?") {
					t.Errorf("%s allows %s", id, action)
				}
			}
			for _, resource := range stacktest.OneOrMany(statement["Resource"]) {
				if resource == "*" && slices.Equal(stacktest.OneOrMany(statement["Action"]), untraceable) {
					continue
				}
				if strings.ContainsAny(resource, "*?") {
					t.Errorf("%s allows %v on %s", id, statement["Action"], resource)
				}
			}
		}
	}
	if found < 2*len(deployed()) {
		t.Errorf("%d statements were looked at, fewer than each role's two", found)
	}
	for _, action := range never {
		if strings.Contains(string(tmpl.Raw), action) {
			t.Errorf("the template allows %s", action)
		}
	}
}

func checkAPI(t *testing.T, tmpl template) {
	want := object{
		"Name": stackName, "Description": "Latchkey", "ProtocolType": "HTTP",
		"DisableExecuteApiEndpoint": tmpl.props.Domain.Exclusive,
	}
	if origins := tmpl.props.AllowedOrigins; origins != nil {
		want["CorsConfiguration"] = object{
			"AllowOrigins": list(origins), "AllowCredentials": false, "MaxAge": 7200.0,
			"AllowHeaders": []any{"authorization", "content-type", "request-timeout"},
			"AllowMethods": []any{"DELETE", "GET", "PATCH", "POST", "PUT"},
		}
	}
	compare(t, map[string]object{"API": want}, tmpl.Properties("AWS::ApiGatewayV2::Api"))
}

func checkRoutes(t *testing.T, tmpl template) {
	routes, integrations := make(map[string]object), make(map[string]object)
	for _, op := range routed() {
		routes[id(op, "Route")] = object{
			"ApiId": "${API}", "RouteKey": op.Route, "Target": "integrations/${" + id(op, "Integration") + "}",
		}
		integrations[id(op, "Integration")] = object{
			"ApiId": "${API}", "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
			"IntegrationUri": "${" + id(op, "Function") + ".Arn}",
		}
	}
	compare(t, routes, tmpl.Properties("AWS::ApiGatewayV2::Route"))
	compare(t, integrations, tmpl.Properties("AWS::ApiGatewayV2::Integration"))
}

func checkPermissions(t *testing.T, tmpl template) {
	const arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${API}/"
	want := make(map[string]object)
	for _, op := range routed() {
		want[id(op, "FunctionPermission")] = object{
			"Action":       "lambda:InvokeFunction",
			"FunctionName": "${" + id(op, "Function") + ".Arn}",
			"Principal":    "apigateway.amazonaws.com",
			"SourceArn":    arn + source(op),
		}
	}
	compare(t, want, tmpl.Properties("AWS::Lambda::Permission"))
}

// source is the route in API Gateway's spelling, worked out otherwise than the
// stack does it.
func source(op operation.Operation) string {
	segments := strings.Split(strings.Replace(op.Route, " ", "", 1), "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "*"
		}
	}
	return "*/" + strings.Join(segments, "/")
}

func checkOutputs(t *testing.T, tmpl template) {
	want := map[string]object{
		latchkey.OutputBaseURL:           {"Value": "${API.ApiEndpoint}"},
		latchkey.OutputSessionKeysURL:    {"Value": "${API.ApiEndpoint}/.well-known/jwks.json"},
		latchkey.OutputName:              {"Value": stackName},
		latchkey.OutputTableName:         {"Value": "${Table}"},
		latchkey.OutputTableARN:          {"Value": "${Table.Arn}"},
		latchkey.OutputSessionKeyARNs:    {"Value": strings.Join(sessionKeys(tmpl.sessions), ",")},
		latchkey.OutputIssuer:            {"Value": tmpl.sessions.issuer},
		latchkey.OutputAudience:          {"Value": tmpl.sessions.audience},
		latchkey.OutputBootstrapFunction: {"Value": functionName(operation.Bootstrap)},
		latchkey.OutputDeadLetterQueue:   {"Value": "${DeadLetters.QueueName}"},
		latchkey.OutputDashboard:         {"Value": "${Dashboard}"},
	}
	if key := tmpl.props.Table.KeyARN; key != "" {
		want[latchkey.OutputTableKeyARN] = object{"Value": key}
	}
	if name := tmpl.props.Domain.Name; name != "" {
		want[latchkey.OutputBaseURL] = object{"Value": "https://" + name}
		want[latchkey.OutputSessionKeysURL] = object{"Value": "https://" + name + "/.well-known/jwks.json"}
		want[latchkey.OutputDomainTarget] = object{"Value": "${Domain.RegionalDomainName}"}
	}
	compare(t, want, stacktest.Without("Description", tmpl.Outputs))
}

func TestRefusedSessionKeys(t *testing.T) {
	for name, test := range map[string]struct {
		keys []string
		want string
	}{
		"no name": {[]string{""}, `session key "" must be named with letters, digits and hyphens`},
		"a space": {[]string{"2", " 1"}, `session key " 1" must be named with letters, digits and hyphens`},
		"a path":  {[]string{"a/b"}, `session key "a/b" must be named with letters, digits and hyphens`},
		"twice":   {[]string{"2", "1", "2"}, `session key "2" is named twice`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := latchkey.NewStack(nil, stackName, latchkey.ServiceProps{Bootstraps: stubBootstraps(t), SessionKeys: test.keys})
			compare(t, test.want, fmt.Sprint(err))
		})
	}
}

func TestMissingBootstrap(t *testing.T) {
	op := deployed()[len(deployed())-1]
	for name, spoil := range map[string]func(path string) error{
		"none":           os.Remove,
		"not executable": func(path string) error { return os.Chmod(path, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := stubBootstraps(t)
			path := filepath.Join(dir, op.Name, "bootstrap")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			_, err := latchkey.NewStack(nil, stackName, latchkey.ServiceProps{Bootstraps: dir})
			want := fmt.Sprintf("function %s has no executable %s: build the functions with \"make lambda\"", op.Name, path)
			compare(t, want, fmt.Sprint(err))
		})
	}
}

func functionName(op operation.Operation) string { return stackName + "-" + op.Name }

func routed() []operation.Operation {
	return slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool { return op.Route == "" })
}

func sortBy(key string, nodes any) {
	if nodes, ok := nodes.([]any); ok {
		slices.SortFunc(nodes, func(a, b any) int {
			return strings.Compare(a.(object)[key].(string), b.(object)[key].(string))
		})
	}
}

func list(texts []string) []any {
	var values []any
	for _, text := range texts {
		values = append(values, text)
	}
	return values
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
