package latchkey

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/telemetry"
)

// Alarms say who is told when a service is not well, and from when on it is not. The limits
// are what is too much within five minutes; where one is zero, its default holds.
type Alarms struct {
	// Topic is the ARN of the SNS topic that hears of each alarm, when it goes off and when
	// it is over. It must be in the region of the service, let CloudWatch publish, and not
	// be encrypted with AWS's own key for SNS, which lets CloudWatch do nothing. At first it
	// hears of each alarm that it is OK: a new one has INSUFFICIENT_DATA, and leaves that.
	//
	// It takes a Functions.LogLevel of DEBUG or INFO: alarms are made of the lines of requests.
	//
	// Without a topic there are no alarms: one that nobody hears costs as much as others.
	//
	// https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
	Topic string

	Faults        int // answers of 500 or above that no client brought about, and invocations that failed for a reason of ours: 5
	WrongSecrets  int // keys that exist, presented with another secret: 100
	MalformedKeys int // what is presented as a key and is none: 1000
	Refusals      int // requests of ours that DynamoDB or KMS refused or failed, tries that went well later included: 50

	P99Latency time.Duration // of the API, for a quarter of an hour: 1 s
	FeedAge    time.Duration // of a change that the stream's functions have yet to deal with: 15 min
}

func (a Alarms) withDefaults() Alarms {
	a.Faults = cmp.Or(a.Faults, 5)
	a.WrongSecrets = cmp.Or(a.WrongSecrets, 100)
	a.MalformedKeys = cmp.Or(a.MalformedKeys, 1000)
	a.Refusals = cmp.Or(a.Refusals, 50)
	a.P99Latency = cmp.Or(a.P99Latency, time.Second)
	a.FeedAge = cmp.Or(a.FeedAge, 15*time.Minute)
	return a
}

var topicARN = arnOf("sns", "")

func (a Alarms) validate() error {
	switch {
	case a.Topic == "" && a != Alarms{}:
		return errors.New("alarms have limits and no topic: say in Topic who hears of them")
	case min(a.Faults, a.WrongSecrets, a.MalformedKeys, a.Refusals) < 0 || min(a.P99Latency, a.FeedAge) < 0:
		return errors.New("alarms: a limit must not be negative")
	}
	return validateTopic(a.Topic)
}

func validateTopic(arn string) error {
	if arn != "" && !topicARN.MatchString(arn) {
		return fmt.Errorf("alarms: topic %q must be the ARN of an SNS topic", arn)
	}
	return nil
}

// An alarm goes off when the sum of its metrics, less some others, reaches its limit in each
// of some periods on end.
type alarm struct {
	name    string
	meaning string // and what to do first
	metrics []metric
	less    []metric
	limit   float64
	periods int // zero: one

	// sticky keeps an alarm as it is while there are no values. For others no values are
	// good news: nobody calls, or nothing went wrong.
	sticky bool
}

// The most metrics that the expression of one alarm may have.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
const maxAlarmMetrics = 10

// addAlarms adds the alarms, if there is somebody to hear them, and gives their ARNs.
func (s *Service) addAlarms(props Alarms) []string {
	if props.Topic == "" {
		return nil
	}
	scope := constructs.NewConstruct(s.scope, jsii.String("Alarms"))
	var arns []string
	for _, a := range s.alarms(props.withDefaults()) {
		name := s.name + "-" + a.name
		arns = append(arns, *addAlarm(scope, &name, a, props.Topic).AttrArn())
	}
	return arns
}

// addAlarm lets CloudFormation name an alarm that has no name.
func addAlarm(scope constructs.Construct, name *string, a alarm, topic string) awscloudwatch.CfnAlarm {
	missing := "notBreaching"
	if a.sticky {
		missing = "ignore"
	}
	return awscloudwatch.NewCfnAlarm(scope, &a.name, &awscloudwatch.CfnAlarmProps{
		AlarmName:          name,
		AlarmDescription:   &a.meaning,
		Metrics:            queries(a),
		Threshold:          &a.limit,
		EvaluationPeriods:  jsii.Number(max(a.periods, 1)),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
		TreatMissingData:   &missing,
		AlarmActions:       &[]any{topic},
		OkActions:          &[]any{topic},
	})
}

