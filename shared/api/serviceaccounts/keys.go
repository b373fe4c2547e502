package serviceaccounts

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
)

const aKey = "API key"

func (a *answerer) createKey(ctx context.Context, c call) (any, error) {
	if err := c.requireHoldsAccount(); err != nil {
		return nil, err
	}
	account, request, err := a.openAndRead(ctx, c, access.Create)
	if err != nil {
		return nil, err
	}
	draft := apikey.AccountKeyDraft{
		Name:        required(request, "name", text(apikey.MaxNameLength)),
		Description: orEmpty(text(maxDescriptionLength)(request, "description")),
	}
	if err := request.err(); err != nil {
		return nil, err
	}
	issued, err := a.Keys.IssueFor(ctx, c.caller, account, draft)
	if err != nil {
		return nil, missing(err, anAccount, c.PathValues["account"])
	}
	c.Note("key", issued.Key.Locator.ID.String())
	return showing(keyOf(issued.Key, account, true), issued.FullKey), nil
}

func (a *answerer) getKey(ctx context.Context, c call) (any, error) {
	account, err := a.openForKeys(ctx, c, access.Read)
	if err != nil {
		return nil, err
	}
	hydrate, err := c.hydrate(true)
	if err != nil {
		return nil, err
	}
	key, err := a.Keys.Get(ctx, c.caller, c.keyRef(account))
	if err != nil {
		return nil, missing(err, aKey, c.PathValues["key"])
	}
	return keyOf(key, account, hydrate), nil
}

func (a *answerer) updateKey(ctx context.Context, c call) (any, error) {
	account, request, err := a.openAndRead(ctx, c, access.Update)
	if err != nil {
		return nil, err
	}
	edit := apikey.Edit{
		Name:        text(apikey.MaxNameLength)(request, "name"),
		Description: text(maxDescriptionLength)(request, "description"),
		Disabled:    not(flag(request, "active")),
	}
	if err := request.err(); err != nil {
		return nil, err
	}
	key, err := a.Keys.Update(ctx, c.caller, c.keyRef(account), edit)
	if err != nil {
		return nil, missing(err, aKey, c.PathValues["key"])
	}
	c.Note("key", key.Locator.ID.String())
	return keyOf(key, account, true), nil
}

func (a *answerer) rotateKey(ctx context.Context, c call) (any, error) {
	if err := c.requireHoldsAccount(); err != nil {
		return nil, err
	}
	account, request, err := a.openAndRead(ctx, c, access.Update)
	if err != nil {
		return nil, err
	}
	retain := orElse(request, "retain_period_minutes", 0, integer)
	if err := request.err(); err != nil {
		return nil, err
	}
	issued, err := a.Keys.Rotate(ctx, c.caller, c.keyRef(account), retain)
	if err != nil {
		return nil, missing(err, aKey, c.PathValues["key"])
	}
	c.Note("key", issued.Key.Locator.ID.String())
	return showing(keyOf(issued.Key, account, false), issued.FullKey), nil
}

func (a *answerer) deleteKey(ctx context.Context, c call) (any, error) {
	account, err := a.openForKeys(ctx, c, access.Delete)
	if err != nil {
		return nil, err
	}
	if id, ok := apikey.ParseID(c.PathValues["key"]); ok { // of one that is deleted by its name, the account is known
		c.Note("key", id.String())
	}
	err = a.Keys.Delete(ctx, c.caller, c.keyRef(account))
	return nil, missing(err, aKey, c.PathValues["key"])
}

// requireHoldsAccount asks before anything is read for what a key of the path's account
// may do, since its text is going to be shown.
func (c call) requireHoldsAccount() error {
	asked, _ := c.accountID()
	return c.caller.RequireHoldsAccount(asked.String(), c.namespace)
}

// openForKeys reads the account whose keys a path is about, by its id. An id that cannot
// be read is looked up all the same: who may not see the account is told so first.
func (a *answerer) openForKeys(ctx context.Context, c call, method access.Method) (apikey.Account, error) {
	asked, unreadable := c.accountID()
	account, err := a.open(ctx, c, method, access.APIKey, apikey.ByID(asked))
	if unreadable != nil && errors.Is(err, fault.NotFound) {
		err = fault.InvalidField("path.service_account_id", "Input should be a valid UUID")
	}
	return account, err
}

// openAndRead reads the account, and behind it the body: only who may see the account is
// told what is wrong with what he has sent.
func (a *answerer) openAndRead(ctx context.Context, c call, method access.Method) (apikey.Account, *body, error) {
	account, err := a.openForKeys(ctx, c, method)
	if err != nil {
		return apikey.Account{}, nil, err
	}
	request, err := readBody(c.Body)
	return account, request, err
}

// accountID is the id in the path, in any form that a UUID has; the zero ID where there is
// none.
func (c call) accountID() (apikey.ID, error) {
	id, err := uuid.Parse(c.PathValues["account"])
	if err != nil { // the parser leaves what it has read
		return apikey.ID{}, err
	}
	return apikey.ID(id), nil
}

// keyRef asks for the key of an account that the path names, by name or id.
func (c call) keyRef(account apikey.Account) apikey.Ref {
	return account.Key(handleIn(c.PathValues["key"]))
}

// showing is an answer with the text of the key, this once.
func showing(answer keyAnswer, key apikey.FullKey) keyAnswer {
	revealed := key.RevealWrapped()
	answer.Body.Key = &revealed
	return answer
}
