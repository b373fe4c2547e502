package apikey

import (
	"bytes"
	"cmp"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"

	"latchkey/shared/namespace"
)

// MaxFullKeyLength is the length of the longest full key, in bytes.
const MaxFullKeyLength = 499

const (
	prefix        = "lk_"
	formatVersion = 0
	secretLength  = 52 // of 32 bytes, written
	checkLength   = 7  // of 4 bytes, written
	idBytes       = len(ID{})
)

var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// ErrMalformed is in the chain of every refusal of a text as a key.
var ErrMalformed = errors.New("malformed key")

// A malformation is what is wrong with a text. Being constants, its values take nothing to
// make at the start of a process.
type malformation string

// Error says that a key is malformed, and why.
func (m malformation) Error() string { return ErrMalformed.Error() + ": " + string(m) }

// Unwrap gives ErrMalformed.
func (malformation) Unwrap() error { return ErrMalformed }

const (
	errLength    malformation = "wrong length"
	errPrefix    malformation = `it does not begin with "` + prefix + `"`
	errChecksum  malformation = "the checksum is wrong"
	errSpelling  malformation = "not the one spelling of its bytes"
	errVersion   malformation = "unknown version"
	errNamespace malformation = "no valid namespace"
	errID        malformation = "its id is no UUIDv7"
)

// A Locator is the public half of a key: where its record is.
type Locator struct {
	Namespace namespace.Namespace
	ID        ID
}

// String gives the public identifier, "lk_…".
func (l Locator) String() string {
	raw := make([]byte, 0, 1+namespace.MaxLength+idBytes)
	raw = append(raw, formatVersion)
	raw = append(raw, l.Namespace.String()...)
	raw = append(raw, l.ID[:]...)
	return string(encoding.AppendEncode([]byte(prefix), raw))
}

// Compare orders locators as a listing does: by namespace, then by creation.
func (l Locator) Compare(other Locator) int {
	return cmp.Or(l.Namespace.Compare(other.Namespace), bytes.Compare(l.ID[:], other.ID[:]))
}

// LocatorIn reads the locator in a public identifier or in a full key, whose secret is
// not looked at. It reports false for any other text.
func LocatorIn(text string) (Locator, bool) {
	if full, err := ParseFullKey(text); err == nil {
		return full.Locator, true
	}
	if len(text) >= MaxFullKeyLength {
		return Locator{}, false
	}
	at, err := parseLocator(text)
	return at, err == nil
}

// parseLocator reads a public identifier.
func parseLocator(text string) (Locator, error) {
	encoded, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return Locator{}, errPrefix
	}
	raw, err := decode(encoded)
	if err != nil {
		return Locator{}, err
	}
	return locatorFrom(raw)
}

func locatorFrom(raw []byte) (Locator, error) {
	if len(raw) <= 1+idBytes {
		return Locator{}, errLength
	}
	if raw[0] != formatVersion {
		return Locator{}, errVersion
	}
	path, id := raw[1:len(raw)-idBytes], ID(raw[len(raw)-idBytes:])
	ns, err := namespace.Parse(string(path))
	if err != nil {
		return Locator{}, errNamespace
	}
	if !id.isValid() {
		return Locator{}, errID
	}
	return Locator{Namespace: ns, ID: id}, nil
}

// A FullKey is what its holder presents: a locator and a secret.
type FullKey struct {
	Locator Locator
	Secret  Secret
}

// ParseFullKey reads a full key, also a wrapped one. Its errors have ErrMalformed in
// their chain and never repeat the text.
func ParseFullKey(text string) (FullKey, error) {
	if isWrapped(text) {
		return parseWrapped(text)
	}
	return parsePlain(text)
}

func parsePlain(text string) (FullKey, error) {
	if len(text) > MaxFullKeyLength {
		return FullKey{}, errLength
	}
	cut := strings.LastIndexByte(text, '_')
	if cut < len(prefix) || len(text)-cut-1 != secretLength+checkLength {
		return FullKey{}, errLength
	}
	return parseParts(text, cut)
}

func parseParts(text string, cut int) (FullKey, error) {
	checked, checksum := text[:len(text)-checkLength], text[len(text)-checkLength:]
	if sum := checksumOf(checked); string(sum[:]) != checksum {
		return FullKey{}, errChecksum
	}
	locator, err := parseLocator(text[:cut])
	if err != nil {
		return FullKey{}, err
	}
	bits, err := decode(checked[cut+1:])
	if err != nil {
		return FullKey{}, err
	}
	return FullKey{Locator: locator, Secret: secretOf([secretBytes]byte(bits))}, nil
}

// ParsePair reads a full key from its two halves, the public identifier and the
// secret part.
func ParsePair(identifier, secretPart string) (FullKey, error) {
	if len(secretPart) != secretLength+checkLength || len(identifier) >= MaxFullKeyLength {
		return FullKey{}, errLength
	}
	return parsePlain(identifier + "_" + secretPart)
}

// Reveal gives the full key's text. It is called where a key is shown, once, and
// nowhere else.
func (k FullKey) Reveal() string {
	identifier, secretPart := k.RevealPair()
	return identifier + "_" + secretPart
}

// RevealPair gives the public identifier and the secret part. The same holds as
// for Reveal.
func (k FullKey) RevealPair() (identifier, secretPart string) {
	identifier = k.Locator.String()
	bits := k.Secret.bits()
	secret := encoding.EncodeToString(bits[:])
	sum := checksumOf(identifier + "_" + secret)
	return identifier, secret + string(sum[:])
}

func checksumOf(text string) [checkLength]byte {
	var sum [crc32.Size]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(text)))
	var written [checkLength]byte
	encoding.Encode(written[:], sum[:])
	return written
}

// decode reads base32. Go's decoder passes over line breaks and accepts any value
// in the bits that pad the last character: encoding again finds both.
func decode(text string) ([]byte, error) {
	raw, err := encoding.DecodeString(text)
	if err != nil {
		return nil, errSpelling
	}
	var again [MaxFullKeyLength]byte
	if string(encoding.AppendEncode(again[:0], raw)) != text {
		return nil, errSpelling
	}
	return raw, nil
}
