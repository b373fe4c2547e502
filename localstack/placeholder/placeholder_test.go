package placeholder

import (
	"errors"
	"testing"
)

func TestFill(t *testing.T) {
	asked := 0
	value := func(name string) (string, error) {
		asked++
		if name == "missing" {
			return "", errors.New("no such thing")
		}
		return "<" + name + ">", nil
	}
	if got, err := Fill(`a {{x}} {{y z}} {{x}} {y} {{}}`, value); got != "a <x> <y z> <x> {y} <>" || err != nil || asked != 3 {
		t.Errorf("%q, %v, asked %d times", got, err, asked)
	}
	if got, err := Fill("{{missing}}", value); err == nil || err.Error() != "placeholder {{missing}}: no such thing" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNameOf(t *testing.T) {
	for text, want := range map[string]string{"{{x}}": "x", "{{a:b}}": "a:b", "{{x}} ": "", "x": "", "{{x}}{{y}}": "", "": ""} {
		if got, ok := NameOf(text); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", text, got, ok)
		}
	}
}