// queries ask for a metric, or for the sum of several and what is taken off it. It is made by
// "+" and "-", for which a metric without a value counts as nothing: AWS advises against SUM
// in alarms, and by FILL the latest minutes would count as nothing whose values are still to
// come. A difference below nothing reaches no limit.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func queries(a alarm) []awscloudwatch.CfnAlarm_MetricDataQueryProperty {
	var expression strings.Builder
	var all []awscloudwatch.CfnAlarm_MetricDataQueryProperty
	metrics := slices.Concat(a.metrics, a.less)
	for i, m := range metrics {
		id := fmt.Sprintf("m%d", i)
		expression.WriteString(operatorAt(i, len(a.metrics)) + id)
		all = append(all, awscloudwatch.CfnAlarm_MetricDataQueryProperty{
			Id: &id, MetricStat: statOf(m), ReturnData: len(metrics) == 1,
		})
	}
	if len(metrics) == 1 {
		return all
	}
	return append(all, awscloudwatch.CfnAlarm_MetricDataQueryProperty{
		Id: jsii.String("sum"), Expression: jsii.String(expression.String()), ReturnData: true,
	})
}

// operatorAt is what stands before a metric, of which the first so many are added up.
func operatorAt(i, added int) string {
	switch {
	case i == 0:
		return ""
	case i < added:
		return " + "
	}
	return " - "
}

func statOf(m metric) awscloudwatch.CfnAlarm_MetricStatProperty {
	var dimensions []awscloudwatch.CfnAlarm_DimensionProperty
	for _, d := range m.dimensions {
		dimensions = append(dimensions, awscloudwatch.CfnAlarm_DimensionProperty{Name: &d.name, Value: &d.value})
	}
	return awscloudwatch.CfnAlarm_MetricStatProperty{
		Metric: awscloudwatch.CfnAlarm_MetricProperty{Namespace: &m.namespace, MetricName: &m.name, Dimensions: dimensions},
		Period: jsii.Number(periodSeconds),
		Stat:   &m.statistic,
	}
}

func (s *Service) alarms(limits Alarms) []alarm {
	return slices.Concat(s.apiAlarms(limits), s.functionAlarms(), s.keyAlarms(limits), s.tableAlarms(limits), s.feedAlarms(limits))
}

// apiAlarms are about what callers see. With few calls the 99th percentile is the slowest
// of them, and a slow one now and then is none to wake up for.
//
// API Gateway's 5xx count every answer of 500 or above, also those that any client can have for
// the asking: 501 for a method that nobody knows, 504 for a time that is too short. They are
// taken off, or anyone could set the alarm off and keep it on.
func (s *Service) apiAlarms(limits Alarms) []alarm {
	return []alarm{{
		name: "server-errors",
		meaning: "Callers get answers of 500 or above, which say nothing about their keys. " +
			"Look at the alarms of functions first; where they are silent, at integrationError in the access log.",
		metrics: []metric{s.apiMetric("5xx", total)},
		less:    []metric{s.ownMetric(telemetry.Declined, total)},
		limit:   float64(limits.Faults),
	}, {
		name: "latency",
		meaning: "For a quarter of an hour one caller in a hundred has waited for long. " +
			"Look on the dashboard first whether it is one operation, cold starts, or the table.",
		metrics: []metric{s.apiMetric("Latency", p99)},
		limit:   float64(limits.P99Latency.Milliseconds()),
		periods: 3,
	}, {
		name: "faults",
		meaning: "Functions, authorizers' among them, fail for reasons of ours, with 500, 503 or an error. " +
			"Look in their logs first, for the lines of level ERROR.",
		metrics: []metric{s.ownMetric(telemetry.Faults, total)},
		limit:   float64(limits.Faults),
	}}
}

// functionAlarms are about functions that did not come to an answer, and about calls that
// none was there for. One of either is one too many.
func (s *Service) functionAlarms() []alarm {
	return append(s.errorAlarms(), s.roomAlarms()...)
}

