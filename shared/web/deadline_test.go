package web

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/fault"
)

func within(seconds string) *Request {
	return &Request{Header: map[string]string{"request-timeout": seconds}}
}

const unlimited = time.Duration(-1)

// timeLeft is how much time a handler has for a request.
func timeLeft(t *testing.T, ctx context.Context, r *Request) time.Duration {
	t.Helper()
	left := unlimited
	serve(t, ctx, r, func(ctx context.Context, _ *Request) (Response, error) {
		if deadline, ok := ctx.Deadline(); ok {
			left = time.Until(deadline)
		}
		return JSON(200, nil, false)
	})
	return left
}

func TestRequestTimeout(t *testing.T) {
	const platform = 10*time.Second + answerTime
	for header, want := range map[string]struct{ alone, onPlatform time.Duration }{
		"2":           {2 * time.Second, 2 * time.Second},
		"0.25":        {250 * time.Millisecond, 250 * time.Millisecond},
		"1.5":         {1500 * time.Millisecond, 1500 * time.Millisecond},
		"007":         {7 * time.Second, 7 * time.Second},
		"9.999999999": {10*time.Second - 1, 10*time.Second - 1},
		"10.1":        {10100 * time.Millisecond, 10 * time.Second},
		"3600":        {time.Hour, 10 * time.Second},
	} {
		wantTimeLeft(t, header, platform, want.alone, want.onPlatform)
	}
	for _, header := range []string{
		"", "0", "0.0", "-1", "+1", "1s", "1m", "1m2", "1h30m1", "1e3", "0x10", "1_0", "1,5", "1, 2", " 1", ".", "1.2.3",
		"NaN", "Inf", "soon", "99999999999999999999",
	} {
		wantTimeLeft(t, header, platform, unlimited, 10*time.Second)
	}
}

func wantTimeLeft(t *testing.T, header string, platform, alone, onPlatform time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if got := timeLeft(t, t.Context(), within(header)); got != alone {
			t.Errorf("%q gives a handler %v, want %v", header, got, alone)
		}
		ctx, cancel := context.WithTimeout(t.Context(), platform)
		defer cancel()
		if got := timeLeft(t, ctx, within(header)); got != onPlatform {
			t.Errorf("%q gives a handler %v on a platform with a time-out, want %v", header, got, onPlatform)
		}
	})
}

// waiting does what the store does: nothing more when its time is over.
func waiting(then Handler) Handler {
	return func(ctx context.Context, r *Request) (Response, error) {
		<-ctx.Done()
		return then(ctx, r)
	}
}

type outcome struct {
	Status int
	Level  string
	Fault  string
}

func TestClientTimeIsOver(t *testing.T) {
	timedOut := outcome{504, "WARN", "timed out"}
	broken := outcome{500, "ERROR", "internal error"}
	succeeding := func(context.Context, *Request) (Response, error) { return JSON(200, nil, false) }
	panicking := func(context.Context, *Request) (Response, error) { panic("internals") }
	for name, test := range map[string]struct {
		handler Handler
		want    outcome
	}{
		"the context's error":   {waiting(func(ctx context.Context, _ *Request) (Response, error) { return Response{}, ctx.Err() }), timedOut},
		"the store's":           {waiting(failing(fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "later"))), timedOut},
		"another":               {waiting(failing(fault.New(fault.NotFound, "gone"))), outcome{504, "INFO", "timed out"}},
		"none":                  {waiting(succeeding), outcome{200, "INFO", ""}},
		"a panic":               {waiting(panicking), broken},
		"another in good time":  {failing(fault.New(fault.NotFound, "gone")), outcome{404, "INFO", "not found"}},
		"a defect in good time": {failing(errors.New("internals")), broken},
	} {
		synctest.Test(t, func(t *testing.T) {
			response, line := serve(t, t.Context(), within("2"), test.handler)
			if diff := cmp.Diff(test.want, outcomeOf(response, line)); diff != "" {
				t.Errorf("%s: (-want +got):\n%s", name, diff)
			}
		})
	}
}

func outcomeOf(response Response, line map[string]any) outcome {
	level, _ := line["level"].(string)
	kind, _ := line["fault"].(string)
	return outcome{response.Status, level, kind}
}

// A handler sees an end of its time that a transport takes for one, and the client
// is told so without what the handler makes of it, which is for the log.
func TestWhatIsSeenOfClientTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, line := serve(t, t.Context(), within("2"), waiting(func(ctx context.Context, _ *Request) (Response, error) {
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				t.Errorf("the context ends with %v, because of %v", ctx.Err(), context.Cause(ctx))
			}
			return Response{}, fault.Wrap(fault.Unavailable, errors.New("internals"), "later")
		}))
		want := `{"type":"about:blank","title":"Gateway Timeout","status":504,"detail":"context deadline exceeded"}`
		if diff := cmp.Diff(want, string(response.Body)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if line["milliseconds"] != 2000.0 || line["error"] != "context deadline exceeded: later: internals" {
			t.Errorf("the log line is %v", line)
		}
	})
}

// What a request holds does not reach the log because its client was impatient.
func TestClientTimeHidesNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, line := serve(t, t.Context(), within("2"), waiting(failing(fault.InvalidField("a key as a name", "unknown field"))))
		if line["error"] != nil || line["fault"] != "timed out" {
			t.Errorf("the log line is %v", line)
		}
	})
}

// The platform's end comes first, and is a failure of ours.
func TestPlatformTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "later")
		response, line := serve(t, ctx, within("2"), waiting(failing(late)))
		if diff := cmp.Diff(outcome{503, "ERROR", "unavailable"}, outcomeOf(response, line)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
