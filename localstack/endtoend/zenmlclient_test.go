package endtoend_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A zenmlClient speaks the service-accounts API as ZenML's Python client does. It is
// written from the contract and shares no code with the service or with that client.
//
// It is stricter than the real one, which lets members come in any order and takes more
// than it knows. It logs in at the first call. It serves one goroutine; a copy serves
// another.
type zenmlClient struct {
	base  string
	key   string // its password
	token string // of the session; empty: none yet

	logins int // that were tried
}

// A zenmlException is what the client raises for an answer.
type zenmlException struct {
	Status  int
	Class   string
	Told    string // the class that the answer names; empty: none
	Message string
}

func (e *zenmlException) Error() string {
	return fmt.Sprintf("%s, HTTP %d: %s", e.Class, e.Status, e.Message)
}

// zenmlExceptions are the classes that the client knows of a status. It raises the last
// one where an answer names none of them.
var zenmlExceptions = map[int][]string{
	400: {"ValidationError", "ValueError"},
	401: {zenmlNotValid.Told, "AuthorizationException"},
	403: {"IllegalOperationError"},
	404: {"DoesNotExistException", "ZenKeyError", "KeyError"},
	405: {"MethodNotAllowedError"},
	409: {"StackExistsError", "StackComponentExistsError", "SecretExistsError", "DuplicateRunNameError", "EntityExistsError"},
	422: {"ValueError"},
	501: {"NotImplementedError"},
}

// What the service refuses with.
var (
	zenmlNotValid = zenmlException{Status: 401, Told: "CredentialsNotValid"}
	zenmlIllegal  = zenmlException{Status: 403, Told: "IllegalOperationError"}
	zenmlAbsent   = zenmlException{Status: 404, Told: "KeyError"}
	zenmlTaken    = zenmlException{Status: 409, Told: "EntityExistsError"}
	zenmlNoPage   = zenmlException{Status: 400, Told: "ValueError"}
)

// zenmlExceptionOf reads an error: the class's name first, the status second. The detail
// is a pair of the name and what is said, which may stand bare, or a text alone.
func zenmlExceptionOf(status int, body []byte) error {
	var answer struct{ Detail json.RawMessage }
	if json.Unmarshal(body, &answer) != nil {
		answer.Detail = body
	}
	e := &zenmlException{Status: status, Class: "RuntimeError"}
	var pair []string
	switch isText := json.Unmarshal(answer.Detail, &e.Message) == nil; {
	case isText:
	case json.Unmarshal(answer.Detail, &pair) == nil && len(pair) == 2:
		e.Told, e.Message = pair[0], pair[1]
	default:
		return fmt.Errorf("HTTP %d without a detail: %.80q", status, body)
	}
	if known := zenmlExceptions[status]; slices.Contains(known, e.Told) {
		e.Class = e.Told
	} else if len(known) > 0 {
		e.Class = known[len(known)-1]
	}
	return e
}

// wantZenML wants an exception whose class the answer itself has named, and knows. A
// KeyError's message is in quotes, as Python prints it.
func wantZenML(t *testing.T, err error, want zenmlException) {
	t.Helper()
	var e *zenmlException
	if !errors.As(err, &e) || e.Status != want.Status || e.Told != want.Told || e.Class != want.Told {
		t.Errorf("want %s, HTTP %d, got %v", want.Told, want.Status, err)
	} else if e.Class == "KeyError" && !regexp.MustCompile(`(?s)^('.*'|".*'.*")$`).MatchString(e.Message) {
		t.Errorf("the message of a KeyError lacks its quotes: %s", e.Message)
	}
}

// Answers, with their members in their order; only pointers may be null.

// A zenmlEntity is what every entity is wrapped in.
type zenmlEntity[B zenmlBody, M any] struct {
	Body             B         `json:"body"`
	Metadata         *M        `json:"metadata"` // null unless hydrated
	Resources        *struct{} `json:"resources"`
	ID               string    `json:"id"`
	PermissionDenied bool      `json:"permission_denied"`
	Name             string    `json:"name"`
}

