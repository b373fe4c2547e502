package policy

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/shared/protected"
	"latchkey/shared/route"
)

// A Grid is a table of routes, taken apart into cells that a key may use or not as a
// whole, with what can be known of their patterns before there is a key.
type Grid struct {
	wildcard string // what stands for a parameter in a pattern
	rights   []protected.Right
	cells    []cell
	byVerb   map[string][]int // places in cells
}

// A cell is the requests with one verb that a route takes.
type cell struct {
	verb    string
	key     route.Key
	right   protected.Right
	rightAt int // its place in the grid's rights, each of which is there once
	pattern string

	// isTwin says that it is the paths of the cell before it with a slash at the end. That
	// is for REST APIs, which take the slash for nothing: a pattern that reaches them must
	// be allowed what is allowed without it. A twin is denied and never allowed.
	isTwin bool

	// reaches are the cells of which the pattern takes requests too, as their routes' own.
	reaches []int
	// stretches are patterns of what this one reaches below its parameters.
	stretches []stretch
}

// A stretch is the pattern of a route with one segment more in a parameter's place.
type stretch struct {
	pattern string
	reaches []int
}

// NewGrid takes a table apart.
func NewGrid(table route.Table[protected.Right]) Grid {
	g := Grid{wildcard: wildcardFor(table), byVerb: map[string][]int{}}
	for _, row := range table.Rows() {
		for _, verb := range verbsOf(row.Key) {
			right, ok := row.Value.For(verb)
			if !ok {
				right = protected.Right{} // nobody's
			}
			g.add(cell{verb: verb, key: row.Key, right: right})
			if twin, ok := slashed(row.Key); ok {
				g.add(cell{verb: verb, key: twin, right: right, isTwin: true})
			}
		}
	}
	for i := range g.cells {
		c := &g.cells[i]
		c.reaches = slices.DeleteFunc(g.metBy(c.verb, c.key), func(j int) bool { return owns(*c, g.cells[j]) })
		if c.isTwin {
			continue
		}
		for _, key := range stretched(c.key) {
			c.stretches = append(c.stretches, stretch{g.patternOf(c.verb, key), g.metBy(c.verb, key)})
		}
	}
	return g
}

