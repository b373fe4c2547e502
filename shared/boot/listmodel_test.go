package boot_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
)

// A record is what the namespaces API shows of a key, as plain data. What a list should
// give is worked out on records, without any of the code that answers lists.
type record struct {
	namespace, uuid, key string
	name, description    string
	tags                 []string
	annotations          map[string]string
	created, updated     time.Time
	expires              time.Time
	createdBy, updatedBy string
	creator              string
	propagate            bool
	roles, except        []string
	rules                map[string][]string
}

func recordOf(key apikey.Key) record {
	r := record{
		namespace: key.Locator.Namespace.String(), uuid: key.Locator.ID.String(), key: key.Locator.String(),
		name: key.Name, description: key.Texts.Description, tags: key.Texts.Tags, annotations: key.Texts.Annotations,
		created: key.CreatedAt, updated: key.UpdatedAt, expires: key.ExpiresAt,
		createdBy: key.CreatedBy.Name, updatedBy: key.UpdatedBy.Name, creator: key.CreatedBy.ID,
		propagate: key.Propagate, except: key.Grant.Except, rules: map[string][]string{},
	}
	for _, role := range key.Grant.Roles {
		r.roles = append(r.roles, string(role))
	}
	for kind, methods := range key.Grant.Rules {
		r.rules[kind] = methodNames(methods)
	}
	if len(r.roles) == 0 && len(r.rules) == 0 {
		r.roles = []string{"SYSTEM_ROLE_UNSPECIFIED"}
	}
	if r.expires.IsZero() {
		r.expires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return r
}

func methodNames(methods access.Method) []string {
	if methods == access.All {
		return []string{"METHOD_ALL"}
	}
	var names []string
	for _, m := range []struct {
		bit  access.Method
		name string
	}{
		{access.Create, "METHOD_CREATE"}, {access.Delete, "METHOD_DELETE"},
		{access.Read, "METHOD_READ"}, {access.Update, "METHOD_UPDATE"},
	} {
		if methods&m.bit != 0 {
			names = append(names, m.name)
		}
	}
	return names
}

// inListOrder has each namespace right before what it contains, and keys by creation.
func inListOrder(a, b record) int {
	return cmp.Or(
		slices.Compare(strings.Split(a.namespace, "."), strings.Split(b.namespace, ".")),
		a.created.Compare(b.created),
	)
}

type kind string

const (
	textKind    kind = "text"
	flagKind    kind = "flag"
	timeKind    kind = "time"
	listKind    kind = "list"
	mapKind     kind = "map"
	messageKind kind = "message"
)

// A field is one that queries name. Of a record it gives a string, a bool, a time, a
// list of strings or, of a map and a message, whether it is there; nil for what is
// missing.
type field struct {
	steps []string
	kind  kind
	of    func(record) any
}

func (f field) path() string { return strings.Join(f.steps, ".") }

// at makes a field of a path whose steps slashes separate: keys of maps have dots.
func at(path string, k kind, of func(record) any) field {
	return field{strings.Split(path, "/"), k, of}
}

var fields = []field{
	at("uuid", textKind, func(r record) any { return r.uuid }),
	at("meta/name", textKind, func(r record) any { return r.name }),
	at("meta/description", textKind, func(r record) any { return r.description }),
	at("meta/tags", listKind, func(r record) any { return r.tags }),
	at("meta/annotations", mapKind, func(r record) any { return len(r.annotations) > 0 }),
	at("meta/annotations/x", textKind, func(r record) any { return there(r.annotations, "x") }),
	at("meta/annotations/team.owner", textKind, func(r record) any { return there(r.annotations, "team.owner") }),
	at("meta/create_time", timeKind, func(r record) any { return r.created }),
	at("meta/update_time", timeKind, func(r record) any { return r.updated }),
	at("meta/created_by", textKind, func(r record) any { return r.createdBy }),
	at("meta/kind", textKind, func(record) any { return "APIKey" }),
	at("meta/index_data", messageKind, func(record) any { return false }),
	at("propagate", flagKind, func(r record) any { return r.propagate }),
	at("spec", messageKind, func(record) any { return true }),
	at("spec/expiration_time", timeKind, func(r record) any { return r.expires }),
	at("spec/permissions/roles", listKind, func(r record) any { return r.roles }),
	at("spec/permissions/rules", mapKind, func(r record) any { return len(r.rules) > 0 }),
	at("spec/permissions/rules/finding", messageKind, func(r record) any { return there(r.rules, "finding") != nil }),
	at("spec/permissions/rules/finding/methods", listKind, func(r record) any { return there(r.rules, "finding") }),
	at("spec/permissions/rules/a.b/methods", listKind, func(r record) any { return there(r.rules, "a.b") }),
	at("spec/permissions/rules/*/methods", listKind, func(r record) any { return there(r.rules, "*") }),
	at("spec/issuing_user/meta/name", textKind, func(r record) any { return r.createdBy }),
	at("spec/issuing_user/spec/last_login_time", timeKind, func(record) any { return time.Time{} }),
	at("spec/key", textKind, func(r record) any { return r.key }),
	at("tenant_meta/namespace", textKind, func(r record) any { return r.namespace }),
}

// What makes two texts different is in these behind what counts in an order, or the half
// of a character is. Filters have no room for them.
var longAnnotation = at("meta/annotations/long", textKind, func(r record) any { return there(r.annotations, "long") })

const mostRanked = 2048

func (g *generator) longText() string {
	return strings.Repeat("x", mostRanked-1) + pick(g, "", "a", "ab", "b", "é", "ü", "éa")
}

func there[V any](members map[string]V, name string) any {
	if value, ok := members[name]; ok {
		return value
	}
	return nil
}

func fieldsOf(kinds ...kind) []field {
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return !slices.Contains(kinds, f.kind) })
}