// A zenmlBody says what the types do not say of the body of the entity with an id.
type zenmlBody interface {
	check(id string, keyIsShown bool) error
}

type (
	zenmlAccount = zenmlEntity[zenmlAccountBody, zenmlAccountMetadata]
	zenmlKey     = zenmlEntity[zenmlKeyBody, zenmlKeyMetadata]
	zenmlUser    = zenmlEntity[zenmlUserBody, zenmlUserMetadata]
)

type zenmlAccountBody struct {
	Created   zenmlTime `json:"created"`
	Updated   zenmlTime `json:"updated"`
	FullName  string    `json:"full_name"`
	Active    bool      `json:"active"`
	AvatarURL *string   `json:"avatar_url"`
}

type zenmlAccountMetadata struct {
	Description    string    `json:"description"`
	ExternalUserID *struct{} `json:"external_user_id"` // nobody's here
}

type zenmlKeyBody struct {
	Created        zenmlTime    `json:"created"`
	Updated        zenmlTime    `json:"updated"`
	Key            *string      `json:"key"`
	Active         bool         `json:"active"`
	ServiceAccount zenmlAccount `json:"service_account"`
}

type zenmlKeyMetadata struct {
	Description         string     `json:"description"`
	RetainPeriodMinutes int        `json:"retain_period_minutes"`
	LastLogin           *zenmlTime `json:"last_login"`
	LastRotated         *zenmlTime `json:"last_rotated"`
}

type zenmlUserBody struct {
	Created          zenmlTime `json:"created"`
	Updated          zenmlTime `json:"updated"`
	Active           bool      `json:"active"`
	ActivationToken  *string   `json:"activation_token"`
	FullName         string    `json:"full_name"`
	EmailOptedIn     bool      `json:"email_opted_in"`
	IsServiceAccount bool      `json:"is_service_account"`
	IsAdmin          bool      `json:"is_admin"`
	AvatarURL        *string   `json:"avatar_url"`
}

type zenmlUserMetadata struct {
	Email          *string `json:"email"`
	ExternalUserID *string `json:"external_user_id"`
}

type zenmlPage[T any] struct {
	Index      int `json:"index"`
	MaxSize    int `json:"max_size"`
	TotalPages int `json:"total_pages"`
	Total      int `json:"total"`
	Items      []T `json:"items"`
}

type zenmlToken struct {
	AccessToken    string    `json:"access_token"`
	TokenType      string    `json:"token_type"`
	ExpiresIn      int       `json:"expires_in"`
	RefreshToken   *struct{} `json:"refresh_token"`
	Scope          *struct{} `json:"scope"`
	CookieName     *struct{} `json:"cookie_name"`
	DeviceID       *struct{} `json:"device_id"`
	DeviceMetadata *struct{} `json:"device_metadata"`
	CSRFToken      *struct{} `json:"csrf_token"`
}

// A zenmlTime is UTC without saying so. Later ones are greater as texts, too.
type zenmlTime string

var zenmlTimeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$`)

func (z *zenmlTime) UnmarshalText(text []byte) error {
	if !zenmlTimeForm.Match(text) {
		return fmt.Errorf("%q is no naive time", text)
	}
	*z = zenmlTime(text)
	return nil
}

var zenmlUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// check is what the types do not say of an entity.
func (e zenmlEntity[B, M]) check(isHydrated, keyIsShown bool) error {
	if zenmlUUID.FindString(e.ID) != e.ID || e.Resources != nil || e.PermissionDenied || isHydrated != (e.Metadata != nil) {
		return fmt.Errorf("%q is no UUID, or has resources, or is denied, or is hydrated: %v", e.ID, e.Metadata != nil)
	}
	return e.Body.check(e.ID, keyIsShown)
}

func (e zenmlEntity[B, M]) id() string { return e.ID }

func (zenmlAccountBody) check(string, bool) error { return nil }

func (zenmlUserBody) check(string, bool) error { return nil }

// check wants the key itself to be shown or not, in its outer form.
func (b zenmlKeyBody) check(id string, keyIsShown bool) error {
	if keyIsShown != (b.Key != nil) {
		return fmt.Errorf("the key of %s is shown: %v", id, b.Key != nil)
	}
	if keyIsShown {
		if inner, err := innerZenMLKey(*b.Key); err != nil || outerZenMLKey(id, inner) != *b.Key {
			return fmt.Errorf("the key of %s is not in its outer form: %w", id, err)
		}
	}
	return b.ServiceAccount.check(false, false)
}

const zenmlKeyPrefix = "ZENKEY_"

func outerZenMLKey(id, inner string) string {
	return zenmlKeyPrefix + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":%q,"key":%q}`, id, inner))
}

