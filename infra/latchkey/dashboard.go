package latchkey

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/telemetry"
)

// A widget is a part of a dashboard, with what is its own in a dashboard's body.
type widget struct {
	kind       string
	width      int
	height     int
	properties map[string]any
}

// A dashboard is 24 columns wide.
const (
	fullWidth    = 24
	halfWidth    = fullWidth / 2
	thirdWidth   = fullWidth / 3
	quarterWidth = fullWidth / 4

	graphHeight   = 6
	alarmsHeight  = 4
	headingHeight = 1
)

// addDashboard adds a page that is read from above: whether anything is wrong, what callers
// see, who tries keys, what the table and the stream do, and then each operation, by API. It
// has the region in its name, because an account's dashboards have no regions.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func (s *Service) addDashboard(alarms []string) awscloudwatch.CfnDashboard {
	body := map[string]any{"widgets": place(s.rows(alarms))}
	return awscloudwatch.NewCfnDashboard(s.scope, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(s.name + "-" + *awscdk.Aws_REGION()),
		DashboardBody: awscdk.Stack_Of(s.scope).ToJsonString(body, nil),
	})
}

func (s *Service) rows(alarms []string) [][]widget {
	var rows [][]widget
	if len(alarms) > 0 {
		rows = append(rows, []widget{alarmStates(alarms)})
	}
	rows = append(rows, s.apiGraphs(), s.keyGraphs(), s.tableGraphs(), s.feedGraphs())
	for _, ops := range byAPI(deployed()) {
		rows = append(rows, []widget{heading(string(ops[0].API))}, s.operationGraphs(ops))
	}
	return rows
}

// place puts widgets one beside the other, and rows one below the other.
func place(rows [][]widget) []any {
	var all []any
	y := 0
	for _, row := range rows {
		x := 0
		for _, w := range row {
			all = append(all, map[string]any{
				"type": w.kind, "x": x, "y": y, "width": w.width, "height": w.height, "properties": w.properties,
			})
			x += w.width
		}
		y += row[0].height
	}
	return all
}

// byAPI groups operations, in the order in which their APIs come.
func byAPI(ops []operation.Operation) [][]operation.Operation {
	var groups [][]operation.Operation
	for _, op := range ops {
		i := slices.IndexFunc(groups, func(group []operation.Operation) bool { return group[0].API == op.API })
		if i < 0 {
			groups = append(groups, []operation.Operation{op})
			continue
		}
		groups[i] = append(groups[i], op)
	}
	return groups
}

func alarmStates(arns []string) widget {
	return widget{kind: "alarm", width: fullWidth, height: alarmsHeight, properties: map[string]any{"title": "Alarms", "alarms": arns}}
}

func heading(text string) widget {
	return widget{kind: "text", width: fullWidth, height: headingHeight, properties: map[string]any{"markdown": "## " + text}}
}

// A line is one of a graph.
type line struct {
	label  string
	metric metric
}

func graph(title string, width int, lines ...line) widget {
	var metrics []any
	for _, l := range lines {
		one := []any{l.metric.namespace, l.metric.name}
		for _, d := range l.metric.dimensions {
			one = append(one, d.name, d.value)
		}
		metrics = append(metrics, append(one, map[string]any{"label": l.label, "stat": l.metric.statistic}))
	}
	return graphOf(title, width, metrics...)
}

// graphOf takes metrics and expressions as a dashboard's body spells them.
func graphOf(title string, width int, metrics ...any) widget {
	return widget{kind: "metric", width: width, height: graphHeight, properties: map[string]any{
		"title": title, "view": "timeSeries", "region": *awscdk.Aws_REGION(), "period": periodSeconds, "metrics": metrics,
	}}
}

