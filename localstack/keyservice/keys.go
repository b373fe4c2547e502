// Package keyservice stands in for AWS KMS as far as Latchkey's functions use it: it
// signs with RSA keys and gives their public halves, over KMS's own wire protocol.
// So the functions use the same client as in AWS, and only the endpoint's URL
// differs.
//
//	keys, err := keyservice.Open(".local/keys")
//	...
//	http.Serve(listener, keys) // AWS_ENDPOINT_URL_KMS=http://127.0.0.1:…
//
// A key is a PKCS #8 PEM file of its own, which only its owner may read:
//
//	.local/keys/<key id>.pem
//
// A key's id is a UUIDv7, so that ids sort by creation. A file is complete once it
// has its name; until then its name begins with a dot, and such files are passed
// over. A directory belongs to one process at a time: what others add to it is not
// seen. A private key leaves this package in its file only.
//
// What it does as AWS does, the page that says so, and the test that holds it:
//
//	behaviour                                              page      test
//	PKCS #1 v1.5 over the SHA-256 of a RAW message         [sign]    TestSignatures
//	a DIGEST is not hashed again                           [sign]    TestSignatures
//	no message type means RAW                              [sign]    TestSignatures
//	a DIGEST has the length of the algorithm's hash        [sign]    TestRefusals
//	a message has at most 4,096 bytes                      [sign]    TestRefusals
//	a key is named by its id or its ARN                    [sign]    TestNames
//	the answer names the key by its ARN                    [sign]    TestNames
//	a public key is DER in X.509's form                    [public]  TestPublicKey
//	NotFoundException, InvalidKeyUsageException: 400       [sign]    TestRefusals
//
// What is not verified: that what the pages demand of a parameter is a
// ValidationException, another action an UnknownOperationException and a body that
// is no JSON a SerializationException, each a 400; which of two faults comes first;
// the texts of errors.
//
// What is left out: keys other than RSA_2048 and algorithms other than
// RSASSA_PKCS1_V1_5_SHA_256. Another algorithm of KMS is refused as one that is not
// for this key, and GetPublicKey does not name it. An alias is an unknown key.
// DryRun and GrantTokens are ignored.
//
// Credentials are not checked: whoever reaches the port can sign with every key, and
// on loopback that is every user of the machine. Only web pages are refused. So
// nothing but a local stack may trust these keys.
//
//	[sign]    https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
//	[public]  https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
package keyservice

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

const (
	keyBits   = 2048
	arnPrefix = "arn:aws:kms:local:000000000000:key/"
)

// Keys is the set of keys of one directory, and an http.Handler that serves them. It
// may be used by several goroutines.
type Keys struct {
	folder folder

	mu   sync.RWMutex
	byID map[string]key
}

type key struct {
	id      string
	private *rsa.PrivateKey
}

func (k key) arn() string { return arnPrefix + k.id }

// Open reads the keys of a directory, and makes the directory where there is none.
// An empty name means keys in memory. A file that is no key is an error. The mode of
// what is there already is its owner's affair.
func Open(directory string) (*Keys, error) {
	found, err := folder(directory).open()
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	keys := &Keys{folder: folder(directory), byID: map[string]key{}}
	for _, one := range found {
		keys.byID[one.id] = one
	}
	return keys, nil
}

// IDs are the ids of all keys, the newest first.
func (k *Keys) IDs() []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	ids := slices.Sorted(maps.Keys(k.byID))
	slices.Reverse(ids)
	return ids
}

// Create makes a key and keeps it. A key that cannot be kept does not exist.
func (k *Keys) Create() (id string, err error) {
	made, err := newKey()
	if err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	if err := k.folder.write(made); err != nil {
		return "", fmt.Errorf("new key %s: %w", made.id, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[made.id] = made
	return made.id, nil
}

func newKey() (key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return key{}, err
	}
	id, err := uuid.NewV7()
	return key{id: id.String(), private: private}, err
}

// find gives the key that an id or an ARN names.
func (k *Keys) find(name string) (key, error) {
	if name == "" {
		return key{}, invalid("KeyId is missing")
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	found, ok := k.byID[idIn(name)]
	if !ok {
		return key{}, &refusal{Kind: notFound, Message: fmt.Sprintf("Key %q does not exist", name)}
	}
	return found, nil
}

// idIn does not look at the region and the account of an ARN: here is but one.
func idIn(name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return name
	}
	_, id, _ := strings.Cut(name, ":key/")
	return id
}
