package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// A Mask says which members of a message are shown. The zero Mask shows all.
type Mask struct {
	paths []Path
	tree  tree
}

// A tree has the members of an object that are shown, each with what is shown of it:
// all, if that is nil.
type tree map[string]tree

// Mask reads a list of paths that commas separate. What it names is shown with all
// that is below it. A blank mask is zero.
func (s Schema) Mask(text string) (Mask, error) {
	paths, err := s.paths(text)
	if len(paths) == 0 {
		return Mask{}, err
	}
	mask := Mask{paths: paths, tree: tree{}}
	for _, path := range paths {
		mask.tree.add(path.steps)
	}
	return mask, nil
}

func (t tree) add(steps []step) {
	last := len(steps) - 1
	for _, s := range steps[:last] {
		below, known := t[s.name]
		if known && below == nil {
			return // all of it is shown already
		}
		if !known {
			below = tree{}
			t[s.name] = below
		}
		t = below
	}
	t[steps[last].name] = nil
}

// Paths gives what the mask names, in the order of its text.
func (m Mask) Paths() []Path { return slices.Clone(m.paths) }

// IsZero reports whether the mask shows all, naming nothing.
func (m Mask) IsZero() bool { return m.tree == nil }

// Apply prunes an object to what the mask names. Members keep their order and their
// spelling. Compact leaves out an object of which nothing is left; the root stays.
func (m Mask) Apply(object jsontext.Value, compact bool) (jsontext.Value, error) {
	if m.IsZero() {
		return object, nil
	}
	p := pruner{
		from:    jsontext.NewDecoder(bytes.NewReader(object)),
		to:      make(jsontext.Value, 0, len(object)),
		compact: compact,
	}
	if err := p.value(m.tree); err != nil {
		return nil, fmt.Errorf("object under a mask: %w", err)
	}
	if _, err := p.from.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("object under a mask: more than one value")
	}
	return p.to, nil
}

// A pruner copies from one object to another, passing over what is not shown.
type pruner struct {
	from    *jsontext.Decoder
	to      jsontext.Value
	compact bool
}

// value copies the next value. One that is no object, such as null, has nothing to
// prune.
func (p *pruner) value(shown tree) error {
	if shown == nil || p.from.PeekKind() != '{' {
		return p.copy()
	}
	if err := p.brace(); err != nil {
		return err
	}
	for p.from.PeekKind() == '"' {
		if err := p.member(shown); err != nil {
			return err
		}
	}
	return p.brace()
}

func (p *pruner) copy() error {
	raw, err := p.from.ReadValue()
	p.to = append(p.to, raw...)
	return err
}

func (p *pruner) brace() error {
	brace, err := p.from.ReadToken()
	p.to = append(p.to, brace.String()...)
	return err
}

// member copies a member, or does not, so that nothing remains of it.
func (p *pruner) member(shown tree) error {
	before := len(p.to)
	if p.to[before-1] != '{' {
		p.to = append(p.to, ',')
	}
	start := len(p.to)
	if err := p.copy(); err != nil {
		return err
	}
	name, err := jsontext.AppendUnquote(nil, p.to[start:])
	if err != nil {
		return err
	}
	below, named := shown[string(name)]
	if !named {
		p.to = p.to[:before]
		return p.from.SkipValue()
	}
	p.to = append(p.to, ':')
	start = len(p.to)
	if err := p.value(below); err != nil {
		return err
	}
	if p.compact && below != nil && string(p.to[start:]) == "{}" {
		p.to = p.to[:before]
	}
	return nil
}
