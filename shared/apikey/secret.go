package apikey

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const (
	secretBytes = 32
	redacted    = "[secret]"
)

// A Secret is the 256 random bits of a key. It cannot be printed: every verb,
// JSON and slog show "[secret]". FullKey.Reveal is the one way to its text.
type Secret struct {
	// In a closure, because fmt prints unexported fields without asking their
	// methods, and follows a pointer where the verb does not fit; of a function
	// it prints the address.
	bits func() [secretBytes]byte
}

func newSecret(random io.Reader) (Secret, error) {
	var bits [secretBytes]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return Secret{}, fmt.Errorf("random bits of a secret: %w", err)
	}
	return secretOf(bits), nil
}

func secretOf(bits [secretBytes]byte) Secret {
	return Secret{bits: func() [secretBytes]byte { return bits }}
}

// String gives "[secret]".
func (Secret) String() string { return redacted }

// Format writes "[secret]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives "[secret]", also to encoders of JSON and XML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// A Digest is the SHA-256 of a secret. The zero Digest matches no secret.
type Digest [sha256.Size]byte

// Digest hashes the secret. The zero Secret has the zero Digest.
func (s Secret) Digest() Digest {
	if s.bits == nil {
		return Digest{}
	}
	bits := s.bits()
	return sha256.Sum256(bits[:])
}

// matches compares in constant time.
func (d Digest) matches(other Digest) bool {
	var none Digest
	same := subtle.ConstantTimeCompare(d[:], other[:])
	empty := subtle.ConstantTimeCompare(d[:], none[:])
	return same == 1 && empty == 0
}
