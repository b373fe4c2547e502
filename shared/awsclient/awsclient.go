// Package awsclient is what every client of an AWS service is made of here: a
// transport that bounds each try, retries with jitter, notes of what was refused for being
// too much or with credentials that have expired, and the difference between a service
// that did not answer and one that said no.
//
// Clients are assembled from these parts and from static options, because loading the
// SDK's default configuration would take a third of a function's cold start.
package awsclient

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

const (
	attempts       = 3
	attemptTimeout = 2 * time.Second
	firstBackoff   = 25 * time.Millisecond
)

// A Config says which service to reach, and as whom.
type Config struct {
	Region      string
	Credentials aws.CredentialsProvider

	// Endpoint is the service's URL; empty for the region's own.
	Endpoint string
	// Wrap puts something around the transport that carries the requests; nil for
	// nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Throttles counts the tries that the service refused for being too many; nil for not
	// at all.
	Throttles *atomic.Int64
	// Expired tells that the service refused the credentials for having expired. A process
	// has those that it was started with, so that it can do nothing more; nil if nobody asks.
	Expired *atomic.Bool
}

// BaseEndpoint is the endpoint as a client's options want it.
func (c Config) BaseEndpoint() *string {
	if c.Endpoint == "" {
		return nil
	}
	return aws.String(c.Endpoint)
}

// Transport bounds each try, up to the head of its answer, by limits of its own: the
// time-out of an http.Client costs a timer, a context and a goroutine for each request.
// What is left, reading an answer of some kilobytes, is bounded by the caller's context.
//
// All else is as the SDK's own, but that it speaks HTTP/1.1 alone, as DynamoDB does: what it
// takes to be ready for HTTP/2 is a thirtieth of a function's cold start.
func (c Config) Transport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: attemptTimeout, KeepAlive: awshttp.DefaultDialKeepAliveTimeout}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   attemptTimeout,
		ResponseHeaderTimeout: attemptTimeout,
		IdleConnTimeout:       awshttp.DefaultHTTPTransportIdleConnTimeout,
		MaxIdleConnsPerHost:   awshttp.DefaultHTTPTransportMaxIdleConnsPerHost,
	}
	if c.Wrap != nil {
		transport = c.Wrap(transport)
	}
	return transport
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// WithOneTransport gives a configuration whose clients share one transport, and so its
// connections.
func (c Config) WithOneTransport() Config {
	transport := c.Transport()
	c.Wrap = func(http.RoundTripper) http.RoundTripper { return transport }
	return c
}

// An SDKClient is the HTTP client of one of the SDK's own clients.
type SDKClient struct{ http *http.Client }

// SDKClient gives the transport to one of the SDK's own clients, which takes a request's
// body away as soon as there is an answer. A transport that has not asked for the body's
// end by then would get io.EOF from the body's WriteTo, take it for an error, and close
// the connection under an answer that is still being read. Nothing is followed elsewhere:
// a redirection is an answer like others.
func (c Config) SDKClient() SDKClient {
	return SDKClient{&http.Client{Transport: c.Transport(), CheckRedirect: stay}}
}

// Do sends a request whose body can only be read, and so ends in good order when it is
// taken away. The request is the client's from here on.
func (c SDKClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.http.Do(r)
}

// NewRetryer repeats what the SDK's standard retryer would and what any of the
// functions calls retryable.
func (c Config) NewRetryer(retryable ...retry.IsErrorRetryable) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(Backoff)
		// The first that knows decides, and none is asked after it.
		o.Retryables = slices.Concat([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(c.note)}, o.Retryables, retryable)
	})
}

// expiredCode is how every service refuses temporary credentials whose time is over.
const expiredCode = "ExpiredTokenException"

var throttles = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

// note sees every try that failed, and decides nothing.
func (c Config) note(err error) aws.Ternary {
	if throttles.IsErrorThrottle(err).Bool() {
		c.CountThrottle()
	}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && refusal.ErrorCode() == expiredCode && c.Expired != nil {
		c.Expired.Store(true)
	}
	return aws.UnknownTernary
}

// CountThrottle counts a try whose error only the service's own client understands.
func (c Config) CountThrottle() {
	if c.Throttles != nil {
		c.Throttles.Add(1)
	}
}

// Backoff is the exponential backoff with full jitter that AWS recommends, from a
// first step that suits a service that answers in milliseconds.
//
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func Backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(firstBackoff << attempt), nil
}

// IsRefusal reports whether the service, and nothing before it, said no to a request
// in a way that does not pass. Codes that pass are named: the same request may be
// taken later, or by a fresh process with fresh credentials.
func IsRefusal(err error, passing []string) bool {
	response, answered := errors.AsType[*awshttp.ResponseError](err)
	refusal, refused := errors.AsType[smithy.APIError](err)
	if !answered || !refused || response.HTTPStatusCode() >= http.StatusInternalServerError {
		return false
	}
	return !slices.Contains(passing, refusal.ErrorCode())
}
