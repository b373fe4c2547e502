// Package invoke calls the functions of a deployment that have no route, with the
// credentials and the region that every AWS tool would use. Its errors say what to do,
// and repeat no payload: there may be a key in it. Beside that it has what the commands have
// in common that call one.
package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
)

// An Option changes the settings that a client finds in its surroundings.
type Option = func(*config.LoadOptions) error

// A Client invokes functions of one region.
type Client struct{ lambda *lambda.Client }

// NewClient makes sure of a region and of credentials before anything is
// called. Its client tries once: an invocation that seems lost may have done its work, and
// another would do it again.
func NewClient(ctx context.Context, options ...Option) (*Client, error) {
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("AWS settings: %w", err)
	}
	if settings.Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION, or a region in the profile that AWS_PROFILE names")
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	return &Client{lambda.NewFromConfig(settings, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })}, nil
}

// Region is where the functions are.
func (c *Client) Region() string { return c.lambda.Options().Region }

// Invoke sends a function a question as JSON and waits for its answer.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (c *Client) Invoke(ctx context.Context, function string, question any) ([]byte, error) {
	payload, err := json.Marshal(question)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	out, err := c.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return nil, explain(err, function, c.Region())
	}
	if out.FunctionError != nil {
		return nil, functionError(function, *out.FunctionError, out.Payload)
	}
	return out.Payload, nil
}

// explain says what to do about the refusals that one meets.
func explain(err error, function, region string) error {
	refusal, ok := errors.AsType[smithy.APIError](err)
	switch {
	case ok && refusal.ErrorCode() == "ResourceNotFoundException":
		return fmt.Errorf("no function %s in %s: deploy the stack with \"make deploy\", or name another with -stack",
			function, region)
	case ok && refusal.ErrorCode() == "AccessDeniedException":
		return fmt.Errorf("these credentials may not invoke %s: allow them lambda:InvokeFunction on it", function)
	}
	return fmt.Errorf("invocation of %s: %w", function, err)
}

// A fault is how Lambda reports a function's error.
type fault struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func functionError(function, kind string, payload []byte) error {
	var f fault
	if err := json.Unmarshal(payload, &f); err != nil || f.Message == "" {
		return fmt.Errorf("%s: %s error without a message", function, kind)
	}
	return fmt.Errorf("%s: %s (%s)", function, f.Message, f.Type)
}
