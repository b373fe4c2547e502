package serviceaccounts

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/access"
	"latchkey/shared/api/serviceaccounts/query"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

const (
	// How many of what matches a list keeps that has to be sorted.
	maxKept = 10_000
	// For how many at once a list reads what decides and is in no index.
	partSize = 100
	// How many bytes of texts a list reads to filter or sort by them.
	maxDecidingBytes = 40 << 20
	// What surrounds the items of a page, and more.
	envelopeBytes = 1000
)

// A field is what things can be filtered and sorted by, and what one of them has there.
type field[T any] struct {
	query.Field
	of func(T) query.Value
}

var accountFields = []field[apikey.Account]{
	{query.Field{Name: "id", Type: query.UUID}, func(a apikey.Account) query.Value { return query.UUIDValue(a.ID) }},
	{query.Field{Name: "created", Type: query.Time}, func(a apikey.Account) query.Value { return query.TimeValue(a.CreatedAt) }},
	{query.Field{Name: "updated", Type: query.Time}, func(a apikey.Account) query.Value { return query.TimeValue(a.UpdatedAt) }},
	{query.Field{Name: "name", Type: query.Text}, func(a apikey.Account) query.Value { return query.TextValue(a.Name) }},
	{query.Field{Name: "description", Type: query.Text}, func(a apikey.Account) query.Value { return query.TextValue(a.Texts.Description) }},
	{query.Field{Name: "active", Type: query.Flag}, func(a apikey.Account) query.Value { return query.FlagValue(!a.Disabled) }},
	// All accounts are the deployment's own.
	{query.Field{Name: "external_user_id", Type: query.UUID}, func(apikey.Account) query.Value { return query.Value{} }},
}

var keyFields = []field[apikey.Key]{
	{query.Field{Name: "id", Type: query.UUID}, func(k apikey.Key) query.Value { return query.UUIDValue(k.Locator.ID) }},
	{query.Field{Name: "created", Type: query.Time}, func(k apikey.Key) query.Value { return query.TimeValue(k.CreatedAt) }},
	{query.Field{Name: "updated", Type: query.Time}, func(k apikey.Key) query.Value { return query.TimeValue(updatedAt(k)) }},
	{query.Field{Name: "name", Type: query.Text}, func(k apikey.Key) query.Value { return query.TextValue(k.Name) }},
	{query.Field{Name: "description", Type: query.Text}, func(k apikey.Key) query.Value { return query.TextValue(k.Texts.Description) }},
	{query.Field{Name: "active", Type: query.Flag}, func(k apikey.Key) query.Value { return query.FlagValue(!k.Disabled) }},
	{query.Field{Name: "last_login", Type: query.Time}, func(k apikey.Key) query.Value { return query.TimeValue(k.UsedAt) }},
	{query.Field{Name: "last_rotated", Type: query.Time}, func(k apikey.Key) query.Value { return query.TimeValue(k.RotatedAt) }},
}

func languageOf[T any](model string, fields []field[T]) query.Language {
	language := query.Language{Name: model}
	for _, field := range fields {
		language.Fields = append(language.Fields, field.Field)
	}
	return language
}

// recordOf tells what a thing has in each field; it is null in one that is none.
func recordOf[T any](fields []field[T], thing T) query.Record {
	return func(name string) query.Value {
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.Name == name })
		if i < 0 {
			return query.Value{}
		}
		return fields[i].of(thing)
	}
}

type page struct {
	Index      int              `json:"index"`
	MaxSize    int              `json:"max_size"`
	TotalPages int              `json:"total_pages"`
	Total      int              `json:"total"`
	Items      []jsontext.Value `json:"items"`
}

func (a *answerer) listAccounts(ctx context.Context, c call) (any, error) {
	if err := c.caller.Require(access.Read, access.ServiceAccount, c.namespace); err != nil {
		return nil, err
	}
	asked, hydrate, err := c.list(languageOf("ServiceAccountFilter", accountFields))
	if err != nil {
		return nil, err
	}
	accounts, total, err := listing[apikey.Account]{
		query:    asked,
		all:      a.Keys.Accounts(ctx, c.caller, c.namespace),
		id:       func(account apikey.Account) apikey.ID { return account.ID },
		fields:   accountFields,
		deciding: a.decidingOfAccounts(ctx, c, asked),
		sparing:  func(account *apikey.Account) { account.Texts = apikey.AccountTexts{} },
	}.page()
	if err != nil {
		return nil, err
	}
	// An avatar is always shown, a description only with metadata: no other texts are read.
	for i := range accounts {
		accounts[i].HasTexts = accounts[i].HasAvatar || hydrate && accounts[i].HasTexts
	}
	complete, err := a.Keys.AddAccountTexts(ctx, c.caller, accounts)
	if err != nil {
		return nil, err
	}
	return show(asked, total, accounts, complete, func(account apikey.Account) any {
		return accountOf(account, hydrate)
	})
}

