package main

import (
	"slices"
	"strings"
	"testing"

	"latchkey/infra/stacktest"
)

type object = stacktest.Object

// The rules of cfn-lint that cloudformation-validate does not have, or has and never finds
// broken, as far as they concern what is in the templates. Each tells whether a resource
// keeps it.
//
// https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md
var rules = map[string]func(stacktest.Resource) bool{
	"E3615": hasAlarmPeriod,
	"E3633": startsInStream,
	"E3638": hasOneBillingMode,
	"W3037": namesKnownActions,
}

// The actions that policies may name, so that a new one is looked up: IAM takes one that does not
// exist, and it allows nothing.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var actions = []string{
	"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
	"dynamodb:DescribeStream", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
	"dynamodb:ListStreams", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
	"kms:*", "kms:Decrypt", "kms:GetPublicKey", "kms:Sign",
	"logs:CreateLogStream", "logs:PutLogEvents",
	"sqs:*", "sqs:SendMessage",
	"sts:AssumeRole",
	"xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

func checkRules(t *testing.T, tmpl stacktest.Template) {
	for id, resource := range tmpl.Resources {
		for rule, keeps := range rules {
			if !keeps(resource) {
				t.Errorf("%s breaks %s", id, rule)
			}
		}
	}
}

func TestBrokenRules(t *testing.T) {
	for _, test := range []struct {
		rule   string
		broken stacktest.Resource
	}{
		{"E3615", stacktest.Resource{Type: "AWS::CloudWatch::Alarm", Properties: object{"Period": 45.0}}},
		{"E3615", stacktest.Resource{Type: "AWS::CloudWatch::Alarm", Properties: object{"Metrics": []any{
			object{"Expression": "m0 + m1"}, object{"MetricStat": object{"Period": 45.0}},
		}}}},
		{"E3633", stacktest.Resource{Type: "AWS::Lambda::EventSourceMapping", Properties: object{"EventSourceArn": "${Table.StreamArn}"}}},
		{"E3638", stacktest.Resource{Type: "AWS::DynamoDB::Table", Properties: object{
			"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": object{"ReadCapacityUnits": 1.0},
		}}},
		{"W3037", stacktest.Resource{Type: "AWS::IAM::Role", Properties: object{"Policies": []any{object{"PolicyDocument": object{
			"Statement": []any{object{"Action": []any{"dynamodb:GetItem", "dynamodb:GetItems"}}},
		}}}}}},
	} {
		for name, keeps := range rules {
			if got, want := keeps(test.broken), name != test.rule; got != want {
				t.Errorf("%v keeps %s: %v", test.broken, name, got)
			}
		}
	}
}

// hasAlarmPeriod wants of an alarm periods of whole minutes, or of 10 or 30 seconds. cfn-lint
// looks at the one of a single metric; those of metrics that are added up follow the same rule.
func hasAlarmPeriod(resource stacktest.Resource) bool {
	if resource.Type != "AWS::CloudWatch::Alarm" {
		return true
	}
	periods := []any{resource.Properties["Period"]}
	metrics, _ := resource.Properties["Metrics"].([]any)
	for _, metric := range metrics {
		stat, _ := metric.(object)["MetricStat"].(object)
		periods = append(periods, stat["Period"])
	}
	return !slices.ContainsFunc(periods, func(period any) bool {
		seconds, ok := period.(float64)
		return ok && seconds != 10 && seconds != 30 && int(seconds)%60 != 0
	})
}

// startsInStream wants of a stream's mapping to say where in the stream it starts.
func startsInStream(resource stacktest.Resource) bool {
	source, _ := resource.Properties["EventSourceArn"].(string)
	if resource.Type != "AWS::Lambda::EventSourceMapping" || !strings.HasSuffix(source, ".StreamArn}") {
		return true
	}
	return resource.Properties["StartingPosition"] != nil
}

// hasOneBillingMode wants no throughput of a table that is paid by the request.
func hasOneBillingMode(resource stacktest.Resource) bool {
	return resource.Properties["BillingMode"] != "PAY_PER_REQUEST" || resource.Properties["ProvisionedThroughput"] == nil
}

func namesKnownActions(resource stacktest.Resource) bool {
	for _, statement := range stacktest.Statements(resource.Properties) {
		for _, action := range stacktest.OneOrMany(statement["Action"]) {
			if !slices.Contains(actions, action) {
				return false
			}
		}
	}
	return true
}