// compare orders records by a field: what is missing first, false before true.
func (f field) compare(a, b record) int {
	switch f.kind {
	case flagKind:
		return cmp.Compare(fmt.Sprint(f.of(a)), fmt.Sprint(f.of(b)))
	case timeKind:
		return timeIn(f.of(a)).Compare(timeIn(f.of(b)))
	}
	return cmp.Compare(rankOf(textIn(f.of(a))), rankOf(textIn(f.of(b))))
}

// rankOf is as much of a text as counts in an order.
func rankOf(text string) string { return text[:min(len(text), mostRanked)] }

func textIn(value any) string { text, _ := value.(string); return text }

func timeIn(value any) time.Time { at, _ := value.(time.Time); return at }

func listIn(value any) []string { list, _ := value.([]string); return list }

// shown is the field's value as JSON has it.
func (f field) shown(r record) any {
	switch value := f.of(r).(type) {
	case time.Time:
		return timeInJSON(value)
	case []string:
		return listInJSON(value)
	default:
		return value
	}
}

func timeInJSON(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	text := strings.TrimSuffix(at.UTC().Format("2006-01-02T15:04:05.000000000Z"), "Z")
	for range 3 {
		text = strings.TrimSuffix(text, "000")
	}
	return strings.TrimSuffix(text, ".") + "Z"
}

func listInJSON(list []string) any { return append([]string{}, list...) }

// object is the whole record as a list shows it.
func (r record) object() map[string]any {
	meta := metaObject(r.createdBy)
	maps.Copy(meta, map[string]any{
		"name": r.name, "description": r.description, "tags": listInJSON(r.tags), "annotations": mapInJSON(r.annotations),
		"create_time": timeInJSON(r.created), "created_by": r.createdBy, "kind": "APIKey", "version": "v1",
		"update_time": timeInJSON(r.updated), "updated_by": r.updatedBy, "upsert_time": timeInJSON(r.created),
	})
	rules := map[string]any{}
	for kind, methods := range r.rules {
		rules[kind] = map[string]any{"methods": methods}
	}
	return map[string]any{
		"meta": meta, "propagate": r.propagate, "uuid": r.uuid, "tenant_meta": map[string]any{"namespace": r.namespace},
		"spec": map[string]any{
			"key": r.key, "secret": "", "expiration_time": timeInJSON(r.expires), "issuing_user": userObject(r),
			"permissions": map[string]any{
				"roles": listInJSON(r.roles), "rules": rules, "except_resources": listInJSON(r.except),
			},
		},
	}
}

func mapInJSON(texts map[string]string) map[string]any {
	members := map[string]any{}
	for name, text := range texts {
		members[name] = text
	}
	return members
}

func metaObject(name string) map[string]any {
	return map[string]any{
		"name": name, "annotations": map[string]any{}, "create_time": nil, "created_by": "", "description": "",
		"index_data": nil, "kind": "", "parent_kind": "", "parent_uuid": "", "references": map[string]any{},
		"tags": []string{}, "update_time": nil, "updated_by": "", "upsert_time": nil, "version": "",
	}
}

func userObject(r record) map[string]any {
	return map[string]any{
		"meta": metaObject(r.createdBy), "uuid": r.creator, "spec": map[string]any{
			"email": "", "event_tracking": map[string]any{}, "first_name": "", "groups": []string{},
			"last_login_time": nil, "last_name": "", "token_hash": "", "user_name": "",
		},
	}
}

// masked keeps of an object what the masks name, with the objects on the way to it.
func masked(object map[string]any, masks [][]string) map[string]any {
	kept := map[string]any{}
	for name, value := range object {
		below, whole := stepInto(masks, name)
		inner, isObject := value.(map[string]any)
		switch {
		case len(below) == 0 && !whole:
		case whole || !isObject:
			kept[name] = value
		default:
			kept[name] = masked(inner, below)
		}
	}
	return kept
}

// stepInto gives what masks name below a member, and whether one names all of it.
func stepInto(masks [][]string, name string) (below [][]string, whole bool) {
	for _, mask := range masks {
		switch {
		case mask[0] != name:
		case len(mask) == 1:
			whole = true
		default:
			below = append(below, mask[1:])
		}
	}
	return below, whole
}

// inJSON writes members in the order of their names.
func inJSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // nothing in a model is without JSON
	}
	return strings.TrimSpace(text.String())
}

