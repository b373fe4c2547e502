package workspaces

import (
	"cmp"
	"fmt"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

const (
	maxDescriptionBytes = 4096
	maxUserNameBytes    = 255
	defaultUserName     = "admin"
	dateLayout          = "2006-01-02"
)

// forever is the validity of a key that never expires.
var forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

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
	return found.agreed(given{"apiKey", r.APIKey}, given{"api-key", r.Dashed}).value, found
}

// problems collects what is wrong with a request.
type problems struct{ fault.Fields }

// A given is a field's value, and the name under which it was given.
type given struct {
	name  string
	value string
}

// agreed is a field that has two names.
func (p *problems) agreed(first, second given) given {
	switch {
	case first.value == "" && second.value != "":
		return second
	case second.value != "" && second.value != first.value:
		p.Add(first.name, "value is another than that of "+second.name)
	}
	return first
}

// draft gives what the request asks for, from a caller in a namespace, and every field
// that is wrong by this API's rules.
func (r createRequest) draft(ns namespace.Namespace, now time.Time) (apikey.Draft, problems) {
	var found problems
	workspace := found.agreed(given{"workspaceName", r.WorkspaceName}, given{"sliceName", r.SliceName})
	lastDay := found.agreed(given{"validUntil", r.ValidUntil}, given{"validity", r.Validity})
	role := access.Role(r.Role)
	draft := apikey.Draft{
		Namespace: found.workspace(ns, workspace),
		Name:      r.Name,
		User:      cmp.Or(r.UserName, defaultUserName),
		Grant:     access.Grant{Roles: []access.Role{role}},
		Propagate: role == access.Owner,
		ExpiresAt: found.expiry(lastDay, now),
		Texts:     apikey.Texts{Description: r.Description},
	}
	found.checkRole(role, workspace)
	found.checkLength("userName", r.UserName, maxUserNameBytes)
	found.checkLength("description", r.Description, maxDescriptionBytes)
	return draft, found
}

func (p *problems) checkLength(name, value string, most int) {
	if len(value) > most {
		p.Add(name, fmt.Sprintf("value length must be at most %d bytes", most))
	}
}

func (p *problems) checkRole(role access.Role, workspace given) {
	switch role {
	case access.Owner:
	case access.Editor, access.Viewer:
		if workspace.value == "" {
			p.AddUnlessNamed(workspace.name, "value is required for this role")
		}
	case "":
		p.Add("role", "value is required")
	default:
		p.Add("role", "value must be Owner, Editor or Viewer")
	}
}

// workspace is the namespace that a workspace is for a caller in ns.
func (p *problems) workspace(ns namespace.Namespace, workspace given) namespace.Namespace {
	if workspace.value == "" || workspace.value == ns.Name() {
		return ns
	}
	if !namespace.IsSegment(workspace.value) {
		p.Add(workspace.name, "value must be 1 to 63 letters, digits, '_' and '-', beginning with a letter or digit")
		return ns
	}
	below, err := ns.Join(workspace.value)
	if err != nil {
		p.Add(workspace.name, "value makes a namespace that is too long")
		return ns
	}
	return below
}

// expiry is the end of a day; zero is never.
func (p *problems) expiry(lastDay given, now time.Time) time.Time {
	day, err := time.Parse(dateLayout, lastDay.value)
	switch {
	case lastDay.value == "":
		p.Add(lastDay.name, "value is required")
	case err != nil:
		p.Add(lastDay.name, "value must be a day such as 2026-12-31")
	case day.Equal(forever):
	case !day.AddDate(0, 0, 1).After(now):
		p.Add(lastDay.name, "value must not be before today")
	default:
		return day.AddDate(0, 0, 1)
	}
	return time.Time{}
}
