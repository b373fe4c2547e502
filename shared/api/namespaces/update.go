package namespaces

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"latchkey/shared/access"
	"latchkey/shared/api/namespaces/query"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

// updatable are the paths that an update's mask may name, and what each takes from the
// object. The mask "meta", like an empty one, means all of them.
var updatable = map[string]func(*apikey.Edit, *apikey.Draft){
	"meta.name":        func(to *apikey.Edit, from *apikey.Draft) { to.Name = &from.Name },
	"meta.description": func(to *apikey.Edit, from *apikey.Draft) { to.Description = &from.Texts.Description },
	"meta.tags":        func(to *apikey.Edit, from *apikey.Draft) { to.Tags = &from.Texts.Tags },
	"meta.annotations": func(to *apikey.Edit, from *apikey.Draft) { to.Annotations = &from.Texts.Annotations },
}

// An updateRequest is the vendor's general form of an update.
type updateRequest struct {
	Request struct {
		UpdateMask string      `json:"update_mask"`
		Force      web.Ignored `json:"force"`
	} `json:"request"`
	Object updateObject `json:"object"`
}

// An updateObject is as much of an APIKey as an update reads. A client may send back
// all that it got.
type updateObject struct {
	UUID       string           `json:"uuid"`
	Meta       *createMeta      `json:"meta"`
	TenantMeta createTenantMeta `json:"tenant_meta"`

	Propagate web.Ignored `json:"propagate"`
	Spec      web.Ignored `json:"spec"`
}

func (a *answerer) update(ctx context.Context, c call) (any, error) {
	var request updateRequest
	if err := web.DecodeJSON(c.Body, &request); err != nil {
		return nil, err
	}
	edit, found := request.edit()
	found.checkNamespace("object.tenant_meta.namespace", request.Object.TenantMeta, c.namespace)
	if len(found.Fields) > 0 {
		return nil, fault.InvalidFields(found.Fields...)
	}
	at, err := c.locator(request.Object.UUID)
	if err != nil {
		return nil, err
	}
	key, err := a.Keys.Update(ctx, c.caller, apikey.At(at), edit)
	if err != nil {
		return nil, err
	}
	return masked(apiKeyOf(key), request.visible(c), isCompact(c.Request))
}

// visible is what the caller may see of the key that he has changed: all, if he may read
// it, and otherwise what he has written.
func (r updateRequest) visible(c call) query.Mask {
	if c.caller.Require(access.Read, access.APIKey, c.namespace) == nil {
		return query.Mask{}
	}
	var ignored problems
	mask, err := keySchema().Mask(strings.Join(append(r.paths(&ignored), "uuid"), ","))
	if err != nil {
		panic(err) // a defect of updatable, which no request changes
	}
	return mask
}

// edit gives what the request changes, and every field of it that is wrong. What the
// mask does not name is not looked at; what it names and the object lacks is cleared.
func (r updateRequest) edit() (apikey.Edit, problems) {
	var found problems
	if r.Object.UUID == "" {
		found.Add("object.uuid", "value is required")
	}
	paths := r.paths(&found)
	var draft apikey.Draft
	var wrong problems
	r.Object.Meta.read(&draft, &wrong)
	for _, field := range wrong.Fields {
		if slices.ContainsFunc(paths, func(path string) bool { return isWithin(field.Name, path) }) {
			found.Add("object."+field.Name, field.Problem)
		}
	}
	var edit apikey.Edit
	for _, path := range paths {
		updatable[path](&edit, &draft)
	}
	return edit, found
}

// isWithin reports whether a field is a path or a member of its list.
func isWithin(field, path string) bool {
	rest, ok := strings.CutPrefix(field, path)
	return ok && (rest == "" || rest[0] == '[')
}

func (r updateRequest) paths(found *problems) []string {
	var paths []string
	for path := range strings.SplitSeq(r.Request.UpdateMask, ",") {
		switch path = strings.TrimSpace(path); {
		case slices.Contains(paths, path): // again
		case updatable[path] != nil:
			paths = append(paths, path)
		case path == "meta", path == "" && r.Request.UpdateMask == "":
			paths = slices.Sorted(maps.Keys(updatable))
		default:
			found.Add("request.update_mask", fmt.Sprintf("path %.100q cannot be updated", path))
		}
	}
	return paths
}
