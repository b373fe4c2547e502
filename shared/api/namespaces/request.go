package namespaces

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/web"
)

// What the API allows in a key's meta, beside the domain's own limits.
const (
	maxNameLength       = 63  // characters
	maxTagLength        = 255 // characters
	maxParentLength     = 255 // characters
	descriptionLimit    = 1024
	maxAnnotationLength = 16_384 // bytes
	maxTags             = 100
	maxAnnotations      = 100
	maxRules            = 100
	maxMethods          = 100    // of a rule
	maxKindLength       = 10_000 // bytes; no record has room for half of it
	maxExceptions       = 100
)

// isTag reports whether a text is a name, or name=value, where the value may be empty. A
// pattern for this, used or not, would put the regular expressions' engine into every
// function of this API.
func isTag(text string) bool {
	name, value, _ := strings.Cut(text, "=")
	return name != "" && consistsOf(name, "@_.-") && consistsOf(value, "@_.-")
}

func isAnnotationKey(text string) bool { return text != "" && consistsOf(text, "_.-") }

// consistsOf reports whether there is nothing in a text but ASCII letters, digits and some
// signs.
func consistsOf(text, signs string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		isAlphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !isAlphanumeric && !strings.ContainsRune(signs, r)
	}) < 0
}

const notAKind = "value is no kind of resource"

type createRequest struct {
	Meta       *createMeta      `json:"meta"`
	Propagate  bool             `json:"propagate"`
	Spec       *createSpec      `json:"spec"`
	TenantMeta createTenantMeta `json:"tenant_meta"`

	UUID web.Ignored `json:"uuid"`
}

type createMeta struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations"`
	Description string            `json:"description"`
	ParentKind  string            `json:"parent_kind"`
	ParentUUID  string            `json:"parent_uuid"`
	Tags        []string          `json:"tags"`

	CreateTime web.Ignored `json:"create_time"`
	CreatedBy  web.Ignored `json:"created_by"`
	IndexData  web.Ignored `json:"index_data"`
	Kind       web.Ignored `json:"kind"`
	References web.Ignored `json:"references"`
	UpdateTime web.Ignored `json:"update_time"`
	UpdatedBy  web.Ignored `json:"updated_by"`
	UpsertTime web.Ignored `json:"upsert_time"`
	Version    web.Ignored `json:"version"`
}

type createSpec struct {
	ExpirationTime string             `json:"expiration_time"`
	Permissions    *createPermissions `json:"permissions"`

	IssuingUser web.Ignored `json:"issuing_user"`
	Key         web.Ignored `json:"key"`
	Secret      web.Ignored `json:"secret"`
}

type createPermissions struct {
	ExceptResources []string         `json:"except_resources"`
	Roles           []string         `json:"roles"`
	Rules           map[string]rules `json:"rules"`
}

type createTenantMeta struct {
	Namespace string `json:"namespace"`
}

// problems collects what is wrong with a request.
type problems struct{ fault.Fields }

// draft gives what the request asks for, and every field of it that is wrong by
// this API's rules.
func (r createRequest) draft(ns namespace.Namespace) (apikey.Draft, problems) {
	var found problems
	found.checkNamespace("tenant_meta.namespace", r.TenantMeta, ns)
	draft := apikey.Draft{Namespace: ns, Propagate: r.Propagate}
	r.Meta.read(&draft, &found)
	r.Spec.read(&draft, &found)
	return draft, found
}

// checkNamespace lets a body repeat the path's namespace, and name no other.
func (p *problems) checkNamespace(field string, given createTenantMeta, ns namespace.Namespace) {
	if given.Namespace != "" && given.Namespace != ns.String() {
		p.Add(field, "value is not the namespace of the path")
	}
}

func (m *createMeta) read(draft *apikey.Draft, found *problems) {
	if m == nil {
		m = &createMeta{}
	}
	draft.Name = m.Name
	draft.Texts = apikey.Texts{
		Description: m.Description,
		Tags:        someOf(m.Tags),
		Annotations: m.Annotations,
		Parent:      apikey.Parent{Kind: m.ParentKind, UUID: m.ParentUUID},
	}
	if len(m.Annotations) == 0 {
		draft.Texts.Annotations = nil
	}
	if m.Name == "" {
		found.Add("meta.name", "value is required")
	}
	found.checkLength("meta.name", m.Name, maxNameLength)
	found.checkLength("meta.parent_kind", m.ParentKind, maxParentLength)
	found.checkLength("meta.parent_uuid", m.ParentUUID, maxParentLength)
	if len(m.Description) >= descriptionLimit {
		found.Add("meta.description", fmt.Sprintf("value length must be under %d bytes", descriptionLimit))
	}
	found.checkTags(m.Tags)
	found.checkAnnotations(m.Annotations)
}

