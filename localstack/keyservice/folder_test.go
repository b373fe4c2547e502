package keyservice_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/localstack/keyservice"
	"latchkey/localstack/localtest"
)

func TestIDsSortByCreation(t *testing.T) {
	keys := open(t, "")
	if ids := keys.IDs(); len(ids) != 0 {
		t.Errorf("keys without a Create: %v", ids)
	}
	first, second, third := create(t, keys), create(t, keys), create(t, keys)
	if diff := gocmp.Diff([]string{third, second, first}, keys.IDs()); diff != "" {
		t.Error(diff)
	}
}

func TestKeysOutliveAProcess(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state", "keys")
	before := open(t, directory)
	first, second := create(t, before), create(t, before)
	after := open(t, directory)
	if diff := gocmp.Diff([]string{second, first}, after.IDs()); diff != "" {
		t.Fatal(diff)
	}
	old, fresh := serve(t, before), serve(t, after)
	for _, id := range []string{first, second} {
		in := kms.SignInput{KeyId: &id, Message: []byte("text")}
		ignored := cmpopts.IgnoreUnexported(kms.SignOutput{})
		metadata := cmpopts.IgnoreFields(kms.SignOutput{}, "ResultMetadata")
		if diff := gocmp.Diff(sign(t, old, in), sign(t, fresh, in), ignored, metadata); diff != "" {
			t.Errorf("signatures by %s: %s", id, diff)
		}
		if diff := gocmp.Diff(publicKey(t, old, id).PublicKey, publicKey(t, fresh, id).PublicKey); diff != "" {
			t.Errorf("public key of %s: %s", id, diff)
		}
	}
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "keys")
	keys := open(t, directory)
	id := create(t, keys)
	localtest.WantMode(t, directory, 0o700|os.ModeDir)
	localtest.WantMode(t, filepath.Join(directory, id+".pem"), 0o600)
	if names := localtest.Entries(t, directory); len(names) != 1 {
		t.Errorf("got %v", names)
	}
}

// A directory may be one that others may read; the keys in it are not.
func TestADirectoryKeepsItsMode(t *testing.T) {
	directory := t.TempDir()
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	id := create(t, open(t, directory))
	localtest.WantMode(t, directory, 0o755|os.ModeDir)
	localtest.WantMode(t, filepath.Join(directory, id+".pem"), 0o600)
}

func TestUnfinishedFilesArePassedOver(t *testing.T) {
	directory := t.TempDir()
	id := create(t, open(t, directory))
	write(t, directory, "."+otherID+".pem.123", "-----BEGIN PRI")
	write(t, directory, ".gitignore", "*\n")
	if diff := gocmp.Diff([]string{id}, open(t, directory).IDs()); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatAreNoKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := goodKey(t)
	name := otherID + ".pem"
	tests := []struct{ name, file, text, want string }{
		{"another name", "root-key", good, "not that of a key"},
		{"no id", "key.pem", good, "not that of a key"},
		{"an id that does not sort", "6f1c2a4e-4d0b-4c56-9a55-3f0e8d1c2b7a.pem", good, "not that of a key"},
		{"an id in another spelling", strings.ToUpper(otherID) + ".pem", good, "not that of a key"},
		{"empty", name, "", "no PKCS #8 key in PEM"},
		{"no PEM", name, "text", "no PKCS #8 key in PEM"},
		{"PKCS #1", name, strings.ReplaceAll(good, "PRIVATE KEY", "RSA PRIVATE KEY"), "no PKCS #8 key in PEM"},
		{"cut off", name, good[:len(good)/2], "no PKCS #8 key in PEM"},
		{"damaged", name, damaged(t, good), "a damaged key"},
		{"a curve", name, pkcs8(t, curve), "not an RSA key of 2048 bits"},
		{"too small", name, pkcs8(t, small), "not an RSA key of 2048 bits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			write(t, directory, test.file, test.text)
			_, err := keyservice.Open(directory)
			expectTold(t, err, filepath.Join(directory, test.file), test.want)
			expectSecret(t, err, good)
		})
	}
}

func TestDirectoriesThatAreNone(t *testing.T) {
	parent := t.TempDir()
	write(t, parent, "file", "")
	_, err := keyservice.Open(filepath.Join(parent, "file"))
	expectTold(t, err, "key directory", "file")

	if err := os.Mkdir(filepath.Join(parent, otherID+".pem"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(parent, "file")); err != nil {
		t.Fatal(err)
	}
	_, err = keyservice.Open(parent)
	expectTold(t, err, "key directory", otherID+".pem")
}

func TestAKeyThatCannotBeKeptDoesNotExist(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "keys")
	keys := open(t, directory)
	if err := os.Remove(directory); err != nil {
		t.Fatal(err)
	}
	if id, err := keys.Create(); !errors.Is(err, os.ErrNotExist) || id != "" {
		t.Errorf("got %q, %v", id, err)
	}
	if ids := keys.IDs(); len(ids) != 0 {
		t.Errorf("got %v", ids)
	}
}

// goodKey is the text of a file that Create made.
func goodKey(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	id := create(t, open(t, directory))
	text, err := os.ReadFile(filepath.Join(directory, id+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// damaged is the key with its prime factors lost.
func damaged(t *testing.T, text string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM")
	}
	clear(block.Bytes[len(block.Bytes)/2:])
	return string(pem.EncodeToMemory(block))
}

func pkcs8(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func write(t *testing.T, directory, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func expectTold(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v: no word of %q", err, part)
		}
	}
}

// expectSecret looks for every line of a key's file in an error.
func expectSecret(t *testing.T, err error, text string) {
	t.Helper()
	lines := strings.Fields(text)
	if slices.ContainsFunc(lines, func(line string) bool {
		return len(line) == 64 && strings.Contains(err.Error(), line)
	}) {
		t.Errorf("an error tells of the key: %v", err)
	}
}

func TestRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := keyservice.Remove(dir); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
	create(t, open(t, dir))
	unfinished := filepath.Join(dir, ".unfinished")
	if err := os.WriteFile(unfinished, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keyservice.Remove(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}
