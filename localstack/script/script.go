// Package script runs scripts of requests: text files of HTTP requests and what
// each must be answered. They are tests that read as documentation.
//
//	### A key is shown once
//	POST /v1/namespaces/demo/api-keys
//	Authorization: Bearer {{root-key}}
//
//	{"meta": {"name": "ci"}, …}
//
//	HTTP 200
//	Content-Type: application/json
//
//	{"meta": {"name": "ci", "create_time": "{{time}}", …}, "uuid": "{{uuid:ci}}", …}
//
// A line that begins with ### begins an exchange and is its title; what stands
// before the first is a comment. Headers and bodies may be absent. A body that is
// expected to be JSON is compared as JSON, member by member, and any other text as
// it is; one that is not given is not looked at for a status below 400, and demanded
// above. The word "exactly" before JSON has it compared byte by byte. Only the headers
// that are named are compared. A line "wait 2s" before the
// request lets that time pass first. A request such as "GET {{other}}/orders" goes to the
// server whose base URL the variable is.
//
// Placeholders are described at Variables.
package script

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// An Exchange is a request and the answer that it must get.
type Exchange struct {
	Title string
	Line  int // of the title
	message

	Status int
	Want   message
	pause  time.Duration // before the request
	method string
	server string // a placeholder; empty: the usual one
	target string
}

// A message is the part that requests and answers have in common.
type message struct {
	headers [][2]string
	body    string
}

var (
	pauseLine   = regexp.MustCompile(`^wait (\S+)\n`)
	requestLine = regexp.MustCompile(`^([A-Z]+) ((?:\{\{[a-z-]+\}\})?)(/(?:\S|\{\{[^{}]*\}\})*)$`)
	statusLine  = regexp.MustCompile(`(?m)^HTTP (\d{3})$`)
)

// Parse reads a script.
func Parse(text string) ([]Exchange, error) {
	var exchanges []Exchange
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		title, ok := strings.CutPrefix(lines[i], "###")
		if !ok {
			continue
		}
		end := i + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "###") {
			end++
		}
		exchange := Exchange{Title: strings.TrimSpace(title), Line: i + 1}
		if err := exchange.parse(strings.Join(lines[i+1:end], "\n")); err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", i+1, exchange.Title, err)
		}
		exchanges = append(exchanges, exchange)
		i = end - 1
	}
	return exchanges, nil
}

func (e *Exchange) parse(text string) error {
	status := statusLine.FindStringSubmatchIndex(text)
	if status == nil {
		return fmt.Errorf("there is no line such as %q", "HTTP 200")
	}
	asked := strings.TrimSpace(text[:status[0]]) + "\n"
	var err error
	if asked, err = e.parsePause(asked); err != nil {
		return err
	}
	first, rest, _ := strings.Cut(asked, "\n")
	request := requestLine.FindStringSubmatch(first)
	if request == nil {
		return fmt.Errorf("%q is no request line", first)
	}
	e.method, e.server, e.target = request[1], request[2], request[3]
	fmt.Sscan(text[status[2]:status[3]], &e.Status)
	if e.message, err = parseMessage(rest); err != nil {
		return err
	}
	e.Want, err = parseMessage(strings.TrimPrefix(text[status[1]:], "\n"))
	return err
}

// parsePause gives what follows a pause, if there is one.
func (e *Exchange) parsePause(text string) (string, error) {
	found := pauseLine.FindStringSubmatch(text)
	if found == nil {
		return text, nil
	}
	var err error
	e.pause, err = time.ParseDuration(found[1])
	return text[len(found[0]):], err
}

// parseMessage reads headers up to an empty line, and a body behind it.
func parseMessage(text string) (message, error) {
	var m message
	for {
		line, rest, more := strings.Cut(text, "\n")
		if line == "" {
			m.body = strings.TrimSpace(rest)
			return m, nil
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return m, fmt.Errorf("%q is no header", line)
		}
		m.headers = append(m.headers, [2]string{name, value})
		if !more {
			return m, nil
		}
		text = rest
	}
}

// Run sends the request and gives every difference between its answer and what it
// must be.
func (e Exchange) Run(client *http.Client, base string, v Variables) []string {
	time.Sleep(e.pause)
	response, body, err := e.send(client, base, v)
	if err != nil {
		return []string{err.Error()}
	}
	var differences []string
	if response.StatusCode != e.Status {
		differences = append(differences, fmt.Sprintf("the status is %d, want %d: %.500s", response.StatusCode, e.Status, body))
	}
	for _, header := range e.Want.headers {
		got := strings.Join(response.Header.Values(header[0]), ", ")
		differences = append(differences, v.matchText("header "+header[0], header[1], got)...)
	}
	return append(differences, e.matchBody(body, v)...)
}

func (e Exchange) send(client *http.Client, base string, v Variables) (*http.Response, []byte, error) {
	if e.server != "" {
		base = e.server
	}
	url, err := v.Fill(base + e.target)
	if err != nil {
		return nil, nil, err
	}
	body, err := v.Fill(e.body)
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequest(e.method, url, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for _, header := range e.headers {
		value, err := v.Fill(header[1])
		if err != nil {
			return nil, nil, err
		}
		request.Header.Add(header[0], value)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response, bytes.TrimSpace(answer), err
}

func (e Exchange) matchBody(got []byte, v Variables) []string {
	exact, isExact := strings.CutPrefix(e.Want.body, "exactly ")
	switch want := e.Want.body; {
	case isExact:
		return v.MatchExactly([]byte(exact), got)
	case want == "" && e.Status >= http.StatusBadRequest:
		return []string{"the script does not say what body the error has"}
	case want == "":
		return nil
	case strings.HasPrefix(want, "{") && !strings.HasPrefix(want, "{{") || strings.HasPrefix(want, "["):
		return v.MatchJSON([]byte(want), got)
	default:
		return v.matchText("the body", want, string(got))
	}
}