func innerZenMLKey(outer string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(outer, zenmlKeyPrefix))
	if err != nil {
		return "", err
	}
	var decoded struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	err = zenmlDecode(text, &decoded)
	return decoded.Key, err
}

// check wants the numbers of a page to agree with one another and with what was asked.
func (p zenmlPage[T]) check(index, size int) error {
	got := []int{p.Index, p.MaxSize, p.TotalPages, len(p.Items)}
	want := []int{index, size, max(1, (p.Total+size-1)/size), min(size, p.Total-(index-1)*size)}
	if !slices.Equal(got, want) || p.Items == nil {
		return fmt.Errorf("index, max_size, total_pages and items of a total of %d: %d, want %d", p.Total, got, want)
	}
	return nil
}

// zenmlDecode wants an answer to be what its type would be written as, but for white space
// and escapes: with all its members, in their order, and no others.
func zenmlDecode(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("answer %.80q: %w", text, err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		return err
	}
	for got, want := json.NewDecoder(bytes.NewReader(text)), json.NewDecoder(bytes.NewReader(again)); ; {
		gotToken, err := got.Token()
		wantToken, err2 := want.Token()
		switch {
		case gotToken != wantToken:
			return fmt.Errorf("%v where %v should be in %.1000s", gotToken, wantToken, text)
		case err == io.EOF && err2 == io.EOF:
			return nil
		case err != nil || err2 != nil:
			return fmt.Errorf("%.1000s is not %s: %w", text, again, errors.Join(err, err2))
		}
	}
}

// once sends a request with a credential. Whatever the service answers well is JSON: an
// empty body is not.
func (c *zenmlClient) once(ctx context.Context, bearer string, r endorRequest, into any) error {
	header := http.Header{"Source-Context": {"python"}}
	maps.Copy(header, r.header)
	r.header = header
	if bearer != "" {
		r.header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := (&endorClient{base: c.base + "/api/v1"}).send(ctx, r)
	switch {
	case err != nil:
		return err
	case answer.status >= http.StatusBadRequest:
		return zenmlExceptionOf(answer.status, answer.body)
	case answer.status != http.StatusOK:
		return fmt.Errorf("HTTP %d", answer.status)
	}
	if err := zenmlDecode(answer.body, into); err != nil {
		return fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	return nil
}

// login asks for a token by the form of OAuth 2's password grant.
func (c *zenmlClient) login(ctx context.Context, form url.Values) (zenmlToken, error) {
	var token zenmlToken
	err := c.once(ctx, "", endorRequest{
		method: http.MethodPost, path: "/login", body: []byte(form.Encode()),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}, &token)
	if err == nil && (token.AccessToken == "" || token.TokenType != "bearer" || token.ExpiresIn <= 0) {
		err = fmt.Errorf("a token of type %q for %d s", token.TokenType, token.ExpiresIn)
	}
	return token, err
}

func (c *zenmlClient) authenticate(ctx context.Context) error {
	c.logins++
	token, err := c.login(ctx, url.Values{"grant_type": {"zenml-api-key"}, "password": {c.key}})
	c.token = token.AccessToken
	return err
}

// call does an operation in the session. Where the credential is refused it logs in anew
// and tries once more.
func (c *zenmlClient) call(ctx context.Context, r endorRequest, into any) error {
	if c.token == "" {
		if err := c.authenticate(ctx); err != nil {
			return err
		}
	}
	err := c.once(ctx, c.token, r, into)
	var e *zenmlException
	if !errors.As(err, &e) || e.Class != zenmlNotValid.Told {
		return err
	}
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	return c.once(ctx, c.token, r, into)
}

// zenmlFields are a body: all members in a creation, null where there is nothing, and
// in an update those that were set, which may be to null.
type zenmlFields map[string]any

// A zenmlRequest is one of an operation.
type zenmlRequest struct {
	method, path string
	query        url.Values
	body         zenmlFields // nil: none
}

func (c *zenmlClient) do(ctx context.Context, r zenmlRequest, into any) error {
	sent := endorRequest{method: r.method, path: r.path, query: r.query}
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return err
		}
		sent.body, sent.header = text, http.Header{"Content-Type": {"application/json"}}
	}
	return c.call(ctx, sent, into)
}

