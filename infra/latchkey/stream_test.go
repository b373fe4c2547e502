package latchkey_test

import (
	"slices"
	"testing"

	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
)

func checkFeeds(t *testing.T, tmpl template) {
	want := make(map[string]object)
	for _, op := range fed() {
		want[id(op, "Feed")] = object{
			"EventSourceArn":             "${Table.StreamArn}",
			"FunctionName":               "${" + id(op, "Function") + ".Arn}",
			"StartingPosition":           "TRIM_HORIZON",
			"BatchSize":                  float64(operation.FeedBatch),
			"BisectBatchOnFunctionError": true,
			"MaximumRetryAttempts":       float64(operation.FeedRetries),
			"DestinationConfig":          object{"OnFailure": object{"Destination": "${DeadLetters.Arn}"}},
		}
	}
	compare(t, want, stacktest.Without("FilterCriteria", tmpl.Properties("AWS::Lambda::EventSourceMapping")))
}

// checkFilters holds the filters against changes as the stream tells of them.
func checkFilters(t *testing.T, tmpl template) {
	mappings := tmpl.Properties("AWS::Lambda::EventSourceMapping")
	for _, op := range fed() {
		text := object{op.Feed: object{"S": "2026-01-01T00:00:00Z"}}
		other := object{schema.PurgeAt: object{"N": "1767225600"}}
		for name, test := range map[string]struct {
			change object
			want   bool
		}{
			"given":              {change("MODIFY", other, text), true},
			"changed":            {change("MODIFY", text, text), true},
			"there from then on": {change("INSERT", nil, text), true},
			"taken away":         {change("MODIFY", text, other), false},
			"never there":        {change("MODIFY", other, other), false},
			"another item":       {change("INSERT", nil, other), false},
			"item deleted":       {change("REMOVE", text, nil), false},
		} {
			if got := passes(t, mappings[id(op, "Feed")], test.change); got != test.want {
				t.Errorf("%s: a change with %s %s is sent: %v", op.Name, op.Feed, name, got)
			}
		}
	}
}

// change is a record of the stream. An image that is nil is not in it.
func change(event string, before, after object) object {
	images := object{"Keys": object{schema.PartitionKey: object{"S": "a#account/x"}}}
	if before != nil {
		images["OldImage"] = before
	}
	if after != nil {
		images["NewImage"] = after
	}
	return object{"eventName": event, "dynamodb": images}
}

// passes tells whether one of a mapping's filters lets a record through.
func passes(t *testing.T, mapping object, record object) bool {
	t.Helper()
	criteria, _ := mapping["FilterCriteria"].(object)
	filters, _ := criteria["Filters"].([]any)
	return slices.ContainsFunc(filters, func(filter any) bool {
		var pattern object
		decode(t, []byte(filter.(object)["Pattern"].(string)), &pattern)
		return matches(pattern, record)
	})
}

// matches reads a pattern as Lambda does, as far as patterns go here: each of its
// names must be in the record, with a value that one of the rules is for.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
func matches(pattern object, record any) bool {
	values, ok := record.(object)
	for name, rules := range pattern {
		value, there := values[name]
		switch rules := rules.(type) {
		case object:
			ok = ok && matches(rules, value)
		case []any:
			ok = ok && there && slices.ContainsFunc(rules, func(rule any) bool { return holds(rule, value) })
		}
	}
	return ok
}

// holds knows two rules: to be a text, and to exist, which only a value can that
// holds no others.
func holds(rule, value any) bool {
	_, branch := value.(object)
	if rule, ok := rule.(object); ok {
		return rule["exists"] == true && !branch
	}
	return rule == value
}

func checkDeadLetters(t *testing.T, tmpl template) {
	const days = 24 * 60 * 60
	compare(t, map[string]resource{"DeadLetters": {
		Type:                "AWS::SQS::Queue",
		Properties:          object{"SqsManagedSseEnabled": true, "MessageRetentionPeriod": 14.0 * days},
		DeletionPolicy:      "Delete",
		UpdateReplacePolicy: "Delete",
	}}, tmpl.OfType("AWS::SQS::Queue"))
	compare(t, map[string]object{"DeadLettersPolicy": {
		"Queues": []any{"${DeadLetters}"},
		"PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Action":    "sqs:*",
			"Effect":    "Deny",
			"Principal": object{"AWS": "*"},
			"Resource":  "${DeadLetters.Arn}",
			"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
		}}},
	}}, tmpl.Properties("AWS::SQS::QueuePolicy"))
}

// fed gives the operations that the stream calls.
func fed() []operation.Operation {
	return slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool { return op.Caller != operation.Stream })
}
