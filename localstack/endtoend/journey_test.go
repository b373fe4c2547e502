package endtoend_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/stack"
)

func (w *world) endor(key, secret string) *endorClient {
	return &endorClient{base: w.stack.URL(), key: key, secret: secret}
}

func (w *world) endorRoot() *endorClient { return w.endor(w.root.RevealPair()) }

func (w *world) endorOf(key endorAPIKey) *endorClient { return w.endor(key.Spec.Key, key.Spec.Secret) }

func (w *world) rootUUID() string { return w.root.Locator.ID.String() }

// compact is a copy of a client that asks for the compact form.
func (c *endorClient) compact() *endorClient {
	other := *c
	other.contentType = endorCompact
	return &other
}

// must stops the test that it is then given where there is an error.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// inDays is a time of day in the middle of one, so that filters by date are sure of it.
func inDays(days int) time.Time {
	return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, days).Add(12 * time.Hour)
}

func roles(roles ...endorRole) *endorPermissions { return &endorPermissions{Roles: roles} }

func rule(kind string, methods ...endorMethod) *endorPermissions {
	return &endorPermissions{Rules: map[string]endorRule{kind: {Methods: methods}}}
}

func keyNamed(name string, days int, permissions *endorPermissions) endorAPIKey {
	return endorAPIKey{
		Meta: &endorMeta{Name: name},
		Spec: &endorKeySpec{ExpirationTime: inDays(days), Permissions: permissions},
	}
}

func propagating(key endorAPIKey) endorAPIKey {
	key.Propagate = true
	return key
}

func namesOf(keys []endorAPIKey) []string {
	var names []string
	for _, key := range keys {
		names = append(names, key.Meta.Name)
	}
	return names
}

func uuidsOf(keys []endorAPIKey) []string {
	var uuids []string
	for _, key := range keys {
		uuids = append(uuids, key.UUID)
	}
	return uuids
}

// at looks a dotted path up in a masked object; what is left out is nil.
func at(object map[string]any, path string) any {
	var value any = object
	for _, name := range strings.Split(path, ".") {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s (-want +got):\n%s", what, difference)
	}
}

func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var answer *endorError
	if !errors.As(err, &answer) || answer.Code != code {
		t.Errorf("want code %d, got %v", code, err)
	}
}

// A journey is what its steps leave to one another.
type journey struct {
	*world
	root    *endorClient
	team    *endorClient // a key of demo, made by the root key, that may do all below it
	teamKey endorAPIKey
	made    map[string]endorAPIKey // by name, with their secrets
}

// A step of a journey goes on from where the one before it ended.
type step struct {
	name string
	take func(*testing.T)
}

// take takes the steps up to the first that fails: the next would only repeat it.
func take(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		if !t.Run(s.name, s.take) {
			return
		}
	}
}

func TestJourney(t *testing.T) {
	w := newWorld(t)
	j := &journey{world: w, root: w.endorRoot(), made: map[string]endorAPIKey{}}
	take(t, []step{
		{"create the team's key", j.createTeamKey},
		{"exchange it", j.exchange},
		{"create keys", j.createKeys},
		{"read one", j.readOne},
		{"list what expires", j.listExpiring},
		{"page", j.page},
		{"count and group", j.countAndGroup},
		{"validate", j.validatePairs},
		{"rotate", j.rotate},
		{"delete", j.deleteOne},
	})
}

func (j *journey) createTeamKey(t *testing.T) {
	asked := propagating(keyNamed("team", 90, roles("SYSTEM_ROLE_ADMIN")))
	j.teamKey = must(j.root.createAPIKey(t.Context(), "demo", asked))(t)
	j.team = j.endorOf(j.teamKey)
	rootKey := must(j.root.getAPIKey(t.Context(), "demo", j.rootUUID()))(t)
	wantEqual(t, "who created the root key", rootKey.Meta.CreatedBy, "bootstrap@iam")
	wantCreated(t, j.teamKey, asked, rootKey)
}

// wantCreated wants what was asked for, and what the service adds to it.
func wantCreated(t *testing.T, made, asked, creator endorAPIKey) {
	t.Helper()
	by := creator.Meta.Name + "@api-key"
	wantEqual(t, "name", made.Meta.Name, asked.Meta.Name)
	wantEqual(t, "tags", made.Meta.Tags, append([]string{}, asked.Meta.Tags...))
	wantEqual(t, "propagate", made.Propagate, asked.Propagate)
	wantEqual(t, "roles", made.Spec.Permissions.Roles, asked.Spec.Permissions.Roles)
	wantEqual(t, "expiry", made.Spec.ExpirationTime, asked.Spec.ExpirationTime)
	wantEqual(t, "kind and version", made.Meta.Kind+" "+made.Meta.Version, "APIKey v1")
	wantEqual(t, "created_by", made.Meta.CreatedBy, by)
	wantEqual(t, "updated_by", made.Meta.UpdatedBy, by)
	wantEqual(t, "issuing user", made.Spec.IssuingUser.Meta.Name, by)
	wantEqual(t, "issuing user's uuid", made.Spec.IssuingUser.UUID, creator.UUID)
	wantEqual(t, "update_time", made.Meta.UpdateTime, made.Meta.CreateTime)
	if made.Spec.Key == "" || made.Spec.Secret == "" || made.UUID == "" {
		t.Error("no key, no secret or no uuid")
	}
	if made.Meta.CreateTime.IsZero() || made.Meta.UpsertTime.IsZero() {
		t.Error("no create_time or no upsert_time")
	}
	if user := made.Spec.IssuingUser.Spec; user != nil && user.TokenHash != "" {
		t.Error("a token_hash is told")
	}
}

func (j *journey) exchange(t *testing.T) {
	info := must(j.team.whoAmI(t.Context()))(t)
	wantEqual(t, "exchanges", j.team.exchanges, 1)
	wantEqual(t, "source of the session", j.team.session.AuthenticationSource, "api-key")
	wantEqual(t, "source", info.AuthenticationSource, "api-key")
	wantEqual(t, "namespaces", info.Namespaces, []string{"demo"})
	wantEqual(t, "tenants", len(info.Tenants), 1)
	wantEqual(t, "tenant", info.Tenants[0].Name, "demo")
	wantEqual(t, "expiry", info.ExpirationTime, j.teamKey.Spec.ExpirationTime)
	wantEqual(t, "roles", info.Permissions.Roles, j.teamKey.Spec.Permissions.Roles)
	wantEqual(t, "user", info.User.UUID, j.teamKey.UUID)
	wantEqual(t, "user of the session", j.team.session.User, info.User)
}

