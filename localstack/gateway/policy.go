package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// invokeAction is what a request does to a route.
const invokeAction = "execute-api:Invoke"

const (
	allowEffect = "Allow"
	denyEffect  = "Deny"
)

// A policy is the statements of an IAM policy.
type policy []statement

type statement struct {
	Sid      string
	Effect   string
	Action   texts
	Resource texts
}

// everything allows every request. A simple yes comes to it.
var everything = policy{{Effect: allowEffect, Action: texts{"*"}, Resource: texts{"*"}}}

// allows reports whether a request for a route may pass: a statement allows it and none
// denies it.
func (p policy) allows(arn string) bool {
	allowed := false
	for _, s := range p {
		if !s.isFor(arn) {
			continue
		}
		if s.Effect == denyEffect {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s statement) isFor(arn string) bool {
	return s.Action.match(invokeAction, "(?is)") && s.Resource.match(arn, "(?s)")
}

// texts are one text or a list of them, with wildcards.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// What an expression has for what a quoted pattern has.
var wildcards = strings.NewReplacer(
	`\$\{\*\}`, `\*`, `\$\{\?\}`, `\?`, `\$\{\$\}`, `\$`,
	`\*`, `.*`, `\?`, `.`,
)

// match reports whether one of the texts is the given one, where * stands for any
// characters, also for none and for slashes, and ? for any one; ${*}, ${?} and ${$} are
// the characters themselves. The flags are those of package regexp.
func (t texts) match(text, flags string) bool {
	return slices.ContainsFunc(t, func(pattern string) bool {
		return regexp.MustCompile(flags + `\A` + wildcards.Replace(regexp.QuoteMeta(pattern)) + `\z`).MatchString(text)
	})
}

var escapes = strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "-")

// haveVariable reports whether a text has a variable, which nothing here has a value for.
func (t texts) haveVariable() bool {
	return slices.ContainsFunc(t, func(pattern string) bool { return strings.Contains(escapes.Replace(pattern), "${") })
}

// A document is an IAM policy as authorizers write it. One with other elements is
// malformed: it may be them that forbid.
type document struct {
	Version   string
	Statement policy
}

var errPolicy = errors.New("malformed policyDocument")

// UnmarshalJSON refuses what it does not know.
func (d *document) UnmarshalJSON(text []byte) error {
	type plain document // without this method
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode((*plain)(d)) != nil || d.Version != "2012-10-17" || len(d.Statement) == 0 {
		return errPolicy
	}
	if slices.ContainsFunc(d.Statement, statement.isMalformed) {
		return errPolicy
	}
	return nil
}

func (s statement) isMalformed() bool {
	return s.Effect != allowEffect && s.Effect != denyEffect || len(s.Action) == 0 || len(s.Resource) == 0 ||
		s.Action.haveVariable() || s.Resource.haveVariable()
}

// parse reads what the authorizer has answered. Its errors do not repeat it.
func (g *guard) parse(answer []byte) (verdict, error) {
	var told struct {
		IsAuthorized   *bool
		PrincipalID    string
		PolicyDocument *document
		Context        map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	err := decoder.Decode(&told)
	switch {
	case errors.Is(err, errPolicy):
		return verdict{}, errPolicy
	case err != nil || !json.Valid(answer):
		return verdict{}, errors.New("malformed answer")
	case g.Simple && told.IsAuthorized == nil:
		return verdict{}, errors.New("answer without isAuthorized")
	case g.Simple && *told.IsAuthorized:
		return verdict{everything, told.Context}, nil
	case g.Simple:
		return verdict{}, nil
	case told.PrincipalID == "" || told.PolicyDocument == nil:
		return verdict{}, errors.New("answer without principalId and policyDocument")
	}
	return verdict{told.PolicyDocument.Statement, told.Context}, nil
}
