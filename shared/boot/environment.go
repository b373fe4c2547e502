package boot

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/shared/awsclient"
)

// A Part sets in a Config what a function takes from its environment for one service.
type Part func(*Environment, *Config)

// An Environment reads variables and remembers those that were not set or cannot be used,
// so that all of them can be told at once.
type Environment struct {
	getenv    func(string) string
	missing   []string
	refused   []string
	throttles *atomic.Int64
	expired   *atomic.Bool
}

// Required reads a variable that must be set.
func (e *Environment) Required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.missing = append(e.missing, name)
	}
	return value
}

// Days reads a variable that may be set, to a whole number of days from 1 to longest.
// Zero: it is not set, or is refused.
func (e *Environment) Days(name string, longest int) time.Duration {
	value := e.getenv(name)
	if value == "" {
		return 0
	}
	days, err := strconv.Atoi(value)
	if err != nil || days < 1 || days > longest {
		e.refused = append(e.refused, fmt.Sprintf("%s must be a number of days from 1 to %d", name, longest))
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

// Client says how to reach a service, whose endpoint a variable may replace.
func (e *Environment) Client(endpoint string) awsclient.Config {
	return awsclient.Config{
		Region:    e.getenv("AWS_REGION"),
		Endpoint:  e.getenv(endpoint),
		Throttles: e.throttles,
		Expired:   e.expired,
		Credentials: credentials.NewStaticCredentialsProvider(
			e.getenv("AWS_ACCESS_KEY_ID"), e.getenv("AWS_SECRET_ACCESS_KEY"), e.getenv("AWS_SESSION_TOKEN")),
	}
}

func (e *Environment) problem() error {
	problems := e.refused
	if len(e.missing) > 0 {
		problems = append([]string{"not set in the environment: " + strings.Join(e.missing, ", ")}, problems...)
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(problems, "; "))
}
