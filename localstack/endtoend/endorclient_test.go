package endtoend_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An endorClient speaks the namespaces API as the vendor's SDK does. It is written
// from the contract and shares no code with the service: what it accepts, a client
// that knows only the vendor's documents accepts.
//
// It exchanges its key for a session at the first call. It serves one goroutine.
type endorClient struct {
	base        string
	key, secret string
	contentType string // of what it asks: it decides the form of what it gets

	session   endorSession
	exchanges int // that were tried
}

const (
	endorJSON    = "application/json"
	endorCompact = "application/jsoncompact"
)

// How often a request is sent before its failure is believed, and how long the
// client waits at most because the service asks it to.
const (
	endorAttempts      = 5
	endorBackoff       = 5 * time.Millisecond
	endorLongestWait   = 60 * time.Second
	endorSessionLength = 4 * time.Hour
)

type endorAPIKey struct {
	Meta       *endorMeta       `json:"meta,omitzero" endor:"required"`
	Propagate  bool             `json:"propagate,omitzero"`
	Spec       *endorKeySpec    `json:"spec,omitzero"`
	TenantMeta *endorTenantMeta `json:"tenant_meta,omitzero"`
	UUID       string           `json:"uuid,omitzero"`
}

type endorMeta struct {
	Name        string            `json:"name,omitzero" endor:"required"`
	Annotations map[string]string `json:"annotations,omitzero"`
	CreateTime  time.Time         `json:"create_time,omitzero"`
	CreatedBy   string            `json:"created_by,omitzero"`
	Description string            `json:"description,omitzero"`
	IndexData   *endorIndexData   `json:"index_data,omitzero"`
	Kind        string            `json:"kind,omitzero"`
	ParentKind  string            `json:"parent_kind,omitzero"`
	ParentUUID  string            `json:"parent_uuid,omitzero"`
	References  map[string]any    `json:"references,omitzero"`
	Tags        []string          `json:"tags,omitzero"`
	UpdateTime  time.Time         `json:"update_time,omitzero"`
	UpdatedBy   string            `json:"updated_by,omitzero"`
	UpsertTime  time.Time         `json:"upsert_time,omitzero"`
	Version     string            `json:"version,omitzero"`
}

type endorIndexData struct {
	Data            []string  `json:"data,omitzero"`
	SearchScore     float64   `json:"search_score,omitzero"`
	Tenant          string    `json:"tenant,omitzero"`
	WillBeDeletedAt time.Time `json:"will_be_deleted_at,omitzero"`
}

type endorKeySpec struct {
	ExpirationTime time.Time         `json:"expiration_time,omitzero" endor:"required"`
	Permissions    *endorPermissions `json:"permissions,omitzero" endor:"required"`
	IssuingUser    *endorUser        `json:"issuing_user,omitzero"`
	Key            string            `json:"key,omitzero"`
	Secret         string            `json:"secret,omitzero"`
}

type endorPermissions struct {
	ExceptResources []string             `json:"except_resources,omitzero"`
	Roles           []endorRole          `json:"roles,omitzero"`
	Rules           map[string]endorRule `json:"rules,omitzero"`
}

type endorRule struct {
	Methods []endorMethod `json:"methods,omitzero"`
}

type endorUser struct {
	Meta *endorMeta     `json:"meta,omitzero" endor:"required"`
	Spec *endorUserSpec `json:"spec,omitzero"`
	UUID string         `json:"uuid,omitzero"`
}

type endorUserSpec struct {
	Email         string                `json:"email,omitzero"`
	EventTracking map[string]endorEvent `json:"event_tracking,omitzero"`
	FirstName     string                `json:"first_name,omitzero"`
	Groups        []string              `json:"groups,omitzero"`
	LastLoginTime time.Time             `json:"last_login_time,omitzero"`
	LastName      string                `json:"last_name,omitzero"`
	TokenHash     string                `json:"token_hash,omitzero"`
	UserName      string                `json:"user_name,omitzero"`
}

type endorEvent struct {
	Event []any `json:"event"`
}

type endorTenantMeta struct {
	Namespace string `json:"namespace" endor:"required"`
}

type endorValidation struct {
	Key         string     `json:"key" endor:"required"`
	Secret      string     `json:"secret"`
	IssuingUser *endorUser `json:"issuing_user"`
	Valid       *bool      `json:"valid" endor:"required"`
}