func (j *journey) createKeys(t *testing.T) {
	tagged := keyNamed("CI/CD Access API key", 10, roles("SYSTEM_ROLE_CODE_SCANNER"))
	tagged.Meta.Tags = []string{"env=prod", "a.b_c-d@e"}
	for _, k := range []struct {
		namespace string
		key       endorAPIKey
	}{
		{"demo", tagged},
		{"demo", keyNamed("nightly scan", 20, roles("SYSTEM_ROLE_READ_ONLY"))},
		{"demo", keyNamed("old deploy", 200, roles("SYSTEM_ROLE_READ_ONLY", "SYSTEM_ROLE_CODE_SCANNER"))},
		{"demo.app", keyNamed("app scanner", 12, roles("SYSTEM_ROLE_CODE_SCANNER"))},
		{"demo.app", keyNamed("app reader", 40, roles("SYSTEM_ROLE_READ_ONLY"))},
	} {
		made := must(j.team.createAPIKey(t.Context(), k.namespace, k.key))(t)
		wantCreated(t, made, k.key, j.teamKey)
		wantEqual(t, "namespace", made.TenantMeta.Namespace, k.namespace)
		j.made[made.Meta.Name] = made
	}
}

func (j *journey) readOne(t *testing.T) {
	want := j.made["app scanner"]
	got := must(j.team.getAPIKey(t.Context(), "demo.app", want.UUID))(t)
	spec := *want.Spec
	spec.Secret = ""
	want.Spec = &spec
	wantEqual(t, "key", got, want)

	masked := must(j.team.getMasked(t.Context(), "demo.app", want.UUID, "meta.name,spec.key"))(t)
	wantEqual(t, "masked name", at(masked, "meta.name"), any("app scanner"))
	wantEqual(t, "masked key", at(masked, "spec.key"), any(want.Spec.Key))
	wantEqual(t, "what the mask leaves out", at(masked, "meta.created_by"), nil)
	hidden := must(j.team.compact().getMasked(t.Context(), "demo.app", want.UUID, "spec.secret"))(t)
	wantEqual(t, "the secret, asked for by name", len(hidden), 0)

	info := must(j.endorOf(j.made["app scanner"]).whoAmI(t.Context()))(t)
	wantEqual(t, "namespaces and tenant", append(info.Namespaces, info.Tenants[0].Name), []string{"demo.app", "demo"})

	_, err := j.team.getAPIKey(t.Context(), "demo", want.UUID) // it lives in demo.app
	wantCode(t, err, 5)
}

// expiring is the query of the vendor's own script, which looks for the keys that
// expire within a time.
func expiring() endorQuery {
	return endorQuery{
		Filter: fmt.Sprintf("spec.expiration_time >= date(%s) AND spec.expiration_time <= date(%s)",
			inDays(5).Format(time.DateOnly), inDays(45).Format(time.DateOnly)),
		Mask:     "meta.name,spec.expiration_time,meta.created_by,spec.issuing_user.spec.email,uuid",
		SortPath: "spec.expiration_time", SortOrder: "SORT_ENTRY_ORDER_DESC", Traverse: true,
	}
}

func (j *journey) listExpiring(t *testing.T) {
	names := []string{"app reader", "nightly scan", "app scanner", "CI/CD Access API key"}
	var want []map[string]any
	for _, name := range names {
		key := j.made[name]
		want = append(want, map[string]any{
			"meta": map[string]any{"name": name, "created_by": "team@api-key"},
			"spec": map[string]any{"expiration_time": key.Spec.ExpirationTime.Format(time.RFC3339)},
			"uuid": key.UUID,
		})
	}
	wantEqual(t, "compact list", must(j.team.compact().listAllMasked(t.Context(), "demo", expiring()))(t), want)
	full := must(j.team.listAllMasked(t.Context(), "demo", expiring()))(t)
	wantEqual(t, "list without what is empty", withoutEmpty(full), withoutEmpty(want))

	ascending := expiring()
	ascending.Mask, ascending.SortOrder, ascending.Traverse = "", "", false
	alone := must(j.team.listAllAPIKeys(t.Context(), "demo", ascending))(t)
	wantEqual(t, "in demo alone", namesOf(alone), []string{"CI/CD Access API key", "nightly scan"})
	for _, key := range alone {
		wantEqual(t, "secret in a list", key.Spec.Secret, "")
	}
}

// withoutEmpty is JSON as the compact form writes it.
func withoutEmpty(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		panic(err)
	}
	return prune(plain)
}

func prune(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if value[name] = prune(member); value[name] == nil {
				delete(value, name)
			}
		}
		if len(value) == 0 {
			return nil
		}
	case []any:
		for i, item := range value {
			value[i] = prune(item)
		}
		if len(value) == 0 {
			return nil
		}
	case string, bool, float64:
		if slices.Contains([]any{"", false, 0.0}, any(value)) {
			return nil
		}
	}
	return value
}

func (j *journey) page(t *testing.T) {
	for _, order := range []struct{ path, order string }{
		{"", ""},
		{"meta.name", "SORT_ENTRY_ORDER_ASC"},
		{"spec.expiration_time", "SORT_ENTRY_ORDER_DESC"},
		{"tenant_meta.namespace", ""},
	} {
		query := endorQuery{Traverse: true, SortPath: order.path, SortOrder: order.order, PageSize: 500}
		whole := must(j.team.listAPIKeys(t.Context(), "demo", query))(t)
		if paging := whole.List.Response; paging != nil && (paging.NextPageID != nil || paging.NextPageToken != nil) {
			t.Errorf("a page of everything has a next one: %+v", paging)
		}
		wantEqual(t, "keys", len(whole.List.Objects), len(j.made)+2) // the root's and the team's
		query.PageSize = 2
		paged := must(j.team.listAllAPIKeys(t.Context(), "demo", query))(t)
		wantEqual(t, fmt.Sprintf("pages of two by %+v", order), uuidsOf(paged), uuidsOf(whole.List.Objects))
		wantEqual(t, "by offset", uuidsOf(j.byOffset(t, query)), uuidsOf(whole.List.Objects))
	}
	only := must(j.team.listAllAPIKeys(t.Context(), "demo", endorQuery{PageSize: 2, DisablePagination: true}))(t)
	wantEqual(t, "keys of the first page only", len(only), 2)
}

// byOffset lists everything as an old client would, which knows page tokens alone.
func (j *journey) byOffset(t *testing.T, query endorQuery) []endorAPIKey {
	t.Helper()
	return must(listAll(query, func(q endorQuery) (endorList[endorAPIKey], error) {
		answer, err := j.team.listAPIKeys(t.Context(), "demo", q)
		if err == nil && answer.List.Response != nil {
			answer.List.Response.NextPageID = nil
		}
		return answer, err
	}))(t)
}

