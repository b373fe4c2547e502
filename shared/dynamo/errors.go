package dynamo

import (
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"latchkey/shared/dynamo/records"
)

const (
	reasonNone      = "None"
	reasonCondition = "ConditionalCheckFailed"
	reasonConflict  = "TransactionConflict"
)

// Why a part of a transaction was one too many.
var reasonsThrottled = []string{"ThrottlingError", "ProvisionedThroughputExceeded"}

// classify makes a fault of an error of the SDK. A transaction may be taken later that was
// canceled for nothing that lasts.
func classify(err error) error {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if ok && !slices.ContainsFunc(canceled.CancellationReasons, isLasting) {
		return records.Unavailable(err)
	}
	return records.Classify(err)
}

// isTransactionConflict tells the retryer of a transaction that met another write. Anything
// that one was canceled for beside conflicts and throttling is not worth repeating.
func isTransactionConflict(err error) aws.Ternary {
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
