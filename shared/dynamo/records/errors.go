package records

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

const codeConflict = "TransactionConflictException"

// Codes of refusals that pass: the same request may be taken later, or by a fresh
// process with fresh credentials.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
var passing = []string{
	"ExpiredTokenException",
	"ProvisionedThroughputExceededException",
	"RequestLimitExceeded",
	"ThrottlingException",
	codeConflict,
	"TransactionInProgressException",
}

// Classify makes a fault of an error of a client of DynamoDB. No answer at all is as good as
// a refusal that passes.
func Classify(err error) error {
	if awsclient.IsRefusal(err, passing) {
		return fault.Wrap(fault.Internal, err, "internal error")
	}
	return Unavailable(err)
}

// Unavailable is the fault of what DynamoDB did not answer, or may answer later.
func Unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the key store did not answer, try again")
}

// IsConflict tells a retryer what the SDK leaves to its callers: a write that met a
// transaction on its item.
func IsConflict(err error) aws.Ternary {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && refusal.ErrorCode() == codeConflict {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

var retryConflicts = retry.IsErrorRetryableFunc(IsConflict)