func (j *journey) countAndGroup(t *testing.T) {
	query := endorQuery{Traverse: true, Count: true, Filter: expiring().Filter}
	counted := must(j.team.listAPIKeys(t.Context(), "demo", query))(t)
	if counted.CountResponse == nil || counted.CountResponse.Count != 4 {
		t.Errorf("count: %+v", counted.CountResponse)
	}
	query = endorQuery{
		Traverse: true, Filter: expiring().Filter,
		GroupPaths: "meta.kind,tenant_meta.namespace", GroupUUIDs: true, GroupUniqueCounts: "meta.name", GroupUniqueValues: "meta.created_by",
	}
	grouped := must(j.team.listAPIKeys(t.Context(), "demo", query))(t)
	if grouped.GroupResponse == nil {
		t.Fatal("no groups")
	}
	got := map[string][]string{}
	for name, group := range grouped.GroupResponse.Groups {
		keys := must(parseGroup(name))(t)
		wantEqual(t, "paths", []string{keys[0].Key, keys[1].Key}, []string{"meta.kind", "tenant_meta.namespace"})
		wantEqual(t, "kind", keys[0].Value, any("APIKey"))
		wantEqual(t, "count", group.AggregationCount.Count, 2)
		wantEqual(t, "unique counts", group.UniqueCounts, map[string]endorCount{"meta.name": {Count: 2}})
		wantEqual(t, "unique values", group.UniqueValues, map[string][]any{"meta.created_by": {"team@api-key"}})
		got[fmt.Sprint(keys[1].Value)] = slices.Sorted(slices.Values(group.AggregationUUIDs))
	}
	wantEqual(t, "groups", got, map[string][]string{
		"demo":     j.uuids("CI/CD Access API key", "nightly scan"),
		"demo.app": j.uuids("app reader", "app scanner"),
	})
}

func (j *journey) uuids(names ...string) []string {
	var uuids []string
	for _, name := range names {
		uuids = append(uuids, j.made[name].UUID)
	}
	slices.Sort(uuids)
	return uuids
}

func (j *journey) validatePairs(t *testing.T) {
	key, other := j.made["app scanner"].Spec, j.made["app reader"].Spec
	for _, client := range []*endorClient{j.team, j.team.compact()} {
		valid := must(client.validate(t.Context(), key.Key, key.Secret))(t)
		if !*valid.Valid || valid.IssuingUser == nil {
			t.Errorf("a good pair: valid %v, issuing user %v", *valid.Valid, valid.IssuingUser)
		}
		wantEqual(t, "issuing user", withoutEmpty(valid.IssuingUser), withoutEmpty(key.IssuingUser))
		wantEqual(t, "key and secret", valid.Key+" "+valid.Secret, key.Key+" ")
		for _, secret := range []string{other.Secret, "wrong", strings.Repeat("x", 1000)} {
			invalid := must(client.validate(t.Context(), key.Key, secret))(t)
			wantEqual(t, "wrong secret", invalid, endorValidation{Key: key.Key, Valid: new(bool)})
		}
		absent, secret := vector(t).RevealPair()
		unknown := must(client.validate(t.Context(), absent, secret))(t)
		wantEqual(t, "unknown key", unknown, endorValidation{Key: absent, Valid: new(bool)})
		_, err := client.validate(t.Context(), key.Key, "")
		wantCode(t, err, 3)
		_, err = client.validate(t.Context(), "", key.Secret)
		wantCode(t, err, 3)
	}
}

// rotate does what the vendor's documents say: make a new key, then delete the old.
func (j *journey) rotate(t *testing.T) {
	const name = "CI/CD Access API key"
	old := j.made[name]
	user := j.endorOf(old)
	must(user.whoAmI(t.Context()))(t)
	byName := endorQuery{Filter: fmt.Sprintf("meta.name == %q", name), Traverse: true, Count: true}

	renewed := must(j.team.createAPIKey(t.Context(), "demo", keyNamed(name, 100, old.Spec.Permissions)))(t)
	wantEqual(t, "keys of that name", must(j.team.listAPIKeys(t.Context(), "demo", byName))(t).CountResponse.Count, 2)
	must(j.endorOf(renewed).whoAmI(t.Context()))(t)

	if err := j.team.deleteAPIKey(t.Context(), "demo", old.UUID); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "keys of that name", must(j.team.listAPIKeys(t.Context(), "demo", byName))(t).CountResponse.Count, 1)
	verdict := must(j.team.validate(t.Context(), old.Spec.Key, old.Spec.Secret))(t)
	wantEqual(t, "the deleted key is valid", *verdict.Valid, false)
	wantRefused(t, user)
	must(j.endorOf(renewed).whoAmI(t.Context()))(t)
}

// wantRefused wants a client with a session to be refused at once, to try its key once
// more, and then to give up.
func wantRefused(t *testing.T, client *endorClient) {
	t.Helper()
	err := client.deliver(t.Context(), client.authorized(endorRequest{method: http.MethodGet, path: "/v1/auth"}), &endorUserInfo{})
	wantCode(t, err, 16)
	before := client.exchanges
	_, err = client.whoAmI(t.Context())
	wantCode(t, err, 16)
	wantEqual(t, "more exchanges", client.exchanges-before, 1)
}

func (j *journey) deleteOne(t *testing.T) {
	key := j.made["app reader"]
	reader := j.endorOf(key)
	must(reader.getAPIKey(t.Context(), "demo.app", key.UUID))(t)
	wantCode(t, j.team.deleteAPIKey(t.Context(), "demo", key.UUID), 5) // it lives in demo.app
	must(reader.getAPIKey(t.Context(), "demo.app", key.UUID))(t)
	if err := j.team.deleteAPIKey(t.Context(), "demo.app", key.UUID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, reader)
	wantCode(t, j.team.deleteAPIKey(t.Context(), "demo.app", key.UUID), 5)
	_, err := j.team.getAPIKey(t.Context(), "demo.app", key.UUID)
	wantCode(t, err, 5)
	left := must(j.team.listAllAPIKeys(t.Context(), "demo.app", endorQuery{}))(t)
	wantEqual(t, "what is left", namesOf(left), []string{"app scanner"})
}

// A session that is refused although its key is good is started again, once.
func TestJourneyRefusedSession(t *testing.T) {
	root := newWorld(t).endorRoot()
	for range 2 {
		before := root.exchanges
		must(root.whoAmI(t.Context()))(t)
		root.session.Token = corrupted(root.session.Token)
		must(root.listAPIKeys(t.Context(), "demo", endorQuery{}))(t)
		must(root.listAPIKeys(t.Context(), "demo", endorQuery{}))(t)
		wantEqual(t, "exchanges", root.exchanges-before, 2-min(before, 1)) // the first needs one to begin with
	}
}

// corrupted is a token with one letter of its signature changed: not the last one,
// some of whose bits mean nothing.
func corrupted(token string) string {
	changed := []byte(token)
	i := len(token) - 10
	if changed[i]++; !strings.Contains("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", string(changed[i])) {
		changed[i] = 'A'
	}
	return string(changed)
}