type endorSession struct {
	AuthenticationSource string     `json:"authentication_source"`
	Token                string     `json:"token" endor:"required"`
	ExpirationTime       time.Time  `json:"expiration_time" endor:"required"`
	User                 *endorUser `json:"user"`
}

type endorUserInfo struct {
	AuthenticationSource string            `json:"authentication_source"`
	ExpirationTime       time.Time         `json:"expiration_time"`
	User                 *endorUser        `json:"user"`
	Tenants              []endorTenant     `json:"tenants"`
	Permissions          *endorPermissions `json:"permissions"`
	Namespaces           []string          `json:"namespaces"`
}

type endorTenant struct {
	UUID        string    `json:"uuid"`
	Name        string    `json:"name"`
	Expiry      time.Time `json:"expiry"`
	LicenseType string    `json:"license_type"`
}

type endorNamespace struct {
	UUID       string              `json:"uuid"`
	Meta       *endorMeta          `json:"meta" endor:"required"`
	Spec       *endorNamespaceSpec `json:"spec"`
	TenantMeta *endorTenantMeta    `json:"tenant_meta"`
}

type endorNamespaceSpec struct {
	FullName string `json:"full_name"`
	Managed  bool   `json:"managed"`
}

// An endorList holds objects of a kind, or raw maps where a mask was asked for: what
// a mask leaves over is not a message.
type endorList[T any] struct {
	List          *endorPage[T] `json:"list"`
	CountResponse *endorCount   `json:"count_response"`
	GroupResponse *endorGroups  `json:"group_response"`
}

type endorPage[T any] struct {
	Objects  []T          `json:"objects"`
	Response *endorPaging `json:"response"`
}

type endorPaging struct {
	NextPageToken *int64  `json:"next_page_token"`
	NextPageID    *string `json:"next_page_id"`
}

type endorCount struct {
	Count int64 `json:"count"`
}

// The names of groups are JSON themselves: see parseGroup.
type endorGroups struct {
	Groups map[string]endorGroup `json:"groups"`
}

type endorGroup struct {
	AggregationCount *endorCount           `json:"aggregation_count"`
	AggregationUUIDs []string              `json:"aggregation_uuids"`
	UniqueCounts     map[string]endorCount `json:"unique_counts"`
	UniqueValues     map[string][]any      `json:"unique_values"`
	AggregationValue any                   `json:"aggregation_value"`
}

type endorGroupKey struct {
	Key   string `json:"key" endor:"required"`
	Value any    `json:"value"`
}

func parseGroup(name string) ([]endorGroupKey, error) {
	var keys []endorGroupKey
	err := endorDecode([]byte(name), &keys)
	return keys, err
}

// Enums: an SDK that does not know a name fails, so ours does.

type endorRole string

func (r *endorRole) UnmarshalText(text []byte) error {
	*r = endorRole(text)
	return endorEnum(string(text), "SYSTEM_ROLE_", "UNSPECIFIED", "ADMIN", "READ_ONLY", "POLICY_EDITOR", "CODE_SCANNER",
		"ENDOR_PATCHING", "SYNC_ORG", "ONPREM_SCHEDULER", "ENDOR_PROXY", "PACKAGE_FIREWALL", "AI_AUDIT")
}

type endorMethod string

func (m *endorMethod) UnmarshalText(text []byte) error {
	*m = endorMethod(text)
	return endorEnum(string(text), "METHOD_", "UNSPECIFIED", "READ", "CREATE", "UPDATE", "DELETE", "ALL")
}

func endorEnum(text, prefix string, names ...string) error {
	name, ok := strings.CutPrefix(text, prefix)
	if !ok || !slices.Contains(names, name) {
		return fmt.Errorf("%q is none of %s%q", text, prefix, names)
	}
	return nil
}