const zenmlAccounts = "/service_accounts"

func zenmlItem(path, nameOrID string) string { return path + "/" + url.PathEscape(nameOrID) }

func zenmlKeys(account string) string { return zenmlItem(zenmlAccounts, account) + "/api_keys" }

func newZenMLAccount(name string) zenmlFields {
	return zenmlFields{"name": name, "full_name": "", "description": nil, "active": true, "avatar_url": nil}
}

func newZenMLKey(name string) zenmlFields { return zenmlFields{"name": name, "description": nil} }

// A zenmlKind is an entity of any kind.
type zenmlKind interface {
	check(isHydrated, keyIsShown bool) error
	id() string
}

func zenmlDo[T zenmlKind](ctx context.Context, c *zenmlClient, r zenmlRequest, isHydrated, keyIsShown bool) (T, error) {
	var entity T
	if err := c.do(ctx, r, &entity); err != nil {
		return entity, err
	}
	return entity, entity.check(isHydrated, keyIsShown)
}

func zenmlCreate[T zenmlKind](ctx context.Context, c *zenmlClient, path string, body zenmlFields) (T, error) {
	return zenmlDo[T](ctx, c, zenmlRequest{method: http.MethodPost, path: path, body: body}, true, true)
}

func zenmlGet[T zenmlKind](ctx context.Context, c *zenmlClient, path string, hydrate bool) (T, error) {
	query := url.Values{"hydrate": {zenmlBool(hydrate)}}
	return zenmlDo[T](ctx, c, zenmlRequest{method: http.MethodGet, path: path, query: query}, hydrate, false)
}

func zenmlUpdate[T zenmlKind](ctx context.Context, c *zenmlClient, path string, body zenmlFields) (T, error) {
	return zenmlDo[T](ctx, c, zenmlRequest{method: http.MethodPut, path: path, body: body}, true, false)
}

func (c *zenmlClient) rotate(ctx context.Context, path string, retainMinutes int) (zenmlKey, error) {
	body := zenmlFields{"retain_period_minutes": retainMinutes}
	return zenmlDo[zenmlKey](ctx, c, zenmlRequest{method: http.MethodPut, path: path + "/rotate", body: body}, false, true)
}

// delete wants the answer null.
func (c *zenmlClient) delete(ctx context.Context, path string) error {
	nothing := &struct{}{}
	err := c.do(ctx, zenmlRequest{method: http.MethodDelete, path: path}, &nothing)
	if err == nil && nothing != nil {
		err = errors.New("a deletion answers with something")
	}
	return err
}

// userOf tells who bears a credential, without a second try.
func (c *zenmlClient) userOf(ctx context.Context, bearer string) (zenmlUser, error) {
	var user zenmlUser
	if err := c.once(ctx, bearer, endorRequest{method: http.MethodGet, path: "/current-user"}, &user); err != nil {
		return user, err
	}
	return user, user.check(true, false)
}

