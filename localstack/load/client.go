package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

const (
	// Longer than the gateway waits for a function.
	patience  = 40 * time.Second
	maxAnswer = 16 << 20 // bytes
	pageSize  = 100
	neverEnds = "9999-12-31T23:59:59Z"
)

// A client speaks the namespaces API and the service-accounts API. Many goroutines may
// use it at once.
type client struct {
	url       string
	namespace string
	bearer    apikey.FullKey
	http      *http.Client
	record    *recorder
}

// A refusal is an answer with a status that is not 200. It holds nothing of the answer's
// text, as that is not to be trusted with what it repeats.
type refusal struct{ status int }

func (e *refusal) Error() string { return "HTTP " + strconv.Itoa(e.status) }

// cause is the innermost of an error: the others name addresses, which are many.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// A request is one of an operation.
type request struct {
	op    operation.Operation
	path  []string // what the parameters of the operation's path stand for, each after its name
	query url.Values
	body  any // nil: none
}

// do sends a request and decodes its answer. Every error is in the record, but for a
// refusal with a status that is allowed.
func (c *client) do(ctx context.Context, r request, into any, allowed ...int) error {
	began := time.Now()
	err := c.send(ctx, r, into)
	c.record.add(r.op.Name, time.Since(began))
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*refusal](err); !ok || !slices.Contains(allowed, e.status) {
		c.record.fail(r.op.Name, cause(err).Error())
	}
	return err
}

func (c *client) send(ctx context.Context, r request, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sent, err := c.encode(ctx, r)
	if err != nil {
		return err
	}
	response, err := c.http.Do(sent)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return &refusal{response.StatusCode}
	case json.Unmarshal(text, into) != nil:
		return errors.New("an answer that is not JSON of its kind")
	}
	return nil
}

func (c *client) encode(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	address := c.url + strings.NewReplacer(r.path...).Replace(r.op.Path()) + "?" + r.query.Encode()
	encoded, err := http.NewRequestWithContext(ctx, r.op.Method(), strings.TrimSuffix(address, "?"), body)
	if err != nil {
		return nil, err
	}
	encoded.Header.Set("Content-Type", "application/json")
	if r.op.Caller == operation.KeyHolder {
		encoded.Header.Set("Authorization", "Bearer "+c.bearer.Reveal())
	}
	return encoded, nil
}

// newClient is the client of a new namespace right below the administrator's, with a key
// that may do everything there. So the service accounts, which live where their maker
// does, are in it too.
func newClient(ctx context.Context, config Config, record *recorder) (*client, error) {
	c := &client{
		url: config.URL, bearer: config.Key, record: record, http: &http.Client{Transport: config.Transport},
		namespace: config.Key.Locator.Namespace.String() + ".load-" + strings.ToLower(rand.Text()),
	}
	var err error
	c.bearer, err = c.createKey(ctx, "administrator", "SYSTEM_ROLE_ADMIN")
	return c, err
}

func (c *client) inNamespace(id string) []string {
	return []string{"{namespace}", c.namespace, "{uuid}", id}
}

func inAccount(account, id string) []string { return []string{"{account}", account, "{key}", id} }

func (c *client) createKey(ctx context.Context, name, role string) (apikey.FullKey, error) {
	type object map[string]any
	body := object{
		"meta": object{"name": name},
		"spec": object{"expiration_time": neverEnds, "permissions": object{"roles": []string{role}}},
	}
	var made struct{ Spec struct{ Key, Secret string } }
	if err := c.do(ctx, request{operation.CreateAPIKey, c.inNamespace(""), nil, body}, &made); err != nil {
		return apikey.FullKey{}, err
	}
	return c.parse(operation.CreateAPIKey, made.Spec.Key+"_"+made.Spec.Secret)
}

// parse reads a key out of an answer.
func (c *client) parse(op operation.Operation, text string) (apikey.FullKey, error) {
	full, err := apikey.ParseFullKey(text)
	if err != nil {
		return full, c.complain(op, "an answer without a key")
	}
	return full, nil
}

// complain records and returns the error of an answer that is not as it must be.
func (c *client) complain(op operation.Operation, what string) error {
	c.record.fail(op.Name, what)
	return errors.New(what)
}

func (c *client) createAccount(ctx context.Context, name string) (id string, err error) {
	var made struct{ ID string }
	body := map[string]any{"name": name, "active": true}
	err = c.do(ctx, request{operation.CreateServiceAccount, nil, nil, body}, &made)
	return made.ID, err
}

type accountKey struct{ Body struct{ Key string } }

