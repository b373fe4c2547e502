package namespaces

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"latchkey/shared/api/namespaces/query"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

const (
	listPrefix      = "list_parameters."
	defaultPageSize = 100
	maxPageSize     = 500
)

const (
	notABoolean = "value must be true or false"
	notOffered  = "parameter is not offered"
)

// A listing is what the parameters of a list ask for.
type listing struct {
	below     bool
	filter    query.Filter
	mask      query.Mask
	order     *query.Order    // nil: the list's own
	grouping  *query.Grouping // nil: none
	count     bool
	firstOnly bool // no way to a next page
	after     *place
	skip      int
	limit     int
	hash      queryHash // of all that decides what is listed, and in which order
}

// listingOf reads the parameters. Invalid: it names every one that is wrong.
func listingOf(c call, schema query.Schema, now time.Time) (listing, error) {
	given, err := c.Parameters(listPrefix)
	if err != nil {
		return listing{}, err
	}
	p := listParameters{given: given, read: map[string]bool{}, schema: schema}
	l := listing{
		below:     p.boolean("traverse"),
		count:     p.boolean("count"),
		firstOnly: p.boolean("disable_pagination"),
		filter:    parsed(&p, "filter", func(text string) (query.Filter, error) { return schema.Filter(text, now) }),
		mask:      parsed(&p, "mask", schema.Mask),
		order:     p.order(),
		grouping:  p.grouping(),
		skip:      p.number("page_token"),
		limit:     p.number("page_size"),
	}
	p.boolean("list_all") // tells the vendor's own client to go through all pages, and nothing here
	l.hash = hashOf(c.Operation.Name, c.namespace.String(), strconv.FormatBool(l.below), given["filter"],
		given["sort.path"], strconv.FormatBool(descends[given["sort.order"]]))
	if l.limit == 0 {
		l.limit = defaultPageSize
	}
	l.limit = min(l.limit, maxPageSize)
	l.after = p.after(c, l)
	p.refuseUnread()
	if len(p.found.Fields) > 0 {
		return listing{}, fault.InvalidFields(p.found.Fields...)
	}
	return l, nil
}

// listParameters are read one by one, and what is wrong is collected.
type listParameters struct {
	given  map[string]string
	read   map[string]bool // so that one that nobody reads is known not to be offered
	schema query.Schema
	found  problems
}

func (p *listParameters) text(name string) string {
	p.read[name] = true
	return p.given[name]
}

// refuseUnread refuses what is not offered: to ignore it could do other than its sender
// wants.
func (p *listParameters) refuseUnread() {
	for name := range p.given {
		if !p.read[name] {
			p.wrong(name, notOffered)
		}
	}
}

func (p *listParameters) wrong(name, problem string) { p.found.Add(listPrefix+name, problem) }

func (p *listParameters) boolean(name string) bool {
	switch p.text(name) {
	case "true":
		return true
	case "", "false":
	default:
		p.wrong(name, notABoolean)
	}
	return false
}

func (p *listParameters) number(name string) int {
	text := p.text(name)
	if text == "" {
		return 0
	}
	number, err := strconv.ParseUint(text, 10, 31)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		p.wrong(name, "value must be a whole number, 0 or more")
	}
	return int(number) // the greatest there is, if text says more
}

// parsed reads a parameter that may be left out, which gives the zero value.
func parsed[T any](p *listParameters, name string, parse func(string) (T, error)) T {
	var value T
	if p.text(name) == "" {
		return value
	}
	value, err := parse(p.text(name))
	if err != nil {
		p.wrong(name, err.Error())
	}
	return value
}

// descends says of each sort order whether it is the other way round.
var descends = map[string]bool{
	"":                             false,
	"SORT_ENTRY_ORDER_UNSPECIFIED": false,
	"SORT_ENTRY_ORDER_ASC":         false,
	"SORT_ENTRY_ORDER_DESC":        true,
}

func (p *listParameters) order() *query.Order {
	descending, ok := descends[p.text("sort.order")]
	if !ok {
		p.wrong("sort.order", "value is no order")
	}
	if p.text("sort.path") == "" {
		if descending {
			p.wrong("sort.path", "value is required")
		}
		return nil
	}
	order := parsed(p, "sort.path", func(path string) (query.Order, error) { return p.schema.Order(path, descending) })
	return &order
}

func (p *listParameters) grouping() *query.Grouping {
	options := query.GroupOptions{
		AggregationPaths: p.groupPaths(aggregationPaths),
		UniqueCountPaths: p.groupPaths("group.unique_count_paths"),
		UniqueValuePaths: p.groupPaths("group.unique_value_paths"),
		ShowUUIDs:        p.boolean("group.show_aggregation_uuids"),
	}
	if options == (query.GroupOptions{}) {
		return nil
	}
	if options.AggregationPaths == "" {
		p.wrong(aggregationPaths, "value is required")
		return nil
	}
	grouping, err := p.schema.Group(options)
	if err != nil {
		return nil // each list has said so by its own name
	}
	return &grouping
}

// groupPaths checks a list of paths on its own.
func (p *listParameters) groupPaths(name string) string {
	if _, err := p.schema.Group(query.GroupOptions{AggregationPaths: p.text(name)}); err != nil {
		p.wrong(name, err.Error())
	}
	return p.text(name)
}

// after is the place that page_id names. Where keys of a single namespace are listed, an
// id alone is one too, as in the vendor's own lists.
func (p *listParameters) after(c call, l listing) *place {
	text := p.text("page_id")
	if text == "" {
		return nil
	}
	if id, ok := apikey.ParseID(text); ok && !l.below {
		return &place{at: apikey.Locator{Namespace: c.namespace, ID: id}, bare: true}
	}
	after, ok := l.hash.place(text)
	if !ok {
		p.wrong("page_id", "value is no cursor of this list")
	}
	return &after
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
			found.Add(prefix+name, notOffered)
		}
	}
	if len(found.Fields) > 0 {
		return nil, fault.InvalidFields(found.Fields...)
	}
	return given, nil
}
