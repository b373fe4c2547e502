package serviceaccounts

import (
	"context"

	"github.com/google/uuid"

	"latchkey/shared/access"
	"latchkey/shared/apikey"
)

const anAccount = "service account"

func (a *answerer) createAccount(ctx context.Context, c call) (any, error) {
	if err := c.caller.Require(access.Create, access.ServiceAccount, c.namespace); err != nil {
		return nil, err
	}
	request, err := readBody(c.Body)
	if err != nil {
		return nil, err
	}
	draft := apikey.AccountDraft{
		Namespace: c.namespace,
		Name:      required(request, "name", text(apikey.MaxNameLength)),
		FullName:  orElse(request, "full_name", "", text(apikey.MaxNameLength)),
		Disabled:  !required(request, "active", flag),
		Texts: apikey.AccountTexts{
			Description: orEmpty(text(maxDescriptionLength)(request, "description")),
			AvatarURL:   orEmpty(text(maxAvatarLength)(request, "avatar_url")),
		},
	}
	if err := request.err(); err != nil {
		return nil, err
	}
	account, err := a.Keys.CreateAccount(ctx, c.caller, draft)
	if err != nil {
		return nil, err
	}
	c.Note("account", account.ID.String())
	return accountOf(account, true), nil
}

func (a *answerer) getAccount(ctx context.Context, c call) (any, error) {
	account, err := a.openAccount(ctx, c, access.Read)
	if err != nil {
		return nil, err
	}
	hydrate, err := c.hydrate(true)
	if err != nil {
		return nil, err
	}
	return accountOf(account, hydrate), nil
}

func (a *answerer) updateAccount(ctx context.Context, c call) (any, error) {
	account, err := a.openAccount(ctx, c, access.Update)
	if err != nil {
		return nil, err
	}
	request, err := readBody(c.Body)
	if err != nil {
		return nil, err
	}
	edit := apikey.AccountEdit{
		Name:        text(apikey.MaxNameLength)(request, "name"),
		FullName:    text(apikey.MaxNameLength)(request, "full_name"),
		Description: text(maxDescriptionLength)(request, "description"),
		AvatarURL:   text(maxAvatarLength)(request, "avatar_url"),
		Disabled:    not(flag(request, "active")),
	}
	if err := request.err(); err != nil {
		return nil, err
	}
	account, err = a.Keys.UpdateAccount(ctx, c.caller, account, edit)
	if err != nil {
		return nil, missing(err, anAccount, c.PathValues["account"])
	}
	return accountOf(account, true), nil
}

func (a *answerer) deleteAccount(ctx context.Context, c call) (any, error) {
	account, err := a.openAccount(ctx, c, access.Delete)
	if err != nil {
		return nil, err
	}
	err = a.Keys.DeleteAccount(ctx, c.caller, account)
	return nil, missing(err, anAccount, c.PathValues["account"])
}

// openAccount reads the account that the path names, by name or id.
func (a *answerer) openAccount(ctx context.Context, c call, method access.Method) (apikey.Account, error) {
	asked := c.PathValues["account"]
	return a.open(ctx, c, method, access.ServiceAccount, handleIn(asked))
}

func (a *answerer) open(
	ctx context.Context, c call, method access.Method, kind string, handle apikey.Handle,
) (apikey.Account, error) {
	account, err := a.Keys.OpenAccount(ctx, c.caller, method, kind, apikey.AccountRef{
		Namespace: c.namespace, Handle: handle,
	})
	if err != nil {
		return apikey.Account{}, missing(err, anAccount, c.PathValues["account"])
	}
	c.Note("account", account.ID.String())
	return account, nil
}

// handleIn tells an id in a path from a name. What looks like a UUID is an id, though it
// may be of nothing here.
func handleIn(segment string) apikey.Handle {
	if id, ok := apikey.ParseID(segment); ok {
		return apikey.ByID(id)
	}
	if len(segment) == canonicalLength && uuid.Validate(segment) == nil {
		return apikey.ByID(apikey.ID{})
	}
	return apikey.ByName(segment)
}

// canonicalLength is that of a UUID as RFC 9562 writes it, in section 4.
const canonicalLength = 36
