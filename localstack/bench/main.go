// Command bench measures all that package bars names, in one run, and shows it as two
// tables: what has a bar, and what has none. It fails if a bar is broken, if a figure is
// missing, or if a test fails for a reason of its own, after it has shown everything.
//
// The tests and benchmarks that measure stand beside the code that they measure. The command
// has `go test` run them, one package after another, and reads their figures from its stream
// of events. What happens meanwhile it tells on the standard error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"latchkey/localstack/bars"
)

func main() {
	if err := run(os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, progress io.Writer) error {
	began := time.Now()
	figures, failure := measure(exec.Command("go", arguments(bars.All)...), progress)
	fmt.Fprintf(out, "\nMeasured on %s, %s/%s, %d CPUs, %s, in %v.\n", began.UTC().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), time.Since(began).Round(time.Second))
	return conclude(show(out, bars.All, figures), failure)
}

// conclude is what the command fails by: figures that are not what they must be, and tests
// that have failed, be it for that or for a reason of their own.
func conclude(broken []string, failure error) error {
	if len(broken) == 0 {
		return failure
	}
	return errors.Join(fmt.Errorf("%d of %d figures are not what they must be: %s",
		len(broken), len(bars.All), strings.Join(broken, ", ")), failure)
}

// measure has a command run all tests that have a figure to give. They fail where it does.
func measure(command *exec.Cmd, progress io.Writer) (map[string]bars.Figure, error) {
	command.Stderr = progress
	stream, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	figures, err := read(stream, progress)
	if failure := command.Wait(); failure != nil {
		err = errors.Join(fmt.Errorf("go test: %w", failure), err)
	}
	return figures, err
}

// arguments are those of `go test`. Benchmarks make it run one package after another.
func arguments(all []bars.Bar) []string {
	var packages, tests, benchmarks []string
	for _, bar := range all {
		packages = append(packages, "./"+bar.Test.Package)
		if strings.HasPrefix(bar.Test.Name, "Benchmark") {
			benchmarks = append(benchmarks, bar.Test.Name)
		} else {
			tests = append(tests, bar.Test.Name)
		}
	}
	slices.Sort(packages)
	return append([]string{
		"test", "-json", "-vet=off", "-count=1", "-timeout=10m", "-benchtime=1x", "-run=" + anyOf(tests), "-bench=" + anyOf(benchmarks),
	}, slices.Compact(packages)...)
}

func anyOf(names []string) string {
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}