// endorDecode refuses what a generated model refuses, and encoding/json would not:
// members that the message has not, also when only their case differs, required ones
// that are absent, and null where the type has none.
func endorDecode(text []byte, into any) error {
	var raw any
	if err := json.Unmarshal(text, &raw); err != nil {
		return fmt.Errorf("response %.80q: %w", text, err)
	}
	if err := endorConforms(raw, reflect.TypeOf(into).Elem(), "response"); err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func endorConforms(raw any, t reflect.Type, at string) error {
	if raw == nil {
		return endorNull(t, at)
	}
	if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return endorConforms(raw, t.Elem(), at)
	case reflect.Struct:
		return endorMembers(raw, t, at)
	case reflect.Slice:
		items, _ := raw.([]any) // another type is the decoder's to refuse
		for i, item := range items {
			if err := endorConforms(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		values, _ := raw.(map[string]any)
		for name, value := range values {
			if err := endorConforms(value, t.Elem(), at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// endorNull lets messages and timestamps be null, which is how they are unset.
func endorNull(t reflect.Type, at string) error {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	return fmt.Errorf("%s is null", at)
}

func endorMembers(raw any, t reflect.Type, at string) error {
	members, ok := raw.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is no object", at)
	}
	known := map[string]bool{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = true
		value, present := members[name]
		if field.Tag.Get("endor") == "required" && value == nil {
			return fmt.Errorf("%s.%s is required", at, name)
		}
		if !present {
			continue
		}
		if err := endorConforms(value, field.Type, at+"."+name); err != nil {
			return err
		}
	}
	for name := range members {
		if !known[name] {
			return fmt.Errorf("%s.%s is unknown", at, name)
		}
	}
	return nil
}

// An endorError is an answer that the service gave: an error envelope.
type endorError struct {
	HTTP    int
	Code    int
	Message string
}

func (e *endorError) Error() string {
	return fmt.Sprintf("code %d, HTTP %d: %s", e.Code, e.HTTP, e.Message)
}

// The details are messages of any type; a client reads those whose type it knows.
type endorEnvelope struct {
	Code    int               `json:"code" endor:"required"`
	Message string            `json:"message" endor:"required"`
	Details []json.RawMessage `json:"details" endor:"required"`
}

type endorErrorInfo struct {
	Type       string `json:"@type" endor:"required"`
	StatusCode int    `json:"status_code" endor:"required"`
}

// endorStatus is the HTTP status of each gRPC code.
var endorStatus = map[int]int{
	1: 408, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 12: 501, 13: 500, 14: 503, 16: 401,
}

const endorErrorInfoType = "type.googleapis.com/internal.endor.ai.rpc.v1.HTTPErrorInfo"

func parseEndorError(status int, body []byte) error {
	var envelope endorEnvelope
	if err := endorDecode(body, &envelope); err != nil {
		return fmt.Errorf("envelope of HTTP %d: %w", status, err)
	}
	if endorStatus[envelope.Code] != status {
		return fmt.Errorf("code %d came with HTTP %d: %s", envelope.Code, status, body)
	}
	if err := checkErrorDetails(status, envelope.Details); err != nil {
		return fmt.Errorf("details of HTTP %d: %w", status, err)
	}
	return &endorError{HTTP: status, Code: envelope.Code, Message: envelope.Message}
}

// checkErrorDetails wants the details, where there are any, to repeat the status.
func checkErrorDetails(status int, details []json.RawMessage) error {
	infos := 0
	for _, detail := range details {
		var kind struct {
			Type string `json:"@type"`
		}
		if err := json.Unmarshal(detail, &kind); err != nil || kind.Type == "" {
			return fmt.Errorf("no @type in %s", detail)
		}
		if kind.Type != endorErrorInfoType {
			continue
		}
		infos++
		var info endorErrorInfo
		if err := endorDecode(detail, &info); err != nil {
			return err
		}
		if info.StatusCode != status {
			return fmt.Errorf("status_code %d", info.StatusCode)
		}
	}
	if len(details) > 0 && infos != 1 {
		return fmt.Errorf("%d messages %s", infos, endorErrorInfoType)
	}
	return nil
}

func isUnauthenticated(err error) bool {
	var answer *endorError
	return errors.As(err, &answer) && answer.HTTP == http.StatusUnauthorized
}

type endorRequest struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
}

type endorAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a endorAnswer) parse(method string, response any) error {
	switch {
	case a.status == http.StatusOK:
		return endorDecode(a.body, response)
	case a.status == http.StatusNoContent && method == http.MethodDelete:
		return nil
	default:
		return parseEndorError(a.status, a.body)
	}
}

// send sends a request once.
func (c *endorClient) send(ctx context.Context, r endorRequest) (endorAnswer, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return endorAnswer{}, err
	}
	if r.header != nil {
		request.Header = r.header.Clone()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return endorAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return endorAnswer{response.StatusCode, response.Header, body}, err
}

// deliver sends a request until it is answered for good.
func (c *endorClient) deliver(ctx context.Context, r endorRequest, response any) error {
	for attempt := 1; ; attempt++ {
		answer, err := c.send(ctx, r)
		if attempt < endorAttempts && ctx.Err() == nil && (err != nil || isPassing(answer.status)) {
			time.Sleep(endorWait(answer.header, attempt))
			continue
		}
		if err != nil {
			return err
		}
		return answer.parse(r.method, response)
	}
}

// isPassing says of a status that it may be another one soon. No other 4xx is.
func isPassing(status int) bool {
	return slices.Contains([]int{429, 500, 502, 503, 504}, status)
}

func endorWait(header http.Header, attempt int) time.Duration {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, endorLongestWait)
	}
	return endorBackoff << attempt
}

// exchange starts a session. Its request has no Content-Type, like the one that the
// vendor's documents show.
func (c *endorClient) exchange(ctx context.Context) error {
	body, err := json.Marshal(map[string]string{"key": c.key, "secret": c.secret})
	if err != nil {
		return err
	}
	c.exchanges++
	var session endorSession
	err = c.deliver(ctx, endorRequest{method: http.MethodPost, path: "/v1/auth/api-key", body: body}, &session)
	if err != nil {
		return fmt.Errorf("unable to authenticate: %w", err)
	}
	if session.Token == "" || session.ExpirationTime.IsZero() {
		return errors.New("unable to authenticate: no token or no expiration_time")
	}
	c.session = session
	return nil
}

// call does an operation in the session. A session that is refused may have ended
// early, so that the key is exchanged once more; a second refusal is final.
func (c *endorClient) call(ctx context.Context, r endorRequest, response any) error {
	if c.session.Token == "" {
		if err := c.exchange(ctx); err != nil {
			return err
		}
	}
	err := c.deliver(ctx, c.authorized(r), response)
	if !isUnauthenticated(err) {
		return err
	}
	if err := c.exchange(ctx); err != nil {
		return err
	}
	return c.deliver(ctx, c.authorized(r), response)
}

// authorized adds the headers that the SDK sends, also with a request without a body.
func (c *endorClient) authorized(r endorRequest) endorRequest {
	r.header = http.Header{
		"Authorization":   {"Bearer " + c.session.Token},
		"Content-Type":    {cmp.Or(c.contentType, endorJSON)},
		"Request-Timeout": {"20"},
	}
	return r
}

func endorKeysPath(namespace string) string {
	return "/v1/namespaces/" + url.PathEscape(namespace) + "/api-keys"
}

func endorKeyPath(namespace, uuid string) string {
	return endorKeysPath(namespace) + "/" + url.PathEscape(uuid)
}

// callWith is call with a body.
func (c *endorClient) callWith(ctx context.Context, method, path string, body, response any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, endorRequest{method: method, path: path, body: text}, response)
}