// someOf makes no list of an empty one: so it is stored, and read again.
func someOf(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (p *problems) checkLength(name, value string, most int) {
	if utf8.RuneCountInString(value) > most {
		p.Add(name, fmt.Sprintf("value length must be at most %d characters", most))
	}
}

func (p *problems) checkTags(tags []string) {
	if len(tags) > maxTags {
		p.Add("meta.tags", fmt.Sprintf("value must hold at most %d tags", maxTags))
		return
	}
	for i, tag := range tags {
		name := fmt.Sprintf("meta.tags[%d]", i)
		p.checkLength(name, tag, maxTagLength)
		if !isTag(tag) {
			p.Add(name, "value must be letters, digits and '@', '_', '.', '-', with one '=' at most")
		}
	}
}

func (p *problems) checkAnnotations(annotations map[string]string) {
	if len(annotations) > maxAnnotations {
		p.Add("meta.annotations", fmt.Sprintf("value must hold at most %d annotations", maxAnnotations))
		return
	}
	for key, value := range annotations {
		if !isAnnotationKey(key) {
			p.Add("meta.annotations", "keys must be letters, digits and '_', '.', '-'")
		}
		if len(value) > maxAnnotationLength {
			p.Add("meta.annotations", fmt.Sprintf("values must be at most %d bytes", maxAnnotationLength))
		}
	}
}

func (s *createSpec) read(draft *apikey.Draft, found *problems) {
	if s == nil {
		found.Add("spec", "value is required")
		return
	}
	draft.ExpiresAt = found.expiration(s.ExpirationTime)
	if s.Permissions == nil {
		found.Add("spec.permissions", "value is required")
		return
	}
	draft.Grant = s.Permissions.grant(found)
}

func (p *problems) expiration(text string) time.Time {
	const name = "spec.expiration_time"
	if text == "" {
		p.Add(name, "value is required")
		return time.Time{}
	}
	var at time.Time // UnmarshalText is stricter than time.Parse
	if err := at.UnmarshalText([]byte(text)); err != nil || at.IsZero() {
		p.Add(name, "value must be a time as RFC 3339 writes it")
		return time.Time{}
	}
	return at
}

// grant stays small: telling what a grant holds takes its size, squared.
func (c createPermissions) grant(found *problems) access.Grant {
	if len(c.Rules) > maxRules || len(c.ExceptResources) > maxExceptions {
		found.Add("spec.permissions", fmt.Sprintf("value must hold at most %d rules and %d exceptions", maxRules, maxExceptions))
		return access.Grant{}
	}
	grant := access.Grant{
		Roles:  found.roles(c.Roles),
		Rules:  found.rules(c.Rules),
		Except: someOf(c.ExceptResources),
	}
	for i, kind := range c.ExceptResources {
		if !access.IsKind(kind) {
			found.Add(fmt.Sprintf("spec.permissions.except_resources[%d]", i), notAKind)
		}
	}
	if _, ok := c.Rules[access.EveryKind]; len(c.ExceptResources) > 0 && !ok {
		found.Add("spec.permissions.except_resources", "value takes kinds out of a rule for \"*\", which is not there")
	}
	onlyUnspecified := len(grant.Roles) == 0 && len(c.Rules) == 0 && !slices.ContainsFunc(c.Roles, isUnknownRole)
	if onlyUnspecified {
		found.Add("spec.permissions", "value must hold a role or a rule")
	}
	return grant
}

func (p *problems) roles(names []string) []access.Role {
	var roles []access.Role
	for i, name := range names {
		switch {
		case isUnknownRole(name):
			p.Add(fmt.Sprintf("spec.permissions.roles[%d]", i), "value is no role")
		case name != roleUnspecified && !slices.Contains(roles, access.Role(name)):
			roles = append(roles, access.Role(name))
		}
	}
	return roles
}

func isUnknownRole(name string) bool {
	return name != roleUnspecified && !slices.Contains(access.SystemRoles(), access.Role(name))
}

func (p *problems) rules(given map[string]rules) map[string]access.Method {
	if len(given) == 0 {
		return nil
	}
	parsed := make(map[string]access.Method, len(given))
	for kind, rule := range given {
		if len(kind) > maxKindLength || len(rule.Methods) > maxMethods {
			p.Add("spec.permissions.rules", fmt.Sprintf(
				"a kind must have at most %d bytes, and a rule at most %d methods", maxKindLength, maxMethods))
			continue
		}
		name := "spec.permissions.rules." + kind
		if kind != access.EveryKind && !access.IsKind(kind) {
			p.Add(name, notAKind)
		}
		if len(rule.Methods) == 0 {
			p.Add(name+".methods", "value is required")
		}
		for i, method := range rule.Methods {
			bit, ok := methodsByName[method]
			if !ok {
				p.Add(fmt.Sprintf("%s.methods[%d]", name, i), "value is no method")
			}
			parsed[kind] |= bit
		}
	}
	return parsed
}
