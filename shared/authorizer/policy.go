package authorizer

import (
	"encoding/json"
	"slices"

	"latchkey/shared/apikey"
)

// Limits of a policy. No page tells how large the one of an authorizer may be; 8,192
// characters are what a resource policy of API Gateway may have. Of a resource that is
// named in an answer, 512 are documented.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxPolicy   = 8192
	maxResource = 512
)

// A policy is a document of IAM.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Action   string
	Effect   string
	Resource []string
}

func policyOf(statements ...statement) policy {
	return policy{Version: "2012-10-17", Statement: statements}
}

func allow(resources ...string) statement { return statement{"execute-api:Invoke", "Allow", resources} }
func deny(resources ...string) statement  { return statement{"execute-api:Invoke", "Deny", resources} }

// policy tells what a key may do, zero for none, one of which is the request.
func (a *Authorizer) policy(r request, key apikey.Key, isAllowed bool) policy {
	switch {
	case key.Locator == (apikey.Locator{}):
		return policyOf(deny(r.target.stage + "/*"))
	case r.shape == webSocket || len(a.table.Rows()) == 0:
		return ofRequest(r, isAllowed)
	}
	if whole, ok := a.ofTable(r, key); ok {
		return whole
	}
	return ofRequest(r, isAllowed)
}

// ofRequest is the policy of what is asked for alone.
func ofRequest(r request, isAllowed bool) policy {
	if isAllowed {
		return policyOf(allow(literally(r.target.arn)))
	}
	return policyOf(deny(r.target.denied()))
}

// denied is the resource that has to be denied so that the target is refused: all of the
// stage, if the target is too long to be named.
func (t target) denied() string {
	if resource := literally(t.arn); len(resource) <= maxResource {
		return resource
	}
	return t.stage + "/*"
}

// ofTable is the policy of every route of the table. What is asked for and is no route of
// it is denied by name: a pattern might reach it. False: patterns cannot say it, or not
// in as much space as there is.
func (a *Authorizer) ofTable(r request, key apikey.Key) (policy, bool) {
	allowed, denied, ok := a.grid.patterns(func(c cell) bool { return a.holds(key, c.right) })
	if !ok {
		return policy{}, false
	}
	if len(allowed) == 0 {
		return policyOf(deny(r.target.stage + "/*")), true
	}
	whole := policyOf(allow(within(r.target.stage, allowed)...))
	refused := within(r.target.stage, denied)
	if _, isListed := a.rowFor(r); !isListed {
		refused = append(refused, r.target.denied())
	}
	if len(refused) > 0 {
		whole.Statement = append(whole.Statement, deny(refused...))
	}
	return whole, fits(whole)
}

func within(stage string, patterns []string) []string {
	resources := make([]string, len(patterns))
	for i, pattern := range patterns {
		resources[i] = stage + "/" + pattern
	}
	return resources
}

func fits(p policy) bool {
	for _, s := range p.Statement {
		if slices.ContainsFunc(s.Resource, func(resource string) bool { return len(resource) > maxResource }) {
			return false
		}
	}
	text, err := json.Marshal(p)
	return err == nil && len(text) <= maxPolicy
}
