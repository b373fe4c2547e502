// Package sourcetree finds the source tree of this module, so that what is
// started in any of its directories finds what lies beside it.
package sourcetree

import (
	"os"
	"path/filepath"
	"strings"
)

const moduleLine = "module latchkey\n"

// Root is the nearest directory at or above dir that holds this module's go.mod,
// empty where there is none.
func Root(dir string) string {
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), moduleLine) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
