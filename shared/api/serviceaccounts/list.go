package serviceaccounts

import (
	"context"
	"fmt"
	"iter"
	"math"
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
	// How many bytes of texts a list reads to decide with, of all it looks at.
	maxDecidingBytes = 40 << 20
	// What surrounds the items of a page, and more.
	envelopeBytes = 1000
)

var accountLanguage = query.Language{Name: "ServiceAccountFilter", Fields: []query.Field{
	{Name: "id", Type: query.UUID},
	{Name: "created", Type: query.Time},
	{Name: "updated", Type: query.Time},
	{Name: "name", Type: query.Text},
	{Name: "description", Type: query.Text},
	{Name: "active", Type: query.Flag},
	{Name: "external_user_id", Type: query.UUID},
}}

var keyLanguage = query.Language{Name: "APIKeyFilter", Fields: []query.Field{
	{Name: "id", Type: query.UUID},
	{Name: "created", Type: query.Time},
	{Name: "updated", Type: query.Time},
	{Name: "name", Type: query.Text},
	{Name: "description", Type: query.Text},
	{Name: "active", Type: query.Flag},
	{Name: "last_login", Type: query.Time},
	{Name: "last_rotated", Type: query.Time},
}}

type page struct {
	Index      int              `json:"index"`
	MaxSize    int              `json:"max_size"`
	TotalPages int              `json:"total_pages"`
	Total      int              `json:"total"`
	Items      []jsontext.Value `json:"items"`
}

// A listing is what lists of accounts and of keys have in common.
type listing[T any] struct {
	query  *query.Query
	all    iter.Seq2[T, error] // in order of creation
	id     func(T) apikey.ID
	record func(T) query.Record

	// deciding completes a part with what filters and order look at, and sparing takes
	// from one what is not needed to show it.
	deciding func([]T) error
	sparing  func(*T)
}