func (a *answerer) listKeys(ctx context.Context, c call) (any, error) {
	account, err := a.openForKeys(ctx, c, access.Read)
	if err != nil {
		return nil, err
	}
	asked, hydrate, err := c.list(languageOf("APIKeyFilter", keyFields))
	if err != nil {
		return nil, err
	}
	keys, total, err := listing[apikey.Key]{
		query:    asked,
		all:      a.Keys.AccountKeys(ctx, c.caller, account),
		id:       func(key apikey.Key) apikey.ID { return key.Locator.ID },
		fields:   keyFields,
		deciding: a.decidingOfKeys(ctx, c, asked),
		sparing:  func(key *apikey.Key) { key.Texts = apikey.Texts{} },
	}.page()
	if err != nil {
		return nil, err
	}
	if !usesDecide(asked) {
		if err := a.Keys.AddUses(ctx, c.caller, keys); err != nil {
			return nil, err
		}
	}
	complete := len(keys)
	if hydrate {
		if complete, err = a.Keys.AddTexts(ctx, c.caller, keys); err != nil {
			return nil, err
		}
	}
	return show(asked, total, keys, complete, func(key apikey.Key) any {
		return keyOf(key, account, hydrate)
	})
}

func (a *answerer) decidingOfAccounts(ctx context.Context, c call, asked *query.Query) func([]apikey.Account) error {
	left := maxDecidingBytes
	return func(part []apikey.Account) error {
		if !asked.Uses("description") {
			return nil
		}
		size := func(account apikey.Account) int {
			return len(account.Texts.Description) + len(account.Texts.AvatarURL)
		}
		return completeAll(part, &left, size, func(part []apikey.Account) (int, error) {
			return a.Keys.AddAccountTexts(ctx, c.caller, part)
		})
	}
}

func (a *answerer) decidingOfKeys(ctx context.Context, c call, asked *query.Query) func([]apikey.Key) error {
	left := maxDecidingBytes
	return func(part []apikey.Key) error {
		if usesDecide(asked) {
			if err := a.Keys.AddUses(ctx, c.caller, part); err != nil {
				return err
			}
		}
		if !asked.Uses("description") {
			return nil
		}
		size := func(key apikey.Key) int { return key.Texts.Size() }
		return completeAll(part, &left, size, func(part []apikey.Key) (int, error) {
			return a.Keys.AddTexts(ctx, c.caller, part)
		})
	}
}

// usesDecide tells a list that cannot be made without the use of every key.
func usesDecide(asked *query.Query) bool { return asked.Uses("last_login", "updated") }

// completeAll completes all of a list, where each call completes as much as it may, and takes
// the sizes from what is left to be read.
func completeAll[T any](list []T, left *int, size func(T) int, complete func([]T) (int, error)) error {
	for len(list) > 0 {
		count, err := complete(list)
		if err != nil {
			return err
		}
		for _, one := range list[:count] {
			*left -= size(one)
		}
		if *left < 0 {
			return outOfStore(fmt.Sprintf("The descriptions are over %d bytes together: filter and sort by something else.", maxDecidingBytes))
		}
		list = list[count:]
	}
	return nil
}

// list reads how a list is asked for.
func (c call) list(language query.Language) (*query.Query, bool, error) {
	hydrate, err := c.hydrate(false)
	if err != nil {
		return nil, false, err
	}
	asked, err := language.Parse(c.parameters())
	return asked, hydrate, misasked(err)
}

// hydrate reads whether metadata is asked for; of several values the last counts.
func (c call) hydrate(otherwise bool) (bool, error) {
	values := c.parameters()["hydrate"]
	if len(values) == 0 {
		return otherwise, nil
	}
	value, ok := flagIn(values[len(values)-1])
	if !ok {
		return false, fault.InvalidField("query.hydrate", "Input should be a valid boolean")
	}
	return value, nil
}

// parameters takes what is malformed as it stands, as the framework below ZenML does: a
// filter that was passed over would show what nobody asked for.
func (c call) parameters() url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(c.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		values.Add(unescaped(name), unescaped(value))
	}
	return values
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// show gives the answer, unless it would be larger than the platform takes.
func show[T any](asked *query.Query, total int, shown []T, complete int, entityOf func(T) any) (any, error) {
	answer := page{
		Index: asked.Page, MaxSize: asked.Size, TotalPages: asked.TotalPages(total), Total: total,
		Items: make([]jsontext.Value, 0, len(shown)),
	}
	if complete < len(shown) {
		return nil, tooLarge(complete)
	}
	size := envelopeBytes
	for _, value := range shown {
		item, err := json.Marshal(entityOf(value))
		if err != nil {
			return nil, fmt.Errorf("item of a list: %w", err)
		}
		if size += web.WireSize(item) + 1; size > web.MaxAnswerBytes {
			return nil, tooLarge(len(answer.Items))
		}
		answer.Items = append(answer.Items, item)
	}
	return answer, nil
}

func tooLarge(fitting int) error {
	return outOfStore(fmt.Sprintf("The page would be too large: ask for at most %d by size.", max(fitting, 1)))
}
