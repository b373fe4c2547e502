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

// What one request reads at most, so that its time and its cost have a bound, in
// entries. A part of large texts counts for some.
const (
	maxRead         = 10_000 // to sort, count, group, or pass over
	maxReadFiltered = 2_000  // for a page of what a filter lets through
	maxChunk        = 500
	partCosts       = 250
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

type groupResponse struct {
	Groups map[string]query.Group `json:"groups"`
}

func (a *API) list(ctx context.Context, c call) (any, error) {
	l, err := listingOf(c, keySchema(), a.Clock())
	if err != nil {
		return nil, err
	}
	return lister{l, newKeyReader(a.Keys, c, l.below), isCompact(c.Request)}.answer(ctx)
}

func (a *API) listNamespaces(ctx context.Context, c call) (any, error) {
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
	read, err := l.reader.read(ctx, after, skip, l.limit)
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
	next, err := l.walk(ctx, after, maxReadFiltered, func(e entry) bool {
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
	after, err = l.walk(ctx, nil, maxRead, func(entry) bool {
		passed++
		return passed < l.skip
	})
	if err == nil && passed < l.skip && after != nil {
		err = fault.InvalidField("skip", fmt.Sprintf("value would pass over more than %d keys: go on by page_id", maxRead))
	}
	return after, after == nil, err
}

// walk visits what the filter lets through, until the visitor has had enough or as much
// was read as may be. It gives the place behind which the list goes on, nil at its end.
func (l lister) walk(
	ctx context.Context, after *apikey.Locator, budget int, visit func(entry) bool,
) (*apikey.Locator, error) {
	for budget > 0 {
		read, err := l.reader.read(ctx, after, 0, min(budget, maxChunk))
		if err != nil {
			return nil, err
		}
		parts, err := l.completeFor(ctx, l.deciding(), read.entries)
		if err != nil {
			return nil, err
		}
		for i, e := range read.entries {
			// A pattern can take milliseconds of a processor for one message.
			if err := ctx.Err(); err != nil {
				return nil, fault.Wrap(fault.TimedOut, err, "context deadline exceeded")
			}
			if l.filter.Matches(e.message) && !visit(e) {
				return read.behind(i), nil
			}
		}
		if after = read.next; after == nil {
			return nil, nil
		}
		budget -= max(1, len(read.entries)) + (parts-1)*partCosts
	}
	return after, nil
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

// completeFor completes all entries if that is needed to know these paths, and says in
// how many parts.
func (l lister) completeFor(ctx context.Context, paths []query.Path, entries []entry) (parts int, err error) {
	if l.reader.isComplete(paths) {
		return 1, nil
	}
	for parts = 1; ; parts++ {
		count, err := l.reader.complete(ctx, entries)
		if err != nil || count == len(entries) {
			return parts, err
		}
		entries = entries[count:]
	}
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
	if l.grouping != nil {
		groups, err := l.groups(ctx)
		if err != nil {
			return listAnswer{}, err
		}
		answer.GroupResponse = &groupResponse{groups.ByKey()}
	}
	if l.count {
		answer.CountResponse = &query.Count{}
		err := l.walkAll(ctx, "count", func(entry) error { answer.CountResponse.Count++; return nil })
		if err != nil {
			return listAnswer{}, err
		}
	}
	return answer, nil
}

func (l lister) groups(ctx context.Context) (*query.Groups, error) {
	const parameter = "group.aggregation_paths"
	groups := query.NewGroups(*l.grouping)
	err := l.walkAll(ctx, parameter, func(e entry) error {
		if groups.Size() > maxObjectBytes {
			return fault.InvalidField(listPrefix+parameter, "value gives too large an answer: take fewer paths, or add a filter")
		}
		return groups.Add(e.message, e.uuid)
	})
	return groups, err
}

// walkAll visits all that the filter lets through. Invalid: that would take too much
// reading, which the parameter asks for.
func (l lister) walkAll(ctx context.Context, parameter string, visit func(entry) error) error {
	var refused error
	next, err := l.walk(ctx, nil, maxRead, func(e entry) bool {
		refused = visit(e)
		return refused == nil
	})
	switch {
	case err != nil:
		return err
	case refused != nil:
		return refused
	case next != nil:
		return fault.InvalidField(listPrefix+parameter, fmt.Sprintf(
			"value would take reading more than %d keys: list a namespace further below, or all page by page", maxRead))
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
	if offset := l.skip + len(shown); l.after == nil && len(shown) > 0 && offset <= apikey.MaxSkip {
		response.NextPageToken = offset
	}
	return response
}