func (c *client) createAccountKey(ctx context.Context, account, name string) (apikey.FullKey, error) {
	var made accountKey
	body := map[string]any{"name": name}
	if err := c.do(ctx, request{operation.CreateAccountKey, inAccount(account, ""), nil, body}, &made); err != nil {
		return apikey.FullKey{}, err
	}
	return c.parse(operation.CreateAccountKey, made.Body.Key)
}

// rotate replaces a key's secret at once.
func (c *client) rotate(ctx context.Context, account, id string) (apikey.FullKey, error) {
	var made accountKey
	body := map[string]any{"retain_period_minutes": 0}
	if err := c.do(ctx, request{operation.RotateAccountKey, inAccount(account, id), nil, body}, &made); err != nil {
		return apikey.FullKey{}, err
	}
	return c.parse(operation.RotateAccountKey, made.Body.Key)
}

// remove deletes a key, by the API that made it.
func (c *client) remove(ctx context.Context, account, id string) error {
	var nothing any
	if account != "" {
		return c.do(ctx, request{operation.DeleteAccountKey, inAccount(account, id), nil, nil}, &nothing)
	}
	return c.do(ctx, request{operation.DeleteAPIKey, c.inNamespace(id), nil, nil}, &nothing)
}

// validate tells whether a key is valid. An error says that this is not known.
func (c *client) validate(ctx context.Context, full apikey.FullKey) (bool, error) {
	identifier, secret := full.RevealPair()
	var said struct{ Valid *bool }
	body := map[string]string{"key": identifier, "secret": secret}
	if err := c.do(ctx, request{operation.ValidateAPIKey, nil, nil, body}, &said); err != nil {
		return false, err
	}
	if said.Valid == nil {
		return false, c.complain(operation.ValidateAPIKey, "an answer without a verdict")
	}
	return *said.Valid, nil
}

// exists tells whether a key is found by its id.
func (c *client) exists(ctx context.Context, id string) (bool, error) {
	var found struct{ UUID string }
	err := c.do(ctx, request{operation.GetAPIKey, c.inNamespace(id), nil, nil}, &found, http.StatusNotFound)
	if e, ok := errors.AsType[*refusal](err); ok && e.status == http.StatusNotFound {
		return false, nil
	}
	if err == nil && found.UUID != id {
		return false, c.complain(operation.GetAPIKey, "an answer about another key")
	}
	return err == nil, err
}

// A listed key is what a list shows of one.
type listed struct{ id, name string }

type page struct {
	List *struct {
		Objects []struct {
			UUID string
			Meta struct{ Name string }
		}
		Response struct {
			Next string `json:"next_page_id"`
		}
	}
}

// list walks to the last page of the namespace's keys, those of service accounts included.
func (c *client) list(ctx context.Context) ([]listed, error) {
	var all []listed
	next := ""
	for {
		p, err := c.page(ctx, next)
		if err != nil {
			return nil, err
		}
		for _, object := range p.List.Objects {
			all = append(all, listed{object.UUID, object.Meta.Name})
		}
		if next = p.List.Response.Next; next == "" {
			return all, nil
		}
	}
}

// page is the one that an earlier page has named, or the first.
func (c *client) page(ctx context.Context, id string) (page, error) {
	query := url.Values{"list_parameters.page_size": {strconv.Itoa(pageSize)}}
	if id != "" {
		query.Set("list_parameters.page_id", id)
	}
	var p page
	if err := c.do(ctx, request{operation.ListAPIKeys, c.inNamespace(""), query, nil}, &p); err != nil {
		return page{}, err
	}
	if p.List == nil || p.List.Response.Next == id && id != "" {
		return page{}, c.complain(operation.ListAPIKeys, "a page that leads nowhere")
	}
	return p, nil
}

// listAccount is one page of all keys of an account: pages by number shift while keys are
// deleted.
func (c *client) listAccount(ctx context.Context, account string) ([]listed, error) {
	var answer struct {
		Total *int
		Items []struct{ ID, Name string }
	}
	query := url.Values{"size": {strconv.Itoa(MaxKeys)}}
	if err := c.do(ctx, request{operation.ListAccountKeys, inAccount(account, ""), query, nil}, &answer); err != nil {
		return nil, err
	}
	if answer.Total == nil || *answer.Total != len(answer.Items) {
		return nil, c.complain(operation.ListAccountKeys, "a total that is not of its items")
	}
	var all []listed
	for _, item := range answer.Items {
		all = append(all, listed{item.ID, item.Name})
	}
	return all, nil
}
