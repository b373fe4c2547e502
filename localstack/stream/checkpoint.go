package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"latchkey/localstack/wholefile"
)

// A checkpoint is how far a mapping has come.
type checkpoint struct {
	Stream string            `json:"stream"` // its ARN
	Shards map[string]string `json:"shards"` // the number of the last record that is done with
}

// checkpoints keeps those of all mappings, by the name of the operation, in the file of
// this path. An empty path keeps them in memory.
type checkpoints struct {
	path string

	mu      sync.Mutex
	reading map[string]checkpoint
	unsaved bool
}

// openCheckpoints reads the file. One that cannot be read costs no record: all are sent
// again.
func openCheckpoints(path string, log io.Writer) *checkpoints {
	c := &checkpoints{path: path, reading: map[string]checkpoint{}}
	if path == "" {
		return c
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c
	}
	found := map[string]checkpoint{}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		logLine(log, "checkpoints in %s: %v; reading from the beginning", path, err)
	} else if found != nil {
		c.reading = found
	}
	return c
}

// begin makes sure that the checkpoint of an operation is one of the stream. It reports
// whether there was one of another stream.
func (c *checkpoints) begin(op, stream string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.reading[op]
	if known && found.Stream == stream && found.Shards != nil {
		return false
	}
	c.reading[op] = checkpoint{Stream: stream, Shards: map[string]string{}}
	return known && found.Stream != stream
}

// reached is the number of the last record of a shard that is done with, empty where
// there is none.
func (c *checkpoints) reached(op, shard string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading[op].Shards[shard]
}

// reach writes off a record and all before it.
func (c *checkpoints) reach(op, shard, number string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading[op].Shards[shard] = number
	c.unsaved = true
}

// forget has a shard read from its beginning.
func (c *checkpoints) forget(op, shard string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.reading[op].Shards, shard)
}

// save writes the file unless it is up to date.
func (c *checkpoints) save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" || !c.unsaved {
		return nil
	}
	text, err := json.MarshalIndent(c.reading, "", "  ")
	if err == nil {
		err = wholefile.Write(c.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("checkpoint of the stream: %w", err)
	}
	c.unsaved = false
	return nil
}

// Remove removes the files of a state directory that a poller makes, and what it left
// unfinished when it was killed.
func Remove(directory string) error {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == checkpointFile || name == deadLetterFile || strings.HasPrefix(name, wholefile.Unfinished+checkpointFile+".") {
			err = errors.Join(err, os.Remove(filepath.Join(directory, name)))
		}
	}
	return err
}