func TestJourneySessionTokens(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	keys := must(root.jwks(t.Context()))(t)
	for _, life := range []time.Duration{10 * time.Minute, 3 * time.Hour, 5 * time.Hour, 1000 * time.Hour} {
		key := keyNamed("short", 0, roles("SYSTEM_ROLE_READ_ONLY"))
		key.Spec.ExpirationTime = time.Now().Add(life).UTC().Truncate(time.Second)
		client := w.endorOf(must(root.createAPIKey(t.Context(), "demo", key))(t))
		before := time.Now()
		must(client.whoAmI(t.Context()))(t)
		claims := must(keys.verify(client.session.Token))(t)
		if err := claims.check(w.stack.URL(), stack.SessionAudience, time.Now(), key.Spec.ExpirationTime); err != nil {
			t.Errorf("key for %v: %v", life, err)
		}
		expiry := time.Unix(claims.Expiry, 0)
		if least := min(life, endorSessionLength) - time.Minute; expiry.Before(before.Add(least)) {
			t.Errorf("key for %v: its session ends already at %v", life, expiry)
		}
		if difference := client.session.ExpirationTime.Sub(expiry).Abs(); difference >= time.Second {
			t.Errorf("expiration_time %v, but exp %v", client.session.ExpirationTime, expiry)
		}
		wantUnverified(t, keys, client.session.Token)
	}
}

// wantUnverified wants nothing that was made of a good token to verify.
func wantUnverified(t *testing.T, keys endorKeySet, token string) {
	t.Helper()
	parts := strings.Split(token, ".")
	for what, forged := range map[string]string{
		"signature":    corrupted(token),
		"claims":       parts[0] + "." + corrupted(parts[1]) + "." + parts[2],
		"no signature": parts[0] + "." + parts[1] + ".",
	} {
		if _, err := keys.verify(forged); err == nil {
			t.Errorf("a token with another %s verifies", what)
		}
	}
	if _, err := (endorKeySet{}).verify(token); err == nil {
		t.Error("a token verifies without keys")
	}
}

