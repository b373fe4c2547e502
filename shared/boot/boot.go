// Package boot assembles a function from its environment: store, service, API,
// server, and the platform's loop around them. Everything is made once for each
// process and given to who uses it; nothing is global.
//
// A function's environment:
//
//	TABLE_NAME                   the table; only for functions that touch it
//	AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//	                             set by Lambda, and valid as long as the process
//	AWS_ENDPOINT_URL_DYNAMODB    another DynamoDB than the region's
//	AWS_ENDPOINT_URL_KMS         another KMS than the region's
//	SESSION_KEYS                 the ids of the session keys in KMS, separated by commas;
//	                             the first signs. This and what follows only for
//	                             functions that issue or verify session tokens
//	SESSION_ISSUER               the tokens' issuer
//	SESSION_AUDIENCE             the tokens' audience
package boot

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/api/namespaces"
	"latchkey/shared/api/platform"
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/api/workspaces"
	"latchkey/shared/apikey"
	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo"
	"latchkey/shared/kms"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// Serve runs one operation's function until the platform ends the process.
func Serve(op operation.Operation) {
	config, err := FromEnvironment(op, os.Getenv)
	if err == nil {
		var function lambdaweb.Function
		if function, err = New(op, config); err == nil {
			lambdaweb.Start(function)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A Config says what a function is made of. All of it must be set, but the store for an
// operation that does not touch the table and Sessions for one that has nothing to do
// with session tokens.
type Config struct {
	Store    apikey.Store
	Sessions Sessions
	Clock    func() time.Time
	Random   io.Reader
	Log      *slog.Logger
}

// Sessions is what issuing and verifying session tokens takes; see session.Config.
type Sessions struct {
	KeyStore session.KeyStore
	KeyIDs   []string
	Issuer   string
	Audience string
}

// An environment reads variables and remembers those that were not set.
type environment struct {
	getenv  func(string) string
	missing []string
}

func (e *environment) required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.missing = append(e.missing, name)
	}
	return value
}

// client says how to reach a service, whose endpoint a variable may replace.
func (e *environment) client(endpoint string) awsclient.Config {
	return awsclient.Config{
		Region:   e.getenv("AWS_REGION"),
		Endpoint: e.getenv(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(
			e.getenv("AWS_ACCESS_KEY_ID"), e.getenv("AWS_SECRET_ACCESS_KEY"), e.getenv("AWS_SESSION_TOKEN")),
	}
}

func (e *environment) store() *dynamo.Store {
	return dynamo.New(dynamo.Config{
		Table:  e.required(operation.TableNameVariable),
		Config: e.client(operation.DynamoDBVariable),
	})
}

func (e *environment) sessions() Sessions {
	return Sessions{
		KeyStore: kms.New(e.client(operation.KMSVariable)),
		KeyIDs:   strings.Split(e.required(operation.SessionKeysVariable), ","),
		Issuer:   e.required(operation.SessionIssuerVariable),
		Audience: e.required(operation.SessionAudienceVariable),
	}
}

// FromEnvironment makes the configuration that the function's environment tells. Its
// error names the variables that are not set.
func FromEnvironment(op operation.Operation, getenv func(string) string) (Config, error) {
	config := Config{
		Clock:  time.Now,
		Random: rand.Reader,
		Log:    slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	variables := environment{getenv: getenv}
	if op.UsesTable() {
		config.Store = variables.store()
	}
	if op.UsesSessions() {
		config.Sessions = variables.sessions()
	}
	if len(variables.missing) > 0 {
		return Config{}, fmt.Errorf("function %s: not set in the environment: %s", op.Name, strings.Join(variables.missing, ", "))
	}
	return config, nil
}

// New assembles the function of an operation. Its error is an operation that no
// API answers.
func New(op operation.Operation, c Config) (lambdaweb.Function, error) {
	keys := apikey.NewService(apikey.Config{Store: c.Store, Clock: c.Clock, Random: c.Random, Log: c.Log})
	switch op.Name {
	case operation.Bootstrap.Name:
		return lambdaweb.Direct(platform.Bootstrap(keys), c.Log), nil
	case operation.RemoveServiceAccount.Name:
		return lambdaweb.Stream(schema.PartitionKey, purge(keys, c.Log), c.Log), nil
	}
	handler, ok := handlers(keys, c)[op.Name]
	if !ok {
		return nil, fmt.Errorf("operation %s has no handler", op.Name)
	}
	return lambdaweb.HTTP(op, web.NewServer(web.Config{
		Handler:  handler,
		Envelope: EnvelopeOf,
		Log:      c.Log,
		Clock:    c.Clock,
	})), nil
}

// purge removes the deleted account whose partition an event of the stream names.
func purge(keys *apikey.Service, log *slog.Logger) func(context.Context, string) error {
	return func(ctx context.Context, partition string) error {
		at, err := dynamo.AccountIn(partition)
		if err != nil {
			return err
		}
		if err := keys.PurgeAccount(ctx, at); err != nil {
			return fmt.Errorf("account %s in %s: %w", at.ID, at.Namespace, err)
		}
		log.LogAttrs(ctx, slog.LevelInfo, "a deleted account was removed",
			slog.String("account", at.ID.String()), slog.String("namespace", at.Namespace.String()))
		return nil
	}
}

func handlers(keys *apikey.Service, c Config) map[string]web.Handler {
	sessions := session.NewService(session.Config{
		Keys:     keys,
		KeyStore: c.Sessions.KeyStore,
		KeyIDs:   c.Sessions.KeyIDs,
		Issuer:   c.Sessions.Issuer,
		Audience: c.Sessions.Audience,
		Clock:    c.Clock,
	})
	all := namespaces.New(namespaces.Config{Keys: keys, Sessions: sessions, Clock: c.Clock}).Handlers()
	maps.Copy(all, serviceaccounts.New(serviceaccounts.Config{Keys: keys, Sessions: sessions, Clock: c.Clock}).Handlers())
	maps.Copy(all, workspaces.New(workspaces.Config{Keys: keys, Sessions: sessions, Clock: c.Clock}).Handlers())
	all[operation.SessionKeys.Name] = platform.SessionKeys(sessions)
	all[operation.Health.Name] = platform.Health
	all[operation.NotFound.Name] = platform.NotFound
	return all
}

// EnvelopeOf is the envelope of the API that a path belongs to.
func EnvelopeOf(path string) web.Envelope {
	switch operation.APIOf(path) {
	case operation.Namespaces:
		return namespaces.Envelope
	case operation.Workspaces:
		return workspaces.Envelope
	case operation.ServiceAccounts:
		return serviceaccounts.Envelope
	}
	return web.Problem
}
