package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines reads what a log has written, with the time called as slog calls it.
func lines(t *testing.T, text []byte) []object {
	t.Helper()
	var all []object
	for line := range bytes.Lines(text) {
		var one object
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if at, ok := one[timeName]; ok {
			one[slog.TimeKey] = at
			delete(one, timeName)
		}
		all = append(all, one)
	}
	return all
}

// The log keeps what slog promises of a handler.
func TestLogIsAHandler(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, slog.LevelInfo)
	if err := slogtest.TestHandler(log.Handler(), func() []object { return lines(t, out.Bytes()) }); err != nil {
		t.Error(err)
	}
}

// A sealed value is shown as it wants to be.
type sealed struct{ secret string }

func (sealed) LogValue() slog.Value { return slog.StringValue("[sealed]") }

type written struct{ secret string }

func (written) MarshalText() ([]byte, error) { return []byte("[written]"), nil }

// What a line says is what slog's own handler says.
func TestLogSaysWhatSlogDoes(t *testing.T) {
	for _, value := range []slog.Value{
		slog.StringValue("plain"), slog.StringValue("\"\\\n\x00\u2028<&>é\xff"), slog.StringValue(""),
		slog.Int64Value(math.MinInt64), slog.Uint64Value(math.MaxUint64), slog.BoolValue(true),
		slog.Float64Value(0), slog.Float64Value(1.5), slog.Float64Value(-1e300), slog.Float64Value(1e-9), slog.Float64Value(5_000_000),
		slog.DurationValue(time.Minute), slog.TimeValue(time.Unix(1, 5).UTC()), slog.GroupValue(),
		slog.GroupValue(slog.Int("a", 1), slog.Group("b", slog.String("c", "d")), slog.Group("e", slog.Group("f"))),
		slog.AnyValue(nil), slog.AnyValue(errors.New("an error")), slog.AnyValue([]string{"<a>"}), slog.AnyValue(map[string]int{"a": 1}),
		slog.AnyValue(sealed{"x"}), slog.AnyValue(&sealed{"x"}), slog.AnyValue([]written{{"x"}}),
	} {
		var ours, theirs bytes.Buffer
		record := slog.NewRecord(time.Unix(7, 9), slog.LevelWarn+1, "said", 0)
		record.AddAttrs(slog.Attr{Key: "k\"", Value: value}, slog.Attr{Value: value}, slog.Int("last", 1))
		for _, handler := range []slog.Handler{NewLog(&ours, slog.LevelInfo).Handler(), slog.NewJSONHandler(&theirs, nil)} {
			if err := handler.Handle(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(lines(t, theirs.Bytes()), lines(t, ours.Bytes())); diff != "" {
			t.Errorf("%v (-slog +ours)\n%s", value, diff)
		}
	}
}

// Where slog gives up a line is one still.
func TestLogOfWhatIsNoJSON(t *testing.T) {
	var out bytes.Buffer
	NewLog(&out, slog.LevelInfo).Info("", "nan", math.NaN(), "inf", math.Inf(-1), "channel", make(chan int))
	line := lines(t, out.Bytes())[0]
	if line["nan"] != "NaN" || line["inf"] != "-Inf" || !strings.HasPrefix(line["channel"].(string), "!ERROR:") {
		t.Errorf("%v", line)
	}
}

func FuzzLog(f *testing.F) {
	f.Add("message", "key", "value", 1.5, int64(7))
	f.Add("\xff", "", "\u2028\"", math.Inf(1), int64(-1))
	f.Fuzz(func(t *testing.T, message, key, value string, number float64, whole int64) {
		var out bytes.Buffer
		NewLog(&out, slog.LevelInfo).Info(message, slog.Group("of", slog.String(key, value), slog.Float64("n", number)), slog.Int64("i", whole))
		if text := out.Bytes(); bytes.Count(text, []byte("\n")) != 1 || !json.Valid(text) {
			t.Errorf("%q is no line of JSON", text)
		}
	})
}

// A line takes no memory but its own, which serves the next one.
func TestLineAllocatesNothing(t *testing.T) {
	r := NewRecorder(Config{Log: NewLog(io.Discard, slog.LevelInfo), Service: "keys", Clock: time.Now})
	empty, entry := new(Entry), new(Entry)
	allocations := testing.AllocsPerRun(100, func() { recordOne(t, r, entry, empty) })
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func recordOne(t testing.TB, r *Recorder, entry, empty *Entry) {
	*entry = *empty
	entry.Note("key", "019b7ca9-8f2e-7e98-833b-d887d15218ce")
	entry.Note("namespace", "demo")
	entry.Add(slog.Int("status", 200))
	entry.Judge("valid")
	r.Record(t.Context(), entry, Outcome{Message: "request", Operation: "validate-api-key", RequestID: "JKJaXmPLvHcESHA=", Began: time.Now()})
}

func BenchmarkLine(b *testing.B) {
	for name, log := range map[string]*slog.Logger{
		"ours": NewLog(io.Discard, slog.LevelInfo), "slog's": slog.New(slog.NewJSONHandler(io.Discard, nil)),
	} {
		b.Run(name, func(b *testing.B) {
			r := NewRecorder(Config{Log: log, Service: "keys", Clock: time.Now})
			empty, entry := new(Entry), new(Entry)
			b.ReportAllocs()
			for b.Loop() {
				recordOne(b, r, entry, empty)
			}
		})
	}
}
