package telemetry

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// How much an Entry has room for: what others note, and what a Recorder always adds.
const (
	maxNotes = 16
	ownNotes = 4 + len(metrics) + 1
)

// An Entry gathers what is to be told of one invocation. The zero Entry is empty. It must
// hold no secret, and nothing that a caller has written.
type Entry struct {
	verdict string
	fields  [maxNotes + ownNotes]slog.Attr
	filled  int
	format  [2]slog.Attr // says which of the fields are metrics
}

// Note adds a field that is a text. A field that finds no room is left out.
func (e *Entry) Note(key, value string) { e.Add(slog.String(key, value)) }

// Add is Note for any field.
func (e *Entry) Add(field slog.Attr) {
	if e.filled < maxNotes {
		e.put(field)
	}
}

func (e *Entry) put(field slog.Attr) {
	e.fields[e.filled] = field
	e.filled++
}

// Judge notes what was decided of the key or token that was presented: an
// apikey.Reason, MalformedVerdict or another word; nothing where it is empty. The last
// word counts.
func (e *Entry) Judge(verdict string) { e.verdict = verdict }

// An Outcome is what every invocation comes to.
type Outcome struct {
	Level     slog.Level
	Message   string
	Operation string
	RequestID string
	Began     time.Time // by the Recorder's clock

	IsFault    bool // failed for a reason of ours
	IsDeclined bool // answered as if it had, by the client's doing
}

// A Config says what a Recorder is made of. All of it must be set, but Throttles where
// nothing is called.
type Config struct {
	Log       *slog.Logger
	Service   string // for ServiceDimension
	Clock     func() time.Time
	Throttles *atomic.Int64 // counts on; a line takes what has come together since the last one
}

// A Recorder writes the lines of one process. It is safe for concurrent use.
type Recorder struct {
	config Config
	isWarm atomic.Bool
	sets   sync.Map // by figures.present, what says so in a line
}

// NewRecorder returns a recorder that is made of c.
func NewRecorder(c Config) *Recorder { return &Recorder{config: c} }

// Now tells the time.
func (r *Recorder) Now() time.Time { return r.config.Clock() }

// Record writes the line of an invocation, which is over. A level that the log does not
// want is no line, and no metrics; what was refused meanwhile is left to the next one.
func (r *Recorder) Record(ctx context.Context, e *Entry, o Outcome) {
	isCold := !r.isWarm.Swap(true)
	if !r.config.Log.Enabled(ctx, o.Level) {
		return
	}
	now := r.Now()
	figures := r.figures(e, o, now.Sub(o.Began), isCold)
	e.put(slog.String(ServiceDimension, r.config.Service))
	e.put(slog.String("operation", o.Operation))
	e.put(slog.String("request_id", o.RequestID))
	if e.verdict != "" {
		e.put(slog.String(VerdictDimension, e.verdict))
	}
	for i, metric := range metrics {
		if figures.has(i) {
			e.put(slog.Float64(string(metric), figures.values[i]))
		}
	}
	e.put(r.directive(e, figures, now))
	line := slog.NewRecord(now, o.Level, o.Message, 0)
	line.AddAttrs(inline(e.fields[:e.filled]))
	_ = r.config.Log.Handler().Handle(ctx, line) // as a Logger would: there is nowhere to tell
}

// inline is the fields of a group without a name, which are those of what the group is in.
// A record has room for some fields, and so for this one.
func inline(fields []slog.Attr) slog.Attr { return slog.Attr{Value: slog.GroupValue(fields...)} }

func (r *Recorder) figures(e *Entry, o Outcome, took time.Duration, isCold bool) figures {
	var all figures
	all.set(Requests, 1)
	all.set(Milliseconds, float64(took.Microseconds())/1000)
	all.setIf(o.IsFault, Faults)
	all.setIf(isCold, ColdStarts)
	if throttles := r.throttles(); throttles > 0 {
		all.set(Throttles, float64(throttles))
	}
	all.setIf(e.verdict != "", Verdicts)
	all.setIf(e.verdict == MalformedVerdict, MalformedKeys)
	all.setIf(e.verdict == WrongSecretVerdict, WrongSecrets)
	all.setIf(o.IsDeclined, Declined)
	return all
}

func (r *Recorder) throttles() int64 {
	if r.config.Throttles == nil {
		return 0
	}
	return r.config.Throttles.Swap(0)
}

// directive says which of the line's fields are metrics, and which their dimensions. All of
// it but the time is the same for the same metrics, and is encoded once.
func (r *Recorder) directive(e *Entry, f figures, at time.Time) slog.Attr {
	sets, ok := r.sets.Load(f.present)
	if !ok {
		sets, _ = r.sets.LoadOrStore(f.present, f.encodeSets())
	}
	e.format = [...]slog.Attr{slog.Int64("Timestamp", at.UnixMilli()), slog.Any("CloudWatchMetrics", sets)}
	return slog.GroupAttrs("_aws", e.format[:]...)
}

// figures are the metrics of one invocation, by their places in metrics.
type figures struct {
	values  [len(metrics)]float64
	present uint16 // a bit for each
}

func (f *figures) set(metric Metric, value float64) {
	i := slices.Index(metrics[:], metric)
	f.values[i], f.present = value, f.present|1<<i
}

func (f *figures) setIf(is bool, metric Metric) {
	if is {
		f.set(metric, 1)
	}
}

func (f *figures) has(i int) bool { return f.present&(1<<i) != 0 }

// A metricSet is a MetricDirective of the format.
type metricSet struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct {
	Name Metric
	Unit string `json:",omitempty"`
}

func (f figures) encodeSets() jsontext.Value {
	var sets []metricSet
	for _, like := range []Metric{Requests, Verdicts} {
		if set := f.setOf(DimensionsOf(like)); len(set.Metrics) > 0 {
			sets = append(sets, set)
		}
	}
	text, err := json.Marshal(sets)
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// setOf gives those that have these dimensions. A unit is said only where it is not a
// count: a line is paid for by its length.
func (f figures) setOf(dimensions []string) metricSet {
	set := metricSet{Namespace: Namespace, Dimensions: [][]string{dimensions}}
	for i, metric := range metrics {
		if !f.has(i) || !slices.Equal(DimensionsOf(metric), dimensions) {
			continue
		}
		own := definition{Name: metric}
		if metric == Milliseconds {
			own.Unit = "Milliseconds"
		}
		set.Metrics = append(set.Metrics, own)
	}
	return set
}
