// Package lambdabuild builds functions as `make lambda` does, so that what is measured is
// what is deployed.
package lambdabuild

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Functions is every function of the catalogue.
const Functions = "latchkey/functions/..."

// flags are those of `make lambda`.
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags", "lambda.norpc"}

// platform is that of `make lambda`.
var platform = []string{"GOOS=linux", "GOARCH=arm64"}

// ForLambda builds programs for Lambda into a directory, each by the last part of its
// package's path.
func ForLambda(dir string, packages ...string) error { return build(dir, platform, packages) }

// ForHere builds them in the same way for this machine.
func ForHere(dir string, packages ...string) error { return build(dir, nil, packages) }

func build(dir string, environment, packages []string) error {
	arguments := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	command := exec.Command("go", append(arguments, packages...)...)
	command.Env = append(append(os.Environ(), "CGO_ENABLED=0"), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("functions: %w\n%s", err, out)
	}
	return nil
}