// The vendor's documents exchange a key with curl, which calls JSON a form.
func TestJourneyExchangeContentTypes(t *testing.T) {
	w := newWorld(t)
	key, secret := w.root.RevealPair()
	body := must(json.Marshal(map[string]string{"key": key, "secret": secret}))(t)
	for _, contentType := range []string{"application/x-www-form-urlencoded", endorJSON, endorCompact, "text/plain", "application/json; charset=utf-8"} {
		var session endorSession
		err := w.endorRoot().deliver(t.Context(), endorRequest{
			method: http.MethodPost, path: "/v1/auth/api-key", body: body, header: http.Header{"Content-Type": {contentType}},
		}, &session)
		if err != nil || session.Token == "" {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	_, err := w.endor(key, "wrong").whoAmI(t.Context())
	wantCode(t, err, 16)
}

// A key that has expired is not valid, stays listed, and its session ends with it.
func TestJourneyExpiry(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	asked := keyNamed("short", 0, roles("SYSTEM_ROLE_READ_ONLY"))
	asked.Spec.ExpirationTime = time.Now().Add(3 * time.Second).UTC().Truncate(time.Second)
	key := must(root.createAPIKey(t.Context(), "demo", asked))(t)
	client := w.endorOf(key)
	must(client.whoAmI(t.Context()))(t)

	time.Sleep(time.Until(asked.Spec.ExpirationTime) + 1100*time.Millisecond)
	wantRefused(t, client)
	verdict := must(root.validate(t.Context(), key.Spec.Key, key.Spec.Secret))(t)
	wantEqual(t, "verdict", verdict, endorValidation{Key: key.Spec.Key, Valid: new(bool)})
	for _, filter := range []string{
		"spec.expiration_time < date(" + time.Now().UTC().Format(time.RFC3339) + ")",
		"spec.expiration_time < now(0h)",
	} {
		expired := must(root.listAllAPIKeys(t.Context(), "demo", endorQuery{Filter: filter}))(t)
		wantEqual(t, filter, uuidsOf(expired), []string{key.UUID})
	}
}

// A forest is many keys in three namespaces.
type forest struct {
	*world
	root *endorClient
	home map[string]string // the namespace of each key, by its uuid
}

func newForest(t *testing.T) *forest {
	t.Helper()
	w := newWorld(t)
	f := &forest{world: w, root: w.endorRoot(), home: map[string]string{}}
	for i := range 60 {
		namespace := forestNamespaces[i%len(forestNamespaces)]
		key := must(f.root.createAPIKey(t.Context(), namespace, keyNamed(fmt.Sprint("tree ", i), 30, roles("SYSTEM_ROLE_READ_ONLY"))))(t)
		f.home[key.UUID] = namespace
	}
	return f
}

var forestNamespaces = []string{"demo.walk", "demo.walk.deep", "demo.walk.deep.er"}

// wantAll wants each key of the forest once, where it lives.
func (f *forest) wantAll(t *testing.T, walked []endorAPIKey) {
	t.Helper()
	seen := map[string]int{}
	for _, key := range walked {
		seen[key.UUID]++
		if home := f.home[key.UUID]; home != "" && home != key.TenantMeta.Namespace {
			t.Errorf("a key of %s is said to be in %s", home, key.TenantMeta.Namespace)
		}
	}
	for uuid, home := range f.home {
		if seen[uuid] != 1 {
			t.Errorf("a key of %s was seen %d times", home, seen[uuid])
		}
	}
}

func TestJourneyWalk(t *testing.T) {
	f := newForest(t)
	t.Run("at rest", func(t *testing.T) {
		for _, size := range []int{1, 7, 20, 60, 500, 5000} {
			walked := must(f.root.listAllAPIKeys(t.Context(), "demo.walk", endorQuery{Traverse: true, PageSize: size}))(t)
			f.wantAll(t, walked)
			wantEqual(t, fmt.Sprint("keys by ", size), len(walked), len(f.home))
		}
	})
	t.Run("while others come and go", f.walkAmongOthers)
	t.Run("by the uuid of the last key", f.walkByUUID)
	t.Run("while keys under the cursor are deleted", f.walkAndDelete)
}

func (f *forest) walkAmongOthers(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var churn sync.WaitGroup
	turns := 0
	churn.Go(func() { turns = f.churn(ctx, t) })
	defer churn.Wait() // also when a walk fails
	defer stop()
	var walks [][]endorAPIKey
	for _, size := range []int{3, 7, 11} {
		walks = append(walks, must(f.root.listAllAPIKeys(t.Context(), "demo.walk", endorQuery{Traverse: true, PageSize: size}))(t))
	}
	stop()
	churn.Wait()
	for _, walked := range walks {
		f.wantAll(t, walked)
	}
	if turns < 10 {
		t.Errorf("only %d keys came and went", turns)
	}
}

// churn makes keys and deletes each soon after, until it is stopped, and says how many.
func (f *forest) churn(ctx context.Context, t *testing.T) int {
	client := f.endorRoot()
	var kept []endorAPIKey
	for turn := 0; ; turn++ {
		if ctx.Err() != nil {
			return turn
		}
		namespace := forestNamespaces[turn%len(forestNamespaces)]
		// t's context, so that what was begun is finished
		key, err := client.createAPIKey(t.Context(), namespace, keyNamed("weed", 30, roles("SYSTEM_ROLE_READ_ONLY")))
		if err != nil {
			t.Error(err)
			return turn
		}
		if kept = append(kept, key); len(kept) < 4 {
			continue
		}
		if err := client.deleteAPIKey(t.Context(), kept[0].TenantMeta.Namespace, kept[0].UUID); err != nil {
			t.Error(err)
			return turn
		}
		kept = kept[1:]
	}
}

// A bare uuid is a cursor too where one namespace is listed.
func (f *forest) walkByUUID(t *testing.T) {
	query := endorQuery{PageSize: 6, Filter: `meta.name matches "^tree "`}
	whole := must(f.root.listAllAPIKeys(t.Context(), "demo.walk", query))(t)
	wantEqual(t, "keys", len(whole), 20)
	walked := must(listAll(query, func(q endorQuery) (endorList[endorAPIKey], error) {
		answer, err := f.root.listAPIKeys(t.Context(), "demo.walk", q)
		if err == nil && answer.List.Response != nil && answer.List.Response.NextPageID != nil && len(answer.List.Objects) > 0 {
			answer.List.Response.NextPageID = &answer.List.Objects[len(answer.List.Objects)-1].UUID
		}
		return answer, err
	}))(t)
	wantEqual(t, "walk", uuidsOf(walked), uuidsOf(whole))
}

// Each page's last key, which the cursor points to, is deleted before the next page.
func (f *forest) walkAndDelete(t *testing.T) {
	deleted := 0
	walked := must(listAll(endorQuery{Traverse: true, PageSize: 5}, func(q endorQuery) (endorList[endorAPIKey], error) {
		answer, err := f.root.listAPIKeys(t.Context(), "demo.walk", q)
		if err != nil || len(answer.List.Objects) == 0 {
			return answer, err
		}
		last := answer.List.Objects[len(answer.List.Objects)-1]
		deleted++
		return answer, f.root.deleteAPIKey(t.Context(), last.TenantMeta.Namespace, last.UUID)
	}))(t)
	f.wantAll(t, walked)
	if deleted < 12 {
		t.Errorf("only %d keys were deleted", deleted)
	}
}

// A namespace is told if it holds keys itself; with traverse, at any depth.
func TestJourneyNamespaces(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	for _, namespace := range []string{"demo.b", "demo.a", "demo.a.x.y", "demo.a-b", "demo.A"} {
		must(root.createAPIKey(t.Context(), namespace, keyNamed("one", 30, roles("SYSTEM_ROLE_READ_ONLY"))))(t)
	}
	for _, test := range []struct {
		of       string
		traverse bool
		want     []string
	}{
		{"demo", false, []string{"demo.A", "demo.a", "demo.a-b", "demo.b"}},
		{"demo", true, []string{"demo.A", "demo.a", "demo.a-b", "demo.a.x.y", "demo.b"}},
		{"demo.a", true, []string{"demo.a.x.y"}},
		{"demo.b", true, nil},
	} {
		for _, size := range []int{0, 1, 2} {
			got := must(root.listNamespaces(t.Context(), test.of, endorQuery{Traverse: test.traverse, PageSize: size}))(t)
			var names []string
			for _, namespace := range got {
				names = append(names, namespace.Spec.FullName)
			}
			slices.Sort(names)
			wantEqual(t, fmt.Sprintf("below %s, traverse %v, pages of %d", test.of, test.traverse, size), names, test.want)
		}
	}
}

func TestJourneyUpdate(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	asked := keyNamed("before", 30, roles("SYSTEM_ROLE_READ_ONLY"))
	asked.Meta.Description, asked.Meta.Tags = "why", []string{"one"}
	made := must(root.createAPIKey(t.Context(), "demo", asked))(t)
	with := func(meta endorMeta) endorAPIKey { return endorAPIKey{UUID: made.UUID, Meta: &meta} }

	got := must(root.updateAPIKey(t.Context(), "demo", "meta.tags", with(endorMeta{Name: "ignored", Tags: []string{"two", "k=v"}})))(t)
	wantEqual(t, "name", got.Meta.Name, "before")
	wantEqual(t, "tags", got.Meta.Tags, []string{"two", "k=v"})
	wantEqual(t, "description", got.Meta.Description, "why")
	wantEqual(t, "secret", got.Spec.Secret, "")
	if got.Meta.UpdateTime.Before(made.Meta.UpdateTime) || !got.Meta.CreateTime.Equal(made.Meta.CreateTime) {
		t.Errorf("times: %v, %v", got.Meta.CreateTime, got.Meta.UpdateTime)
	}
	got = must(root.updateAPIKey(t.Context(), "demo", "", with(endorMeta{Name: "after", Annotations: map[string]string{"a": "b"}})))(t)
	wantEqual(t, "all four", []any{got.Meta.Name, got.Meta.Description, got.Meta.Tags, got.Meta.Annotations},
		[]any{"after", "", []string{}, map[string]string{"a": "b"}})
	wantEqual(t, "what is kept", must(root.getAPIKey(t.Context(), "demo", made.UUID))(t), got)

	for _, mask := range []string{"spec.expiration_time", "propagate", "meta.kind", "nonsense", "meta.tags,spec.key"} {
		_, err := root.updateAPIKey(t.Context(), "demo", mask, with(endorMeta{Name: "no"}))
		wantCode(t, err, 3)
	}
	_, err := root.updateAPIKey(t.Context(), "demo", "meta.name", with(endorMeta{Tags: []string{"no"}}))
	wantCode(t, err, 3)
	_, err = root.updateAPIKey(t.Context(), "demo", "meta.tags", endorAPIKey{UUID: "01890000-0000-7000-8000-000000000000", Meta: &endorMeta{Name: "no"}})
	wantCode(t, err, 5)
	wantEqual(t, "after all that was refused", must(root.getAPIKey(t.Context(), "demo", made.UUID))(t), got)
}

func TestJourneyRights(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	alone := w.endorOf(must(root.createAPIKey(t.Context(), "demo.app", keyNamed("alone", 30, roles("SYSTEM_ROLE_ADMIN"))))(t))
	maker := w.endorOf(must(root.createAPIKey(t.Context(), "demo.app",
		propagating(keyNamed("maker", 30, rule("api_key", "METHOD_READ", "METHOD_CREATE")))))(t))
	reader := w.endorOf(must(root.createAPIKey(t.Context(), "demo.app", keyNamed("reader", 30, roles("SYSTEM_ROLE_CODE_SCANNER"))))(t))
	everything := rule("*", "METHOD_ALL")
	equal := w.endorOf(must(root.createAPIKey(t.Context(), "demo.app", keyNamed("equal", 30, everything)))(t))
	almost := rule("*", "METHOD_ALL")
	almost.ExceptResources = []string{"API_KEY"}
	keyless := w.endorOf(must(root.createAPIKey(t.Context(), "demo.app", keyNamed("keyless", 30, almost)))(t))
	create := func(client *endorClient, namespace string, permissions *endorPermissions) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.createAPIKey(ctx, namespace, keyNamed("new", 30, permissions))
			return err
		}
	}
	list := func(client *endorClient, namespace string, traverse bool) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.listAPIKeys(ctx, namespace, endorQuery{Traverse: traverse})
			return err
		}
	}
	for _, test := range []struct {
		name string
		do   func(context.Context) error
		code int // 0: it is done
	}{
		{"in its own namespace", list(alone, "demo.app", false), 0},
		{"traverse without propagate", list(alone, "demo.app", true), 7},
		{"below without propagate", list(alone, "demo.app.x", false), 7},
		{"above", list(maker, "demo", false), 7},
		{"beside", list(maker, "demo.apple", false), 7},
		{"another tenant", list(root, "other", false), 7},
		{"below with propagate", list(maker, "demo.app.x", true), 0},
		{"the same right, spelt as the kind", create(maker, "demo.app.x", rule("APIKey", "METHOD_READ")), 0},
		{"a right that it has not", create(maker, "demo.app", rule("APIKey", "METHOD_DELETE")), 7},
		{"a role that it has not", create(maker, "demo.app", roles("SYSTEM_ROLE_READ_ONLY")), 7},
		{"all that an administrator has", create(root, "demo", everything), 0},
		{"all, when it is no administrator", create(maker, "demo.app", everything), 7},
		{"the role that equals all", create(equal, "demo.app", roles("SYSTEM_ROLE_ADMIN")), 0},
		{"all but keys", list(keyless, "demo.app", false), 7},
		{"reading with a role that reads", list(reader, "demo.app", false), 0},
		{"creating with a role that reads", create(reader, "demo.app", roles("SYSTEM_ROLE_CODE_SCANNER")), 7},
		{"delete without the right", func(ctx context.Context) error { return maker.deleteAPIKey(ctx, "demo.app", w.rootUUID()) }, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.do(t.Context())
			if test.code == 0 && err != nil {
				t.Error(err)
			}
			if test.code != 0 {
				wantCode(t, err, test.code)
			}
		})
	}
}

