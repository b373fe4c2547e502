// Package hosttest builds a real function binary for tests of the host and of
// what stands before it.
package hosttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"latchkey/infra/example"
	"latchkey/shared/apikey/apikeytest"
	"latchkey/shared/operation"
)

const probe = "latchkey/localstack/lambdahost/testdata/probe"

// Operations gives test operations with the names, without routes.
func Operations(timeout time.Duration, names ...string) []operation.Operation {
	var operations []operation.Operation
	for _, name := range names {
		operations = append(operations, operation.Operation{Name: name, MemoryMB: 128, Timeout: timeout})
	}
	return operations
}

// Build builds the probe function into a directory, once for each name.
func Build(dir string, names ...string) error {
	binary := filepath.Join(dir, "probe.binary")
	// Git refuses to tell the version of a checkout that is another user's.
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", binary, probe)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build of the probe function: %w: %s", err, out)
	}
	for _, name := range names {
		if err := os.Link(binary, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// BuildCatalogue builds the probe function for every operation of the catalogue, and for
// the example's. Asked for nothing special, bootstrap answers with the full key that is
// returned, one of the published vectors, and validate-api-key calls that key valid and
// no other.
func BuildCatalogue(dir string) (fullKey string, err error) {
	names := []string{example.Orders.Name}
	for _, op := range operation.All {
		names = append(names, op.Name)
	}
	if err := Build(dir, names...); err != nil {
		return "", err
	}
	fullKey, err = PublishedKey()
	if err != nil {
		return "", err
	}
	return fullKey, os.WriteFile(filepath.Join(dir, "full-key"), []byte(fullKey), 0o600)
}

// PublishedKey is the first of the published vectors of a full key.
func PublishedKey() (string, error) {
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		return "", err
	}
	return vectors.Accepted[0].FullKey, nil
}

// Run runs a package's tests with the probe function for every operation of the
// catalogue, and gives their exit code. It sets where the binaries are, and the key
// that bootstrap answers with.
func Run(m *testing.M, functions, fullKey *string) int {
	dir, err := os.MkdirTemp("", "functions")
	if err == nil {
		defer os.RemoveAll(dir)
		*fullKey, err = BuildCatalogue(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*functions = dir
	return m.Run()
}
