package authorizer

import (
	"net/http"
	"slices"
	"strings"

	"latchkey/shared/protected"
	"latchkey/shared/route"
)

// verbs are the methods that API Gateway has. A pattern cannot say "every one": in the
// place of the method * would reach into the path.
var verbs = [...]string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// A grid is a table of routes, taken apart into cells that a key may use or not as a
// whole, with what can be known of their patterns before there is a key.
type grid struct {
	cells []cell
}

// A cell is the requests with one verb that a route takes.
type cell struct {
	verb    string
	key     route.Key
	right   protected.Right
	pattern string

	// reaches are the cells of which the pattern takes requests too.
	reaches []int
	// deeper are patterns of what this one reaches below its parameters.
	deeper []deeper
}

// A deeper is a pattern with one segment more than a route has.
type deeper struct {
	pattern string
	reaches []int
}

func newGrid(table route.Table[protected.Right]) grid {
	var g grid
	wildcard := wildcardFor(table)
	for _, row := range table.Rows() {
		for _, verb := range verbsOf(row.Key) {
			right, _ := row.Value.For(verb)
			g.cells = append(g.cells, cell{
				verb: verb, key: row.Key, right: right, pattern: patternOf(verb, row.Key, wildcard),
			})
		}
	}
	for i := range g.cells {
		c := &g.cells[i]
		c.reaches = slices.DeleteFunc(g.metBy(c.verb, c.key), func(j int) bool { return owns(*c, g.cells[j]) })
		for _, key := range stretched(c.key) {
			c.deeper = append(c.deeper, deeper{patternOf(c.verb, key, wildcard), g.metBy(c.verb, key)})
		}
	}
	return g
}

// wildcardFor is what stands for a parameter in a pattern. No parameter is empty, but a
// path with nothing in its place is some other route's only where one takes any path.
func wildcardFor(table route.Table[protected.Right]) string {
	takesAny := func(row route.Row[protected.Right]) bool { return row.Key.IsGreedy() || row.Key.IsDefault() }
	if slices.ContainsFunc(table.Rows(), takesAny) {
		return "?*"
	}
	return "*"
}

func verbsOf(key route.Key) []string {
	if key.Method == route.Any {
		return verbs[:]
	}
	return []string{key.Method}
}

// patternOf is the shortest pattern of IAM that takes what a route takes.
func patternOf(verb string, key route.Key, wildcard string) string {
	if key.IsDefault() {
		return verb + "/*"
	}
	parts := make([]string, len(key.Segments))
	for i, segment := range key.Segments {
		if parts[i] = wildcard; segment.Kind == route.Literal {
			parts[i] = literally(segment.Text)
		}
	}
	return verb + "/" + strings.Join(parts, "/")
}

// stretched gives keys like one that have one segment more in the place of a parameter. A
// greedy route takes some of their paths itself.
func stretched(key route.Key) []route.Key {
	var keys []route.Key
	for i, segment := range key.Segments {
		if segment.Kind == route.Parameter {
			keys = append(keys, route.Key{Segments: slices.Insert(slices.Clone(key.Segments), i, segment)})
		}
	}
	return keys
}

// metBy lists the cells with requests that the pattern of a key takes.
func (g grid) metBy(verb string, key route.Key) []int {
	var met []int
	for j, other := range g.cells {
		isEverything := key.IsDefault() || other.key.IsDefault()
		if verb == other.verb && (isEverything || meets(key.Segments, other.key.Segments)) {
			met = append(met, j)
		}
	}
	return met
}

// meets reports whether the pattern of a template takes a path that another takes. To a
// pattern each parameter is one segment or more; so it is to a greedy route at its end.
func meets(pattern, taken []route.Segment) bool {
	if len(pattern) == 0 || len(taken) == 0 {
		return len(pattern) == len(taken)
	}
	p, t := pattern[0], taken[0]
	if p.Kind == route.Literal && t.Kind == route.Literal && p.Text != t.Text {
		return false
	}
	return meets(pattern[1:], taken[1:]) ||
		p.Kind != route.Literal && meets(pattern, taken[1:]) ||
		t.Kind == route.Greedy && meets(pattern[1:], taken)
}

// owns reports whether all requests of another cell that a cell's pattern takes are the
// cell's own, because its route is preferred. They are if the pattern is no wider than the
// route: it has no parameter, or the other's paths are as long as its own.
func owns(c, other cell) bool {
	if c.key.Compare(other.key) > 0 {
		return false
	}
	isWide := slices.ContainsFunc(c.key.Segments, func(s route.Segment) bool { return s.Kind == route.Parameter })
	return !isWide || !other.key.IsGreedy() && len(c.key.Segments) == len(other.key.Segments)
}

// patterns are what IAM has to allow and to deny so that a key may use the cells that are
// its own, and no others. False: no patterns can say that.
func (g grid) patterns(holds func(cell) bool) (allowed, denied []string, ok bool) {
	isHeld := make([]bool, len(g.cells))
	for i, c := range g.cells {
		isHeld[i] = holds(c)
	}
	held := func(j int) bool { return isHeld[j] }
	isReached := make([]bool, len(g.cells))
	for i, c := range g.cells {
		if !isHeld[i] {
			continue
		}
		allowed = append(allowed, c.pattern)
		for _, j := range c.reaches {
			isReached[j] = true
		}
		for _, d := range c.deeper {
			if !slices.ContainsFunc(d.reaches, held) {
				denied = append(denied, d.pattern)
			}
		}
	}
	for j, c := range g.cells {
		if isHeld[j] || !isReached[j] {
			continue
		}
		if slices.ContainsFunc(c.reaches, held) {
			return nil, nil, false
		}
		denied = append(denied, c.pattern)
	}
	slices.Sort(denied)
	return allowed, slices.Compact(denied), true
}