func (c *endorClient) createAPIKey(ctx context.Context, namespace string, key endorAPIKey) (endorAPIKey, error) {
	var made endorAPIKey
	err := c.callWith(ctx, http.MethodPost, endorKeysPath(namespace), key, &made)
	return made, err
}

func (c *endorClient) getAPIKey(ctx context.Context, namespace, uuid string) (endorAPIKey, error) {
	var key endorAPIKey
	err := c.call(ctx, endorRequest{method: http.MethodGet, path: endorKeyPath(namespace, uuid)}, &key)
	return key, err
}

func (c *endorClient) getMasked(ctx context.Context, namespace, uuid, mask string) (map[string]any, error) {
	var key map[string]any
	err := c.call(ctx, endorRequest{
		method: http.MethodGet, path: endorKeyPath(namespace, uuid), query: url.Values{"get_parameters.mask": {mask}},
	}, &key)
	return key, err
}

func (c *endorClient) deleteAPIKey(ctx context.Context, namespace, uuid string) error {
	return c.call(ctx, endorRequest{method: http.MethodDelete, path: endorKeyPath(namespace, uuid)}, &struct{}{})
}

type endorUpdate struct {
	Request endorUpdateRequest `json:"request"`
	Object  endorAPIKey        `json:"object"`
}

