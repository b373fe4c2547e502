package shellword_test

import (
	"os/exec"
	"testing"

	"latchkey/localstack/shellword"
)

func TestQuote(t *testing.T) {
	tests := []struct {
		name, text string
		want       string
	}{
		{"a path", "/home/me/.local_1/a-b", "/home/me/.local_1/a-b"},
		{"nothing", "", "''"},
		{"a space", "my data", "'my data'"},
		{"a quote", "it's here", `'it'\''s here'`},
		{"a variable", "$HOME", "'$HOME'"},
		{"a home", "~me", "'~me'"},
		{"two lines", "a\nb", "'a\nb'"},
		{"no ASCII", "é", "'é'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := shellword.Quote(test.text)
			if got != test.want {
				t.Errorf("got %s", got)
			}
			if read, err := exec.Command("/bin/sh", "-c", "printf %s "+got).Output(); err != nil || string(read) != test.text {
				t.Errorf("a shell reads %q, %v", read, err)
			}
		})
	}
}
