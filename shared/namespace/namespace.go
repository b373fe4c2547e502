// Package namespace has the dotted path that every key lives in.
//
// A namespace is one or more segments joined by dots, the most general first:
// "endor.prod.app" is the child "app" of "endor.prod". Its first segment is the
// tenant. Namespaces are not created: whoever holds one that reaches below
// itself may use any below it.
//
// A segment is 1 to 63 ASCII letters, digits, '_' and '-', beginning with a
// letter or digit; a path is at most 255 bytes; case matters. Other packages
// rely on this: '#', '$' and '%' sort before every character of a segment, so
// the table's sort keys are built from them.
package namespace

import (
	"errors"
	"strings"
)

// Limits of a namespace, in bytes.
const (
	MaxLength        = 255
	MaxSegmentLength = 63
)

// A Namespace is a valid path. The zero Namespace is none: it contains nothing
// and nothing contains it. Namespaces compare with ==.
type Namespace struct {
	path string
}

// ErrMalformed is what Parse returns for a text that is no namespace.
var ErrMalformed = errors.New("must be segments of 1 to 63 letters, digits, '_' and '-', " +
	"each beginning with a letter or digit, joined by dots, 255 characters at most")

// Parse reads a namespace.
func Parse(path string) (Namespace, error) {
	if len(path) > MaxLength {
		return Namespace{}, ErrMalformed
	}
	for segment := range strings.SplitSeq(path, ".") {
		if !IsSegment(segment) {
			return Namespace{}, ErrMalformed
		}
	}
	return Namespace{path: path}, nil
}

// IsSegment reports whether text can be one segment of a namespace.
func IsSegment(text string) bool {
	if text == "" || len(text) > MaxSegmentLength || !isAlphanumeric(text[0]) {
		return false
	}
	for i := 1; i < len(text); i++ {
		if c := text[i]; !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// String gives the dotted path.
func (n Namespace) String() string { return n.path }

// IsZero reports whether n is no namespace at all.
func (n Namespace) IsZero() bool { return n.path == "" }

// Contains reports whether other lies below n, segment by segment: "a.b"
// contains "a.b.c", and neither itself, "a.bc" nor "a.b-c".
func (n Namespace) Contains(other Namespace) bool {
	return !n.IsZero() &&
		len(other.path) > len(n.path) &&
		other.path[len(n.path)] == '.' &&
		strings.HasPrefix(other.path, n.path)
}

// Compare orders namespaces so that each comes right before all that it contains: the
// dot sorts before every character of a segment.
func (n Namespace) Compare(other Namespace) int {
	return strings.Compare(strings.ReplaceAll(n.path, ".", "$"), strings.ReplaceAll(other.path, ".", "$"))
}

// Child is the namespace next below n on the way to other, which n contains: of "a"
// and "a.b.c" it is "a.b". It is zero where n does not contain other.
func (n Namespace) Child(other Namespace) Namespace {
	if !n.Contains(other) {
		return Namespace{}
	}
	first, _, _ := strings.Cut(other.path[len(n.path)+1:], ".")
	return Namespace{path: other.path[:len(n.path)+1+len(first)]}
}

// Join gives the child of n with this name.
func (n Namespace) Join(name string) (Namespace, error) {
	if !IsSegment(name) {
		return Namespace{}, ErrMalformed
	}
	return Parse(n.path + "." + name)
}

// Parent is the namespace that n lies directly in; a tenant has none, which is zero.
func (n Namespace) Parent() Namespace {
	if i := strings.LastIndexByte(n.path, '.'); i >= 0 {
		return Namespace{path: n.path[:i]}
	}
	return Namespace{}
}

// Name is the last segment.
func (n Namespace) Name() string { return n.path[strings.LastIndexByte(n.path, '.')+1:] }