// errorAlarms leave out what IAM calls: those functions tell their invoker of his own mistakes
// by an error, which Lambda counts as any other. He sees it himself, and a fault of ours is one
// of the alarm faults as well.
func (s *Service) errorAlarms() []alarm {
	watched := slices.DeleteFunc(deployed(), func(op operation.Operation) bool { return op.Caller == operation.IAM })
	var all []alarm
	for ops := range slices.Chunk(watched, maxAlarmMetrics) {
		all = append(all, alarm{
			name: fmt.Sprintf("function-errors-%d", len(all)+1),
			meaning: "A function crashed, or ran out of time or memory" + orFailed(ops) + ". " +
				"Look first at the end of its log. It is one of: " + namesOf(ops) + ".",
			metrics: s.functionMetrics(ops, "Errors"),
			limit:   1,
		})
	}
	return all
}

// orFailed tells what else is an error of a function that the stream calls.
func orFailed(ops []operation.Operation) string {
	fed := slices.DeleteFunc(slices.Clone(ops), func(op operation.Operation) bool { return op.Caller != operation.Stream })
	if len(fed) == 0 {
		return ""
	}
	return "; or, of " + namesOf(fed) + ", failed and is tried again"
}

func (s *Service) roomAlarms() []alarm {
	var all []alarm
	for ops := range slices.Chunk(deployed(), maxAlarmMetrics) {
		all = append(all, alarm{
			name: fmt.Sprintf("function-throttles-%d", len(all)+1),
			meaning: "Lambda had no room for a call. Compare first the concurrency that the account has left, " +
				"and the function's own if it has one, with the dashboard. It is one of: " + namesOf(ops) + ".",
			metrics: s.functionMetrics(ops, "Throttles"),
			limit:   1,
		})
	}
	return all
}

func (s *Service) functionMetrics(ops []operation.Operation, name string) []metric {
	var metrics []metric
	for _, op := range ops {
		metrics = append(metrics, s.functionMetric(op, name, total))
	}
	return metrics
}

func namesOf(ops []operation.Operation) string {
	var all []string
	for _, op := range ops {
		all = append(all, op.Name)
	}
	return strings.Join(all, ", ")
}

// keyAlarms are about those who try keys that are not theirs.
func (s *Service) keyAlarms(limits Alarms) []alarm {
	return []alarm{{
		name: "wrong-secrets",
		meaning: "Somebody presents keys that exist with secrets that they do not have. Find the keys in the logs of functions " +
			"and the addresses in the access log first: it is a client that missed a rotation, or one to shut out.",
		metrics: []metric{s.ownMetric(telemetry.WrongSecrets, total)},
		limit:   float64(limits.WrongSecrets),
	}, {
		name: "malformed-keys",
		meaning: "Somebody presents what cannot be a key, which is refused without a look at the table. " +
			"Find the addresses in the access log first: it is a client with a cut-off key, or a scanner to shut out.",
		metrics: []metric{s.ownMetric(telemetry.MalformedKeys, total)},
		limit:   float64(limits.MalformedKeys),
	}}
}

// tableAlarms are about DynamoDB and KMS. Functions try again, so that a few refusals
// harm nobody. The throttled events of the table and of each index say where it is too
// tight, and count those parts of a batch that its request does not.
func (s *Service) tableAlarms(limits Alarms) []alarm {
	throttles := s.throttleEvents("")
	for _, index := range schema.Table.Indexes {
		throttles = append(throttles, s.throttleEvents(index.Name)...)
	}
	var failures []metric
	for _, request := range requests() {
		failures = append(failures, s.requestMetric(request, "SystemErrors", total))
	}
	return slices.Concat([]alarm{{
		name: "refusals",
		meaning: "DynamoDB or KMS refuses requests for being too many, and functions try again. " +
			"Look first at the table's throttled events; where there are none, at the quota of KMS for signatures.",
		metrics: []metric{s.ownMetric(telemetry.Throttles, total)},
		limit:   float64(limits.Refusals),
	}}, inParts(alarm{
		name: "table-throttles",
		meaning: "The table or an index takes no more reads or writes. Look on the dashboard first which: " +
			"of an index it is one tenant's share that is full.",
		metrics: throttles,
		limit:   float64(limits.Refusals),
	}), inParts(alarm{
		name: "table-errors",
		meaning: "DynamoDB fails, and functions try again. " +
			"Look first at AWS's health dashboard for the region: there is little to do but wait.",
		metrics: failures,
		limit:   float64(limits.Refusals),
	}))
}

