// Command curl does what curl does with the flags -sS, -X, -H and -d, and refuses
// every other.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
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

func parse(args []string) (*http.Request, error) {
	method, url, body, header := "", "", "", http.Header{}
	for i := 0; i < len(args); i++ {
		flag, value := args[i], ""
		if strings.Contains("-X -H -d", flag) && i+1 < len(args) {
			i++
			value = args[i]
		}
		switch {
		case flag == "-sS":
		case flag == "-X":
			method = value
		case flag == "-H":
			name, text, _ := strings.Cut(value, ": ")
			header.Add(name, text)
		case flag == "-d":
			body = value
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
		case strings.HasPrefix(flag, "-"):
			return nil, fmt.Errorf("unknown flag %s", flag)
		default:
			url = flag
		}
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err == nil {
		request.Header = header
	}
	return request, err
}
