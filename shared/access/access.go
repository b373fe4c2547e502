// Package access decides who may do what where.
//
// A Caller holds a namespace, perhaps all below it, and a Grant. Every method of
// the domain takes the Caller first and asks here before it does anything else.
//
// A Grant is made of roles and rules. Both expand to clauses: methods on some
// kinds of resource, or on every kind but some. A grant allows a method on a
// kind if one clause does. One table says what each role expands to; roles of
// the products that Latchkey stands in for, which mean nothing here, expand to
// nothing and are carried for the APIs that ask for them.
//
// Nobody grants what he does not hold. Holding is inclusion of what two grants
// expand to, kind by kind, and of the namespaces that they reach; a role that
// expands to nothing is held by who has it or everything.
//
// A key of a service account has no grant. What it may do follows from whose it is:
// read the accounts and keys of its namespace, change its own account, and manage its
// own account's keys. Nobody hands out such a key who does not hold as much.
package access

import (
	"slices"
	"strings"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// A Method is a set of things that can be done to a resource.
type Method uint8

// The methods, and all of them.
const (
	Read Method = 1 << iota
	Create
	Update
	Delete

	All = Read | Create | Update | Delete
)

// Kinds of our own resources, and the name that stands for every kind in a
// rule. Kinds are compared without regard to case and underscores, so that
// "api_key" is APIKey.
const (
	APIKey         = "APIKey"
	ServiceAccount = "ServiceAccount"
	EveryKind      = "*"
)

// A Grant is what a key may do. The zero Grant is nothing.
type Grant struct {
	Roles  []Role
	Rules  map[string]Method // by kind, or EveryKind
	Except []string          // kinds that the rule for EveryKind leaves out
}

// A Caller is somebody whose credential has been verified.
type Caller struct {
	ID        string // of the key that was presented
	Name      string // of the same key
	Account   string // the id of the service account that the key belongs to; empty: none
	Namespace namespace.Namespace
	Propagate bool // whether the caller also reaches what is below its namespace
	Grant     Grant
}

// What the key of a service account may do with what is its account's, and with what is
// not.
var (
	ofOwnAccount = Grant{Rules: map[string]Method{ServiceAccount: Read | Update, APIKey: All}}
	ofOthers     = Grant{Rules: map[string]Method{ServiceAccount: Read, APIKey: Read}}
)

// Require returns a Forbidden fault unless the caller may do method to kind in
// the target namespace.
func (c Caller) Require(method Method, kind string, target namespace.Namespace) error {
	return c.RequireOf("", method, kind, target)
}

// RequireOf is Require for what is a service account's, by its id: the account itself or
// one of its keys.
func (c Caller) RequireOf(account string, method Method, kind string, target namespace.Namespace) error {
	if c.Reaches(target) && (c.Grant.Allows(method, kind) || c.forAccount(account).Allows(method, kind)) {
		return nil
	}
	return forbidden()
}

// IsGranted reports whether the caller may do method to kind in the target namespace, where
// kind is not Latchkey's own: whose key the caller has gives no right to that, only what its
// grant says.
func (c Caller) IsGranted(method Method, kind string, target namespace.Namespace) bool {
	return c.Reaches(target) && c.Grant.Allows(method, kind)
}

// forAccount is what the caller may do because of whose key it has.
func (c Caller) forAccount(account string) Grant {
	switch c.Account {
	case "":
		return Grant{}
	case account:
		return ofOwnAccount
	}
	return ofOthers
}

// RequireBelow is Require for a request that also covers what is below target.
func (c Caller) RequireBelow(method Method, kind string, target namespace.Namespace) error {
	if !c.Propagate {
		return forbidden()
	}
	return c.Require(method, kind, target)
}

// RequireHolds returns a Forbidden fault unless the caller holds all that a key
// with this grant in the target namespace would.
func (c Caller) RequireHolds(grant Grant, target namespace.Namespace, propagate bool) error {
	if c.Reaches(target) && (c.Propagate || !propagate) && c.Grant.Includes(grant) {
		return nil
	}
	return forbidden()
}

// RequireHoldsAccount returns a Forbidden fault unless the caller holds all that a key of
// a service account in the target namespace does.
func (c Caller) RequireHoldsAccount(account string, target namespace.Namespace) error {
	if c.Reaches(target) && (c.Account != "" && c.Account == account || c.Grant.Includes(ofOwnAccount)) {
		return nil
	}
	return forbidden()
}

// Reaches reports whether the caller's rights, whatever they are, hold in a namespace.
func (c Caller) Reaches(target namespace.Namespace) bool {
	if c.Namespace.IsZero() {
		return false
	}
	return c.Namespace == target || c.Propagate && c.Namespace.Contains(target)
}

func forbidden() error {
	return fault.New(fault.Forbidden, "Unauthorized request for given endpoint")
}

// Allows reports whether the grant allows every one of the methods on a kind. No
// method at all is not allowed to anybody.
func (g Grant) Allows(methods Method, kind string) bool {
	var room [usualClauses]clause
	return methods != 0 && methods&^allowed(g.appendClauses(room[:0]), normalise(kind)) == 0
}

// Includes reports whether g holds all that other does.
func (g Grant) Includes(other Grant) bool {
	held, asked := g.clauses(), other.clauses()
	for _, kind := range mentioned(held, asked) {
		if allowed(asked, kind)&^allowed(held, kind) != 0 {
			return false
		}
	}
	return g.includesTokens(other)
}

func (g Grant) includesTokens(other Grant) bool {
	for _, role := range other.Roles {
		if roles[role] == nil && !slices.Contains(g.Roles, role) && !g.IsEverything() {
			return false
		}
	}
	return true
}

// IsEverything reports whether the grant allows every method on every kind, by
// whatever roles and rules.
func (g Grant) IsEverything() bool {
	held := g.clauses()
	return !slices.ContainsFunc(mentioned(held), func(kind string) bool { return allowed(held, kind) != All })
}

// IsReadOnly reports whether the grant allows nothing but reading, if that.
func (g Grant) IsReadOnly() bool {
	held := g.clauses()
	return !slices.ContainsFunc(mentioned(held), func(kind string) bool { return allowed(held, kind)&^Read != 0 })
}

// A clause allows methods on the kinds it names or, with everyKind, on all but
// those. Its kinds are normalised.
type clause struct {
	methods   Method
	everyKind bool
	kinds     []string
}

func (c clause) covers(kind string) bool {
	return slices.Contains(c.kinds, kind) != c.everyKind
}

// usualClauses are as many as most grants expand to.
const usualClauses = 8

func (g Grant) clauses() []clause {
	return g.appendClauses(make([]clause, 0, len(g.Roles)+len(g.Rules)))
}

func (g Grant) appendClauses(clauses []clause) []clause {
	for _, role := range g.Roles {
		clauses = append(clauses, roles[role]...)
	}
	for kind, methods := range g.Rules {
		if kind == EveryKind {
			clauses = append(clauses, everyKindBut(methods, g.Except...))
		} else {
			clauses = append(clauses, onKinds(methods, kind))
		}
	}
	return clauses
}

func allowed(clauses []clause, kind string) Method {
	var methods Method
	for _, c := range clauses {
		if c.covers(kind) {
			methods |= c.methods
		}
	}
	return methods
}

// unnamed stands for every kind that no clause names. No normalised kind can be
// equal to it.
const unnamed = "_"

// mentioned lists every kind that a clause names, and unnamed.
func mentioned(lists ...[]clause) []string {
	kinds := []string{unnamed}
	for _, clauses := range lists {
		for _, c := range clauses {
			kinds = append(kinds, c.kinds...)
		}
	}
	return kinds
}

func onKinds(methods Method, kinds ...string) clause {
	return clause{methods: methods, kinds: normaliseAll(kinds)}
}

func everyKindBut(methods Method, except ...string) clause {
	return clause{methods: methods, everyKind: true, kinds: normaliseAll(except)}
}

func normaliseAll(kinds []string) []string {
	normalised := make([]string, len(kinds))
	for i, kind := range kinds {
		normalised[i] = normalise(kind)
	}
	return normalised
}

// IsKind reports whether text can name one kind of resource: something must be left
// of it when case and underscores do not count.
func IsKind(text string) bool {
	normalised := normalise(text)
	return normalised != "" && normalised != EveryKind
}

func normalise(kind string) string {
	return strings.ToLower(strings.ReplaceAll(kind, "_", ""))
}