type endorUpdateRequest struct {
	UpdateMask string `json:"update_mask"`
}

func (c *endorClient) updateAPIKey(ctx context.Context, namespace, mask string, object endorAPIKey) (endorAPIKey, error) {
	var key endorAPIKey
	update := endorUpdate{Request: endorUpdateRequest{UpdateMask: mask}, Object: object}
	err := c.callWith(ctx, http.MethodPatch, endorKeysPath(namespace), update, &key)
	return key, err
}

// validate needs no session: a key is validated by who does not hold one.
func (c *endorClient) validate(ctx context.Context, key, secret string) (endorValidation, error) {
	var verdict endorValidation
	body, err := json.Marshal(map[string]string{"key": key, "secret": secret})
	if err != nil {
		return verdict, err
	}
	err = c.deliver(ctx, endorRequest{
		method: http.MethodPost, path: "/v1/auth/api-key/validate", body: body,
		header: http.Header{"Content-Type": {cmp.Or(c.contentType, endorJSON)}},
	}, &verdict)
	return verdict, err
}

func (c *endorClient) whoAmI(ctx context.Context) (endorUserInfo, error) {
	var info endorUserInfo
	err := c.call(ctx, endorRequest{method: http.MethodGet, path: "/v1/auth"}, &info)
	return info, err
}

type endorQuery struct {
	Filter, Mask        string
	SortPath, SortOrder string
	Traverse, Count     bool
	DisablePagination   bool
	PageSize            int
	PageToken           *int64
	PageID              *string

	GroupPaths, GroupUniqueCounts, GroupUniqueValues string
	GroupUUIDs                                       bool
}

func (q endorQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]any{
		"filter": q.Filter, "mask": q.Mask, "sort.path": q.SortPath, "sort.order": q.SortOrder,
		"traverse": q.Traverse, "count": q.Count, "disable_pagination": q.DisablePagination, "page_size": q.PageSize,
		"group.aggregation_paths": q.GroupPaths, "group.unique_count_paths": q.GroupUniqueCounts,
		"group.unique_value_paths": q.GroupUniqueValues, "group.show_aggregation_uuids": q.GroupUUIDs,
	} {
		if !reflect.ValueOf(value).IsZero() {
			values.Set("list_parameters."+name, fmt.Sprint(value))
		}
	}
	if q.PageToken != nil {
		values.Set("list_parameters.page_token", strconv.FormatInt(*q.PageToken, 10))
	}
	if q.PageID != nil {
		values.Set("list_parameters.page_id", *q.PageID)
	}
	return values
}

// next is the query of the page after the one that response ends, if there is one. A
// cursor that is empty, or zero, is a cursor still.
func (q endorQuery) next(response *endorPaging) (endorQuery, bool) {
	switch {
	case response == nil:
		return q, false
	case response.NextPageID != nil:
		q.PageID, q.PageToken = response.NextPageID, nil
	case response.NextPageToken != nil:
		q.PageID, q.PageToken = nil, response.NextPageToken
	default:
		return q, false
	}
	return q, true
}

// listAll walks all pages as the vendor's SDK does: until there is no cursor, or one
// comes for the second time.
func listAll[T any](query endorQuery, read func(endorQuery) (endorList[T], error)) ([]T, error) {
	var objects []T
	seen := map[string]bool{}
	for {
		answer, err := read(query)
		if err != nil {
			return nil, err
		}
		if answer.List == nil { // empty, in the compact form
			return objects, nil
		}
		objects = append(objects, answer.List.Objects...)
		next, more := query.next(answer.List.Response)
		cursor := next.values().Encode()
		if !more || seen[cursor] {
			return objects, nil
		}
		seen[cursor] = true
		query = next
	}
}

// endorGetList reads one page of anything.
func endorGetList[T any](ctx context.Context, c *endorClient, path string, query endorQuery) (endorList[T], error) {
	var answer endorList[T]
	err := c.call(ctx, endorRequest{method: http.MethodGet, path: path, query: query.values()}, &answer)
	return answer, err
}

func (c *endorClient) listAPIKeys(ctx context.Context, namespace string, query endorQuery) (endorList[endorAPIKey], error) {
	return endorGetList[endorAPIKey](ctx, c, endorKeysPath(namespace), query)
}

