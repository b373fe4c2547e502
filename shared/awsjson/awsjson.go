// Package awsjson speaks AWS JSON, the protocol of DynamoDB and KMS, for the few actions on
// which a function's cold start and CPU depend: every action is a POST of its own, which a
// header names.
//
// It is made of the SDK's parts, its signer, its loop of tries and its errors, and leaves
// out its clients of services: each knows dozens of actions, and what it knows of them
// cannot be left out of a binary; and it takes a request through some thirty layers, which
// triple what that costs. Who makes a client of a service here has tests hold it to do what
// the SDK's does.
//
// The SDK would also repeat what is refused for a wrong time, by the clock of the answer.
// Lambda keeps the time of its machines, so here that is a refusal like others.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
package awsjson

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"latchkey/shared/awsclient"
)

// A Service says how a service wants to be asked.
type Service struct {
	Name     string // in its hosts and in signatures, as "kms"
	ID       string // in errors, as "KMS"
	Target   string // before an action's name, as "TrentService."
	Version  string // of the protocol: 1.0 or 1.1
	MaxReply int    // the longest answer to the actions in use, in bytes

	// Plain asks for answers as they are, so that a checksum in their header is of what is
	// read, as DynamoDB gives one. Other answers may be compressed on the way.
	Plain bool
}

// A Client asks one service. Its errors are of the types that the SDK's clients give. It is
// safe for concurrent use.
type Client struct {
	service     Service
	contentType string
	endpoint    string
	region      string
	credentials aws.CredentialsProvider
	transport   http.RoundTripper
	signer      *v4.Signer
	loop        *retry.Attempt
}

// New makes a client that repeats what the configuration's retryer and any of the functions
// call retryable. It sends nothing.
func New(c awsclient.Config, service Service, retryable ...retry.IsErrorRetryable) *Client {
	return &Client{
		service:     service,
		contentType: "application/x-amz-json-" + service.Version,
		endpoint:    endpointOf(c, service.Name),
		region:      c.Region,
		credentials: c.Credentials,
		transport:   c.Transport(),
		signer:      v4.NewSigner(),
		loop:        retry.NewAttemptMiddleware(c.NewRetryer(retryable...), func(request any) any { return request }),
	}
}

// Call asks for an action and gives its answer to read, whose error is one of the answer.
// The loop around the tries is the SDK's own, with its waits, its quota of repetitions and
// its eye on the context.
func (c *Client) Call(ctx context.Context, action string, request []byte, read func(reply []byte) error) error {
	try := func(ctx context.Context, _ middleware.FinalizeInput) (out middleware.FinalizeOutput, data middleware.Metadata, err error) {
		return out, data, c.try(ctx, action, request, read)
	}
	_, _, err := c.loop.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(try))
	if err != nil {
		return &smithy.OperationError{ServiceID: c.service.ID, OperationName: action, Err: err}
	}
	return nil
}

func (c *Client) try(ctx context.Context, action string, body []byte, read func([]byte) error) error {
	request, err := c.newRequest(ctx, action, body)
	if err != nil {
		return err
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return unanswered(ctx, err)
	}
	defer response.Body.Close()
	if err := c.read(response, read); err != nil {
		return responseError(response, err)
	}
	return nil
}

// newRequest makes a request that is sent once: the transport may not repeat its body.
func (c *Client) newRequest(ctx context.Context, action string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	request.GetBody = nil
	request.Header.Set("Content-Type", c.contentType)
	request.Header.Set("User-Agent", "latchkey") // for CloudTrail
	request.Header.Set("X-Amz-Target", c.service.Target+action)
	if c.service.Plain {
		request.Header.Set("Accept-Encoding", "identity")
	}
	return request, c.sign(request, body)
}

func (c *Client) sign(request *http.Request, body []byte) error {
	ctx, sum := request.Context(), sha256.Sum256(body)
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	err = c.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), c.service.Name, c.region, time.Now())
	if err != nil {
		return fmt.Errorf("signature of the request: %w", err)
	}
	return nil
}

// unanswered tells a caller who has gone from a service that is not to be reached, which
// is tried again.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &smithy.CanceledError{Err: ctx.Err()}
	}
	return &smithyhttp.RequestSendError{Err: err}
}

func responseError(response *http.Response, err error) error {
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: err},
		RequestID:     response.Header.Get("X-Amzn-Requestid"),
	}
}

func (c *Client) read(response *http.Response, read func([]byte) error) error {
	text, err := c.textOf(response)
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return refusal(response.Header, text)
	}
	if err := read(text); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}

// textOf reads an answer whole. One byte more than it has room for shows its end.
func (c *Client) textOf(response *http.Response) ([]byte, error) {
	var text bytes.Buffer
	if length := response.ContentLength; length > 0 && length <= int64(c.service.MaxReply) {
		text.Grow(int(length) + bytes.MinRead)
	}
	if _, err := text.ReadFrom(io.LimitReader(response.Body, int64(c.service.MaxReply)+1)); err != nil {
		return nil, err
	}
	if text.Len() > c.service.MaxReply {
		return nil, fmt.Errorf("answer of more than %d bytes", c.service.MaxReply)
	}
	return text.Bytes(), checkSum(response.Header.Get("X-Amz-Crc32"), text.Bytes())
}

// checkSum compares an answer with its checksum, where it has one.
func checkSum(told string, text []byte) error {
	if told == "" {
		return nil
	}
	want, err := strconv.ParseUint(told, 10, 32)
	if err != nil {
		return fmt.Errorf("checksum of an answer: %w", err)
	}
	if got := crc32.ChecksumIEEE(text); got != uint32(want) {
		return fmt.Errorf("answer with the checksum %d, not %d", got, want)
	}
	return nil
}

// refusal reads the code of a refusal from all the places where the protocol allows it.
// What is not even JSON was not said by the service. Only the first line of the message is
// kept: behind it some services repeat what should have been signed, the session token in
// it, and what is kept goes to the log.
func refusal(header http.Header, text []byte) error {
	var told struct {
		Type    string `json:"__type"`
		Code    any
		Message string
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&told); err != nil && !errors.Is(err, io.EOF) {
		return &smithy.DeserializationError{Err: err}
	}
	member, _ := told.Code.(string)
	code := cmp.Or(header.Get("X-Amzn-Errortype"), told.Type, member, "UnknownError")
	message, _, _ := strings.Cut(told.Message, "\n")
	return &smithy.GenericAPIError{Code: restjson.SanitizeErrorCode(code), Message: message}
}
