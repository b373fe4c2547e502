package coldstart_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"
)

// patience is how long a process may keep us waiting.
const patience = 10 * time.Second

// A process is one of a function, and its Runtime API.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type process struct {
	command *exec.Cmd
	api     *httptest.Server

	asked    chan time.Time // when it asks for an event
	events   chan []byte
	handed   chan time.Time // when it is given one
	answered chan answer
	failed   chan error
}

type answer struct {
	body []byte
	at   time.Time
}

// start starts a program, and returns when it asks for its first event. The program ends
// with its Runtime API, and so with us.
func start(program string, environment []string) (*process, time.Duration, error) {
	p := &process{
		command: exec.Command(program),
		asked:   make(chan time.Time, 1), handed: make(chan time.Time, 1), events: make(chan []byte),
		answered: make(chan answer, 1), failed: make(chan error, 1),
	}
	p.api = httptest.NewServer(p)
	p.command.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+p.api.Listener.Addr().String())
	p.command.Stderr = os.Stderr
	began := time.Now()
	if err := p.command.Start(); err != nil {
		p.api.Close()
		return nil, 0, err
	}
	asked, err := receive(p, p.asked)
	if err != nil {
		p.kill()
		return nil, 0, err
	}
	return p, asked.Sub(began), nil
}

func receive[T any](p *process, from <-chan T) (T, error) {
	var nothing T
	select {
	case got := <-from:
		return got, nil
	case err := <-p.failed:
		return nothing, err
	case <-time.After(patience):
		return nothing, p.idle()
	}
}

// send gives the process an event, for which it has asked if it is still there.
func (p *process) send(event []byte) error {
	select {
	case p.events <- event:
		return nil
	case err := <-p.failed:
		return err
	case <-time.After(patience):
		return p.idle()
	}
}

func (p *process) idle() error { return fmt.Errorf("%s does nothing for %v", p.command.Path, patience) }

// kill ends the process and returns when it has ended.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	_ = p.command.Wait()         // by what has been done to it
	p.api.Close()
}

// ServeHTTP looks at the clock before anything else.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		p.failed <- err
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		p.asked <- arrived
		p.giveEvent(w, r)
	case path.Base(r.URL.Path) == "response":
		p.answered <- answer{body: body, at: arrived}
		w.WriteHeader(http.StatusAccepted)
	default:
		p.failed <- fmt.Errorf("%s: %s", r.URL.Path, body)
	}
}

// giveEvent answers a request for an event when there is one.
func (p *process) giveEvent(w http.ResponseWriter, r *http.Request) {
	select {
	case event := <-p.events:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(patience).UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:measured")
		p.handed <- time.Now()
		_, _ = w.Write(event) // a process that is gone does not answer
	case <-r.Context().Done():
	}
}

// invoke gives the process an event, and returns when it asks for the next one.
func (p *process) invoke(event []byte) ([]byte, time.Duration, error) {
	if err := p.send(event); err != nil {
		return nil, 0, err
	}
	answered, err := receive(p, p.answered)
	if err != nil {
		return nil, 0, err
	}
	took := answered.at.Sub(<-p.handed)
	_, err = receive(p, p.asked)
	return answered.body, took, err
}
