// Package wholefile writes files that are there whole or not at all, and that only their
// owner may read.
package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Unfinished begins the name of a file that is being written, or that a crash has left.
const Unfinished = "."

// Write makes a file, or replaces it.
func Write(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), Unfinished+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