func (c *zenmlClient) user(ctx context.Context) (zenmlUser, error) {
	return zenmlGet[zenmlUser](ctx, c, "/current-user", true)
}

// zenmlBool is how Python writes it into a query.
func zenmlBool(value bool) string { return map[bool]string{true: "True", false: "False"}[value] }

// A zenmlFilter is what a list is asked for beyond the client's defaults.
type zenmlFilter map[string]any

func (f zenmlFilter) with(name string, value any) zenmlFilter {
	changed := maps.Clone(f)
	changed[name] = value
	return changed
}

// zenmlList reads one page of anything.
func zenmlList[T zenmlKind](ctx context.Context, c *zenmlClient, path string, filter zenmlFilter) (zenmlPage[T], error) {
	asked := zenmlFilter{"sort_by": "created", "logical_operator": "and", "page": 1, "size": 20, "hydrate": zenmlBool(false)}
	maps.Copy(asked, filter)
	query := url.Values{}
	for name, value := range asked {
		query.Set(name, fmt.Sprint(value))
	}
	var page zenmlPage[T]
	if err := c.do(ctx, zenmlRequest{method: http.MethodGet, path: path, query: query}, &page); err != nil {
		return page, err
	}
	for _, item := range page.Items {
		if err := item.check(asked["hydrate"] == zenmlBool(true), false); err != nil {
			return page, err
		}
	}
	return page, page.check(asked["page"].(int), asked["size"].(int))
}

// zenmlWalk reads all pages, as many as the last one that was read says there are.
func zenmlWalk[T any](filter zenmlFilter, list func(zenmlFilter) (zenmlPage[T], error)) ([]T, error) {
	page, err := list(filter)
	items := page.Items
	for err == nil && page.Index < page.TotalPages {
		page, err = list(filter.with("page", page.Index+1))
		items = append(items, page.Items...)
	}
	return items, err
}

func TestZenMLClientIsStrict(t *testing.T) {
	const id, at = "01890000-0000-7000-8000-000000000000", "2025-10-16T15:08:11"
	shown := outerZenMLKey(id, "k")
	account := zenmlAccount{Body: zenmlAccountBody{Created: at, Updated: at + ".000001"}, ID: id, Name: "ci"}
	good := string(must(json.Marshal(zenmlKey{
		Body: zenmlKeyBody{Created: at, Updated: at, Key: &shown, ServiceAccount: account}, Metadata: &zenmlKeyMetadata{}, ID: id, Name: "k1",
	}))(t))
	accepts := func(body string) error {
		v := &vendor{answers: []endorAnswer{says(200, body)}}
		client := &zenmlClient{base: v.client(t).base, token: "t"}
		return errorOf(zenmlCreate[zenmlKey](t.Context(), client, zenmlKeys("a"), newZenMLKey("k1")))
	}
	wantDone(t, accepts(" "+good+"\n"))
	for _, change := range []struct{ old, new string }{
		{good, ""},
		{good, "null"},
		{`:11"`, `:11Z"`},
		{`:11"`, `:11.5"`},
		{`,"avatar_url":null`, ``},
		{`"active":false,"service_account"`, `"more":1,"active":false,"service_account"`},
		{`"permission_denied":false,"name":"k1"`, `"name":"k1","permission_denied":false`},
		{`"description":""`, `"description":null`},
		{`"metadata":{"description":"","retain_period_minutes":0,"last_login":null,"last_rotated":null}`, `"metadata":null`},
		{`"metadata":null`, `"metadata":{"description":"","external_user_id":null}`},
		{`"` + shown + `"`, `null`},
		{shown, strings.TrimPrefix(shown, zenmlKeyPrefix)},
		{shown, outerZenMLKey(strings.Replace(id, "8", "9", 1), "k")},
		{`"resources":null,"id":"` + id, `"resources":{},"id":"` + id},
	} {
		body := strings.Replace(good, change.old, change.new, 1)
		if body == good || accepts(body) == nil {
			t.Errorf("%s for %s is accepted", change.new, change.old)
		}
	}
}
