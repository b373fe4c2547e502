// Package localtest has what the tests of several parts of the local stack need: to
// wait for what happens in another goroutine or process, to collect what such write,
// and to look at the files that are left.
package localtest

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"
)

const (
	patience  = 5 * time.Second
	lookEvery = 2 * time.Millisecond
)

// WaitUntil looks again and again, and fails the test when nothing happens.
func WaitUntil(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(lookEvery) {
		if done() {
			return
		}
	}
	t.Fatalf("nothing happened within %v", patience)
}

// A Buffer collects what several goroutines write.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds a text.
func (b *Buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

// String is all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Entries are the names of what is in a directory.
func Entries(t testing.TB, directory string) []string {
	t.Helper()
	found, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

// WantMode holds a file to its mode.
func WantMode(t testing.TB, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}
