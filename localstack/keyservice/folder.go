package keyservice

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"latchkey/localstack/wholefile"
)

const (
	extension = ".pem"
	pemType   = "PRIVATE KEY" // PKCS #8
	idVersion = 7
)

// A folder keeps keys in the directory of this name. The empty folder keeps nothing.
type folder string

// open makes the directory where there is none, and reads its keys.
func (f folder) open() ([]key, error) {
	if f == "" {
		return nil, nil
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	return f.keys()
}

func (f folder) keys() ([]key, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var keys []key
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), wholefile.Unfinished) {
			continue
		}
		one, err := f.read(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path(entry.Name()), err)
		}
		keys = append(keys, one)
	}
	return keys, nil
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) read(name string) (key, error) {
	id, isPEM := strings.CutSuffix(name, extension)
	if !isPEM || !isID(id) {
		return key{}, errors.New("the name is not that of a key: expected a UUIDv7 and " + extension)
	}
	text, err := os.ReadFile(f.path(name))
	if err != nil {
		return key{}, err
	}
	private, err := parse(text)
	return key{id: id, private: private}, err
}

// isID takes the one spelling that Create uses, so that ids sort as text.
func isID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.Version() == idVersion && id.String() == text
}

// parse never tells what is wrong with a key, which would tell of the key.
func parse(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, errors.New("no PKCS #8 key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("a damaged key")
	}
	private, isRSA := parsed.(*rsa.PrivateKey)
	if !isRSA || private.N.BitLen() != keyBits {
		return nil, fmt.Errorf("not an RSA key of %d bits", keyBits)
	}
	return private, nil
}

// write makes a key's file.
func (f folder) write(k key) error {
	if f == "" {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return err
	}
	return wholefile.Write(f.path(k.id+extension), pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
}

// Remove removes the keys of a directory, and the directory if nothing else is in it.
// One that is not there is none.
func Remove(directory string) error {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, extension) || strings.HasPrefix(name, wholefile.Unfinished) {
			err = errors.Join(err, os.Remove(filepath.Join(directory, name)))
		}
	}
	return errors.Join(err, os.Remove(directory))
}
