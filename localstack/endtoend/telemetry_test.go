package endtoend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/localstack/localtest"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

// planted stands wherever a caller may write something.
const planted = "planted"

// Whatever is sent to whichever operation, and whatever comes of it, one line tells of it,
// with all that a line must have, and no line repeats what was sent.
func TestLines(t *testing.T) {
	w := newWorld(t)
	payloads, secrets := map[string][]string{}, []string{planted}
	for _, op := range operation.All {
		credentials := w.credentials(t) // of its own, as some operations delete keys
		payloads[op.Name] = w.payloads(t, op, credentials)
		secrets = append(secrets, tails(credentials[:3])...)
	}
	for _, isBroken := range []bool{false, true} {
		w.recorder.broken.Store(isBroken)
		for _, op := range operation.All {
			for _, payload := range payloads[op.Name] {
				w.wantLine(t, op, payload)
			}
		}
	}
	for _, secret := range secrets {
		if at := strings.Index(w.log.String(), secret); at >= 0 {
			t.Errorf("the log repeats %.10s…: %.600s", secret, w.log.String()[max(0, at-300):])
		}
	}
}

// credentials are a new key of an administrator and its session token, that key with a
// secret that is not its own, and what is no credential.
func (w *world) credentials(t *testing.T) []string {
	t.Helper()
	answer, err := w.stack.Invoke(t.Context(), operation.Bootstrap, []byte(`{"namespace":"demo"}`))
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		FullKey string `json:"full_key"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	key, err := apikey.ParseFullKey(made.FullKey)
	if err != nil {
		t.Fatal(err)
	}
	wrong := apikey.FullKey{Locator: key.Locator, Secret: vector(t).Secret}
	return []string{key.Reveal(), exchange(t, w.stack, key), wrong.Reveal(), planted}
}

// tails are the ends of credentials, which are secret in all of them.
func tails(credentials []string) []string {
	var ends []string
	for _, credential := range credentials {
		ends = append(ends, credential[max(0, len(credential)-40):])
	}
	return ends
}

// payloads are what an operation is sent, with each credential wherever one may stand.
func (w *world) payloads(t *testing.T, op operation.Operation, credentials []string) []string {
	t.Helper()
	switch op.Caller {
	case operation.IAM:
		return []string{`{"namespace":"demo"}`, `{"namespace":"planted!"}`, planted, `{"planted":"planted"}`}
	case operation.Stream: // what it sends is the table's own
		return []string{string(w.fill(t, read(t, op.Name+".json"))), planted}
	case operation.Gateway:
		return w.gatewayPayloads(t, credentials)
	}
	var payloads []string
	for i, credential := range credentials {
		for _, body := range bodiesWith(credential) {
			payloads = append(payloads, httpEvent(t, op, []string{planted, "demo"}[i%2], credential, body))
		}
	}
	return payloads
}

func (w *world) gatewayPayloads(t *testing.T, credentials []string) []string {
	t.Helper()
	var payloads []string
	for _, name := range eventNames(t) {
		if operationOf(name) != operation.Authorizer.Name {
			continue
		}
		sample := strings.ReplaceAll(string(read(t, name+".json")), "curl/8.5.0", planted)
		payloads = append(payloads, string(w.fill(t, []byte(sample))))
		for _, credential := range credentials {
			payloads = append(payloads, strings.ReplaceAll(sample, "{{orders-reader-key}}", credential))
		}
	}
	return append(payloads, planted)
}

// bodiesWith are a body of each API that bears a credential, and of none.
func bodiesWith(credential string) []string {
	pair := map[string]string{"key": credential, "secret": credential, planted: planted}
	if key, err := apikey.ParseFullKey(credential); err == nil {
		pair["key"], pair["secret"] = key.RevealPair()
	}
	encoded, err := json.Marshal(pair)
	if err != nil {
		panic(err)
	}
	return []string{
		string(encoded),
		fmt.Sprintf(`{"apiKey":%q,"planted":"planted"}`, credential),
		"grant_type=zenml-api-key&planted=planted&password=" + credential,
		`{"meta":{"name":"planted"},"name":"planted","active":"planted"}`,
	}
}

// httpEvent is an event of an HTTP API, whose path parameters all have one value.
func httpEvent(t *testing.T, op operation.Operation, parameter, credential, body string) string {
	t.Helper()
	path, parameters := op.Path(), map[string]string{}
	for _, segment := range strings.Split(op.Path(), "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			parameters[strings.TrimSuffix(name, "}")] = parameter
			path = strings.ReplaceAll(path, segment, parameter)
		}
	}
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": op.Route, "rawPath": path, "rawQueryString": "planted=planted&name=planted&list_parameters.filter=planted&workspace=planted",
		"headers":        map[string]string{"authorization": "Bearer " + credential, "cookie": planted, "user-agent": planted, planted: planted, "request-timeout": planted},
		"cookies":        []string{planted},
		"pathParameters": parameters,
		"requestContext": map[string]any{
			"requestId": "r1", "http": map[string]string{"method": op.Method(), "path": path, "userAgent": planted, "sourceIp": planted},
		},
		"body": body,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}

// wantLine sends a payload to an operation's function and wants one line of that. That a
// payload is no event is told by Lambda's own line, and not by ours.
func (w *world) wantLine(t *testing.T, op operation.Operation, payload string) {
	t.Helper()
	before := len(w.log.String())
	_, _ = w.stack.Invoke(t.Context(), op, []byte(payload))
	var lines []map[string]any
	localtest.WaitUntil(t, func() bool {
		lines = linesOf(w.log.String()[before:], op)
		return len(lines) > 0
	})
	if len(lines) != 1 {
		t.Errorf("%s: %d lines of one invocation", op.Name, len(lines))
	}
	wantWholeLine(t, op, lines[0])
}

// linesOf are the lines of an operation, as far as they are complete.
func linesOf(log string, op operation.Operation) []map[string]any {
	var lines []map[string]any
	for text := range strings.Lines(log) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["operation"] == op.Name {
			lines = append(lines, line)
		}
	}
	return lines
}

// wantWholeLine holds a line to what it must have, and its metrics to CloudWatch's format.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func wantWholeLine(t *testing.T, op operation.Operation, line map[string]any) {
	t.Helper()
	wanted := []string{"timestamp", "level", "msg", "request_id", "service", "requests", "milliseconds"}
	if op.Route != "" {
		wanted = append(wanted, "status")
	}
	for _, name := range wanted {
		if line[name] == nil || line[name] == "" {
			t.Errorf("%s: a line without %s: %v", op.Name, name, line)
		}
	}
	for _, set := range setsIn(t, line) {
		for _, metric := range set.Metrics {
			if _, ok := line[metric.Name].(float64); !ok || len(set.Dimensions) != 1 ||
				!slices.Equal(set.Dimensions[0], telemetry.DimensionsOf(telemetry.Metric(metric.Name))) {
				t.Errorf("%s: the metric %s with %v of %v", op.Name, metric.Name, set.Dimensions, line)
			}
		}
		for _, dimension := range slices.Concat(set.Dimensions...) {
			if text, ok := line[dimension].(string); !ok || text == "" {
				t.Errorf("%s: the dimension %s of %v", op.Name, dimension, line)
			}
		}
	}
}

type metricSet struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []struct{ Name string }
}

func setsIn(t *testing.T, line map[string]any) []metricSet {
	t.Helper()
	text, err := json.Marshal(line["_aws"])
	if err != nil {
		t.Fatal(err)
	}
	var directive struct {
		Timestamp         int64
		CloudWatchMetrics []metricSet
	}
	if err := json.Unmarshal(text, &directive); err != nil || directive.Timestamp == 0 || len(directive.CloudWatchMetrics) == 0 {
		t.Errorf("a line without metrics: %v, %v", err, line)
	}
	return directive.CloudWatchMetrics
}
