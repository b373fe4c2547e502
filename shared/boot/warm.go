package boot

import (
	"cmp"
	"context"
	"slices"
	"strings"
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

const (
	// How long a process waits for its first connection.
	warmTime = 5 * time.Second
	// In less it has asked for its first event.
	aside = 300 * time.Microsecond
)

// warm reads from the table, so that the first request finds a connection. That the table
// does not answer is for that request to find.
//
// To agree on TLS takes some ten milliseconds of a processor, many times what a request
// does. Before a process asks for its first event it has a whole processor, and behind that
// the share that goes with its memory size, so that it waits for the read. It must wait where
// it is started before it is needed, too: there it is frozen as soon as it asks. A connection
// without TLS is there at once, and then the process asks first for the event that it was
// started for.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
func (c Config) warm(op operation.Operation, getenv func(string) string) {
	if !slices.Contains(op.Touches, operation.Touch{Action: operation.GetItem}) {
		return
	}
	isPlain := strings.HasPrefix(getenv(operation.DynamoDBVariable), "http://")
	if isPlain && cmp.Or(getenv(initializationVariable), onDemand) == onDemand {
		time.AfterFunc(aside, c.connect)
		return
	}
	c.connect()
}

func (c Config) connect() {
	ctx, cancel := context.WithTimeout(context.Background(), warmTime)
	defer cancel()
	_ = c.Records.Warm(ctx)
}