// A refusal is a request that the service is to refuse.
type refusal struct {
	name    string
	request endorRequest
	code    int
	says    string // in the message
}

func refusedBody(name, body string, code int, says string) refusal {
	return refusal{name, endorRequest{method: http.MethodPost, path: endorKeysPath("demo"), body: []byte(body)}, code, says}
}

func refusedQuery(name, parameter, value string) refusal {
	query := url.Values{"list_parameters." + parameter: {value}}
	return refusal{name, endorRequest{method: http.MethodGet, path: endorKeysPath("demo"), query: query}, 3, ""}
}

func refusedPath(name, method, path string, code int) refusal {
	return refusal{name, endorRequest{method: method, path: path}, code, ""}
}

func refusals(root string) []refusal {
	const spec = `"spec":{"expiration_time":"2100-01-01T00:00:00Z","permissions":{"roles":["SYSTEM_ROLE_READ_ONLY"]}}`
	withSpec := func(spec string) string { return `{"meta":{"name":"a"},"spec":{` + spec + `}}` }
	const expiry, role = `"expiration_time":"2100-01-01T00:00:00Z"`, `"permissions":{"roles":["SYSTEM_ROLE_READ_ONLY"]}`
	return []refusal{
		refusedBody("no meta", `{`+spec+`}`, 3, "Meta"),
		refusedBody("no name", `{"meta":{},`+spec+`}`, 3, "Name"),
		refusedBody("no spec", `{"meta":{"name":"a"}}`, 3, "Spec"),
		refusedBody("unknown member", `{"meta":{"name":"a","colour":"red"},`+spec+`}`, 3, "Colour"), // as a Go name, like all fields in messages
		refusedBody("another namespace", `{"meta":{"name":"a"},"tenant_meta":{"namespace":"demo.app"},`+spec+`}`, 3, ""),
		refusedBody("name of 64 characters", `{"meta":{"name":"`+strings.Repeat("n", 64)+`"},`+spec+`}`, 3, ""),
		refusedBody("tag of 256 characters", `{"meta":{"name":"a","tags":["`+strings.Repeat("t", 256)+`"]},`+spec+`}`, 3, ""),
		refusedBody("tag with a blank", `{"meta":{"name":"a","tags":["a b"]},`+spec+`}`, 3, ""),
		refusedBody("description of 1024 bytes", `{"meta":{"name":"a","description":"`+strings.Repeat("d", 1024)+`"},`+spec+`}`, 3, ""),
		refusedBody("annotation of 16385 bytes", `{"meta":{"name":"a","annotations":{"a":"`+strings.Repeat("a", 16385)+`"}},`+spec+`}`, 3, ""),
		refusedBody("name of an annotation", `{"meta":{"name":"a","annotations":{"a/b":"c"}},`+spec+`}`, 3, ""),
		refusedBody("no expiry", withSpec(role), 3, ""),
		refusedBody("past expiry", withSpec(`"expiration_time":"2020-01-01T00:00:00Z",`+role), 3, ""),
		refusedBody("expiry without a zone", withSpec(`"expiration_time":"2100-01-01T00:00:00",`+role), 3, ""),
		refusedBody("no permissions", withSpec(expiry), 3, ""),
		refusedBody("empty permissions", withSpec(expiry+`,"permissions":{}`), 3, ""),
		refusedBody("role unspecified", withSpec(expiry+`,"permissions":{"roles":["SYSTEM_ROLE_UNSPECIFIED"]}`), 3, ""),
		refusedBody("unknown role", withSpec(expiry+`,"permissions":{"roles":["SYSTEM_ROLE_KING"]}`), 3, ""),
		refusedBody("method unspecified", withSpec(expiry+`,"permissions":{"rules":{"APIKey":{"methods":["METHOD_UNSPECIFIED"]}}}`), 3, ""),
		refusedBody("no JSON", `{`, 3, ""),
		refusedQuery("unknown mask", "mask", "uui"),
		refusedQuery("unknown filter path", "filter", `meta.colour == "red"`),
		refusedQuery("half a filter", "filter", `meta.name ==`),
		refusedQuery("not matches", "filter", `meta.name not matches "a"`),
		refusedQuery("unknown sort path", "sort.path", "meta.colour"),
		refusedQuery("unknown sort order", "sort.order", "DOWN"),
		refusedQuery("page_size that is no number", "page_size", "many"),
		refusedQuery("unknown group path", "group.aggregation_paths", "meta.colour"),
		refusedQuery("negative page_size", "page_size", "-1"),
		refusedQuery("negative page_token", "page_token", "-1"),
		refusedQuery("page_token past the bound", "page_token", "10001"),
		refusedQuery("nonsense as page_id", "page_id", "nonsense"),
		refusedQuery("group_by_time", "group_by_time.interval", "GROUP_BY_TIME_INTERVAL_DAY"),
		refusedQuery("action", "action", "x"),
		refusedQuery("ci_run_uuid", "ci_run_uuid", "x"),
		refusedPath("malformed namespace", http.MethodGet, endorKeysPath("demo..app"), 3),
		refusedPath("unknown uuid", http.MethodGet, endorKeyPath("demo", "01890000-0000-7000-8000-000000000000"), 5),
		refusedPath("malformed uuid", http.MethodGet, endorKeyPath("demo", "67d000000000000000000000"), 5),
		refusedPath("unknown path", http.MethodGet, "/v1/namespaces/demo/projects", 5),
		refusedPath("exchange in the URL", http.MethodGet, "/v1/auth/api-key", 5),
		refusedPath("logout", http.MethodGet, "/v1/auth/api-key/logout", 5),
		refusedPath("PUT", http.MethodPut, endorKeyPath("demo", root), 12),
		refusedPath("PATCH of an item", http.MethodPatch, endorKeyPath("demo", root), 12),
	}
}