func (g *Grid) add(c cell) {
	c.pattern = g.patternOf(c.verb, c.key)
	if c.rightAt = slices.Index(g.rights, c.right); c.rightAt < 0 {
		c.rightAt = len(g.rights)
		g.rights = append(g.rights, c.right)
	}
	g.byVerb[c.verb] = append(g.byVerb[c.verb], len(g.cells))
	g.cells = append(g.cells, c)
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

// verbsOf are the methods that a route takes. A pattern cannot say "every one": in the
// place of the method * would reach into the path.
func verbsOf(key route.Key) []string {
	if key.Method == route.Any {
		return protected.Methods()
	}
	return []string{key.Method}
}

// slashed is a key with a slash at the end. A greedy one and the default have it already.
func slashed(key route.Key) (route.Key, bool) {
	if key.IsDefault() || key.IsGreedy() || key.Segments[len(key.Segments)-1] == (route.Segment{}) {
		return route.Key{}, false
	}
	return route.Key{Method: key.Method, Segments: append(slices.Clone(key.Segments), route.Segment{})}, true
}

// patternOf is the shortest pattern of IAM that takes what a route takes.
func (g Grid) patternOf(verb string, key route.Key) string {
	if key.IsDefault() {
		return verb + "/*"
	}
	parts := make([]string, len(key.Segments))
	for i, segment := range key.Segments {
		if parts[i] = g.wildcard; segment.Kind == route.Literal {
			parts[i] = Literally(segment.Text)
		}
	}
	return verb + "/" + strings.Join(parts, "/")
}

// stretched gives keys like one that have one segment more in the place of a parameter. A
// greedy route takes some of their paths itself.
func stretched(key route.Key) []route.Key {
	var keys []route.Key
	for i, segment := range key.Segments {
		if isParameter(segment) {
			keys = append(keys, route.Key{Segments: slices.Insert(slices.Clone(key.Segments), i, segment)})
		}
	}
	return keys
}

// metBy lists the cells with requests that the pattern of a key takes.
func (g Grid) metBy(verb string, key route.Key) []int {
	var met []int
	for _, j := range g.byVerb[verb] {
		other := &g.cells[j].key
		if key.IsDefault() || other.IsDefault() || meets(key.Segments, other.Segments, g.wildcard) {
			met = append(met, j)
		}
	}
	return met
}

// owns reports whether all requests of another cell that a cell's pattern takes are the
// cell's own, because its route is preferred. They are if the pattern is no wider than the
// route: it has no parameter, or the other's paths are as long as its own and have nothing
// empty in a parameter's place.
func owns(c, other cell) bool {
	if c.key.Compare(other.key) > 0 {
		return false
	}
	if !slices.ContainsFunc(c.key.Segments, isParameter) {
		return true
	}
	if other.key.IsGreedy() || len(c.key.Segments) != len(other.key.Segments) {
		return false
	}
	for i, segment := range c.key.Segments {
		if isParameter(segment) && other.key.Segments[i] == (route.Segment{}) {
			return false
		}
	}
	return true
}

func isParameter(s route.Segment) bool { return s.Kind == route.Parameter }

// In is the policy of who holds some of the rights, in the stage of an API, whose ARN is
// given. False: no policy can say it.
func (g Grid) In(stage string, holds func(protected.Right) bool) (Document, bool) {
	isHeld := g.held(holds)
	allowed, refused := g.allowed(isHeld)
	if len(allowed) == 0 {
		document := Of(Deny(stage + "/*"))
		return document, document.Fits()
	}
	denied, ok := g.denied(isHeld, refused)
	if !ok {
		return Document{}, false
	}
	document := Of(Allow(within(stage, allowed)...))
	if len(denied) > 0 {
		document.Statement = append(document.Statement, Deny(within(stage, denied)...))
	}
	return document, document.Fits()
}

// held says of each cell whether it is held, and asks once for each right.
func (g Grid) held(holds func(protected.Right) bool) []bool {
	isRightHeld := make([]bool, len(g.rights))
	for i, right := range g.rights {
		isRightHeld[i] = holds(right)
	}
	isHeld := make([]bool, len(g.cells))
	for i := range g.cells {
		isHeld[i] = isRightHeld[g.cells[i].rightAt]
	}
	return isHeld
}

// allowed gives the patterns of what is held, and which cells that is not they reach.
func (g Grid) allowed(isHeld []bool) (patterns []string, refused []int) {
	for i, c := range g.cells {
		if !isHeld[i] || c.isTwin {
			continue
		}
		patterns = append(patterns, c.pattern)
		for _, j := range c.reaches {
			if !isHeld[j] {
				refused = append(refused, j)
			}
		}
	}
	return patterns, refused
}

// denied gives the patterns of what is refused, and of what lies deeper than what is held.
// False: they reach what is held.
func (g Grid) denied(isHeld []bool, refused []int) (patterns []string, ok bool) {
	held := func(j int) bool { return isHeld[j] && !g.cells[j].isTwin }
	for i, c := range g.cells {
		for _, s := range c.stretches {
			if held(i) && !slices.ContainsFunc(s.reaches, held) {
				patterns = append(patterns, s.pattern)
			}
		}
	}
	for _, j := range refused {
		if slices.ContainsFunc(g.cells[j].reaches, held) {
			return nil, false
		}
		patterns = append(patterns, g.cells[j].pattern)
	}
	slices.Sort(patterns)
	return slices.Compact(patterns), true
}

func within(stage string, patterns []string) []string {
	resources := make([]string, len(patterns))
	for i, pattern := range patterns {
		resources[i] = stage + "/" + pattern
	}
	return resources
}

// A stage whose ARN is as long as those of most APIs.
const usualStage = "arn:aws:execute-api:ap-southeast-2:000000000000:0123456789/production"

// Problem says why there may be a key for which no policy can be made, if so: the patterns
// of two routes cannot be told apart, or there is not enough room.
func (g Grid) Problem() error {
	for _, c := range g.cells {
		for _, j := range c.reaches {
			if k, ok := g.confusedWith(g.cells[j]); ok && mayDiffer(c, g.cells[j]) {
				return fmt.Errorf("IAM's patterns cannot tell %q from %q", g.cells[j].key, k.key)
			}
		}
		if len(usualStage)+1+len(c.pattern) > MaxResource {
			return fmt.Errorf("route %q is too long: API Gateway takes %d characters with the ARN of the stage", c.key, MaxResource)
		}
	}
	if size := g.largest(); size > MaxDocument {
		return fmt.Errorf("a policy may have %d characters, of %d that API Gateway takes", size, MaxDocument)
	}
	return nil
}

// mayDiffer reports whether there may be a key that holds one cell and not another.
func mayDiffer(held, refused cell) bool {
	return held.right != refused.right && held.right != protected.Right{} && !refused.right.AnyKey
}

// confusedWith gives a cell that may be held while another is not, whose pattern reaches it.
func (g Grid) confusedWith(refused cell) (cell, bool) {
	i := slices.IndexFunc(refused.reaches, func(j int) bool { return !g.cells[j].isTwin && mayDiffer(g.cells[j], refused) })
	if i < 0 {
		return cell{}, false
	}
	return g.cells[refused.reaches[i]], true
}

// largest is the size that no policy exceeds: each route is either allowed, with what lies
// deeper denied, or denied where another one's pattern reaches it, with its twin.
func (g Grid) largest() int {
	isReached := make([]bool, len(g.cells))
	for _, c := range g.cells {
		for _, j := range c.reaches {
			isReached[j] = isReached[j] || !c.isTwin && mayDiffer(c, g.cells[j])
		}
	}
	size := Of(Allow(), Deny()).size()
	for i := 0; i < len(g.cells); i++ {
		held, refused := g.cells[i].writtenHeld(), 0
		for ; ; i++ {
			if isReached[i] {
				refused += written(g.cells[i].pattern)
			}
			if i+1 == len(g.cells) || !g.cells[i+1].isTwin {
				break
			}
		}
		size += max(held, refused)
	}
	return size
}

// writtenHeld is how many characters a cell takes that is held, if anybody may.
func (c cell) writtenHeld() int {
	if c.right == (protected.Right{}) {
		return 0
	}
	size := written(c.pattern)
	for _, s := range c.stretches {
		size += written(s.pattern)
	}
	return size
}

// written is how many characters a pattern takes in a document.
func written(pattern string) int { return len(usualStage) + len(`/"",`) + len(pattern) }
