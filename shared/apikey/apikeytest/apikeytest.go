// Package apikeytest gives tests the published vectors of the key format.
package apikeytest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Vectors are texts that every implementation must accept or refuse.
type Vectors struct {
	Accepted []Accepted
	Refused  []Refused
}

// Accepted is a full key and what it says.
type Accepted struct {
	Name, Namespace, UUID, Key, Secret, Digest string

	FullKey string `json:"full_key"`
	Wrapped string // the same key in ZenML's outer form
}

// Refused is a text that is no key, and why.
type Refused struct{ Name, Text, Reason string }

// ReadVectors reads the published file.
func ReadVectors() (Vectors, error) {
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "testdata", "vectors.json"))
	if err != nil {
		return Vectors{}, fmt.Errorf("published vectors: %w", err)
	}
	var v Vectors
	if err := json.Unmarshal(text, &v); err != nil {
		return Vectors{}, fmt.Errorf("published vectors: %w", err)
	}
	if len(v.Accepted) == 0 || len(v.Refused) == 0 {
		return Vectors{}, fmt.Errorf("published vectors: there are %d accepted and %d refused", len(v.Accepted), len(v.Refused))
	}
	return v, nil
}
