package authorizer

import (
	"net/url"
	"slices"
	"strings"
)

// spellingsOf gives the ways to write a path that may be the same to a backend: with what
// is escaped and without, and without a slash at the end, which means nothing to a REST
// API. False: it may be read as any other one.
func spellingsOf(path string) (spellings []string, ok bool) {
	plain, err := url.PathUnescape(path)
	if err != nil || isObscure(path) || isObscure(plain) {
		return nil, false
	}
	for _, spelling := range []string{path, plain} {
		spellings = append(spellings, spelling)
		if trimmed := strings.TrimSuffix(spelling, "/"); trimmed != "" {
			spellings = append(spellings, trimmed)
		}
	}
	slices.Sort(spellings)
	return slices.Compact(spellings), true
}

// isObscure reports whether a path may be another one to who decodes it twice, resolves its
// dots, or leaves out what is empty or parameters of a segment.
func isObscure(path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	last := len(segments) - 1
	for i, segment := range segments {
		isDots, isNothing := segment == "." || segment == "..", segment == "" && i < last
		if isDots || isNothing || strings.ContainsAny(segment, `\;`) || hidesSigns(segment) {
			return true
		}
	}
	return false
}

// hidesSigns reports whether a dot, a slash of either kind, or an escape is escaped.
func hidesSigns(segment string) bool {
	segment = strings.ToLower(segment)
	return slices.ContainsFunc([]string{"%2e", "%2f", "%5c", "%25"}, func(sign string) bool { return strings.Contains(segment, sign) })
}
