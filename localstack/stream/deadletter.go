package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"latchkey/localstack/shellword"
	"latchkey/shared/operation"
)

// deadLetters keeps events in the file of this path, one in each line. An empty path
// keeps nothing.
type deadLetters struct {
	path string
	mu   sync.Mutex
}

// add appends an event and tells which line it is, 0 where none is kept.
func (d *deadLetters) add(event []byte) (int, error) {
	if d.path == "" {
		return 0, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before, err := os.ReadFile(d.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	line := append(withoutPlaceholders(event), '\n')
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		line = append([]byte("\n"), line...) // what a crash has cut off stays a line of its own
	}
	file, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = file.Write(line)
	err = errors.Join(err, file.Sync(), file.Close())
	return bytes.Count(before, []byte("\n")) + bytes.Count(line, []byte("\n")), err
}

// withoutPlaceholders writes the same JSON so that no text in it is taken for a
// placeholder when it is sent: two opening braces are only ever found in a string.
func withoutPlaceholders(event []byte) []byte {
	return bytes.ReplaceAll(event, []byte("{{"), []byte(`{\u007b`))
}

// resend is the command that sends a dead letter again.
func resend(op operation.Operation, line int, path string) string {
	return fmt.Sprintf("sed -n %dp %s | make invoke OP=%s DATA=%s EVENT=/dev/stdin",
		line, shellword.Quote(path), op.Name, shellword.Quote(filepath.Dir(path)))
}
