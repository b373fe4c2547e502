package namespaces

import (
	"regexp"
	"testing"
)

// Every text of up to four characters is taken or not as these patterns take it.
func TestTextsOfAKey(t *testing.T) {
	tag := regexp.MustCompile(`^[A-Za-z0-9@_.-]+(=[A-Za-z0-9@_.-]*)?$`)
	annotation := regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	var check func(text string, more int)
	check = func(text string, more int) {
		if got := isTag(text); got != tag.MatchString(text) {
			t.Errorf("%q is a tag: %v", text, got)
		}
		if got := isAnnotationKey(text); got != annotation.MatchString(text) {
			t.Errorf("%q is an annotation's key: %v", text, got)
		}
		if more == 0 {
			return
		}
		for _, next := range []string{"a", "z", "A", "Z", "0", "9", "@", "_", ".", "-", "=", "/", ":", "[", "`", "{", "\n", "é", "\xff"} {
			check(text+next, more-1)
		}
	}
	check("", 4)
}
