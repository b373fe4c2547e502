package endtoend_test

import (
	"encoding/json"
	"fmt"
	"regexp"
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

// A sent is what an operation is sent, and what a line is to tell of it while there is a
// database.
type sent struct {
	payload  string
	verdict  string // empty: none
	succeeds bool
}

// anyVerdict is where a line may tell of one or of none.
const anyVerdict = "any"

// Whatever is sent to whichever operation, and whatever comes of it, one line tells of it,
// with all that a line must have, and no line repeats what was sent.
func TestLines(t *testing.T) {
	w := newWorld(t)
	all, secrets := map[string][]sent{}, []string{planted}
	for _, op := range operation.All {
		credentials := w.credentials(t) // of its own, as some operations delete keys
		all[op.Name] = append([]sent{w.succeeding(t, op)}, w.attempts(t, op, credentials)...)
		secrets = append(secrets, tails(credentials[:3])...)
	}
	for _, isBroken := range []bool{false, true} {
		w.recorder.broken.Store(isBroken)
		for _, op := range operation.All {
			for _, s := range all[op.Name] {
				if isBroken {
					s = s.withoutDatabase()
				}
				w.wantLine(t, op, s)
			}
		}
	}
	for _, secret := range secrets {
		if at := strings.Index(w.log.String(), secret); at >= 0 {
			t.Errorf("the log repeats %.10s…: %.600s", secret, w.log.String()[max(0, at-300):])
		}
	}
}

// withoutDatabase is what can be told without it: only of what is no key at all.
func (s sent) withoutDatabase() sent {
	s.succeeds = false
	if s.verdict != telemetry.MalformedVerdict && s.verdict != anyVerdict {
		s.verdict = ""
	}
	return s
}

// texts are those of sample events that people would write, but for what is looked up.
var texts = regexp.MustCompile(`(\\"(?:name|description|full_name|userName)\\": ?\\")[^\\{]*(\\")`)

// succeeding is an operation's sample event with planted texts.
func (w *world) succeeding(t *testing.T, op operation.Operation) sent {
	t.Helper()
	sample := string(read(t, op.Name+".json"))
	for old, replaced := range map[string]string{
		"curl/8.5.0": planted, "made by a sample event": planted, `[\"sample\"]`: `[\"planted\"]`, `[\"changed\"]`: `[\"planted\"]`,
		"{{random-name}}": planted + "-{{random-name}}",
	} {
		sample = strings.ReplaceAll(sample, old, replaced)
	}
	s := sent{payload: string(w.fill(t, []byte(texts.ReplaceAllString(sample, "${1}"+planted+"${2}")))), succeeds: op.Name != operation.NotFound.Name}
	if op.Caller == operation.KeyHolder || op.Caller == operation.Gateway || takesKey(op) {
		s.verdict = apikey.Valid.String()
	}
	return s
}

// takesKey reports whether anyone may present a key to an operation that is about it.
func takesKey(op operation.Operation) bool {
	return op.Caller == operation.Anyone && op.UsesTable()
}

// verdictsOn are the verdicts on credentials, wherever a credential of any kind may stand.
var verdictsOn = []string{apikey.Valid.String(), apikey.Valid.String(), apikey.WrongSecret.String(), telemetry.MalformedVerdict}

// verdictsOnKeys are those where only a key may.
var verdictsOnKeys = []string{apikey.Valid.String(), telemetry.MalformedVerdict, apikey.WrongSecret.String(), telemetry.MalformedVerdict}

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

// attempts are what else an operation is sent, with each credential wherever one may stand.
func (w *world) attempts(t *testing.T, op operation.Operation, credentials []string) []sent {
	t.Helper()
	switch op.Caller {
	case operation.IAM:
		return []sent{{payload: `{"namespace":"planted!"}`}, {payload: planted}, {payload: `{"planted":"planted"}`}}
	case operation.Stream: // what it sends is the table's own
		return []sent{{payload: planted}}
	case operation.Gateway:
		return w.gatewayAttempts(t, credentials)
	}
	var all []sent
	for i, credential := range credentials {
		for kind, body := range bodiesWith(credential) {
			payload := httpEvent(t, op, []string{planted, "demo"}[i%2], credential, body)
			all = append(all, sent{payload: payload, verdict: verdictOn(op, i, kind)})
		}
	}
	return all
}

// verdictOn is the one on a credential, by its place, in a kind of body and in the header.
func verdictOn(op operation.Operation, credential int, kind string) string {
	presented := map[string]string{
		operation.ValidateAPIKey.Name: pairBody, operation.ExchangeAPIKey.Name: pairBody,
		operation.ExchangeWorkspaceKey.Name: apiKeyBody, operation.Login.Name: formBody,
	}
	switch {
	case op.Name == operation.DeleteWorkspaceKey.Name: // which may delete what it is asked by
		return anyVerdict
	case op.Caller == operation.KeyHolder:
		return verdictsOn[credential]
	case takesKey(op) && presented[op.Name] == kind:
		return verdictsOnKeys[credential]
	case op.Name == operation.ExchangeWorkspaceKey.Name: // which takes an object without a key for one with an empty one
		return anyVerdict
	}
	return ""
}

func (w *world) gatewayAttempts(t *testing.T, credentials []string) []sent {
	t.Helper()
	all := []sent{{payload: planted}}
	for _, name := range eventNames(t) {
		if operationOf(name) != operation.Authorizer.Name {
			continue
		}
		sample := strings.ReplaceAll(string(read(t, name+".json")), "curl/8.5.0", planted)
		all = append(all, sent{payload: string(w.fill(t, []byte(sample))), verdict: anyVerdict})
		if !strings.Contains(sample, "{{orders-reader-key}}") {
			continue
		}
		for i, credential := range credentials {
			all = append(all, sent{payload: strings.ReplaceAll(sample, "{{orders-reader-key}}", credential), verdict: verdictsOn[i]})
		}
	}
	return all
}

// The kinds of bodies that bear a key.
const (
	pairBody   = "a pair"
	apiKeyBody = "a key"
	formBody   = "a form"
)

// bodiesWith are a body of each API that bears a credential, and of none.
func bodiesWith(credential string) map[string]string {
	identifier, secret := credential, credential
	if key, err := apikey.ParseFullKey(credential); err == nil {
		identifier, secret = key.RevealPair()
	}
	return map[string]string{
		pairBody:   fmt.Sprintf(`{"key":%q,"secret":%q}`, identifier, secret),
		apiKeyBody: fmt.Sprintf(`{"apiKey":%q,"planted":"planted"}`, credential),
		formBody:   "grant_type=zenml-api-key&planted=planted&password=" + credential,
		"another":  `{"meta":{"name":"planted"},"name":"planted","active":"planted"}`,
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

// wantLine sends something to an operation's function and wants one line of that.
func (w *world) wantLine(t *testing.T, op operation.Operation, s sent) {
	t.Helper()
	before := len(w.log.String())
	_, _ = w.stack.Invoke(t.Context(), op, []byte(s.payload))
	var lines []map[string]any
	localtest.WaitUntil(t, func() bool {
		lines = linesOf(w.log.String()[before:], op)
		return len(lines) > 0
	})
	if len(lines) != 1 {
		t.Errorf("%s: %d lines of one invocation", op.Name, len(lines))
	}
	line := lines[0]
	wantWholeLine(t, op, line)
	if s.verdict != anyVerdict {
		wantVerdict(t, op, line, s.verdict)
	}
	if status, _ := line["status"].(float64); s.succeeds && (line["fault"] != nil || status >= 400) {
		t.Errorf("%s does not succeed: %v", op.Name, line)
	}
}

// wantVerdict wants a line to tell and to count what was decided, or nothing.
func wantVerdict(t *testing.T, op operation.Operation, line map[string]any, want string) {
	t.Helper()
	verdict, _ := line[telemetry.VerdictDimension].(string)
	if want == apikey.WrongSecret.String() && (line["key"] == nil || line["namespace"] == nil) {
		t.Errorf("%s: a wrong secret, and no word of which key: %v", op.Name, line)
	}
	for metric, counts := range map[telemetry.Metric]bool{
		telemetry.Verdicts:      want != "",
		telemetry.MalformedKeys: want == telemetry.MalformedVerdict,
		telemetry.WrongSecrets:  want == apikey.WrongSecret.String(),
	} {
		if verdict != want || (line[string(metric)] == 1.0) != counts {
			t.Errorf("%s: the verdict is %q and %s %v, want %q", op.Name, verdict, metric, line[string(metric)], want)
		}
	}
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
