// Package policy says in IAM's language which routes of an API a key may use.
//
// A gateway may keep a policy for a credential and apply it to requests for other
// routes. So a policy is of a whole table of routes, and says of each whether the key may
// use it. It is compared with the ARN of a request,
//
//	arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>
//
// by patterns that know no segments: the pattern of /orders/{id} is orders/*, which is
// orders/1/items too. What a pattern reaches that the key may not use is denied, and a
// denial counts for more than any permission. Patterns can say less than routes do:
//
//   - Of the table's routes, what a key may not use is denied always. Where patterns cannot
//     tell it from what the key may use, as a greedy route that is allowed and one below it
//     that has parameters and is not, no policy is of the whole table.
//   - What lies deeper than a parameter and is in no route of the table is denied as well,
//     unless an allowed route lies there. A table that is kept answers for must have every
//     route of the API.
//   - Paths are compared as they are spelled. Behind a route that takes any path, the backend
//     should know each of its own by one spelling.
//   - REST APIs take a slash at the end of a path for nothing, HTTP APIs do not. With it, a
//     path is allowed only if it is without, where the table has that.
//
// A policy over the platform's limits is of no use either. Problem finds out for a table
// whether there is any key for which no policy can be made.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
package policy

import (
	"encoding/json"
	"slices"
	"strings"
)

// Limits in characters. No page tells how large the policy of an authorizer may be;
// MaxDocument is what a resource policy of API Gateway may have. MaxResource is
// documented, of what is named in an authorizer's answer.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const (
	MaxDocument = 8192
	MaxResource = 512
)

// A Document is a policy as IAM writes it.
type Document struct {
	Version   string
	Statement []Statement
}

// A Statement allows or denies resources.
type Statement struct {
	Action   string
	Effect   string
	Resource []string
}

const (
	action      = "execute-api:Invoke"
	allowEffect = "Allow"
	denyEffect  = "Deny"
)

// Of makes a document of statements.
func Of(statements ...Statement) Document {
	return Document{Version: "2012-10-17", Statement: statements}
}

// Allow lets requests for resources pass that nothing denies.
func Allow(resources ...string) Statement { return Statement{action, allowEffect, resources} }

// Deny refuses requests for resources.
func Deny(resources ...string) Statement { return Statement{action, denyEffect, resources} }

// Allows reports whether a request for what has this ARN may pass.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d Document) Allows(arn string) bool {
	isAllowed := false
	for _, s := range d.Statement {
		if !slices.ContainsFunc(s.Resource, func(pattern string) bool { return takes(pattern, arn) }) {
			continue
		}
		if s.Effect == denyEffect {
			return false
		}
		isAllowed = true
	}
	return isAllowed
}

// Fits reports whether a document is within the platform's limits.
func (d Document) Fits() bool {
	for _, s := range d.Statement {
		if slices.ContainsFunc(s.Resource, func(resource string) bool { return len(resource) > MaxResource }) {
			return false
		}
	}
	return d.size() <= MaxDocument
}

func (d Document) size() int {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts always marshal
	}
	return len(text)
}

// Literally writes a text so that no character of it is a wildcard or a variable to IAM.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func Literally(text string) string {
	if !strings.ContainsAny(text, "*?$") {
		return text
	}
	return strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(text)
}

// Covering writes a text so that it is taken, and perhaps more is: what is to be denied
// must not depend on how well a platform knows variables.
func Covering(text string) string { return strings.ReplaceAll(text, "${", "${$}{") }

// takes reports whether a pattern takes a text. It is made of what Literally writes, * for
// any characters or none, and ? for one.
func takes(pattern, text string) bool {
	star, rest := -1, 0 // where to go on behind the last *, when it takes one character more
	p, t := 0, 0
	for t < len(text) {
		wanted, width := element(pattern[p:])
		switch {
		case wanted == '*' && width == 1:
			star, rest = p+1, t
			p++
		case width > 0 && (wanted == '?' && width == 1 || wanted == text[t]):
			p, t = p+width, t+1
		case star >= 0:
			rest++
			p, t = star, rest
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// element is the first character that a pattern has, and how many it takes to write it:
// four of one that stands for itself, none at the end.
func element(pattern string) (character byte, width int) {
	switch {
	case pattern == "":
		return 0, 0
	case len(pattern) > 3 && pattern[:2] == "${" && pattern[3] == '}':
		return pattern[2], 4
	}
	return pattern[0], 1
}
