package kms

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// What KMS answers to the two actions has less than 2 KB.
const maxReply = 64 << 10

// A client speaks the protocol of KMS, JSON 1.1: every action is a POST of its own, which
// is named by a header. Its errors are of the types that the SDK's clients give.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type client struct {
	endpoint    string
	region      string
	credentials aws.CredentialsProvider
	http        *http.Client
	signer      *v4.Signer
	loop        *retry.Attempt
}

func newClient(c awsclient.Config) *client {
	return &client{
		endpoint:    endpointOf(c),
		region:      c.Region,
		credentials: c.Credentials,
		http:        c.HTTPClient(),
		signer:      v4.NewSigner(),
		loop:        retry.NewAttemptMiddleware(c.NewRetryer(), func(request any) any { return request }),
	}
}

// Suffixes of the hosts in a partition of AWS, by what its regions begin with. All others
// are in one of the partitions aws and aws-us-gov, whose suffix is the same.
//
// https://docs.aws.amazon.com/general/latest/gr/rande.html
var suffixes = []struct{ regions, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// endpointOf is the region's standard endpoint, unless another is configured: one that is
// FIPS validated or reached by IPv6, that of another region, or that of a partition which
// has come later.
func endpointOf(c awsclient.Config) string {
	if c.Endpoint != "" {
		return c.Endpoint
	}
	suffix := "amazonaws.com"
	for _, partition := range suffixes {
		if strings.HasPrefix(c.Region, partition.regions) {
			suffix = partition.suffix
		}
	}
	return "https://kms." + c.Region + "." + suffix
}

// call asks for an action and gives the one member of its answer that is of use. The loop
// around the tries is the SDK's own, with its waits, its quota of repetitions and its eye
// on the context.
//
// The SDK would also repeat what is refused for a wrong time, by the clock of the answer.
// Lambda keeps the time of its machines, so here that is a refusal like others.
func (c *client) call(ctx context.Context, action string, request any, member string) (blob []byte, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("request for %s: %w", action, err)
	}
	try := func(ctx context.Context, _ middleware.FinalizeInput) (out middleware.FinalizeOutput, data middleware.Metadata, err error) {
		blob, err = c.try(ctx, action, body, member)
		return out, data, err
	}
	_, _, err = c.loop.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(try))
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: "KMS", OperationName: action, Err: err}
	}
	return blob, nil
}

func (c *client) try(ctx context.Context, action string, body []byte, member string) ([]byte, error) {
	request, err := c.newRequest(ctx, action, body)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	defer response.Body.Close()
	blob, err := read(response, member)
	if err != nil {
		return nil, responseError(response, err)
	}
	return blob, nil
}

// newRequest makes a request that is sent once: neither the transport nor a redirection
// may repeat its body.
func (c *client) newRequest(ctx context.Context, action string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("User-Agent", "latchkey") // for CloudTrail
	request.Header.Set("X-Amz-Target", "TrentService."+action)
	return request, c.sign(request, body)
}

func (c *client) sign(request *http.Request, body []byte) error {
	ctx, sum := request.Context(), sha256.Sum256(body)
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	err = c.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "kms", c.region, time.Now())
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

func read(response *http.Response, member string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, &smithy.DeserializationError{Err: err}
	case len(text) > maxReply:
		return nil, &smithy.DeserializationError{Err: fmt.Errorf("answer of more than %d bytes", maxReply)}
	case response.StatusCode < 200 || response.StatusCode > 299:
		return nil, refusal(response.Header, text)
	}
	return blobIn(text, member)
}

// blobIn demands what the SDK's clients let be missing: no answer is of use without it.
func blobIn(text []byte, member string) ([]byte, error) {
	var reply map[string]json.RawMessage
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, &smithy.DeserializationError{Err: err}
	}
	var blob []byte
	if err := json.Unmarshal(reply[member], &blob); err != nil || len(blob) == 0 {
		return nil, &smithy.DeserializationError{Err: fmt.Errorf("answer without a %s", member)}
	}
	return blob, nil
}

// refusal reads the code of a refusal from all the places where the protocol allows it.
// What is not even JSON was not said by KMS.
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
	return &smithy.GenericAPIError{Code: restjson.SanitizeErrorCode(code), Message: told.Message}
}
