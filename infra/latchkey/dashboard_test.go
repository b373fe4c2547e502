package latchkey_test

import (
	"maps"
	"slices"
	"testing"

	"latchkey/shared/telemetry"
)

// A shownWidget is a part of a dashboard's body as CloudWatch reads it.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type shownWidget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, View, Region, Markdown string
		Period                        int
		Metrics                       [][]any
		Alarms                        []string
	}
}

func checkDashboard(t *testing.T, tmpl template) {
	dashboards := tmpl.Properties("AWS::CloudWatch::Dashboard")
	compare(t, []string{"Dashboard"}, slices.Collect(maps.Keys(dashboards)))
	dashboard := dashboards["Dashboard"]
	compare(t, any(stackName+"-${AWS::Region}"), dashboard["DashboardName"])
	var body struct{ Widgets []shownWidget }
	decode(t, []byte(dashboard["DashboardBody"].(string)), &body)
	checkPlaces(t, body.Widgets)
	var metrics, expressions, alarms []string
	for _, w := range body.Widgets {
		switch w.Type {
		case "metric":
			compare(t, []any{"timeSeries", "${AWS::Region}", 300}, []any{w.Properties.View, w.Properties.Region, w.Properties.Period})
			m, e := readMetrics(t, w.Properties.Metrics)
			metrics, expressions = append(metrics, m...), append(expressions, e...)
		case "alarm":
			alarms = append(alarms, w.Properties.Alarms...)
		case "text":
			compare(t, true, w.Properties.Markdown != "")
		default:
			t.Errorf("a widget that is not known here: %s", w.Type)
		}
	}
	slices.Sort(metrics)
	compare(t, shownMetrics(), metrics)
	compare(t, []string{`SEARCH('{Latchkey,service,verdict} MetricName="verdicts" service="keys"', 'Sum')`}, expressions)
	slices.Sort(alarms)
	compare(t, alarmARNs(tmpl), alarms)
}

func alarmARNs(tmpl template) []string {
	var arns []string
	for id := range tmpl.OfType("AWS::CloudWatch::Alarm") {
		arns = append(arns, "${"+id+".Arn}")
	}
	slices.Sort(arns)
	return arns
}

// checkPlaces holds widgets to the 24 columns that there are, each with a place of its own.
func checkPlaces(t *testing.T, widgets []shownWidget) {
	t.Helper()
	taken := make(map[[2]int]bool)
	for _, w := range widgets {
		if w.Width < 1 || w.Height < 1 || w.X < 0 || w.X+w.Width > 24 {
			t.Errorf("widget %q is %d wide and %d high at column %d", w.Properties.Title, w.Width, w.Height, w.X)
		}
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if taken[[2]int{x, y}] {
					t.Fatalf("widget %q lies on another", w.Properties.Title)
				}
				taken[[2]int{x, y}] = true
			}
		}
	}
}

// readMetrics tells the metrics of a graph from the expressions.
func readMetrics(t *testing.T, lines [][]any) (metrics, expressions []string) {
	t.Helper()
	for _, line := range lines {
		options := line[len(line)-1].(object)
		if options["label"] == "" {
			t.Errorf("a line without a label: %v", line)
		}
		if expression, ok := options["expression"].(string); ok {
			expressions = append(expressions, expression)
			continue
		}
		var parts []string
		for _, part := range line[:len(line)-1] {
			parts = append(parts, part.(string))
		}
		metrics = append(metrics, text(t, parts[0], parts[1], options["stat"].(string), parts[2:]))
	}
	return metrics, expressions
}

func shownMetrics() []string {
	all := []string{
		ofAPI("Count", "Sum"), ofAPI("4xx", "Sum"), ofAPI("5xx", "Sum"), ofAPI("Latency", "p50"), ofAPI("Latency", "p99"),
		own(telemetry.Requests, "Sum"), own(telemetry.Faults, "Sum"), own(telemetry.ColdStarts, "Sum"),
		own(telemetry.Milliseconds, "p99"), own(telemetry.Throttles, "Sum"),
		own(telemetry.WrongSecrets, "Sum"), own(telemetry.MalformedKeys, "Sum"), own(telemetry.Declined, "Sum"),
		ofQueue("ApproximateNumberOfMessagesVisible", "Maximum"),
	}
	all = slices.Concat(all, throttleEvents(),
		ofTable("ConsumedReadCapacityUnits", "Sum"), ofTable("ConsumedWriteCapacityUnits", "Sum"),
		ofRequests("SystemErrors", "Sum"), ofRequests("SuccessfulRequestLatency", "Average"))
	for _, op := range deployed() {
		all = append(all, ofFunction(op, "Duration", "p99"), ofFunction(op, "ConcurrentExecutions", "Maximum"))
		for _, name := range []string{"Invocations", "Errors", "Throttles"} {
			all = append(all, ofFunction(op, name, "Sum"))
		}
	}
	for _, op := range fed() {
		all = append(all, ofFunction(op, "IteratorAge", "Maximum"))
	}
	slices.Sort(all)
	return all
}
