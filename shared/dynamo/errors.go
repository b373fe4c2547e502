package dynamo

import (
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

const (
	reasonNone      = "None"
	reasonCondition = "ConditionalCheckFailed"
	reasonConflict  = "TransactionConflict"
	codeConflict    = "TransactionConflictException"
)

// Why a part of a transaction was one too many.
var reasonsThrottled = []string{"ThrottlingError", "ProvisionedThroughputExceeded"}

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

// classify makes a fault of an error of the SDK. No answer at all is as good as a
// refusal that passes.
func classify(err error) error {
	if isRefusedForGood(err) {
		return fault.Wrap(fault.Internal, err, "internal error")
	}
	return fault.Wrap(fault.Unavailable, err, "the key store did not answer, try again")
}

// isRefusedForGood reports whether DynamoDB said no to a request that it will never
// take.
func isRefusedForGood(err error) bool {
	if !awsclient.IsRefusal(err, passing) {
		return false
	}
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return !ok || slices.ContainsFunc(canceled.CancellationReasons, isLasting)
}

// isTransactionConflict tells the retryer what the SDK leaves to its callers: a
// write that met another one on the same item. Anything that a transaction was
// canceled for beside conflicts and throttling is not worth repeating.
func isTransactionConflict(err error) aws.Ternary {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && refusal.ErrorCode() == codeConflict {
		return aws.TrueTernary
	}
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return aws.UnknownTernary
	}
	return aws.BoolTernary(!slices.ContainsFunc(canceled.CancellationReasons, isLasting))
}

// isThrottledTransaction reports whether a part of a transaction was one too many.
func isThrottledTransaction(err error) bool {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && slices.ContainsFunc(canceled.CancellationReasons, func(reason types.CancellationReason) bool {
		return slices.Contains(reasonsThrottled, aws.ToString(reason.Code))
	})
}

// metAnother reports whether a transaction was canceled for another one on its items, and
// for nothing lasting beside it.
func metAnother(err error) bool {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && !slices.ContainsFunc(canceled.CancellationReasons, isLasting) &&
		slices.ContainsFunc(canceled.CancellationReasons, func(reason types.CancellationReason) bool {
			return aws.ToString(reason.Code) == reasonConflict
		})
}

func isLasting(reason types.CancellationReason) bool {
	switch aws.ToString(reason.Code) {
	case "", reasonNone, reasonConflict:
		return false
	}
	return !slices.Contains(reasonsThrottled, aws.ToString(reason.Code))
}

// failedCondition finds the first part of a transaction that failed on its condition,
// and gives the item that was there; nil if there was none. The place is negative if
// there is no such part.
func failedCondition(err error) (place int, there item) {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return -1, nil
	}
	for i, reason := range canceled.CancellationReasons {
		if aws.ToString(reason.Code) == reasonCondition {
			return i, reason.Item
		}
	}
	return -1, nil
}
