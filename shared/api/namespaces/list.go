package namespaces

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/api/namespaces/query"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

// A page ends before its objects reach this size; around them there is little.
const maxObjectBytes = web.MaxAnswerBytes - 10_000

type listAnswer struct {
	List          listPage       `json:"list"`
	CountResponse *query.Count   `json:"count_response"`
	GroupResponse *groupResponse `json:"group_response"`
}

type listPage struct {
	Objects  []jsontext.Value `json:"objects"`
	Response pageResponse     `json:"response"`

	isPage bool
}

// IsZero says that a page is there though nothing is on it.
func (l listPage) IsZero() bool { return !l.isPage }

// A pageResponse leads to the next page. The vendor's client goes on for as long as
// it finds either member, so that the last page has neither.
type pageResponse struct {
	NextPageToken int    `json:"next_page_token,omitzero"`
	NextPageID    string `json:"next_page_id,omitzero"`
}

const aggregationPaths = "group.aggregation_paths"

type groupResponse struct {
	Groups map[string]query.Group `json:"groups"`
}

func (a *answerer) list(ctx context.Context, c call) (any, error) {
	l, err := listingOf(c, keySchema(), a.Clock())
	if err != nil {
		return nil, err
	}
	return lister{l, newKeyReader(a.Keys, c, l.below), isCompact(c.Request)}.answer(ctx)
}

func (a *answerer) listNamespaces(ctx context.Context, c call) (any, error) {
	l, err := listingOf(c, query.SchemaOf[namespaceMessage](), a.Clock())
	if err != nil {
		return nil, err
	}
	return lister{l, newNamespaceReader(a.Keys, c, l.below), isCompact(c.Request)}.answer(ctx)
}

// A lister answers a list.
type lister struct {
	listing
	reader  reader
	compact bool
}

func (l lister) answer(ctx context.Context) (listAnswer, error) {
	switch {
	case l.count || l.grouping != nil:
		return l.aggregate(ctx)
	case l.order != nil:
		return l.sortedPage(ctx)
	case l.filter.IsZero():
		return l.plainPage(ctx)
	}
	return l.filteredPage(ctx)
}

// plainPage reads the page and nothing else.
func (l lister) plainPage(ctx context.Context) (listAnswer, error) {
	var after *apikey.Locator
	skip := l.skip
	if l.after != nil {
		after, skip = &l.after.at, 0
	}
	read, err := l.reader.read(ctx, after, skip, l.limit, l.reader.bounds().all)
	if err != nil {
		return listAnswer{}, err
	}
	return l.page(ctx, read.entries, read.next)
}

// filteredPage may end early, and even be empty, with a way to go on.
func (l lister) filteredPage(ctx context.Context) (listAnswer, error) {
	after, ended, err := l.start(ctx)
	if err != nil {
		return listAnswer{}, err
	}
	if ended {
		return l.page(ctx, nil, nil)
	}
	var found []entry
	next, err := l.walk(ctx, after, l.reader.bounds().page, func(e entry) bool {
		found = append(found, e)
		return len(found) < l.limit
	})
	if err != nil {
		return listAnswer{}, err
	}
	return l.page(ctx, found, next)
}

// start is where a filtered page begins; ended says that it begins behind the last
// entry.
func (l lister) start(ctx context.Context) (after *apikey.Locator, ended bool, err error) {
	switch {
	case l.after != nil:
		return &l.after.at, false, nil
	case l.skip == 0:
		return nil, false, nil
	}
	passed := 0
	after, err = l.walk(ctx, nil, l.reader.bounds().all, func(entry) bool {
		passed++
		return passed < l.skip
	})
	if err == nil && passed < l.skip && after != nil {
		err = l.tooMuch("page_token", "page by page_id")
	}
	return after, after == nil, err
}

// tooMuch refuses what a parameter asks for because of the reading that it would take.
func (l lister) tooMuch(parameter, instead string) error {
	bounds := l.reader.bounds()
	return fault.InvalidField(listPrefix+parameter, fmt.Sprintf(
		"value would take reading more than %d %s: %s", bounds.all, bounds.entries, instead))
}

// deciding are the paths that decide what a list is of.
func (l lister) deciding() []query.Path {
	paths := l.filter.Paths()
	if l.order != nil {
		paths = append(paths, l.order.Path())
	}
	if l.grouping != nil {
		paths = append(paths, l.grouping.Paths()...)
	}
	return paths
}

// sortedPage reads all, and keeps of it what sorting takes.
func (l lister) sortedPage(ctx context.Context) (listAnswer, error) {
	var all []entry
	err := l.walkAll(ctx, "sort.path", func(e entry) error {
		e.rank = l.order.Rank(e.message)
		all = append(all, l.reader.strip(e))
		return nil
	})
	if err != nil {
		return listAnswer{}, err
	}
	slices.SortStableFunc(all, func(a, b entry) int { return l.order.Compare(a.rank, b.rank) })
	rest, err := l.rest(all)
	if err != nil {
		return listAnswer{}, err
	}
	page := rest[:min(l.limit, len(rest))]
	var next *apikey.Locator
	if len(rest) > len(page) {
		next = &page[len(page)-1].at
	}
	return l.page(ctx, page, next)
}

