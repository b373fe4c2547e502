package workspaces

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/web"
)

const (
	pageSize = 500
	// Keys of other APIs may have far more texts than are shown, and all are read.
	maxTextBytes = 40_000_000
	// Around the items there is little.
	maxItemBytes = web.MaxAnswerBytes - 1000
)

type listData struct {
	Data []jsontext.Value `json:"data"`
}

type item struct {
	ID              string `json:"id"`
	APIKey          string `json:"apiKey"`
	Description     string `json:"description"`
	Name            string `json:"name"`
	Role            string `json:"role"`
	SAName          string `json:"saName"`
	WorkspaceName   string `json:"workspaceName"`
	TokenTTLSeconds string `json:"tokenTtlSeconds"`
	UserName        string `json:"userName"`
	Validity        string `json:"validity"`
}

func (a *answerer) list(ctx context.Context, c call) (any, error) {
	selection, err := c.selection()
	if err != nil {
		return nil, err
	}
	items := itemList{caller: c.caller.Namespace, encoded: []jsontext.Value{}}
	for {
		page, err := a.Keys.List(ctx, c.caller, selection)
		if err != nil {
			return nil, err
		}
		if err := a.addPage(ctx, c, page.Keys, &items); err != nil {
			return nil, err
		}
		if !page.More {
			return listData{items.encoded}, nil
		}
		selection.After = &page.Keys[len(page.Keys)-1].Locator
	}
}

// selection is one workspace or, without one, all that the caller may see.
func (c call) selection() (apikey.Selection, error) {
	values, err := c.ParametersNamed("workspace", "workspaceName")
	if err != nil {
		return apikey.Selection{}, err
	}
	var found problems
	workspace := found.agreed(given{"workspace", values["workspace"]}, given{"workspaceName", values["workspaceName"]})
	selection := apikey.Selection{
		Namespace: found.workspace(c.caller.Namespace, workspace),
		Below:     workspace.value == "" && c.caller.Propagate,
		Limit:     pageSize,
	}
	if len(found.Fields) > 0 {
		return apikey.Selection{}, fault.InvalidFields(found.Fields...)
	}
	return selection, nil
}

// addPage adds keys part by part, and keeps of each no more than is shown.
func (a *answerer) addPage(ctx context.Context, c call, keys []apikey.Key, items *itemList) error {
	for len(keys) > 0 {
		count, err := a.Keys.AddTexts(ctx, c.caller, keys)
		if err != nil {
			return err
		}
		for i := range keys[:count] {
			if err := items.add(keys[i]); err != nil {
				return err
			}
			keys[i].Texts = apikey.Texts{}
		}
		keys = keys[count:]
	}
	return nil
}

func tooLarge() error {
	return fault.InvalidField("workspace", "value gives more keys than one answer may hold")
}

// An itemList is as much of a list as is encoded, for a caller in a namespace.
type itemList struct {
	caller  namespace.Namespace
	encoded []jsontext.Value
	size    int
	read    int // bytes of texts
}

// add encodes a key. Invalid: the answer would be larger than the platform takes.
func (l *itemList) add(key apikey.Key) error {
	encoded, err := json.Marshal(itemOf(key, l.caller))
	if err != nil {
		return fmt.Errorf("key in a list: %w", err)
	}
	l.size += web.WireSize(encoded) + len(",")
	l.read += key.Texts.Size()
	if l.size > maxItemBytes || l.read > maxTextBytes {
		return tooLarge()
	}
	l.encoded = append(l.encoded, encoded)
	return nil
}

func itemOf(key apikey.Key, caller namespace.Namespace) item {
	role := roleOf(key.Grant)
	workspace := workspaceOf(key, role, caller)
	return item{
		ID:              hex.EncodeToString(key.Locator.ID[:]),
		APIKey:          key.Locator.String(),
		Description:     key.Texts.Description,
		Name:            key.Name,
		Role:            string(role),
		SAName:          serviceAccountOf(role, workspace),
		WorkspaceName:   workspace,
		TokenTTLSeconds: fmt.Sprint(int(tokenLifetime.Seconds())),
		UserName:        userOf(key),
		Validity:        validityOf(key.ExpiresAt),
	}
}

func roleOf(grant access.Grant) access.Role {
	switch {
	case grant.IsEverything():
		return access.Owner
	case grant.IsReadOnly():
		return access.Viewer
	}
	return access.Editor
}

func workspaceOf(key apikey.Key, role access.Role, caller namespace.Namespace) string {
	ns := key.Locator.Namespace
	switch {
	case ns != caller:
		return strings.TrimPrefix(ns.String(), caller.String()+".")
	case role == access.Owner:
		return ""
	}
	return ns.Name()
}

// serviceAccountOf is the Kubernetes service account that a key of the vendor's stands
// for.
func serviceAccountOf(role access.Role, workspace string) string {
	switch role {
	case access.Owner:
		return "kubeslice-rbac-rw-external-apis"
	case access.Editor:
		return "kubeslice-rbac-rw-slice-" + workspace
	}
	return "kubeslice-rbac-ro-slice-" + workspace
}

// userOf is whom a key is for; of a key that was made elsewhere, who made it.
func userOf(key apikey.Key) string {
	if key.User != "" {
		return key.User
	}
	return key.CreatedBy.Name
}

// validityOf is the last day on which a key is good.
func validityOf(expiresAt time.Time) string {
	if expiresAt.IsZero() {
		return forever.Format(dateLayout)
	}
	return expiresAt.Add(-1).UTC().Format(dateLayout)
}
