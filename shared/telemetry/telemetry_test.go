package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type object = map[string]any

// A fixture is a recorder whose lines are read back.
type fixture struct {
	*Recorder
	log       bytes.Buffer
	now       time.Time
	throttles atomic.Int64
}

func newFixture(level slog.Level) *fixture {
	f := &fixture{now: time.UnixMilli(1_700_000_000_000)}
	f.Recorder = NewRecorder(Config{
		Log:       slog.New(slog.NewJSONHandler(&f.log, &slog.HandlerOptions{Level: level})),
		Service:   "keys",
		Clock:     func() time.Time { return f.now },
		Throttles: &f.throttles,
	})
	return f
}

// line records an entry and gives its line without the time; nil if there is none.
func (f *fixture) line(t *testing.T, e *Entry, o Outcome) object {
	t.Helper()
	f.log.Reset()
	f.Record(t.Context(), e, o)
	if f.log.Len() == 0 {
		return nil
	}
	var line object
	if err := json.Unmarshal(f.log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	return line
}

func directiveOf(sets ...any) object {
	return object{"Timestamp": 1_700_000_000_000.0, "CloudWatchMetrics": sets}
}

func setOf(dimensions []any, metrics ...any) object {
	return object{"Namespace": "Latchkey", "Dimensions": []any{dimensions}, "Metrics": metrics}
}

func count(name Metric) object { return object{"Name": string(name)} }

var (
	latency = object{"Name": "milliseconds", "Unit": "Milliseconds"}
	service = []any{"service"}
	both    = []any{"service", "verdict"}
)

// The first line of a process tells of everything that one can tell of.
func TestFullLine(t *testing.T) {
	f, entry := newFixture(slog.LevelInfo), new(Entry)
	f.throttles.Store(2)
	entry.Note("key", "k")
	entry.Add(slog.Int("status", 200))
	entry.Judge(MalformedVerdict)
	entry.Judge(WrongSecretVerdict)
	got := f.line(t, entry, Outcome{
		Level: slog.LevelInfo, Message: "request", Operation: "validate", RequestID: "r", Began: f.now.Add(-1500 * time.Microsecond),
	})
	want := object{
		"level": "INFO", "msg": "request", "key": "k", "status": 200.0, "service": "keys", "operation": "validate", "request_id": "r",
		"verdict": "wrong_secret", "requests": 1.0, "milliseconds": 1.5, "cold_starts": 1.0, "throttles": 2.0, "verdicts": 1.0, "wrong_secrets": 1.0,
		"_aws": directiveOf(
			setOf(service, count(Requests), latency, count(ColdStarts), count(Throttles), count(WrongSecrets)), setOf(both, count(Verdicts))),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A later one has nothing of what is over: no cold start, no throttles, no verdict.
func TestPlainLine(t *testing.T) {
	f := newFixture(slog.LevelInfo)
	f.throttles.Store(2)
	f.line(t, new(Entry), Outcome{})
	got := f.line(t, new(Entry), Outcome{
		Level: slog.LevelError, Message: "invocation", Operation: "health", RequestID: "s", Began: f.now, IsFault: true,
	})
	want := object{
		"level": "ERROR", "msg": "invocation", "service": "keys", "operation": "health", "request_id": "s",
		"requests": 1.0, "milliseconds": 0.0, "faults": 1.0,
		"_aws": directiveOf(setOf(service, count(Requests), latency, count(Faults))),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMalformedKeysAreCounted(t *testing.T) {
	entry := new(Entry)
	entry.Judge(MalformedVerdict)
	line := newFixture(slog.LevelInfo).line(t, entry, Outcome{})
	if line["malformed_keys"] != 1.0 || line["wrong_secrets"] != nil || line["verdicts"] != 1.0 {
		t.Errorf("%v", line)
	}
}

// What the log does not want is no line, and the first line that it wants is of a warm
// process then.
func TestUnwantedLine(t *testing.T) {
	f := newFixture(slog.LevelWarn)
	f.throttles.Store(3)
	if line := f.line(t, new(Entry), Outcome{Level: slog.LevelInfo}); line != nil {
		t.Errorf("%v", line)
	}
	if line := f.line(t, new(Entry), Outcome{Level: slog.LevelWarn}); line["requests"] != 1.0 || line["throttles"] != 3.0 || line["cold_starts"] != nil {
		t.Errorf("%v", line)
	}
}

// However much is noted, what every line must have is there.
func TestManyNotes(t *testing.T) {
	f, entry := newFixture(slog.LevelInfo), new(Entry)
	f.throttles.Store(1)
	for i := range 100 {
		entry.Note(strconv.Itoa(i), "")
	}
	entry.Judge(WrongSecretVerdict)
	line := f.line(t, entry, Outcome{IsFault: true, IsDeclined: true})
	for _, name := range []string{"0", "15", "request_id", "verdict", "faults", "throttles", "wrong_secrets", "declined", "_aws"} {
		if line[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	if line["16"] != nil {
		t.Error("there is room for more than is said")
	}
}