func (c *endorClient) listAllAPIKeys(ctx context.Context, namespace string, query endorQuery) ([]endorAPIKey, error) {
	return listAll(query, func(q endorQuery) (endorList[endorAPIKey], error) { return c.listAPIKeys(ctx, namespace, q) })
}

func (c *endorClient) listAllMasked(ctx context.Context, namespace string, query endorQuery) ([]map[string]any, error) {
	return listAll(query, func(q endorQuery) (endorList[map[string]any], error) {
		return endorGetList[map[string]any](ctx, c, endorKeysPath(namespace), q)
	})
}

func (c *endorClient) listNamespaces(ctx context.Context, namespace string, query endorQuery) ([]endorNamespace, error) {
	return listAll(query, func(q endorQuery) (endorList[endorNamespace], error) {
		return endorGetList[endorNamespace](ctx, c, "/v1/namespaces/"+url.PathEscape(namespace)+"/namespaces", q)
	})
}

// Session tokens, which whoever has the public keys can verify.

type endorKeySet struct {
	Keys []endorPublicKey `json:"keys"`
}

type endorPublicKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

type endorTokenHeader struct {
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
}

type endorClaims struct {
	Issuer   string        `json:"iss"`
	Audience endorAudience `json:"aud"`
	Expiry   int64         `json:"exp"`
	IssuedAt int64         `json:"iat"`
}

// An endorAudience is one text or a list of them: both are allowed.
type endorAudience []string

func (a *endorAudience) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]string)(a))
	}
	*a = make([]string, 1)
	return json.Unmarshal(text, &(*a)[0])
}

// jwks may hold members that we do not know: its standard says so.
func (c *endorClient) jwks(ctx context.Context) (endorKeySet, error) {
	var keys endorKeySet
	answer, err := c.send(ctx, endorRequest{method: http.MethodGet, path: "/.well-known/jwks.json"})
	if err != nil {
		return keys, err
	}
	if answer.status != http.StatusOK {
		return keys, parseEndorError(answer.status, answer.body)
	}
	return keys, json.Unmarshal(answer.body, &keys)
}

// find gives the one key with an id, if it is one for RS256.
func (s endorKeySet) find(id string) (*rsa.PublicKey, error) {
	for _, key := range s.Keys {
		if key.ID != id || id == "" {
			continue
		}
		if key.Type != "RSA" || key.Algorithm != "RS256" || key.Use != "sig" {
			return nil, fmt.Errorf("the key %q is not for RS256", id)
		}
		n, err := base64.RawURLEncoding.DecodeString(key.Modulus)
		e, err2 := base64.RawURLEncoding.DecodeString(key.Exponent)
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	}
	return nil, fmt.Errorf("no key %q", id)
}

// verify gives the claims of a token whose signature is good.
func (s endorKeySet) verify(token string) (endorClaims, error) {
	var claims endorClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, fmt.Errorf("a token of %d parts", len(parts))
	}
	var header endorTokenHeader
	if err := decodePart(parts[0], &header); err != nil {
		return claims, err
	}
	if header.Algorithm != "RS256" {
		return claims, fmt.Errorf("the algorithm %q", header.Algorithm)
	}
	public, err := s.find(header.ID)
	if err != nil {
		return claims, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return claims, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
		return claims, err
	}
	return claims, decodePart(parts[1], &claims)
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// check says whether the claims are those of a session of ours with a key that
// expires when keyExpiry says.
func (c endorClaims) check(issuer, audience string, now, keyExpiry time.Time) error {
	expiry := time.Unix(c.Expiry, 0)
	switch {
	case c.Issuer != issuer || !slices.Equal(c.Audience, []string{audience}):
		return fmt.Errorf("a token of %q for %q", c.Issuer, c.Audience)
	case !expiry.After(now):
		return fmt.Errorf("a token that expired at %v", expiry)
	case expiry.After(now.Add(endorSessionLength)) || expiry.Sub(time.Unix(c.IssuedAt, 0)) > endorSessionLength:
		return fmt.Errorf("a token for more than %v, until %v", endorSessionLength, expiry)
	case expiry.After(keyExpiry):
		return fmt.Errorf("a token until %v of a key until %v", expiry, keyExpiry)
	}
	return nil
}
