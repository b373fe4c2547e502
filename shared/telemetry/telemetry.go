package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// How much an Entry has room for: what others note, and what a Recorder always adds.
const (
	maxNotes = 16
	ownNotes = 4 + maxFigures + 1
)

// An Entry gathers what is to be told of one invocation. The zero Entry is empty. It must
// hold no secret, and nothing that a caller has written.
type Entry struct {
	verdict string
	fields  [maxNotes + ownNotes]slog.Attr
	filled  int
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
	IsFault   bool      // failed for a reason of ours
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
}

// NewRecorder returns a recorder that is made of c.
func NewRecorder(c Config) *Recorder { return &Recorder{config: c} }

// Log is where the lines go, for what is not of a single invocation.
func (r *Recorder) Log() *slog.Logger { return r.config.Log }

// Now tells the time.
func (r *Recorder) Now() time.Time { return r.config.Clock() }

// Record writes the line of an invocation, which is over. A level that the log does not
// want is no line, and no metrics.
func (r *Recorder) Record(ctx context.Context, e *Entry, o Outcome) {
	now := r.Now()
	figures := r.figures(e, o, now.Sub(o.Began))
	if !r.config.Log.Enabled(ctx, o.Level) {
		return
	}
	e.put(slog.String(ServiceDimension, r.config.Service))
	e.put(slog.String("operation", o.Operation))
	e.put(slog.String("request_id", o.RequestID))
	if e.verdict != "" {
		e.put(slog.String(VerdictDimension, e.verdict))
	}
	for _, own := range figures {
		e.put(slog.Float64(string(own.metric), own.value))
	}
	e.put(figures.directive(now))
	r.config.Log.LogAttrs(ctx, o.Level, o.Message, e.fields[:e.filled]...)
}

func (r *Recorder) figures(e *Entry, o Outcome, took time.Duration) figures {
	all := make(figures, 0, maxFigures)
	all.addIf(true, Requests)
	all.add(Milliseconds, float64(took.Microseconds())/1000)
	all.addIf(o.IsFault, Faults)
	all.addIf(!r.isWarm.Swap(true), ColdStarts)
	if throttles := r.throttles(); throttles > 0 {
		all.add(Throttles, float64(throttles))
	}
	all.addVerdict(e.verdict)
	return all
}

func (r *Recorder) throttles() int64 {
	if r.config.Throttles == nil {
		return 0
	}
	return r.config.Throttles.Swap(0)
}

// figures are the metrics of one invocation, in the order in which the line has them.
type figures []figure

const maxFigures = 8

type figure struct {
	metric Metric
	value  float64
}

func (f *figures) add(metric Metric, value float64) { *f = append(*f, figure{metric, value}) }

func (f *figures) addIf(is bool, metric Metric) {
	if is {
		f.add(metric, 1)
	}
}

func (f *figures) addVerdict(verdict string) {
	f.addIf(verdict != "", Verdicts)
	f.addIf(verdict == MalformedVerdict, MalformedKeys)
	f.addIf(verdict == WrongSecretVerdict, WrongSecrets)
}

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

// directive says which of the line's fields are metrics, and which their dimensions.
func (f figures) directive(at time.Time) slog.Attr {
	sets := []metricSet{f.setOf(Requests)}
	if slices.ContainsFunc(f, func(own figure) bool { return own.metric == Verdicts }) {
		sets = append(sets, f.setOf(Verdicts))
	}
	return slog.Group("_aws", slog.Int64("Timestamp", at.UnixMilli()), slog.Any("CloudWatchMetrics", sets))
}

// setOf gives those that have the dimensions of a metric. A unit is said only where it is
// not a count: a line is paid for by its length.
func (f figures) setOf(like Metric) metricSet {
	set := metricSet{Namespace: Namespace, Dimensions: [][]string{DimensionsOf(like)}}
	for _, own := range f {
		if !slices.Equal(DimensionsOf(own.metric), DimensionsOf(like)) {
			continue
		}
		set.Metrics = append(set.Metrics, definition{Name: own.metric})
		if own.metric == Milliseconds {
			set.Metrics[len(set.Metrics)-1].Unit = "Milliseconds"
		}
	}
	return set
}
