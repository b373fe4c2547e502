package namespaces

import (
	"maps"
	"mime"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/web"
)

// An apiKey is the API's APIKey.
type apiKey struct {
	Meta       meta       `json:"meta"`
	Propagate  bool       `json:"propagate"`
	Spec       spec       `json:"spec"`
	TenantMeta tenantMeta `json:"tenant_meta"`
	UUID       string     `json:"uuid"`
}

type meta struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations"`
	CreateTime  timestamp         `json:"create_time"`
	CreatedBy   string            `json:"created_by"`
	Description string            `json:"description"`
	IndexData   *struct{}         `json:"index_data"`
	Kind        string            `json:"kind"`
	ParentKind  string            `json:"parent_kind"`
	ParentUUID  string            `json:"parent_uuid"`
	References  map[string]string `json:"references"`
	Tags        []string          `json:"tags"`
	UpdateTime  timestamp         `json:"update_time"`
	UpdatedBy   string            `json:"updated_by"`
	UpsertTime  timestamp         `json:"upsert_time"`
	Version     string            `json:"version"`
}

type spec struct {
	ExpirationTime timestamp   `json:"expiration_time"`
	Permissions    permissions `json:"permissions"`
	IssuingUser    *user       `json:"issuing_user"`
	Key            string      `json:"key"`
	Secret         string      `json:"secret"`
}

type permissions struct {
	ExceptResources []string         `json:"except_resources"`
	Roles           []string         `json:"roles"`
	Rules           map[string]rules `json:"rules"`
}

type rules struct {
	Methods []string `json:"methods"`
}

type tenantMeta struct {
	Namespace string `json:"namespace"`
}

type user struct {
	Meta meta     `json:"meta"`
	Spec userSpec `json:"spec"`
	UUID string   `json:"uuid"`
}

type userSpec struct {
	Email         string            `json:"email"`
	EventTracking map[string]string `json:"event_tracking"`
	FirstName     string            `json:"first_name"`
	Groups        []string          `json:"groups"`
	LastLoginTime timestamp         `json:"last_login_time"`
	LastName      string            `json:"last_name"`
	TokenHash     string            `json:"token_hash"`
	UserName      string            `json:"user_name"`
}

// A timestamp is a time, null where there is none.
type timestamp struct{ time.Time }

// neverExpires stands for no expiry: the vendor's client demands a time.
var neverExpires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// MarshalJSONTo writes a time as protobuf's JSON does: RFC 3339 in UTC with 0, 3, 6
// or 9 digits of a second.
func (t timestamp) MarshalJSONTo(to *jsontext.Encoder) error {
	if t.IsZero() {
		return to.WriteToken(jsontext.Null)
	}
	layout := "2006-01-02T15:04:05.000000000Z"
	switch nanos := t.Nanosecond(); {
	case nanos == 0:
		layout = "2006-01-02T15:04:05Z"
	case nanos%1_000_000 == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case nanos%1_000 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return to.WriteToken(jsontext.String(t.UTC().Format(layout)))
}

func apiKeyOf(key apikey.Key) apiKey {
	return apiKey{
		Meta: meta{
			Name:        key.Name,
			Annotations: key.Texts.Annotations,
			CreateTime:  timestamp{key.CreatedAt},
			CreatedBy:   key.CreatedBy.Name,
			Description: key.Texts.Description,
			Kind:        "APIKey",
			ParentKind:  key.Texts.Parent.Kind,
			ParentUUID:  key.Texts.Parent.UUID,
			Tags:        key.Texts.Tags,
			UpdateTime:  timestamp{key.UpdatedAt},
			UpdatedBy:   key.UpdatedBy.Name,
			UpsertTime:  timestamp{key.CreatedAt},
			Version:     "v1",
		},
		Propagate: key.Propagate,
		Spec: spec{
			ExpirationTime: expirationOf(key),
			Permissions:    permissionsOf(key.Grant),
			IssuingUser:    userOf(key.CreatedBy),
			Key:            key.Locator.String(),
		},
		TenantMeta: tenantMeta{Namespace: key.Locator.Namespace.String()},
		UUID:       key.Locator.ID.String(),
	}
}

func expirationOf(key apikey.Key) timestamp {
	if key.ExpiresAt.IsZero() {
		return timestamp{neverExpires}
	}
	return timestamp{key.ExpiresAt}
}

func userOf(actor apikey.Actor) *user {
	return &user{UUID: actor.ID, Meta: meta{Name: actor.Name}}
}

func permissionsOf(grant access.Grant) permissions {
	grant = inSystemRoles(grant)
	p := permissions{ExceptResources: grant.Except}
	for _, role := range grant.Roles {
		p.Roles = append(p.Roles, string(role))
	}
	if len(grant.Rules) > 0 {
		p.Rules = make(map[string]rules, len(grant.Rules))
	}
	for kind, methods := range grant.Rules {
		p.Rules[kind] = rules{Methods: namesOf(methods)}
	}
	if len(p.Roles) == 0 && len(p.Rules) == 0 {
		p.Roles = []string{roleUnspecified}
	}
	return p
}

// systemGrants are the roles of the other APIs in terms of this one, whose strict
// clients know no other.
var systemGrants = map[access.Role]access.Grant{
	access.Owner:  {Roles: []access.Role{access.Admin}},
	access.Viewer: {Roles: []access.Role{access.ReadOnly}},
	access.Editor: {
		Rules: map[string]access.Method{
			access.EveryKind: access.All, access.APIKey: access.Read, access.ServiceAccount: access.Read,
		},
		Except: []string{access.APIKey, access.ServiceAccount},
	},
}

// inSystemRoles gives a grant without roles of other APIs. A key that they make has one
// role and nothing else.
func inSystemRoles(grant access.Grant) access.Grant {
	if len(grant.Roles) == 1 && len(grant.Rules) == 0 {
		if same, ok := systemGrants[grant.Roles[0]]; ok {
			return same
		}
	}
	return grant
}

const roleUnspecified = "SYSTEM_ROLE_UNSPECIFIED"

var methodsByName = map[string]access.Method{
	"METHOD_READ":   access.Read,
	"METHOD_CREATE": access.Create,
	"METHOD_UPDATE": access.Update,
	"METHOD_DELETE": access.Delete,
	"METHOD_ALL":    access.All,
}

func namesOf(methods access.Method) []string {
	if methods == access.All {
		return []string{"METHOD_ALL"}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(methodsByName)) {
		if method := methodsByName[name]; methods&method == method {
			names = append(names, name)
		}
	}
	return names
}

// isCompact reports whether the request asks for an answer without empty members.
func isCompact(r *web.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header["content-type"])
	return err == nil && mediaType == "application/jsoncompact"
}