func TestJourneyRefusals(t *testing.T) {
	w := newWorld(t)
	for _, client := range []*endorClient{w.endorRoot(), w.endorRoot().compact()} {
		for _, refusal := range refusals(w.rootUUID()) {
			t.Run(refusal.name+" "+client.contentType, func(t *testing.T) {
				before := w.contents(t)
				err := client.call(t.Context(), refusal.request, &map[string]any{})
				wantCode(t, err, refusal.code)
				if err != nil && !strings.Contains(err.Error(), refusal.says) {
					t.Errorf("%v does not name %s", err, refusal.says)
				}
				if w.contents(t) != before {
					t.Error("the table has changed")
				}
			})
		}
	}
}

// Without a token there is no answer; what is public needs none.
func TestJourneyWithoutToken(t *testing.T) {
	w := newWorld(t)
	key, secret := w.root.RevealPair()
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer nonsense", "Basic " + key} {
		request := endorRequest{method: http.MethodGet, path: endorKeysPath("demo"), header: http.Header{}}
		if authorization != "" {
			request.header.Set("Authorization", authorization)
		}
		wantCode(t, w.endorRoot().deliver(t.Context(), request, &map[string]any{}), 16)
	}
	verdict := must(w.endorRoot().validate(t.Context(), key, secret))(t)
	wantEqual(t, "valid", *verdict.Valid, true)
	must(w.endorRoot().jwks(t.Context()))(t)
}

// Requests as the vendor's reference shows them.

// sampleUser is in the reference's samples, though it is the service's to say.
const sampleUser = `{"meta":{"name":"x","annotations":{},"description":"x","index_data":{},"parent_kind":"x","parent_uuid":"x",
	"tags":["x"]},"spec":{"email":"x","event_tracking":{},"first_name":"x","groups":["x"],"last_name":"x","token_hash":"x"}}`

// The reference's samples are accepted, and what is read-only in them is ignored.
func TestJourneySamples(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	sample := `{"meta":{"name":"` + strings.Repeat("é", 63) + `","annotations":{"a.b_c-d":"any text"},"description":"d","index_data":{},
		"parent_kind":"k","parent_uuid":"p","tags":["` + strings.Repeat("t", 255) + `"],"kind":"Other","created_by":"me","create_time":"2020-01-01T00:00:00Z"},
		"propagate":true,"spec":{"expiration_time":"2100-11-07T05:31:56+02:00","permissions":{"except_resources":[],
		"roles":["SYSTEM_ROLE_READ_ONLY"],"rules":{}},"issuing_user":` + sampleUser + `,"key":"k","secret":"s"},"tenant_meta":{}}`
	var made endorAPIKey
	request := endorRequest{method: http.MethodPost, path: endorKeysPath("demo"), body: []byte(sample)}
	if err := root.call(t.Context(), request, &made); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "kind", made.Meta.Kind, "APIKey")
	wantEqual(t, "issuing user", made.Spec.IssuingUser.UUID+made.Spec.IssuingUser.Meta.Description, w.rootUUID())
	wantEqual(t, "creator", made.Meta.CreatedBy, made.Spec.IssuingUser.Meta.Name)
	wantEqual(t, "expiry", made.Spec.ExpirationTime, time.Date(2100, 11, 7, 3, 31, 56, 0, time.UTC))
	if made.Spec.Key == "k" || made.Spec.Secret == "s" || made.Meta.CreateTime.Year() == 2020 {
		t.Error("a read-only field was taken")
	}
	body := fmt.Sprintf(`{"key":%q,"secret":%q,"issuing_user":%s,"valid":false}`, made.Spec.Key, made.Spec.Secret, sampleUser)
	var verdict endorValidation
	if err := root.deliver(t.Context(), endorRequest{method: http.MethodPost, path: "/v1/auth/api-key/validate", body: []byte(body)}, &verdict); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "valid", *verdict.Valid, true)
	wantEqual(t, "issuing user", verdict.IssuingUser.UUID, w.rootUUID())
}

// The SDK may send parameters that its own document does not name. Those of lists are
// refused by name or not heeded, and others are not heeded.
func TestJourneyUnknownParameters(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	for _, test := range []struct {
		parameter, value string
		mayRefuse        string // how a refusal names it; empty: none is allowed
	}{
		{"list_parameters.from_date", "2020-01-01", "FromDate"},
		{"list_parameters.to_date", "2100-01-01", "ToDate"},
		{"list_parameters.archive", "true", "Archive"},
		{"list_parameters.list_all", "true", "ListAll"},
		{"list_parameters.colour", "red", "Colour"},
		{"colour", "red", ""},
	} {
		var answer endorList[endorAPIKey]
		query := url.Values{test.parameter: {test.value}}
		err := root.call(t.Context(), endorRequest{method: http.MethodGet, path: endorKeysPath("demo"), query: query}, &answer)
		switch {
		case err == nil:
			wantEqual(t, test.parameter, uuidsOf(answer.List.Objects), []string{w.rootUUID()})
		case test.mayRefuse == "" || !strings.Contains(err.Error(), test.mayRefuse):
			t.Errorf("%s: %v", test.parameter, err)
		default:
			wantCode(t, err, 3)
		}
	}
}

