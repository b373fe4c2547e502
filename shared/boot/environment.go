package boot

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/awsclient"
)

// A Part sets in a Config what a function takes from its environment for one service.
type Part func(*Environment, *Config)

// An Environment reads variables and remembers those that were not set, so that all of
// them can be told at once.
type Environment struct {
	getenv    func(string) string
	missing   []string
	throttles *atomic.Int64
}

// Required reads a variable that must be set.
func (e *Environment) Required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.missing = append(e.missing, name)
	}
	return value
}

// Client says how to reach a service, whose endpoint a variable may replace.
func (e *Environment) Client(endpoint string) awsclient.Config {
	return awsclient.Config{
		Region:    e.getenv("AWS_REGION"),
		Endpoint:  e.getenv(endpoint),
		Throttles: e.throttles,
		Credentials: credentials.NewStaticCredentialsProvider(
			e.getenv("AWS_ACCESS_KEY_ID"), e.getenv("AWS_SECRET_ACCESS_KEY"), e.getenv("AWS_SESSION_TOKEN")),
	}
}

func (e *Environment) problem() error {
	if len(e.missing) == 0 {
		return nil
	}
	return fmt.Errorf("not set in the environment: %s", strings.Join(e.missing, ", "))
}
