package namespaces

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

const (
	listPrefix      = "list_parameters."
	defaultPageSize = 100
	maxPageSize     = 500
	// A page ends before its objects reach this size; around them there is little.
	maxObjectBytes = web.MaxAnswerBytes - 10_000
)

type listAnswer struct {
	List          listPage  `json:"list"`
	CountResponse *struct{} `json:"count_response"`
	GroupResponse *struct{} `json:"group_response"`
}

type listPage struct {
	Objects  []jsontext.Value `json:"objects"`
	Response pageResponse     `json:"response"`
}

// A pageResponse leads to the next page. The vendor's client goes on for as long as
// it finds either member, so that the last page has neither.
type pageResponse struct {
	NextPageToken int           `json:"next_page_token,omitzero"`
	NextPageID    apikey.Cursor `json:"next_page_id,omitzero"`
}

func (a *API) list(ctx context.Context, c call) (any, error) {
	query, err := listQuery(c)
	if err != nil {
		return nil, err
	}
	page, err := a.keys.List(ctx, c.caller, query)
	if err != nil {
		return nil, err
	}
	objects, err := encodeUpTo(page.Keys, maxObjectBytes, isCompact(c.Request))
	if err != nil {
		return nil, err
	}
	answer := listAnswer{List: listPage{Objects: objects}}
	if shown := len(objects); shown > 0 && (page.More || shown < len(page.Keys)) {
		answer.List.Response = next(query, page.Keys[:shown])
	}
	return answer, nil
}

// encodeUpTo encodes the first keys, as many as fit.
func encodeUpTo(keys []apikey.Key, most int, compact bool) ([]jsontext.Value, error) {
	objects := make([]jsontext.Value, 0, len(keys))
	size := 0
	for _, key := range keys {
		object, err := json.Marshal(apiKeyOf(key), json.OmitZeroStructFields(compact), json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("key in a list: %w", err)
		}
		if size += web.WireSize(object); size > most {
			break
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// next says where the next page begins: by cursor and, where the number of keys
// before it is known and not too large to be passed over, by that number.
func next(query apikey.Query, shown []apikey.Key) pageResponse {
	response := pageResponse{NextPageID: query.CursorAfter(shown[len(shown)-1].Locator)}
	if offset := query.Skip + len(shown); query.Cursor == "" && offset <= apikey.MaxSkip {
		response.NextPageToken = offset
	}
	return response
}

func listQuery(c call) (apikey.Query, error) {
	given, err := parametersOf(c.Request, listPrefix, "page_size", "page_token", "page_id", "traverse")
	if err != nil {
		return apikey.Query{}, err
	}
	var found problems
	query := apikey.Query{
		Namespace: c.namespace,
		Below:     found.boolean(given, "traverse"),
		Cursor:    apikey.Cursor(given["page_id"]),
		Skip:      found.count(given, "page_token"),
		Limit:     found.count(given, "page_size"),
	}
	if query.Limit == 0 {
		query.Limit = defaultPageSize
	}
	query.Limit = min(query.Limit, maxPageSize)
	if len(found) > 0 {
		return apikey.Query{}, fault.InvalidFields(found...)
	}
	return query, nil
}

func (p *problems) boolean(given map[string]string, name string) bool {
	switch given[name] {
	case "true":
		return true
	case "", "false":
	default:
		p.add(listPrefix+name, "value must be true or false")
	}
	return false
}

func (p *problems) count(given map[string]string, name string) int {
	text := given[name]
	if text == "" {
		return 0
	}
	number, err := strconv.ParseUint(text, 10, 31)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		p.add(listPrefix+name, "value must be a whole number, 0 or more")
	}
	return int(number) // the greatest there is, if text says more
}

// parametersOf gives the query's parameters with a prefix, without it. Invalid: one
// of them is not offered; to ignore it could do other than its sender wants.
func parametersOf(r *web.Request, prefix string, offered ...string) (map[string]string, error) {
	given, err := r.Parameters(prefix)
	if err != nil {
		return nil, err
	}
	var found problems
	for name := range given {
		if !slices.Contains(offered, name) {
			found.add(prefix+name, "parameter is not offered")
		}
	}
	if len(found) > 0 {
		return nil, fault.InvalidFields(found...)
	}
	return given, nil
}