// rest is what of a sorted list the page and those after it are made of.
func (l lister) rest(sorted []entry) ([]entry, error) {
	if l.after == nil {
		return sorted[min(l.skip, len(sorted)):], nil
	}
	if l.after.bare {
		i := slices.IndexFunc(sorted, func(e entry) bool { return e.at == l.after.at })
		if i < 0 {
			return nil, fault.InvalidField(listPrefix+"page_id", "value is the id of no key in this list")
		}
		return sorted[i+1:], nil
	}
	i := slices.IndexFunc(sorted, func(e entry) bool {
		byRank := l.order.Compare(e.rank, l.after.rank)
		return byRank > 0 || byRank == 0 && e.at.Compare(l.after.at) > 0
	})
	if i < 0 {
		return nil, nil
	}
	return sorted[i:], nil
}

// aggregate counts, groups or both.
func (l lister) aggregate(ctx context.Context) (listAnswer, error) {
	var answer listAnswer
	parameter := "count"
	if l.count {
		answer.CountResponse = &query.Count{}
	}
	var groups *query.Groups
	if l.grouping != nil {
		parameter = aggregationPaths
		groups = query.NewGroups(*l.grouping)
	}
	err := l.walkAll(ctx, parameter, func(e entry) error {
		if l.count {
			answer.CountResponse.Count++
		}
		if groups == nil {
			return nil
		}
		return addTo(groups, e)
	})
	if err == nil && groups != nil {
		answer.GroupResponse = &groupResponse{groups.ByKey()}
	}
	return answer, err
}

// addTo puts an entry into its group. Invalid: the answer would be larger than the
// platform takes.
func addTo(groups *query.Groups, e entry) error {
	if err := groups.Add(e.message, e.uuid); err != nil {
		return err
	}
	if groups.Size()+groups.Held() > maxObjectBytes {
		return fault.InvalidField(listPrefix+aggregationPaths, "value gives too large an answer: take fewer paths, or add a filter")
	}
	return nil
}

// walkAll visits all that the filter lets through. Invalid: that would take too much
// reading, which the parameter asks for.
func (l lister) walkAll(ctx context.Context, parameter string, visit func(entry) error) error {
	var refused error
	next, err := l.walk(ctx, nil, l.reader.bounds().all, func(e entry) bool {
		refused = visit(e)
		return refused == nil
	})
	switch {
	case err != nil:
		return err
	case refused != nil:
		return refused
	case next != nil:
		return l.tooMuch(parameter, "list a namespace further below, or all page by page")
	}
	return nil
}

// page shows the first entries, as many as fit, and where the list goes on.
func (l lister) page(ctx context.Context, found []entry, next *apikey.Locator) (listAnswer, error) {
	ready := len(found)
	if l.mask.IsZero() || !l.reader.isComplete(l.mask.Paths()) {
		var err error
		if ready, err = l.reader.complete(ctx, found); err != nil {
			return listAnswer{}, err
		}
	}
	objects, err := l.encode(found[:ready])
	if err != nil {
		return listAnswer{}, err
	}
	shown := len(objects)
	if shown < len(found) {
		next = &found[shown-1].at
	}
	answer := listAnswer{List: listPage{Objects: objects, isPage: true}}
	if next != nil && !l.firstOnly {
		answer.List.Response = l.next(*next, found[:shown])
	}
	return answer, nil
}

// encode encodes the first entries, as many as fit.
func (l lister) encode(entries []entry) ([]jsontext.Value, error) {
	var objects []jsontext.Value
	size := 0
	for _, e := range entries {
		object, err := masked(e.message, l.mask, l.compact)
		if err != nil {
			return nil, err
		}
		if size += web.WireSize(object); size > maxObjectBytes {
			break
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// masked encodes as much of a message as a mask names.
func masked(message any, mask query.Mask, compact bool) (jsontext.Value, error) {
	var object jsontext.Value
	object, err := json.Marshal(message, json.OmitZeroStructFields(compact), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("message in JSON: %w", err)
	}
	if mask.IsZero() {
		return object, nil
	}
	return mask.Apply(object, compact)
}

// next says where the next page begins: by cursor and, where the number of entries
// before it is known and not too large to be passed over, by that number.
func (l lister) next(behind apikey.Locator, shown []entry) pageResponse {
	at := place{at: behind}
	if l.order != nil {
		at.rank = shown[len(shown)-1].rank
	}
	response := pageResponse{NextPageID: l.hash.cursor(at)}
	if offset := l.skip + len(shown); l.after == nil && len(shown) > 0 && offset <= l.reader.bounds().all {
		response.NextPageToken = offset
	}
	return response
}
