package boot

import (
	"context"
	"slices"
	"time"

	"latchkey/shared/operation"
)

// Lambda says by this variable why it starts a process.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const (
	initializationVariable = "AWS_LAMBDA_INITIALIZATION_TYPE"
	onDemand               = "on-demand"
)

// warmTime is how long a process that nobody waits for waits for its first connection.
const warmTime = 5 * time.Second

// warm opens a connection to the table, while the process asks for the event that it was
// started for: to dial and to agree on TLS takes longer than the read itself. Where a process
// is started before it is needed, it is frozen as soon as it asks for an event, so that it
// waits. That the table does not answer is for the first request to find.
func (c Config) warm(op operation.Operation, getenv func(string) string) {
	if !slices.Contains(op.Touches, operation.Touch{Action: operation.GetItem}) {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), warmTime)
		defer cancel()
		_ = c.Records.Warm(ctx)
	}()
	if kind := getenv(initializationVariable); kind != "" && kind != onDemand {
		<-done
	}
}
