// Command locate tells which keys are in a text that has leaked, and asks nobody for it:
//
//	go run ./infra/locate <leaked.txt
//
// The public half of a key names its namespace and its id; see package apikey. For each
// key in the standard input, be it whole, cut off behind its public half, or wrapped, one
// line has its namespace, its id and its public identifier. Nothing of a secret is printed.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"latchkey/shared/apikey"
)

var errNone = errors.New("there is no key in the standard input: give it the text that has leaked, as in `make locate <leaked.txt`")

// What the public half of a key looks like, and a wrapped key without its prefix.
var pattern = regexp.MustCompile(`lk_[0-9a-v]+|eyJpZCI6I[A-Za-z0-9+/]+=*`)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "locate:", err)
		os.Exit(1)
	}
}

func run(stdin io.Reader, stdout io.Writer) error {
	text, err := io.ReadAll(stdin)
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	found := locatorsIn(string(text))
	if len(found) == 0 {
		return errNone
	}
	for _, at := range found {
		if _, err := fmt.Fprintln(stdout, at.Namespace, at.ID, at); err != nil {
			return err
		}
	}
	return nil
}

// locatorsIn gives each key once, in order of namespace and creation.
func locatorsIn(text string) []apikey.Locator {
	var found []apikey.Locator
	for _, candidate := range pattern.FindAllString(text, -1) {
		if at, ok := apikey.LocatorIn(candidate); ok {
			found = append(found, at)
		}
	}
	slices.SortFunc(found, apikey.Locator.Compare)
	return slices.Compact(found)
}
