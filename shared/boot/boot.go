// Package boot assembles a function: from its environment the parts, of the parts its
// operation, and the platform's loop around that. Everything is made once for each process
// and given to who uses it; nothing is global.
//
// A function holds no API and no client of a service but its own: its main names the
// endpoint, the Maker that suits it, and the parts that it takes from the environment. A
// package that is imported is initialised and linked, used or not; so this one imports no
// API, and each service of AWS has a package of its own:
//
//	boot           clock, log and randomness; no client of a service
//	boot/records   what verification needs of the table, by way of DynamoDB
//	boot/store     all of the table
//	boot/sessions  the session keys, by way of KMS
//	boot/guard     the authorizer
//
// That a main names what the catalogue says of its operation is held by the tests of
// package functions.
//
// A function's environment:
//
//	SERVICE_NAME                 the name of this Latchkey, for its metrics
//	TABLE_NAME                   the table; only for functions that touch it
//	RETENTION_DAYS               for how many days an expired key stays listed; 30 without it
//	AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//	                             set by Lambda; once they have expired, the process ends
//	AWS_ENDPOINT_URL_DYNAMODB    another DynamoDB than the region's
//	AWS_ENDPOINT_URL_KMS         another KMS than the region's
//	SESSION_KEYS                 the ids or ARNs of the session keys in KMS, separated by
//	                             commas; the first signs. This and the next two only for
//	                             functions that issue or verify session tokens
//	SESSION_ISSUER               the tokens' issuer
//	SESSION_AUDIENCE             the tokens' audience
//	AWS_LAMBDA_LOG_LEVEL         set by Lambda: below it nothing is logged; INFO without it
//	AWS_LAMBDA_INITIALIZATION_TYPE
//	                             set by Lambda: whether the process was started for an event
//	PROTECTED_API                the API before which an authorizer stands, as package
//	                             protected writes it; only for the authorizer
package boot

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
	"latchkey/shared/session"
	"latchkey/shared/telemetry"
)

// Serve runs one operation's function until the platform ends the process, or until it can
// do nothing more because its credentials have expired: the platform then starts another,
// which has fresh ones.
func Serve(op operation.Operation, function Maker, parts ...Part) {
	config, err := FromEnvironment(op, os.Getenv, parts...)
	if err == nil {
		var made lambdaweb.Function
		if made, err = function(op, config); err == nil {
			config.warm(op, os.Getenv)
			lambdaweb.Start(made, config.Expired.Load)
		}
	}
	newLog(os.Stderr, "").Error("the function cannot start", slog.String("error", err.Error()))
	os.Exit(1)
}

// A Config says what a function is made of. All of it must be set, but Store for an operation
// that does nothing with keys but to verify them, Records too for one that does not touch the
// table, Sessions for one that has nothing to do with session tokens, and Protected for all
// but the authorizer.
type Config struct {
	Records   Records
	Store     apikey.Store
	Sessions  Sessions
	Protected string // the API before which an authorizer stands, as package protected writes it
	Clock     func() time.Time
	Random    io.Reader
	Log       *slog.Logger
	Service   string        // the name by which its metrics are told from another Latchkey's
	Throttles *atomic.Int64 // counts the tries that were refused for being too many
	Expired   *atomic.Bool  // tells that the process's credentials have expired
}

// Records are those that verification reads.
type Records interface {
	apikey.Records

	// Warm opens a connection, if it can.
	Warm(context.Context) error
}

// Sessions is what issuing and verifying session tokens takes; see session.Config.
type Sessions struct {
	KeyStore session.KeyStore
	KeyIDs   []string
	Issuer   string
	Audience string
}

// FromEnvironment makes the configuration that the function's environment tells, with the
// parts that are named. Its error names the variables that are not set or cannot be used.
func FromEnvironment(op operation.Operation, getenv func(string) string, parts ...Part) (Config, error) {
	variables := Environment{getenv: getenv, throttles: new(atomic.Int64), expired: new(atomic.Bool)}
	config := Config{
		Clock:     time.Now,
		Random:    rand.Reader,
		Log:       newLog(os.Stdout, getenv(logLevelVariable)),
		Service:   variables.Required(operation.ServiceNameVariable),
		Throttles: variables.throttles,
		Expired:   variables.expired,
	}
	for _, add := range parts {
		add(&variables, &config)
	}
	if err := variables.problem(); err != nil {
		return Config{}, fmt.Errorf("function %s: %w", op.Name, err)
	}
	return config, nil
}

func (c Config) keys() *apikey.Service {
	return apikey.NewService(apikey.Config{Store: c.Store, Clock: c.Clock, Random: c.Random, Log: c.Log})
}

// Recorder makes what writes the lines of one function.
func (c Config) Recorder() *telemetry.Recorder {
	return telemetry.NewRecorder(telemetry.Config{Log: c.Log, Service: c.Service, Clock: c.Clock, Throttles: c.Throttles})
}

func (c Config) verifier() *apikey.Verifier {
	return apikey.NewVerifier(apikey.VerifierConfig{Records: c.Records, Clock: c.Clock, Log: c.Log})
}

// Bearer makes what operations are made of that only ask who presents a credential.
func (c Config) Bearer() wiring.Bearer { return c.bearer(c.verifier()) }

func (c Config) bearer(verifier *apikey.Verifier) wiring.Bearer {
	sessions := session.NewService(session.Config{
		Verifier: verifier,
		KeyStore: c.Sessions.KeyStore,
		KeyIDs:   c.Sessions.KeyIDs,
		Issuer:   c.Sessions.Issuer,
		Audience: c.Sessions.Audience,
		Clock:    c.Clock,
	})
	return wiring.Bearer{Sessions: sessions, Clock: c.Clock}
}
