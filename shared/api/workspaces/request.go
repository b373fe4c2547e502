package workspaces

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

const (
	maxDescriptionBytes = 4096
	maxUserNameLength   = 255 // characters
	defaultUserName     = "admin"
	dateLayout          = "2006-01-02"
)

// lastDay is the validity of a key that never expires.
var lastDay = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// wireNames are the domain's fields that this API names otherwise.
var wireNames = map[string]string{"expires_at": "validUntil", "grant": "role"}

// A createRequest has two names for what the vendor's clients call by two.
type createRequest struct {
	Name        string `json:"name"`
	UserName    string `json:"userName"`
	Description string `json:"description"`
	Role        string `json:"role"`

	ValidUntil    string `json:"validUntil"`
	Validity      string `json:"validity"`
	WorkspaceName string `json:"workspaceName"`
	SliceName     string `json:"sliceName"`
}

// A keyRequest names a key.
type keyRequest struct {
	APIKey string `json:"apiKey"`
	Dashed string `json:"api-key"`
}

func (r keyRequest) key() (string, problems) {
	var found problems
	return found.agreed("apiKey", r.APIKey, "api-key", r.Dashed), found
}

// problems collects what is wrong with a request.
type problems []fault.Field

func (p *problems) add(name, problem string) {
	*p = append(*p, fault.Field{Name: name, Problem: problem})
}

// addUnlessNamed adds a problem with a field that has none yet.
func (p *problems) addUnlessNamed(name, problem string) {
	if !slices.ContainsFunc(*p, func(f fault.Field) bool { return f.Name == name }) {
		p.add(name, problem)
	}
}

// agreed is the value of a field that has two names.
func (p *problems) agreed(name, value, alias, other string) string {
	switch {
	case value == "":
		return other
	case other != "" && other != value:
		p.add(name, fmt.Sprintf("value is another than that of %s", alias))
	}
	return value
}

// draft gives what the request asks for, from a caller in a namespace, and every field
// that is wrong by this API's rules.
func (r createRequest) draft(ns namespace.Namespace, now time.Time) (apikey.Draft, problems) {
	var found problems
	workspace := found.agreed("workspaceName", r.WorkspaceName, "sliceName", r.SliceName)
	draft := apikey.Draft{
		Namespace: found.workspace("workspaceName", ns, workspace),
		Name:      r.Name,
		User:      r.UserName,
		Grant:     access.Grant{Roles: []access.Role{access.Role(r.Role)}},
		Propagate: access.Role(r.Role) == access.Owner,
		ExpiresAt: found.expiry(found.agreed("validUntil", r.ValidUntil, "validity", r.Validity), now),
		Texts:     apikey.Texts{Description: r.Description},
	}
	if draft.User == "" {
		draft.User = defaultUserName
	}
	found.checkRole(access.Role(r.Role), workspace)
	if utf8.RuneCountInString(draft.User) > maxUserNameLength {
		found.add("userName", fmt.Sprintf("value length must be at most %d characters", maxUserNameLength))
	}
	if len(r.Description) > maxDescriptionBytes {
		found.add("description", fmt.Sprintf("value length must be at most %d bytes", maxDescriptionBytes))
	}
	return draft, found
}

func (p *problems) checkRole(role access.Role, workspace string) {
	switch role {
	case access.Owner:
	case access.Editor, access.Viewer:
		if workspace == "" {
			p.addUnlessNamed("workspaceName", "value is required for this role")
		}
	case "":
		p.add("role", "value is required")
	default:
		p.add("role", "value must be Owner, Editor or Viewer")
	}
}

// workspace is the namespace that a workspace is for a caller in ns.
func (p *problems) workspace(field string, ns namespace.Namespace, name string) namespace.Namespace {
	if name == "" || name == ns.Name() {
		return ns
	}
	if !namespace.IsSegment(name) {
		p.add(field, "value must be 1 to 63 letters, digits, '_' and '-', beginning with a letter or digit")
		return ns
	}
	below, err := ns.Join(name)
	if err != nil {
		p.add(field, "value makes a namespace that is too long")
		return ns
	}
	return below
}

// expiry is the end of the day that a text names; zero is never.
func (p *problems) expiry(text string, now time.Time) time.Time {
	day, err := time.Parse(dateLayout, text)
	switch {
	case text == "":
		p.add("validUntil", "value is required")
	case err != nil:
		p.add("validUntil", "value must be a day such as 2026-12-31")
	case day.Equal(lastDay):
	case !day.AddDate(0, 0, 1).After(now):
		p.add("validUntil", "value must not be before today")
	default:
		return day.AddDate(0, 0, 1)
	}
	return time.Time{}
}
