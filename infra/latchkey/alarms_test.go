package latchkey_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/telemetry"
)

const topic = "arn:aws:sns:eu-west-1:123456789012:alerts"

// TestWatched has the largest template that a service makes, and the smallest: with everything
// that people watch it by and all else that can be chosen, and with nothing of either.
func TestWatched(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for name, test := range map[string]struct{ given, want latchkey.Alarms }{
		"defaults": {
			latchkey.Alarms{},
			latchkey.Alarms{
				Faults: 5, WrongSecrets: 100, MalformedKeys: 1000, Refusals: 50, P99Latency: time.Second, FeedAge: 15 * time.Minute,
			},
		},
		"limits": {limits(), limits()},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesise(t, watched(test.given), sessions{keys: []string{"2", "1"}})
			checkAlarms(t, tmpl, test.want)
			checkDashboard(t, tmpl)
			checkSize(t, tmpl)
		})
	}
	t.Run("nothing", checkUnwatched)
}

// checkUnwatched sees to it that what is left out leaves nothing behind.
func checkUnwatched(t *testing.T) {
	tmpl := synthesise(t, latchkey.ServiceProps{WithoutDashboard: true, WithoutAccessLogs: true}, sessions{keys: []string{"1"}})
	for _, kind := range []string{"AWS::CloudWatch::Dashboard", "AWS::CloudWatch::Alarm"} {
		compare(t, 0, len(tmpl.OfType(kind)))
	}
	compare(t, len(deployed()), len(tmpl.OfType("AWS::Logs::LogGroup")))
	compare(t, nil, tmpl.Properties("AWS::ApiGatewayV2::Stage")["APIDefaultStage"]["AccessLogSettings"])
	if _, there := tmpl.Outputs[latchkey.OutputDashboard]; there {
		t.Error("an output names the dashboard that was left out")
	}
}

func limits() latchkey.Alarms {
	return latchkey.Alarms{
		Faults: 2, WrongSecrets: 3, MalformedKeys: 4, Refusals: 6, P99Latency: 700 * time.Millisecond, FeedAge: 8 * time.Second,
	}
}

// A watch is what an alarm is about, without what all have in common.
type watch struct {
	Metrics []string
	Limit   float64
	Periods float64
	Missing string
}

func checkAlarms(t *testing.T, tmpl template, limits latchkey.Alarms) {
	t.Helper()
	want := make(map[string]watch)
	for name, w := range wantedAlarms(limits) {
		w.Periods = max(w.Periods, 1)
		if w.Missing == "" {
			w.Missing = "notBreaching"
		}
		want[stackName+"-"+name] = w
	}
	got := make(map[string]watch)
	for _, properties := range tmpl.Properties("AWS::CloudWatch::Alarm") {
		name := properties["AlarmName"].(string)
		got[name] = readAlarm(t, name, properties)
		checkTriedAgain(t, properties["AlarmDescription"].(string), got[name].Metrics)
	}
	compare(t, want, got)
}

// checkTriedAgain has an alarm of errors say which functions are called again when they fail,
// and no other alarm.
func checkTriedAgain(t *testing.T, meaning string, metrics []string) {
	t.Helper()
	var want, got []string
	for _, op := range fed() {
		if slices.Contains(metrics, ofFunction(op, "Errors", "Sum")) {
			want = append(want, op.Name)
		}
	}
	if _, rest, found := strings.Cut(meaning, "memory; or, of "); found {
		names, _, _ := strings.Cut(rest, ", failed and is tried again. ")
		got = strings.Split(names, ", ")
	}
	compare(t, want, got)
}

