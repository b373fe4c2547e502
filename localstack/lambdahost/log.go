package lambdahost

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// A line longer than this is written in parts.
const maxLine = 256 << 10

// A lineLog writes lines of many processes, none into another.
type lineLog struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lineLog) printf(format string, arguments ...any) {
	l.write(fmt.Appendf(nil, format+"\n", arguments...))
}

func (l *lineLog) write(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(text) // there is nowhere to report that the log is broken
}

// close drops what is written from now on.
func (l *lineLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = io.Discard
}

func (l *lineLog) writer() *lineWriter { return &lineWriter{log: l} }

// A lineWriter collects one process's output until a line is complete.
type lineWriter struct {
	log  *lineLog
	mu   sync.Mutex
	rest []byte
}

// Write takes output of the process.
func (w *lineWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, text...)
	if end := bytes.LastIndexByte(w.rest, '\n'); end >= 0 {
		w.log.write(w.rest[:end+1])
		w.rest = append(w.rest[:0], w.rest[end+1:]...)
	}
	if len(w.rest) > maxLine {
		w.endLine()
	}
	return len(text), nil
}

// flush writes what the process left without a line break.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.endLine()
	}
}

func (w *lineWriter) endLine() {
	w.log.write(append(w.rest, '\n'))
	w.rest = nil
}
