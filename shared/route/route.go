// Package route reads route keys and matches requests to them, as an API Gateway HTTP
// API does. The local stack's gateway routes by it, and the authorizer decides by it
// which route of an API a request is for.
//
// A key is "GET /orders/{id}", "ANY /files/{path+}" or "$default". {id} takes one
// segment that is not empty, {path+} all the rest, ANY every method. A key that takes
// each segment is preferred to a greedy one, and that to the default; a literal is
// preferred to a parameter, from the left; and a method to ANY.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Default is the key that takes every request that no other takes; Any stands for every
// method.
const (
	Default = "$default"
	Any     = "ANY"
)

// A Key is a parsed route key. The zero Key takes nothing.
type Key struct {
	Method   string    // Any for every one, which the default key has too
	Segments []Segment // of the path; none of the default key
}

// A Segment is one part of a path template.
type Segment struct {
	Kind Kind
	Text string // the literal, or the parameter's name
}

// A Kind tells segments apart, in the order in which they are preferred.
type Kind uint8

// The kinds of segments.
const (
	Literal   Kind = iota
	Parameter      // {name}, one segment
	Greedy         // {name+}, one segment and all that follow
)

// Parse reads a route key.
func Parse(text string) (Key, error) {
	if text == Default {
		return Key{Method: Any}, nil
	}
	method, path, ok := strings.Cut(text, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") {
		return Key{}, fmt.Errorf("route key %q has no method and path", text)
	}
	parts := Split(path)
	key := Key{Method: method, Segments: make([]Segment, 0, len(parts))}
	for i, part := range parts {
		segment := parseSegment(part)
		if segment.Kind == Greedy && i != len(parts)-1 {
			return Key{}, fmt.Errorf("route key %q: %s is not at the end", text, part)
		}
		key.Segments = append(key.Segments, segment)
	}
	return key, nil
}

// Split gives the segments of a path. That of "/" is one, and empty.
func Split(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

func parseSegment(text string) Segment {
	name, opened := strings.CutPrefix(text, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !opened || !closed {
		return Segment{Literal, text}
	}
	if name, ok := strings.CutSuffix(name, "+"); ok {
		return Segment{Greedy, name}
	}
	return Segment{Parameter, name}
}

// String gives the key as it is written.
func (k Key) String() string {
	switch {
	case k.IsDefault():
		return Default
	case len(k.Segments) == 0:
		return ""
	}
	parts := make([]string, len(k.Segments))
	for i, segment := range k.Segments {
		parts[i] = segment.String()
	}
	return k.Method + " /" + strings.Join(parts, "/")
}

// String gives the segment as it is written.
func (s Segment) String() string {
	switch s.Kind {
	case Parameter:
		return "{" + s.Text + "}"
	case Greedy:
		return "{" + s.Text + "+}"
	}
	return s.Text
}

// IsDefault reports whether k is the key that takes what no other takes.
func (k Key) IsDefault() bool { return k.Method == Any && len(k.Segments) == 0 }

// IsGreedy reports whether the key takes paths of any length.
func (k Key) IsGreedy() bool {
	return len(k.Segments) > 0 && k.Segments[len(k.Segments)-1].Kind == Greedy
}

// TakesMethod reports whether the key takes requests with a method.
func (k Key) TakesMethod(method string) bool { return k.Method == Any || k.Method == method }

// Bind gives the parameters their values if the key takes a path, which is split and
// decoded.
func (k Key) Bind(path []string) (parameters map[string]string, ok bool) {
	if k.IsDefault() {
		return nil, true
	}
	if len(path) < len(k.Segments) || len(path) > len(k.Segments) && !k.IsGreedy() {
		return nil, false
	}
	parameters = map[string]string{}
	for i, segment := range k.Segments {
		text := path[i]
		if segment.Kind == Greedy {
			text = strings.Join(path[i:], "/")
		}
		switch {
		case segment.Kind == Literal && text != segment.Text, segment.Kind != Literal && text == "":
			return nil, false
		case segment.Kind != Literal:
			parameters[segment.Text] = text
		}
	}
	return parameters, true
}

// Compare orders two keys by which is to be tried first.
func (k Key) Compare(other Key) int {
	kinds := func(a, b Segment) int { return cmp.Compare(a.Kind, b.Kind) }
	return cmp.Or(
		cmp.Compare(k.rank(), other.rank()),
		slices.CompareFunc(k.Segments, other.Segments, kinds),
		cmp.Compare(boolRank(k.Method == Any), boolRank(other.Method == Any)),
	)
}

// rank is 0 for a key that takes each segment, 1 for a greedy one and 2 for the default.
func (k Key) rank() int {
	if k.IsDefault() {
		return 2
	}
	return boolRank(k.IsGreedy())
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