func wantedAlarms(limits latchkey.Alarms) map[string]watch {
	faults, refusals := float64(limits.Faults), float64(limits.Refusals)
	all := map[string]watch{
		"server-errors":     {Metrics: []string{ofAPI("5xx", "Sum"), "- " + own(telemetry.Declined, "Sum")}, Limit: faults},
		"latency":           {Metrics: []string{ofAPI("Latency", "p99")}, Limit: limits.P99Latency.Seconds() * 1000, Periods: 3},
		"faults":            {Metrics: []string{own(telemetry.Faults, "Sum")}, Limit: faults},
		"wrong-secrets":     {Metrics: []string{own(telemetry.WrongSecrets, "Sum")}, Limit: float64(limits.WrongSecrets)},
		"malformed-keys":    {Metrics: []string{own(telemetry.MalformedKeys, "Sum")}, Limit: float64(limits.MalformedKeys)},
		"refusals":          {Metrics: []string{own(telemetry.Throttles, "Sum")}, Limit: refusals},
		"table-throttles-1": {Metrics: throttleEvents(), Limit: refusals},
		"table-errors-1":    {Metrics: ofRequests("SystemErrors", "Sum"), Limit: refusals},
		"dead-letters":      {Metrics: []string{ofQueue("ApproximateNumberOfMessagesVisible", "Maximum")}, Limit: 1, Missing: "ignore"},
	}
	for _, op := range fed() {
		all["feed-age-"+op.Name] = watch{Metrics: []string{ofFunction(op, "IteratorAge", "Maximum")}, Limit: limits.FeedAge.Seconds() * 1000}
	}
	var errors, throttles []string
	for _, op := range deployed() {
		throttles = append(throttles, ofFunction(op, "Throttles", "Sum"))
		if op.Caller != operation.IAM {
			errors = append(errors, ofFunction(op, "Errors", "Sum"))
		}
	}
	addTens(all, "function-errors-", errors)
	addTens(all, "function-throttles-", throttles)
	return all
}

// addTens adds an alarm for each ten metrics, of which one is one too many.
func addTens(all map[string]watch, name string, metrics []string) {
	for i := 0; i < len(metrics); i += 10 {
		all[name+fmt.Sprint(i/10+1)] = watch{Metrics: metrics[i:min(i+10, len(metrics))], Limit: 1}
	}
}

// readAlarm holds an alarm to what all have in common, and gives the rest.
func readAlarm(t *testing.T, name string, properties object) watch {
	t.Helper()
	properties = maps.Clone(properties)
	delete(properties, "AlarmName")
	compare(t, []string{
		"AlarmActions", "AlarmDescription", "ComparisonOperator", "EvaluationPeriods", "Metrics", "OKActions",
		"Threshold", "TreatMissingData",
	}, slices.Sorted(maps.Keys(properties)))
	compare(t, []any{topic}, properties["AlarmActions"].([]any))
	compare(t, []any{topic}, properties["OKActions"].([]any))
	compare(t, "GreaterThanOrEqualToThreshold", properties["ComparisonOperator"].(string))
	meaning := properties["AlarmDescription"].(string)
	if !strings.Contains(meaning, " first") || len(meaning) > 1024 {
		t.Errorf("%s does not say what to do first in 1024 characters: %q", name, meaning)
	}
	return watch{
		Metrics: readQueries(t, name, properties["Metrics"].([]any)),
		Limit:   properties["Threshold"].(float64),
		Periods: properties["EvaluationPeriods"].(float64),
		Missing: properties["TreatMissingData"].(string),
	}
}

// readQueries gives the metrics that an alarm adds up, and with "- " before it what it takes
// off, as many as CloudWatch allows for.
func readQueries(t *testing.T, name string, queries []any) []string {
	t.Helper()
	var metrics, ids, returned []string
	for _, query := range queries {
		query := query.(object)
		if query["ReturnData"] == true {
			returned = append(returned, fmt.Sprint(query["Expression"]))
		}
		stat, isMetric := query["MetricStat"].(object)
		if !isMetric {
			continue
		}
		compare(t, any(300.0), stat["Period"])
		ids = append(ids, query["Id"].(string))
		metric := stat["Metric"].(object)
		var dimensions []string
		for _, dimension := range metric["Dimensions"].([]any) {
			dimensions = append(dimensions, dimension.(object)["Name"].(string), dimension.(object)["Value"].(string))
		}
		metrics = append(metrics, text(t, metric["Namespace"].(string), metric["MetricName"].(string), stat["Stat"].(string), dimensions))
	}
	if len(ids) > 10 {
		t.Errorf("%s has %d metrics", name, len(ids))
	}
	if len(ids) == 1 {
		compare(t, []string{"<nil>"}, returned)
		return metrics
	}
	sum := ids[0]
	for i, id := range ids[1:] {
		sign := " + "
		if len(returned) == 1 && strings.Contains(returned[0], " - "+id) {
			sign, metrics[i+1] = " - ", "- "+metrics[i+1]
		}
		sum += sign + id
	}
	compare(t, []string{sum}, returned)
	return metrics
}

