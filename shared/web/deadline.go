package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/shared/fault"
)

// What is left of an invocation's time when the work on it stops, so that there is
// an answer in our own envelope.
const answerTime = 500 * time.Millisecond

// errClientTime is why a context ended whose time the client has set. Transports
// return it; it is a time-out to them as any other.
var errClientTime = fmt.Errorf("the client's time is over: %w", context.DeadlineExceeded)

func withinPlatformTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-answerTime))
}

// withinClientTime never lengthens: a context that ends first keeps its end, and the
// reason of it.
func withinClientTime(ctx context.Context, r *Request) (context.Context, context.CancelFunc) {
	timeout := r.timeout()
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, errClientTime)
}

// timeout is what Request-Timeout asks for, in seconds; zero where it is absent or no
// decimal number. One that is too large to count would shorten nothing either.
func (r *Request) timeout() time.Duration {
	seconds, ok := r.Header["request-timeout"]
	if !ok || !isDecimal(seconds) {
		return 0
	}
	timeout, _ := time.ParseDuration(seconds + "s") // zero with an error
	return timeout
}

// blameClientTime makes TimedOut of a handler's error when the client's time is over.
// What else may have gone wrong, the client has not waited for. A panic never comes
// here: it is a defect whenever it happens.
func blameClientTime(ctx context.Context, err error) error {
	if err == nil || !errors.Is(context.Cause(ctx), errClientTime) {
		return err
	}
	return fault.Wrap(fault.TimedOut, err, context.DeadlineExceeded.Error())
}