func (a *API) listAccounts(ctx context.Context, c call) (any, error) {
	if err := c.caller.Require(access.Read, access.ServiceAccount, c.namespace); err != nil {
		return nil, err
	}
	asked, hydrate, err := c.list(accountLanguage)
	if err != nil {
		return nil, err
	}
	accounts, total, err := listing[apikey.Account]{
		query: asked,
		all:   a.Keys.Accounts(ctx, c.caller, c.namespace),
		id:    func(account apikey.Account) apikey.ID { return account.ID },
		record: func(account apikey.Account) query.Record {
			return func(field string) query.Value { return accountField(account, field) }
		},
		deciding: a.decidingOfAccounts(ctx, c, asked),
		sparing:  func(account *apikey.Account) { account.Texts = apikey.AccountTexts{} },
	}.page()
	if err != nil {
		return nil, err
	}
	for i := range accounts { // whose descriptions nobody sees are not read
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

func (a *API) listKeys(ctx context.Context, c call) (any, error) {
	account, err := a.openForKeys(ctx, c, access.Read)
	if err != nil {
		return nil, err
	}
	asked, hydrate, err := c.list(keyLanguage)
	if err != nil {
		return nil, err
	}
	keys, total, err := listing[apikey.Key]{
		query: asked,
		all:   a.Keys.AccountKeys(ctx, c.caller, account),
		id:    func(key apikey.Key) apikey.ID { return key.Locator.ID },
		record: func(key apikey.Key) query.Record {
			return func(field string) query.Value { return keyField(key, field) }
		},
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

func (a *API) decidingOfAccounts(ctx context.Context, c call, asked *query.Query) func([]apikey.Account) error {
	left := maxDecidingBytes
	return func(part []apikey.Account) error {
		if !asked.Uses("description") {
			return nil
		}
		size := func(account apikey.Account) int {
			return len(account.Texts.Description) + len(account.Texts.AvatarURL)
		}
		return inParts(part, &left, size, func(part []apikey.Account) (int, error) {
			return a.Keys.AddAccountTexts(ctx, c.caller, part)
		})
	}
}

func (a *API) decidingOfKeys(ctx context.Context, c call, asked *query.Query) func([]apikey.Key) error {
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
		return inParts(part, &left, size, func(part []apikey.Key) (int, error) {
			return a.Keys.AddTexts(ctx, c.caller, part)
		})
	}
}

// usesDecide tells a list that cannot be made without the use of every key.
func usesDecide(asked *query.Query) bool { return asked.Uses("last_login", "updated") }

// inParts completes all of a list, where each call completes as much as it may, and takes
// the sizes from what is left to be read.
func inParts[T any](list []T, left *int, size func(T) int, complete func([]T) (int, error)) error {
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

func accountField(account apikey.Account, field string) query.Value {
	switch field {
	case "id":
		return query.UUIDValue(account.ID)
	case "created":
		return query.TimeValue(account.CreatedAt)
	case "updated":
		return query.TimeValue(account.UpdatedAt)
	case "name":
		return query.TextValue(account.Name)
	case "description":
		return query.TextValue(account.Texts.Description)
	case "active":
		return query.FlagValue(!account.Disabled)
	}
	return query.Value{} // external_user_id: all accounts are the deployment's own
}

func keyField(key apikey.Key, field string) query.Value {
	switch field {
	case "id":
		return query.UUIDValue(key.Locator.ID)
	case "created":
		return query.TimeValue(key.CreatedAt)
	case "updated":
		return query.TimeValue(updatedAt(key))
	case "name":
		return query.TextValue(key.Name)
	case "description":
		return query.TextValue(key.Texts.Description)
	case "active":
		return query.FlagValue(!key.Disabled)
	case "last_login":
		return query.TimeValue(key.UsedAt)
	}
	return query.TimeValue(key.RotatedAt)
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

// page gives the part of the list that is shown, and how many match.
func (l listing[T]) page() ([]T, int, error) {
	if l.query.IsByCreation() {
		return l.window()
	}
	return l.sorted()
}

// window keeps of all that match only what is shown: they come in the order that is
// asked for.
func (l listing[T]) window() ([]T, int, error) {
	var shown []T
	from, to := math.MaxInt, math.MaxInt
	if l.query.Page <= math.MaxInt/l.query.Size {
		from, to = (l.query.Page-1)*l.query.Size, l.query.Page*l.query.Size
	}
	total := 0
	for value, err := range l.matching() {
		if err != nil {
			return nil, 0, err
		}
		if from <= total && total < to {
			l.sparing(&value)
			shown = append(shown, value)
		}
		total++
	}
	_, _, err := l.query.Bounds(total)
	return shown, total, misasked(err)
}

// A ranked is one that matches, and where it belongs.
type ranked[T any] struct {
	value T
	rank  query.Value
}

func (l listing[T]) sorted() ([]T, int, error) {
	var kept []ranked[T]
	for value, err := range l.matching() {
		if err != nil {
			return nil, 0, err
		}
		if len(kept) == maxKept {
			return nil, 0, outOfStore(fmt.Sprintf("More than %d match: ask for fewer by a filter, or sort by created.", maxKept))
		}
		rank := l.query.Rank(l.record(value))
		l.sparing(&value)
		kept = append(kept, ranked[T]{value, rank})
	}
	from, to, err := l.query.Bounds(len(kept))
	if err != nil {
		return nil, 0, misasked(err)
	}
	slices.SortFunc(kept, func(a, b ranked[T]) int {
		return l.query.Compare(a.rank, b.rank, l.id(a.value), l.id(b.value))
	})
	shown := make([]T, 0, to-from)
	for _, one := range kept[from:to] {
		shown = append(shown, one.value)
	}
	return shown, len(kept), nil
}

// matching gives all that match, with what decided.
func (l listing[T]) matching() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for part, err := range inPartsOf(l.all, partSize) {
			if err == nil {
				err = l.deciding(part)
			}
			if err != nil {
				yield(none, fmt.Errorf("list: %w", err))
				return
			}
			for _, value := range part {
				if l.query.Matches(l.record(value)) && !yield(value, nil) {
					return
				}
			}
		}
	}
}

// inPartsOf gives the values of a sequence so many at a time.
func inPartsOf[T any](all iter.Seq2[T, error], size int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		part := make([]T, 0, size)
		for value, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			if part = append(part, value); len(part) < size {
				continue
			}
			if !yield(part, nil) {
				return
			}
			part = part[:0]
		}
		if len(part) > 0 {
			yield(part, nil)
		}
	}
}

// show gives the answer, unless it would be larger than the platform takes.
func show[T any](asked *query.Query, total int, shown []T, complete int, entityOf func(T) any) (any, error) {
	answer := page{
		Index: asked.Page, MaxSize: asked.Size, TotalPages: asked.TotalPages(total), Total: total,
		Items: make([]jsontext.Value, 0, len(shown)),
	}
	size := envelopeBytes
	for _, value := range shown {
		item, err := json.Marshal(entityOf(value))
		if err != nil {
			return nil, fmt.Errorf("item of a list: %w", err)
		}
		if size += web.WireSize(item) + 1; size > web.MaxAnswerBytes {
			complete = 0
			break
		}
		answer.Items = append(answer.Items, item)
	}
	if complete < len(shown) {
		return nil, outOfStore(fmt.Sprintf("The page would be too large: ask for fewer than %d by size.", asked.Size))
	}
	return answer, nil
}