// The metrics of AWS's that there are, with their dimensions, from AWS's documentation. A
// key or a namespace is none.
var platformMetrics = map[string]map[string][]string{
	"AWS/ApiGateway": {
		"Count": {"ApiId Stage"}, "4xx": {"ApiId Stage"}, "5xx": {"ApiId Stage"}, "Latency": {"ApiId Stage"},
	},
	"AWS/Lambda": {
		"Duration": {"FunctionName"}, "Invocations": {"FunctionName"}, "Errors": {"FunctionName"}, "Throttles": {"FunctionName"},
		"ConcurrentExecutions": {"FunctionName"}, "IteratorAge": {"FunctionName"},
	},
	"AWS/DynamoDB": {
		"ConsumedReadCapacityUnits":  {"TableName", "TableName GlobalSecondaryIndexName"},
		"ConsumedWriteCapacityUnits": {"TableName", "TableName GlobalSecondaryIndexName"},
		"ReadThrottleEvents":         {"TableName", "TableName GlobalSecondaryIndexName"},
		"WriteThrottleEvents":        {"TableName", "TableName GlobalSecondaryIndexName"},
		"SystemErrors":               {"TableName Operation"},
		"SuccessfulRequestLatency":   {"TableName Operation"},
	},
	"AWS/SQS": {"ApproximateNumberOfMessagesVisible": {"QueueName"}},
}

// The metrics of ours that have the service for their only dimension.
var ownMetrics = []telemetry.Metric{
	telemetry.Requests, telemetry.Faults, telemetry.Milliseconds, telemetry.ColdStarts, telemetry.Throttles,
	telemetry.MalformedKeys, telemetry.WrongSecrets, telemetry.Declined,
}

// text writes a metric that somebody writes, with names and values of dimensions in turn.
func text(t *testing.T, namespace, name, statistic string, dimensions []string) string {
	t.Helper()
	var names []string
	for i := 0; i < len(dimensions); i += 2 {
		names = append(names, dimensions[i])
	}
	known := slices.Contains(platformMetrics[namespace][name], strings.Join(names, " "))
	if m := telemetry.Metric(name); namespace == telemetry.Namespace {
		known = slices.Contains(ownMetrics, m) && slices.Equal(telemetry.DimensionsOf(m), names)
	}
	if !known {
		t.Errorf("nobody writes %s of %s by %v", name, namespace, names)
	}
	return strings.Join(append([]string{namespace, name, statistic}, dimensions...), " ")
}

func ofAPI(name, statistic string) string {
	return "AWS/ApiGateway " + name + " " + statistic + " ApiId ${API} Stage $default"
}

func ofFunction(op operation.Operation, name, statistic string) string {
	return "AWS/Lambda " + name + " " + statistic + " FunctionName " + functionName(op)
}

func ofQueue(name, statistic string) string {
	return "AWS/SQS " + name + " " + statistic + " QueueName ${DeadLetters.QueueName}"
}

func own(m telemetry.Metric, statistic string) string {
	return "Latchkey " + string(m) + " " + statistic + " service " + stackName
}

// ofTable gives a metric of the table and of each index.
func ofTable(name, statistic string) []string {
	metric := "AWS/DynamoDB " + name + " " + statistic + " TableName ${Table}"
	all := []string{metric}
	for _, index := range schema.Table.Indexes {
		all = append(all, metric+" GlobalSecondaryIndexName "+index.Name)
	}
	return all
}

