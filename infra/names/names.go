// Package names says how the parts of a deployment are called. The CDK app gives
// these names and the commands find a function by one, so they stand
// apart from both: nobody has to build CDK to call a function.
//
// A name begins with its stack's, so that two stacks fit into one account and
// region.
package names

import "latchkey/shared/operation"

// Stack is the stack's name where nobody gives another.
const Stack = "latchkey"

// Function is the name of an operation's function.
func Function(stack string, op operation.Operation) string { return stack + "-" + op.Name }

// LogGroup is the name of the log group that Lambda gives a function by itself
// where it has no other.
func LogGroup(function string) string { return "/aws/lambda/" + function }

// AccessLogGroup is the name of the log group of the API's access log.
func AccessLogGroup(stack string) string { return "/aws/vendedlogs/" + stack + "-access" }

// OrNone gives a name as CDK takes one: nil where it is empty, and CloudFormation makes one up.
func OrNone(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}