func TestJourneyFilters(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	one := keyNamed("one", 10, roles("SYSTEM_ROLE_READ_ONLY"))
	one.Meta.Tags, one.Meta.Description = []string{"env=prod", "blue"}, "first"
	two := keyNamed("two (2)", 20, roles("SYSTEM_ROLE_CODE_SCANNER"))
	two.Meta.Tags = []string{"env=test"}
	made := must(root.createAPIKey(t.Context(), "demo.f", one))(t)
	must(root.createAPIKey(t.Context(), "demo.f", propagating(two)))(t)
	tomorrow := inDays(15).Format(time.DateOnly)
	for filter, want := range map[string][]string{
		`meta.name == "one"`:                                                   {"one"},
		`meta.name == one`:                                                     {"one"},
		`meta.name == "One"`:                                                   nil,
		`meta.name != one`:                                                     {"two (2)"},
		`meta.name in ["one", "three"]`:                                        {"one"},
		`meta.name not in [one]`:                                               {"two (2)"},
		`meta.tags contains [blue, "env=test"]`:                                {"one", "two (2)"},
		`meta.tags not contains ["blue"]`:                                      {"two (2)"},
		`meta.name matches "^t.*2"`:                                            {"two (2)"},
		`meta.name matches "(?i)^ONE$"`:                                        {"one"},
		`meta.description exists`:                                              {"one"},
		`meta.description not exists`:                                          {"two (2)"},
		`spec.expiration_time < date(` + tomorrow + `)`:                        {"one"},
		`spec.expiration_time >= date(` + tomorrow + `T00:00:00Z)`:             {"two (2)"},
		`meta.create_time > now(-72h)`:                                         {"one", "two (2)"},
		`(meta.name == one OR meta.name == "two (2)") and propagate == true`:   {"two (2)"},
		`meta.name == "one" or meta.name == "two (2)" AND meta.name == "none"`: {"one"},
		`uuid==` + made.UUID:                                                   {"one"},
		`spec.key == ` + made.Spec.Key:                                         {"one"},
		`spec.permissions.roles contains [SYSTEM_ROLE_CODE_SCANNER]`:           {"two (2)"},
	} {
		got := must(root.listAllAPIKeys(t.Context(), "demo.f", endorQuery{Filter: filter}))
		t.Run(filter, func(t *testing.T) {
			wantEqual(t, filter, slices.Sorted(slices.Values(namesOf(got(t)))), want)
		})
	}
}

// raw is the answer to a request with a header more.
func (c *endorClient) raw(t *testing.T, path string, query endorQuery, header, value string) endorAnswer {
	t.Helper()
	must(c.whoAmI(t.Context()))(t)
	request := c.authorized(endorRequest{method: http.MethodGet, path: path, query: query.values()})
	if header != "" {
		request.header.Set(header, value)
	}
	answer := must(c.send(t.Context(), request))(t)
	wantEqual(t, "status", answer.status, http.StatusOK)
	return answer
}

// The full form has every member, and the compact one those that are not empty.
func TestJourneyForms(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	key := must(root.createAPIKey(t.Context(), "demo", keyNamed("bare", 30, roles("SYSTEM_ROLE_READ_ONLY"))))(t)
	for _, client := range []*endorClient{root, root.compact()} {
		wantEqual(t, "keys of an empty namespace", len(must(client.listAllAPIKeys(t.Context(), "demo.empty", endorQuery{}))(t)), 0)
		none := must(client.listAPIKeys(t.Context(), "demo.empty", endorQuery{Count: true}))(t)
		wantEqual(t, "their number", none.CountResponse == nil || none.CountResponse.Count == 0, true)
	}
	if body := root.compact().raw(t, endorKeysPath("demo.empty"), endorQuery{}, "", "").body; bytes.Contains(body, []byte("[]")) {
		t.Errorf("the compact form of an empty page holds what is empty: %s", body)
	}
	for _, path := range []string{endorKeyPath("demo", key.UUID), endorKeysPath("demo"), "/v1/auth"} {
		var full, compact any
		for answer, into := range map[*endorClient]*any{root: &full, root.compact(): &compact} {
			if err := json.Unmarshal(answer.raw(t, path, endorQuery{}, "", "").body, into); err != nil {
				t.Fatal(err)
			}
		}
		wantEqual(t, path, compact, withoutEmpty(full))
	}
	if body := root.raw(t, endorKeysPath("demo"), endorQuery{}, "", "").body; bytes.Contains(body, []byte("next_page")) {
		t.Errorf("a last page speaks of a next one: %s", body)
	}
	var full map[string]any
	if err := json.Unmarshal(root.raw(t, endorKeyPath("demo", key.UUID), endorQuery{}, "", "").body, &full); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"propagate": false, "meta.description": "", "meta.parent_uuid": "", "meta.tags": []any{}, "meta.annotations": map[string]any{},
		"spec.secret": "", "spec.permissions.rules": map[string]any{}, "spec.permissions.except_resources": []any{},
	} {
		wantEqual(t, path, at(full, path), want)
	}
	members, _ := full["meta"].(map[string]any)
	if _, present := members["index_data"]; !present {
		t.Errorf("an unset message is left out: %v", slices.Sorted(maps.Keys(members)))
	}
}

// Only what is asked for by hand is not unpacked by net/http.
func TestJourneyGzip(t *testing.T) {
	w := newWorld(t)
	root := w.endorRoot()
	for i := range 20 {
		must(root.createAPIKey(t.Context(), "demo", keyNamed(fmt.Sprint("key ", i), 30, roles("SYSTEM_ROLE_READ_ONLY"))))(t)
	}
	query := endorQuery{SortPath: "uuid"}
	plain := root.raw(t, endorKeysPath("demo"), query, "Accept-Encoding", "identity")
	packed := root.raw(t, endorKeysPath("demo"), query, "Accept-Encoding", "gzip")
	wantEqual(t, "encodings", plain.header.Get("Content-Encoding")+","+packed.header.Get("Content-Encoding"), ",gzip")
	if len(packed.body) >= len(plain.body)/2 {
		t.Errorf("%d bytes are packed into %d", len(plain.body), len(packed.body))
	}
	reader := must(gzip.NewReader(bytes.NewReader(packed.body)))(t)
	unpacked := must(io.ReadAll(reader))(t)
	wantEqual(t, "unpacked", string(unpacked), string(plain.body))
}