func throttleEvents() []string {
	var all []string
	reads, writes := ofTable("ReadThrottleEvents", "Sum"), ofTable("WriteThrottleEvents", "Sum")
	for i := range reads {
		all = append(all, reads[i], writes[i])
	}
	return all
}

// ofRequests gives a metric of each kind of request that the catalogue's actions can be in.
func ofRequests(name, statistic string) []string {
	requests := make(map[string]bool)
	for _, op := range operation.All {
		for _, touch := range op.Touches {
			switch touch.Action {
			case operation.Query, operation.BatchGetItem, operation.BatchWriteItem:
			case operation.GetItem:
				requests["TransactGetItems"] = true
			default:
				requests["TransactWriteItems"] = true
			}
			requests[string(touch.Action)] = true
		}
	}
	delete(requests, string(operation.ConditionCheckItem)) // which is only ever a part
	var all []string
	for _, request := range slices.Sorted(maps.Keys(requests)) {
		all = append(all, "AWS/DynamoDB "+name+" "+statistic+" TableName ${Table} Operation "+request)
	}
	return all
}

// checkAuthorizerAlarms has those of every authorizer with a topic, named by CloudFormation as
// its function is, and none of the others. Errors are no alarm where anyone makes them.
func checkAuthorizerAlarms(t *testing.T, tmpl stacktest.Template) {
	half := operation.Authorizer.Timeout.Seconds() * 1000 / 2
	want, got := make(map[string]watch), make(map[string]watch)
	for name, errors := range watchedAuthorizers {
		of := func(metric, statistic string) []string {
			return []string{"AWS/Lambda " + metric + " " + statistic + " FunctionName ${" + name + "Function}"}
		}
		want[name+"Alarmsthrottles"] = watch{of("Throttles", "Sum"), 1, 1, "notBreaching"}
		want[name+"Alarmsduration"] = watch{of("Duration", "p99"), half, 3, "notBreaching"}
		if errors {
			want[name+"Alarmserrors"] = watch{of("Errors", "Sum"), 1, 1, "notBreaching"}
		}
	}
	for id, properties := range tmpl.Properties("AWS::CloudWatch::Alarm") {
		compare(t, nil, properties["AlarmName"])
		got[id] = readAlarm(t, id, properties)
	}
	compare(t, want, got)
}

func TestRefusedAlarms(t *testing.T) {
	for name, test := range map[string]struct {
		alarms latchkey.Alarms
		want   string
	}{
		"nobody to hear":  {latchkey.Alarms{Faults: 1}, "alarms have limits and no topic: say in Topic who hears of them"},
		"no ARN":          {latchkey.Alarms{Topic: "alerts"}, `alarms: topic "alerts" must be the ARN of an SNS topic`},
		"of a queue":      {latchkey.Alarms{Topic: "arn:aws:sqs:x:1:y"}, `alarms: topic "arn:aws:sqs:x:1:y" must be the ARN of an SNS topic`},
		"negative count":  {latchkey.Alarms{Topic: topic, Refusals: -1}, "alarms: a limit must not be negative"},
		"negative length": {latchkey.Alarms{Topic: topic, FeedAge: -1}, "alarms: a limit must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := latchkey.NewStack(nil, stackName, latchkey.ServiceProps{Bootstraps: stubBootstraps(t), Alarms: test.alarms})
			compare(t, test.want, fmt.Sprint(err))
		})
	}
}

func TestRefusedAuthorizerTopic(t *testing.T) {
	err := newHTTP(latchkey.AuthorizerProps{
		Service: plainReference, Bootstraps: stacktest.StubBootstraps(t, operation.Authorizer.Name), API: apiOf(withRoutes), AlarmTopic: "alerts",
	})
	compare(t, `alarms: topic "alerts" must be the ARN of an SNS topic`, fmt.Sprint(err))
}