// A generator makes keys and queries by chance, the same ones from the same seed.
type generator struct {
	*rand.Rand
	base time.Time // what is made lies around it
	made map[int64]bool
}

// Of the generator's now nothing has been purged yet when tests run.
var generatorNow = time.Date(2100, 3, 10, 15, 4, 5, 123456789, time.UTC)

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 1)), generatorNow, map[int64]bool{}}
}

// eachSeed runs a test on seeds that stay and on one that does not. Its name tells it.
func eachSeed(t *testing.T, test func(t *testing.T, seed uint64)) {
	for _, seed := range []uint64{1, rand.Uint64()} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			test(t, seed)
		})
	}
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// some picks up to most, in the order that they have, none twice.
func some[T any](g *generator, most int, from ...T) []T {
	var picked []T
	for _, i := range slices.Sorted(slices.Values(g.Perm(len(from))[:g.IntN(most+1)])) {
		picked = append(picked, from[i])
	}
	return picked
}

// Namespaces that look alike, and nothing of which may be taken for another.
var lookAlikes = []string{"demo", "demo.a", "demo.a-b", "demo.a.b", "demo.a.b.c", "demo.a_b", "demo.ab", "demo.A", "demo.a0.b"}

// key makes a key. No two are made at the same time, and so their order is known.
func (g *generator) key(t testing.TB, ns string) apikey.Key {
	t.Helper()
	created, by := g.moment(), g.actor()
	key := apikey.Key{
		Locator: apikey.Locator{Namespace: parse(t, ns), ID: g.id(created)},
		Name:    g.name(),
		Grant:   g.grant(), Propagate: g.chance(40), ExpiresAt: g.expiry(), Texts: g.texts(),
		CreatedAt: created, CreatedBy: by, UpdatedAt: created, UpdatedBy: by,
		Version: 1, Digest: apikey.Digest{1},
	}
	if g.chance(20) {
		key.UpdatedAt, key.UpdatedBy = created.Add(time.Hour), g.actor()
	}
	return key
}

// moment is within three weeks before now, sometimes in finer digits.
func (g *generator) moment() time.Time {
	for {
		ago := g.Int64N(21 * 24 * 3600 * 1000)
		if !g.made[ago] {
			g.made[ago] = true
			fine := pick(g, 0, 0, 250*time.Microsecond, 123*time.Nanosecond)
			return g.base.Truncate(time.Second).Add(-time.Duration(ago)*time.Millisecond + fine)
		}
	}
}

func (g *generator) id(created time.Time) apikey.ID {
	var id apikey.ID
	binary.BigEndian.PutUint64(id[:8], uint64(created.UnixMilli())<<16|7<<12|g.Uint64N(1<<12))
	binary.BigEndian.PutUint64(id[8:], 1<<63|g.Uint64N(1<<62))
	return id
}

// name is short, so that many are the same, or one that filters must put in quotes.
func (g *generator) name() string {
	if g.chance(15) {
		return pick(g, "and", "In", "not", "now", "date", "true", "k=v", "x=", "a,b", "[a]", "(a)")
	}
	letters := []string{"a", "b", "B", "0", "-", ".", "é", " ", `"`, `\`}
	return pick(g, letters...) + pick(g, append(letters, "", "", "")...)
}

func (g *generator) actor() apikey.Actor {
	return pick(g,
		apikey.Actor{Name: "bootstrap@iam"},
		apikey.Actor{ID: "019b7ca9-8f2e-7e98-833b-d887d15218ce", Name: "a@api-key"},
		apikey.Actor{ID: "019b7ca9-8f2e-7e98-833b-d887d15218cf", Name: "b c@api-key"})
}

// expiry is one of few, some of them past.
func (g *generator) expiry() time.Time {
	if g.chance(25) {
		return time.Time{}
	}
	return g.base.Truncate(24*time.Hour).AddDate(0, 0, g.IntN(12)-4)
}

func (g *generator) texts() apikey.Texts {
	if g.chance(40) {
		return apikey.Texts{}
	}
	texts := apikey.Texts{
		Description: pick(g, "", "one", "two words", `"quoted"`, "zwei Wörter"),
		Tags:        some(g, 3, "ci", "k=v", "team=", "a.b", "@x", "or"),
	}
	for _, name := range some(g, 2, "x", "team.owner") {
		if texts.Annotations == nil {
			texts.Annotations = map[string]string{}
		}
		texts.Annotations[name] = pick(g, "", "1", "two words")
	}
	if texts.Annotations != nil && g.chance(50) {
		texts.Annotations["long"] = g.longText()
	}
	return texts
}

func (g *generator) grant() access.Grant {
	grant := access.Grant{Roles: some(g, 2, access.Admin, access.ReadOnly, access.CodeScanner, access.AIAudit)}
	for _, kind := range some(g, 2, "finding", "a.b", "*") {
		if grant.Rules == nil {
			grant.Rules = map[string]access.Method{}
		}
		grant.Rules[kind] = access.Method(1 + g.IntN(int(access.All)))
	}
	if _, ok := grant.Rules["*"]; ok {
		grant.Except = some(g, 1, "Secret", "finding")
	}
	return grant
}
