package policy

import "latchkey/shared/route"

// meets reports whether the pattern of a template takes a path that another template
// takes. In a pattern each parameter is one segment or more; so it is in a greedy route at
// its end.
func meets(pattern, taken []route.Segment, wildcard string) bool {
	if differ(pattern, taken) {
		return false
	}
	m := meeting{pattern, taken, wildcard == "?*", map[position]bool{}}
	return m.from(position{})
}

// differ finds out at little cost what is so of most: their first literals are others.
func differ(pattern, taken []route.Segment) bool {
	for i := range min(len(pattern), len(taken)) {
		if pattern[i].Kind != route.Literal || taken[i].Kind != route.Literal {
			return false
		}
		if pattern[i].Text != taken[i].Text {
			return true
		}
	}
	return false
}

// A meeting is two templates, and what has been found out about their ends.
type meeting struct {
	pattern, taken []route.Segment
	isNeverEmpty   bool // of what is in a parameter's place
	known          map[position]bool
}

// A position is where two templates are compared, and whether the pattern's parameter has
// a segment already.
type position struct {
	p, t  int
	begun bool
}

func (m meeting) from(at position) bool {
	met, ok := m.known[at]
	if !ok {
		met = m.compare(at)
		m.known[at] = met
	}
	return met
}

func (m meeting) compare(at position) bool {
	if at.p == len(m.pattern) || at.t == len(m.taken) {
		return at.p == len(m.pattern) && at.t == len(m.taken)
	}
	p, t := m.pattern[at.p], m.taken[at.t]
	isWide := p.Kind != route.Literal
	if !isWide && (t.Kind == route.Literal && p.Text != t.Text || t.Kind == route.Parameter && p.Text == "") {
		return false
	}
	isEmpty := isWide && m.isNeverEmpty && !at.begun && t == (route.Segment{})
	return !isEmpty && m.from(position{at.p + 1, at.t + 1, false}) ||
		isWide && m.from(position{at.p, at.t + 1, true}) ||
		t.Kind == route.Greedy && m.from(position{at.p + 1, at.t, false})
}
