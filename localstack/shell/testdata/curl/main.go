// Command curl does what curl does with the flags -sS, -X, -H, -d, --get and
// --data-urlencode, the latter two together, and refuses every other.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	request, err := parse(args)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// A line is a command line, taken apart.
type line struct {
	method string
	url    string
	body   string
	pairs  []string // encoded, for the query with --get and for the body without
	header http.Header
	get    bool
}

var withValue = []string{"-X", "-H", "-d", "--data-urlencode"}

func parse(args []string) (*http.Request, error) {
	l := line{header: http.Header{}}
	for i := 0; i < len(args); i++ {
		flag, value := args[i], ""
		if slices.Contains(withValue, flag) && i+1 < len(args) {
			i++
			value = args[i]
		}
		if err := l.add(flag, value); err != nil {
			return nil, err
		}
	}
	return l.request()
}

func (l *line) add(flag, value string) error {
	switch flag {
	case "-sS":
	case "--get":
		l.get = true
	case "-X":
		l.method = value
	case "-H":
		name, text, _ := strings.Cut(value, ": ")
		l.header.Add(name, text)
	case "-d":
		l.body = value
	case "--data-urlencode":
		name, text, _ := strings.Cut(value, "=")
		l.pairs = append(l.pairs, name+"="+url.QueryEscape(text))
	default:
		if strings.HasPrefix(flag, "-") {
			return fmt.Errorf("unknown flag %s", flag)
		}
		l.url = flag
	}
	return nil
}

func (l *line) request() (*http.Request, error) {
	switch {
	case l.get && len(l.pairs) == 0:
		return nil, errors.New("--get wants --data-urlencode here")
	case l.get:
		l.url += "?" + strings.Join(l.pairs, "&")
	case len(l.pairs) > 0:
		l.body = strings.Join(l.pairs, "&")
	}
	if l.body != "" && l.header.Get("Content-Type") == "" {
		l.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request, err := http.NewRequest(l.method, l.url, strings.NewReader(l.body))
	if err == nil {
		request.Header = l.header
	}
	return request, err
}
