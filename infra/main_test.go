package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/example"
	"latchkey/infra/function"
	"latchkey/infra/latchkey"
	"latchkey/infra/names"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

// everything is each setting, and but for the preset with another value than without it: the
// preset dev would say some of them by itself.
var everything = map[string]any{
	"preset": "prod", "stack": "staging", "removalPolicy": "destroy", "deletionProtection": "false", "pointInTimeRecovery": "false",
	"retentionDays": "7", "tableName": "api-keys", "tableKeyArn": "arn:t", "sessionKeys": "2,1", "sessionKeyArns": "arn:2,arn:1",
	"issuer": "https://keys.example.com", "audience": "example", "domain": "keys.example.com", "certificateArn": "arn:c",
	"executeApi": "false", "allowedOrigins": "https://a.example.com,https://b.example.com", "throttles": "login=50/20,health=10/5",
	"reservedConcurrency": "login=10,health=1", "logRetentionDays": "90", "logLevel": "DEBUG", "tracing": "true",
	"alarmTopic": "arn:a", "dashboard": "false", "accessLogs": "false",
	"tags": "team=platform,note=a=b,empty=", "example": "true",
}

func TestConfigure(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for name, test := range map[string]struct {
		context map[string]any
		want    deployment
	}{
		"nothing":     {nil, deployment{name: "latchkey"}},
		"production":  {map[string]any{"preset": "prod"}, deployment{name: "latchkey"}},
		"development": {map[string]any{"preset": "dev", "stack": "try"}, deployment{name: "try", props: latchkey.Dev()}},
		"a property of a preset": {
			map[string]any{"preset": "dev", "stack": "try", "pointInTimeRecovery": "true", "logRetentionDays": "14"},
			deployment{name: "try", props: latchkey.ServiceProps{
				RemovalPolicy: awscdk.RemovalPolicy_DESTROY, Table: latchkey.TableProps{WithoutDeletionProtection: true},
				Functions: function.Settings{LogRetentionDays: 14},
			}},
		},
		"everything": {everything, deployment{name: "staging", example: true, props: latchkey.ServiceProps{
			RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
			Table: latchkey.TableProps{
				Name: "api-keys", RetentionDays: 7, KeyARN: "arn:t", WithoutDeletionProtection: true, WithoutPointInTimeRecovery: true,
			},
			SessionKeys: []string{"2", "1"}, SessionKeyARNs: []string{"arn:2", "arn:1"},
			Issuer: "https://keys.example.com", Audience: "example",
			Domain:              latchkey.Domain{Name: "keys.example.com", CertificateARN: "arn:c", Exclusive: true},
			AllowedOrigins:      []string{"https://a.example.com", "https://b.example.com"},
			Throttles:           map[string]operation.Throttle{"login": {Rate: 50, Burst: 20}, "health": {Rate: 10, Burst: 5}},
			ReservedConcurrency: map[string]int{"login": 10, "health": 1},
			Functions:           function.Settings{LogRetentionDays: 90, LogLevel: "DEBUG", Tracing: true},
			Alarms:              latchkey.Alarms{Topic: "arn:a"},
			WithoutDashboard:    true,
			WithoutAccessLogs:   true,
			Tags:                map[string]string{"team": "platform", "note": "a=b", "empty": ""},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got deployment
			if err := got.configure(newApp(test.context)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(deployment{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRefusedContext(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for _, setting := range settings {
		if everything[setting.name] == nil {
			t.Errorf("no test sets %s", setting.name)
		}
		for _, value := range []any{"", 2, []any{"2", "1"}} {
			err := new(deployment).configure(newApp(map[string]any{setting.name: value}))
			compare(t, "context "+setting.name+" must be a text that is not empty", fmt.Sprint(err))
		}
	}
	const pairs = ", separated by commas, each name once"
	for _, test := range []struct{ name, value, want string }{
		{"preset", "Dev", `must be "prod" or "dev"`},
		{"removalPolicy", "RETAIN", `must be "retain" or "destroy"`},
		{"deletionProtection", "no", `must be "true" or "false"`},
		{"tracing", "on", `must be "true" or "false"`},
		{"retentionDays", "0", "must be a whole number from 1 on"},
		{"logRetentionDays", "week", "must be a whole number from 1 on"},
		{"executeApi", "no", `must be "true" or "false"`},
		{"executeApi", "false", `"false" leaves the API nowhere to answer: set domain and certificateArn, too`},
		{"throttles", "login=50", "must be pairs as login=50/20" + pairs},
		{"throttles", "login=50/20,login=1/1", "must be pairs as login=50/20" + pairs},
		{"throttles", "login=0/20", "must be pairs as login=50/20" + pairs},
		{"reservedConcurrency", "login=1.5", "must be pairs as validate-api-key=200" + pairs},
		{"tags", "team", "must be pairs as team=platform" + pairs},
		{"tags", "=platform", "must be pairs as team=platform" + pairs},
		{"example", "yes", `must be "true", or not be there`},
	} {
		err := new(deployment).configure(newApp(map[string]any{test.name: test.value}))
		compare(t, "context "+test.name+" "+test.want, fmt.Sprint(err))
	}
}

// A setting that is misspelt must not pass for one that nobody made.
func TestRefusedNames(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for _, name := range []string{"presets", "Preset", "log-level", "log_level", "tableName2", " preset", ""} {
		err := new(deployment).configure(newApp(map[string]any{"preset": "prod", name: "dev"}))
		compare(t, "context "+name+` is no setting: the README has a table of all, below "Deploy it"`, fmt.Sprint(err))
	}
}

// What CDK itself puts into the context, or reads there, is no setting.
func TestNamesOfCDK(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	context := stacktest.ContextOf(t, "../cdk.json")
	for _, name := range []string{
		"@aws-cdk/core:newStyleStackSynthesis", "aws-cdk:enableDiffNoFail", "aws:cdk:bundling-stacks",
		"aws:cdk:enable-path-metadata", "acknowledged-issue-numbers", "cli-telemetry",
		"availability-zones:account=123456789012:region=eu-west-1", "hosted-zone:account=123456789012:domainName=example.com:region=eu-west-1",
	} {
		context[name] = true
	}
	var got deployment
	if err := got.configure(newApp(context)); err != nil {
		t.Fatal(err)
	}
	compare(t, names.Stack, got.name)
}

// What leaves nothing behind is never the stack that is meant where nobody names one.
func TestRefusedDevelopment(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for _, context := range []map[string]any{{"preset": "dev"}, {"preset": "dev", "stack": "latchkey"}} {
		err := new(deployment).configure(newApp(context))
		compare(t, `context preset "dev" must not be applied to the stack "latchkey": name another, as STACK=try`, fmt.Sprint(err))
	}
}

// The example is deployed if asked for, and by default is not even looked for.
func TestExample(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	var all []string
	for _, op := range operation.All {
		all = append(all, op.Name)
	}
	props := latchkey.ServiceProps{Bootstraps: stacktest.StubBootstraps(t, all...)}
	alone := stacktest.NewApp(t, nil)
	if err := (deployment{name: "keys", props: props}).addTo(alone); err != nil {
		t.Fatal(err)
	}
	compare(t, []string{"keys"}, slices.Sorted(maps.Keys(stacktest.Synthesise(t, alone))))
	props.Bootstraps = stacktest.StubBootstraps(t, append(all, example.Orders.Name)...)
	both := stacktest.NewApp(t, nil)
	if err := (deployment{name: "keys", example: true, props: props}).addTo(both); err != nil {
		t.Fatal(err)
	}
	compare(t, []string{"keys", "keys-example"}, slices.Sorted(maps.Keys(stacktest.Synthesise(t, both))))
}

func newApp(context map[string]any) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{Context: &context})
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
