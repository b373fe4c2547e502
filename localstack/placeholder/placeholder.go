// Package placeholder has the one form in which sample events and scripts of
// requests leave out what differs from run to run: {{name}}.
package placeholder

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var pattern = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// Fill puts values in the places of a text. A value is asked for once, however often
// it is named; its error is Fill's.
func Fill(text string, value func(name string) (string, error)) (string, error) {
	values := map[string]string{}
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		name := found[1]
		if _, known := values[name]; known {
			continue
		}
		filling, err := value(name)
		if err != nil {
			return "", fmt.Errorf("placeholder {{%s}}: %w", name, err)
		}
		values[name] = filling
	}
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		return values[found[2:len(found)-2]]
	}), nil
}

// NameOf is the name in a text that is one placeholder and nothing else.
func NameOf(text string) (string, bool) {
	found := pattern.FindStringSubmatch(text)
	if found == nil || found[0] != text {
		return "", false
	}
	return found[1], true
}

// Unknown is the error for a name that has no value.
func Unknown[V any](known map[string]V) error {
	return fmt.Errorf("unknown: there are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}