func (s *Service) throttleEvents(index string) []metric {
	return []metric{s.tableMetric(index, "ReadThrottleEvents", total), s.tableMetric(index, "WriteThrottleEvents", total)}
}

// inParts gives an alarm for each ten of its metrics, numbered.
func inParts(a alarm) []alarm {
	var parts []alarm
	for metrics := range slices.Chunk(a.metrics, maxAlarmMetrics) {
		part := a
		part.name, part.metrics = fmt.Sprintf("%s-%d", a.name, len(parts)+1), metrics
		parts = append(parts, part)
	}
	return parts
}

// feedAlarms are about what the stream brings. SQS writes no values of a queue that was
// left alone for six hours, with letters in it or without.
func (s *Service) feedAlarms(limits Alarms) []alarm {
	all := []alarm{{
		name: "dead-letters",
		meaning: "A change of the table could not be dealt with, although it was tried again. Read the message in the queue of " +
			"dead letters first: it names the change, which the stream keeps for a day, and what it was sent to.",
		metrics: []metric{s.deadLetterMetric("ApproximateNumberOfMessagesVisible", highest)},
		limit:   1,
		sticky:  true,
	}}
	for _, op := range deployed() {
		if op.Caller != operation.Stream {
			continue
		}
		all = append(all, alarm{
			name: "feed-age-" + op.Name,
			meaning: "Changes of the table wait to be dealt with, and the stream forgets them after a day. " +
				"Look first in the log of " + op.Name + " why it does not get on.",
			metrics: []metric{s.functionMetric(op, "IteratorAge", highest)},
			limit:   float64(limits.FeedAge.Milliseconds()),
		})
	}
	return all
}

// addAuthorizerAlarms adds the alarms of one authorizer. An API whose authorizer does not answer
// lets nobody in.
func addAuthorizerAlarms(scope constructs.Construct, target awslambda.Function, k kind, topic string) {
	own := constructs.NewConstruct(scope, jsii.String("Alarms"))
	for _, a := range authorizerAlarms(*target.FunctionName(), k) {
		addAlarm(own, nil, a, topic)
	}
}

// authorizerAlarms have none for errors where one is the answer to a bad credential, which
// Lambda counts as any other: it would be anybody's to set off. Its faults are in the service's
// metric of that name, which every authorizer in the region writes with the service's name.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func authorizerAlarms(function string, k kind) []alarm {
	metrics := func(name, statistic string) []metric {
		return []metric{{lambdaMetrics, name, statistic, []dimension{{"FunctionName", function}}}}
	}
	all := []alarm{{
		name: "throttles",
		meaning: "Lambda had no room for an authorizer, and its API let nobody in. " +
			"Compare first the concurrency that the account has left with the dashboard.",
		metrics: metrics("Throttles", total),
		limit:   1,
	}, {
		name: "duration",
		meaning: "For a quarter of an hour one request in a hundred has taken an authorizer half of the time that it has. " +
			"Look first at the latency of the table, on its Latchkey's dashboard.",
		metrics: metrics("Duration", p99),
		limit:   float64(operation.Authorizer.Timeout.Milliseconds()) / 2,
		periods: 3,
	}}
	if k.byError {
		return all
	}
	return append(all, alarm{
		name: "errors",
		meaning: "An authorizer crashed, or could not check a credential, and its API let nobody in. " +
			"Look first in its log, then whether its Latchkey is well.",
		metrics: metrics("Errors", total),
		limit:   1,
	})
}
