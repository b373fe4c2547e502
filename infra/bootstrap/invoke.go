package main

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

// A question is what the bootstrap function takes.
type question struct {
	Namespace string `json:"namespace"`
}

// An answer is what the bootstrap function gives, as far as it is shown here.
type answer struct {
	Namespace string `json:"namespace"`
	UUID      string `json:"uuid"`
	FullKey   string `json:"full_key"`
}

// A fault is how Lambda reports a function's error.
type fault struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func (r request) send(ctx context.Context, options []func(*config.LoadOptions) error) (answer, error) {
	client, err := newClient(ctx, options)
	if err != nil {
		return answer{}, err
	}
	payload, err := json.Marshal(question{Namespace: r.namespace.String()})
	if err != nil {
		return answer{}, fmt.Errorf("payload: %w", err)
	}
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &r.function, Payload: payload})
	if err != nil {
		return answer{}, r.explain(err, client.Options().Region)
	}
	if out.FunctionError != nil {
		return answer{}, r.functionError(*out.FunctionError, out.Payload)
	}
	return r.read(out.Payload)
}

// newClient makes sure of a region and of credentials before anything is
// called. It tries once: an invocation that seems lost may have made a key, and
// another would make one more.
func newClient(ctx context.Context, options []func(*config.LoadOptions) error) (*lambda.Client, error) {
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
	return lambda.NewFromConfig(settings, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }), nil
}

// explain says what to do about the refusals that one meets.
func (r request) explain(err error, region string) error {
	refusal, ok := errors.AsType[smithy.APIError](err)
	switch {
	case ok && refusal.ErrorCode() == "ResourceNotFoundException":
		return fmt.Errorf("no function %s in %s: deploy the stack with \"make deploy\", or name another with -stack",
			r.function, region)
	case ok && refusal.ErrorCode() == "AccessDeniedException":
		return fmt.Errorf("these credentials may not invoke %s: allow them lambda:InvokeFunction on it", r.function)
	}
	return fmt.Errorf("invocation of %s: %w", r.function, err)
}

func (r request) functionError(kind string, payload []byte) error {
	var f fault
	if err := json.Unmarshal(payload, &f); err != nil || f.Message == "" {
		return fmt.Errorf("%s: %s error without a message", r.function, kind)
	}
	return fmt.Errorf("%s: %s (%s)", r.function, f.Message, f.Type)
}

// read never repeats a payload that it cannot read: there may be a key in it.
func (r request) read(payload []byte) (answer, error) {
	var made answer
	if err := json.Unmarshal(payload, &made); err != nil || made.FullKey == "" {
		return answer{}, fmt.Errorf("%s: an answer without a key", r.function)
	}
	return made, nil
}
