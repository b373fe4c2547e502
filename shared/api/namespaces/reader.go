package namespaces

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"latchkey/shared/access"
	"latchkey/shared/api/namespaces/query"
	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
)

// An entry is one message of a list.
type entry struct {
	at      apikey.Locator // of a namespace without an id
	key     apikey.Key     // in a list of keys
	rank    string         // in a sorted list
	uuid    string
	message any
}

// A chunk is a part of a list.
type chunk struct {
	entries []entry
	next    *apikey.Locator // what follows is behind this; nil: nothing follows
	cost    int             // of reading it, at least 1
}

// behind is where the list goes on after one of the chunk's entries, or after none.
func (c chunk) behind(i int) *apikey.Locator {
	if i >= len(c.entries)-1 {
		return c.next
	}
	return &c.entries[i].at
}

// A reader reads what a list is of, in its own order.
type reader interface {
	bounds() bounds

	// read gives up to limit entries behind a place, or from the beginning, after
	// passing over some, for no more than a budget.
	read(ctx context.Context, after *apikey.Locator, skip, limit, budget int) (chunk, error)

	// complete adds what read leaves out to the first entries, to at least one, and
	// says to how many.
	complete(ctx context.Context, entries []entry) (int, error)

	// strip gives an entry without what complete has added.
	strip(entry) entry

	// isComplete reports whether read leaves out nothing that lies in these paths.
	isComplete(paths []query.Path) bool
}

// A keyReader reads keys, first without their texts, which are items of their own.
type keyReader struct {
	keys      *apikey.Service
	caller    access.Caller
	selection apikey.Selection
	texts     []query.Path
}

func newKeyReader(keys *apikey.Service, c call, below bool) keyReader {
	return keyReader{
		keys:      keys,
		caller:    c.caller,
		selection: apikey.Selection{Namespace: c.namespace, Below: below},
		texts:     textPaths(),
	}
}

// textPaths are the fields that a key's texts fill.
func textPaths() []query.Path {
	var paths []query.Path
	for _, name := range []string{"description", "tags", "annotations", "parent_kind", "parent_uuid"} {
		path, err := keySchema().Path("meta." + name)
		if err != nil {
			panic(err) // a defect of the message, which no request changes
		}
		paths = append(paths, path)
	}
	return paths
}

func keySchema() query.Schema { return query.SchemaOf[apiKey]() }

// 500 keys are about what one query gives; the texts of 100 are 25 MB at most.
func (keyReader) bounds() bounds {
	return bounds{entries: "keys", all: apikey.MaxSkip, page: 2000, chunk: 500, part: 100}
}

func (r keyReader) read(ctx context.Context, after *apikey.Locator, skip, limit, _ int) (chunk, error) {
	selection := r.selection
	selection.After, selection.Skip, selection.Limit = after, skip, limit
	page, err := r.keys.List(ctx, r.caller, selection)
	if err != nil {
		return chunk{}, err
	}
	entries := make([]entry, len(page.Keys))
	for i, key := range page.Keys {
		entries[i] = entryOf(key)
	}
	c := chunk{entries: entries, cost: max(1, len(entries))}
	if page.More {
		c.next = &entries[len(entries)-1].at
	}
	return c, nil
}

func entryOf(key apikey.Key) entry {
	message := apiKeyOf(key)
	return entry{at: key.Locator, key: key, uuid: message.UUID, message: message}
}

func (r keyReader) complete(ctx context.Context, entries []entry) (int, error) {
	keys := make([]apikey.Key, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	count, err := r.keys.AddTexts(ctx, r.caller, keys)
	if err != nil {
		return 0, err
	}
	for i := range count {
		if keys[i].HasTexts {
			keys[i].HasTexts = false // they are not to be read again
			entries[i].key, entries[i].message = keys[i], apiKeyOf(keys[i])
		}
	}
	return count, nil
}

func (keyReader) strip(e entry) entry {
	if e.key.Texts.IsZero() {
		return e
	}
	e.key.Texts, e.key.HasTexts = apikey.Texts{}, true
	e.message = apiKeyOf(e.key)
	return e
}

func (r keyReader) isComplete(paths []query.Path) bool {
	return !slices.ContainsFunc(paths, func(path query.Path) bool {
		return slices.ContainsFunc(r.texts, path.Overlaps)
	})
}

// A namespaceReader reads the namespaces below one that hold keys.
type namespaceReader struct {
	keys      *apikey.Service
	caller    access.Caller
	selection apikey.NamespaceSelection
}

func newNamespaceReader(keys *apikey.Service, c call, deep bool) namespaceReader {
	return namespaceReader{
		keys:      keys,
		caller:    c.caller,
		selection: apikey.NamespaceSelection{Parent: c.namespace, Deep: deep},
	}
}

// Each namespace takes a query, one after the other.
func (namespaceReader) bounds() bounds {
	return bounds{entries: "namespaces", all: apikey.MaxNamespaces, page: 200, chunk: 200, part: 200}
}

func (r namespaceReader) read(ctx context.Context, after *apikey.Locator, skip, limit, budget int) (chunk, error) {
	selection := r.selection
	selection.Skip, selection.Limit, selection.Queries = skip, limit, budget
	if after != nil {
		selection.After = after.Namespace
	}
	page, err := r.keys.Namespaces(ctx, r.caller, selection)
	if err != nil {
		return chunk{}, err
	}
	c := chunk{entries: make([]entry, len(page.Namespaces)), cost: max(1, page.Queries)}
	for i, ns := range page.Namespaces {
		message := namespaceOf(ns)
		c.entries[i] = entry{at: apikey.Locator{Namespace: ns}, uuid: message.UUID, message: message}
	}
	if !page.Behind.IsZero() {
		c.next = &apikey.Locator{Namespace: page.Behind}
	}
	return c, nil
}

func (namespaceReader) complete(_ context.Context, entries []entry) (int, error) {
	return len(entries), nil
}

func (namespaceReader) strip(e entry) entry { return e }

func (namespaceReader) isComplete([]query.Path) bool { return true }

// A namespaceMessage is as much of the vendor's Namespace as there is here.
type namespaceMessage struct {
	Meta       namespaceMeta `json:"meta"`
	Spec       namespaceSpec `json:"spec"`
	TenantMeta tenantMeta    `json:"tenant_meta"`
	UUID       string        `json:"uuid"`
}

type namespaceMeta struct {
	Name string `json:"name"`
}

type namespaceSpec struct {
	FullName string `json:"full_name"`
}

// uuidsOfNamespaces is the space of the name-based UUIDs (RFC 9562, section 5.5) that
// stand for namespaces, which have no record and so no id of their own.
var uuidsOfNamespaces = uuid.MustParse("8f0f6f4c-54c6-5d0c-9c07-3c1b7f5a2d11")

func namespaceOf(ns namespace.Namespace) namespaceMessage {
	return namespaceMessage{
		Meta:       namespaceMeta{Name: ns.Name()},
		Spec:       namespaceSpec{FullName: ns.String()},
		TenantMeta: tenantMeta{Namespace: ns.Parent().String()},
		UUID:       uuid.NewSHA1(uuidsOfNamespaces, []byte(ns.String())).String(),
	}
}
