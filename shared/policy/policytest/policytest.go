// Package policytest evaluates policies as IAM does, for tests, by other code than that
// which makes them.
package policytest

import (
	"slices"
	"strings"

	"latchkey/shared/policy"
)

// Stage is the ARN of the stage of an API.
const Stage = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3/prod"

// InStage are the resources of that stage that some patterns stand for.
func InStage(patterns ...string) []string {
	resources := make([]string, len(patterns))
	for i, pattern := range patterns {
		resources[i] = Stage + "/" + pattern
	}
	return resources
}

// Allows does with a policy what IAM does: what is denied is denied, what is allowed
// otherwise is allowed, and nothing else is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Allows(d policy.Document, arn string) bool {
	isAllowed := false
	for _, s := range d.Statement {
		isFor := slices.ContainsFunc(s.Resource, func(pattern string) bool { return Matches(pattern, arn) })
		if s.Action != "execute-api:Invoke" || !isFor {
			continue
		}
		if s.Effect != "Allow" {
			return false
		}
		isAllowed = true
	}
	return isAllowed
}

// Matches holds a text against a pattern of IAM: * is any characters or none, ? is one,
// and ${*}, ${?} and ${$} are what stands between the braces.
func Matches(pattern, text string) bool {
	for ; pattern != ""; pattern, text = pattern[1:], text[1:] {
		switch {
		case pattern[0] == '*':
			return Matches(pattern[1:], text) || text != "" && Matches(pattern, text[1:])
		case text == "":
			return false
		case strings.HasPrefix(pattern, "${*}"), strings.HasPrefix(pattern, "${?}"), strings.HasPrefix(pattern, "${$}"):
			if pattern[2] != text[0] {
				return false
			}
			pattern = pattern[3:]
		case pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
	}
	return text == ""
}
