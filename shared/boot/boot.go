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
package boot

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/api/namespaces"
	"latchkey/shared/api/platform"
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/api/workspaces"
	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
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

// A Config says what a function is made of. All of it must be set, but the store
// for an operation that does not touch the table.
type Config struct {
	Store  apikey.Store
	Clock  func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// FromEnvironment makes the configuration that the function's environment tells.
func FromEnvironment(op operation.Operation, getenv func(string) string) (Config, error) {
	config := Config{
		Clock:  time.Now,
		Random: rand.Reader,
		Log:    slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	if !op.UsesTable() {
		return config, nil
	}
	table := getenv(operation.TableNameVariable)
	if table == "" {
		return Config{}, fmt.Errorf("function %s: the environment variable %s is not set", op.Name, operation.TableNameVariable)
	}
	config.Store = dynamo.New(dynamo.Config{
		Table:    table,
		Region:   getenv("AWS_REGION"),
		Endpoint: getenv(operation.DynamoDBVariable),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	})
	return config, nil
}

// New assembles the function of an operation. Its error is an operation that no
// API answers.
func New(op operation.Operation, c Config) (lambdaweb.Function, error) {
	keys := apikey.NewService(apikey.Config{Store: c.Store, Clock: c.Clock, Random: c.Random})
	if op.Name == operation.Bootstrap.Name {
		return lambdaweb.Direct(platform.Bootstrap(keys), c.Log), nil
	}
	handler, ok := handlers(keys)[op.Name]
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

func handlers(keys *apikey.Service) map[string]web.Handler {
	all := namespaces.New(keys).Handlers()
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
