package emulator

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"latchkey/localstack/sourcetree"
)

// BinaryVariable is the environment variable that names the emulator's binary.
const BinaryVariable = "LATCHKEY_DYNOXIDE"

const program = "dynoxide"

// Find finds the emulator's binary: the one that BinaryVariable names, else the
// one that npm installed beside this source tree, else the one in PATH. The
// source tree is looked for upwards from the working directory, so that the
// tests of every package find it, and then from the running program.
func Find() (string, error) {
	from := []string{}
	if dir, err := os.Getwd(); err == nil {
		from = append(from, dir)
	}
	if executable, err := os.Executable(); err == nil {
		from = append(from, filepath.Dir(executable))
	}
	return find(os.Getenv(BinaryVariable), from, exec.LookPath)
}

func find(named string, from []string, lookPath func(string) (string, error)) (string, error) {
	if named != "" {
		if !isProgram(named) {
			return "", fmt.Errorf("%s names %s, which is not a program", BinaryVariable, named)
		}
		return named, nil
	}
	for _, dir := range from {
		root := sourcetree.Root(dir)
		if path := filepath.Join(root, "localstack", packaged()); root != "" && isProgram(path) {
			return path, nil
		}
	}
	if path, err := lookPath(program); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("no DynamoDB emulator: run `make setup`, which installs %s, or name its binary in %s",
		program, BinaryVariable)
}

// packaged is where npm puts the binary, named as Node.js names platforms.
func packaged() string {
	arch := strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
	return filepath.Join("node_modules", "@dynoxide", runtime.GOOS+"-"+arch, program)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