func (s *Service) apiGraphs() []widget {
	return []widget{
		graph("Requests", thirdWidth,
			line{"all", s.apiMetric("Count", total)},
			line{"4xx", s.apiMetric("4xx", total)},
			line{"5xx", s.apiMetric("5xx", total)},
			line{"5xx, clients' own doing", s.ownMetric(telemetry.Declined, total)}),
		graph("Latency in ms", thirdWidth,
			line{"p50", s.apiMetric("Latency", p50)},
			line{"p99", s.apiMetric("Latency", p99)},
			line{"functions, p99", s.ownMetric(telemetry.Milliseconds, p99)}),
		graph("Invocations", thirdWidth,
			line{"invocations", s.ownMetric(telemetry.Requests, total)},
			line{"faults", s.ownMetric(telemetry.Faults, total)},
			line{"cold starts", s.ownMetric(telemetry.ColdStarts, total)}),
	}
}

// The legend has of each series that the search found what its verdict is.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
const verdictLabel = "${PROP('Dim." + telemetry.VerdictDimension + "')}"

func (s *Service) keyGraphs() []widget {
	return []widget{
		graphOf("Verdicts", halfWidth, []any{map[string]any{"expression": s.verdicts(), "label": verdictLabel}}),
		graph("Wrong secrets and malformed keys", halfWidth,
			line{"wrong secrets", s.ownMetric(telemetry.WrongSecrets, total)},
			line{"malformed keys", s.ownMetric(telemetry.MalformedKeys, total)}),
	}
}

func (s *Service) tableGraphs() []widget {
	units := s.tableLines("", "the table")
	throttles := []line{{"refusals, as functions see them", s.ownMetric(telemetry.Throttles, total)}}
	throttles = append(throttles, s.throttleLines("", "the table")...)
	for _, index := range schema.Table.Indexes {
		units = append(units, s.tableLines(index.Name, index.Name)...)
		throttles = append(throttles, s.throttleLines(index.Name, index.Name)...)
	}
	var errors, latency []line
	for _, request := range requests() {
		errors = append(errors, line{request, s.requestMetric(request, "SystemErrors", total)})
		latency = append(latency, line{request, s.requestMetric(request, "SuccessfulRequestLatency", average)})
	}
	return []widget{
		graph("Table: consumed units", quarterWidth, units...),
		graph("Table: throttled", quarterWidth, throttles...),
		graph("Table: system errors", quarterWidth, errors...),
		graph("Table: latency in ms", quarterWidth, latency...),
	}
}

func (s *Service) tableLines(index, label string) []line {
	return []line{
		{label + ", read", s.tableMetric(index, "ConsumedReadCapacityUnits", total)},
		{label + ", written", s.tableMetric(index, "ConsumedWriteCapacityUnits", total)},
	}
}

func (s *Service) throttleLines(index, label string) []line {
	events := s.throttleEvents(index)
	return []line{{label + ", reads", events[0]}, {label + ", writes", events[1]}}
}

func (s *Service) feedGraphs() []widget {
	var ages []line
	for _, op := range deployed() {
		if op.Caller == operation.Stream {
			ages = append(ages, line{op.Name, s.functionMetric(op, "IteratorAge", highest)})
		}
	}
	return []widget{
		graph("Stream: age of the changes in ms", halfWidth, ages...),
		graph("Stream: dead letters", halfWidth, line{"letters", s.deadLetterMetric("ApproximateNumberOfMessagesVisible", highest)}),
	}
}

func (s *Service) operationGraphs(ops []operation.Operation) []widget {
	lines := func(name, statistic, suffix string) []line {
		var all []line
		for _, op := range ops {
			all = append(all, line{op.Name + suffix, s.functionMetric(op, name, statistic)})
		}
		return all
	}
	return []widget{
		graph("Duration in ms, p99", quarterWidth, lines("Duration", p99, "")...),
		graph("Invocations", quarterWidth, lines("Invocations", total, "")...),
		graph("Errors and throttles", quarterWidth,
			slices.Concat(lines("Errors", total, ""), lines("Throttles", total, ", throttled"))...),
		graph("Concurrency", quarterWidth, lines("ConcurrentExecutions", highest, "")...),
	}
}
