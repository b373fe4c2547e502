package boot

import (
	"context"
	"log/slog"

	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/web"
)

// A Maker makes the function of an operation. There is one for each set of services that
// operations are made of. The operation is for functions that a route leads to, which log
// its name and answer by it. The error is what is wrong with the configuration.
type Maker func(operation.Operation, Config) (lambdaweb.Function, error)

// Alone is for an endpoint that needs no service.
func Alone(endpoint func() wiring.Endpoint) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		return c.serve(op, endpoint()), nil
	}
}

// WithVerifier is for an endpoint that tells whether keys are good.
func WithVerifier(endpoint func(*apikey.Verifier) wiring.Endpoint) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		return c.serve(op, endpoint(c.verifier())), nil
	}
}

// WithSessions is for an endpoint that gives or takes session tokens, and does nothing with
// keys but to verify them.
func WithSessions(endpoint func(wiring.Bearer) wiring.Endpoint) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		return c.serve(op, endpoint(c.Bearer())), nil
	}
}

// WithKeys is for an endpoint that manages keys, whose callers bear keys or session tokens.
func WithKeys(endpoint func(wiring.Config) wiring.Endpoint) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		keys := c.keys()
		return c.serve(op, endpoint(wiring.Config{Keys: keys, Bearer: c.bearer(keys.Verifier)})), nil
	}
}

func (c Config) serve(op operation.Operation, endpoint wiring.Endpoint) lambdaweb.Function {
	return lambdaweb.HTTP(op, web.NewServer(web.Config{
		Handler:  endpoint.Handler,
		Envelope: endpoint.Envelope,
		Recorder: c.Recorder(),
	}))
}

// Direct is for a call that no route leads to and that needs keys.
func Direct(call func(*apikey.Service) lambdaweb.Call) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		return lambdaweb.Direct(op, call(c.keys()), c.Recorder()), nil
	}
}

// Stream is for what is done with each partition that the table's stream names.
func Stream(do func(*apikey.Service, *slog.Logger) func(ctx context.Context, partition string) error) Maker {
	return func(op operation.Operation, c Config) (lambdaweb.Function, error) {
		return lambdaweb.Stream(op, schema.PartitionKey, do(c.keys(), c.Log), c.Recorder()), nil
	}
}
