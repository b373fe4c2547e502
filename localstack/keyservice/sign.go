package keyservice

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// What every key here is.
const (
	keySpec          = types.KeySpecRsa2048
	keyUsage         = types.KeyUsageTypeSignVerify
	signingAlgorithm = types.SigningAlgorithmSpecRsassaPkcs1V15Sha256
)

const maxMessage = 4096

type signRequest struct {
	KeyID            string `json:"KeyId"`
	Message          []byte // nil: missing
	MessageType      types.MessageType
	SigningAlgorithm types.SigningAlgorithmSpec
}

type signResponse struct {
	KeyID            string `json:"KeyId"`
	Signature        []byte
	SigningAlgorithm types.SigningAlgorithmSpec
}

func (k *Keys) sign(in signRequest) (signResponse, error) {
	in.MessageType = cmp.Or(in.MessageType, types.MessageTypeRaw)
	if err := in.check(); err != nil {
		return signResponse{}, err
	}
	found, err := k.find(in.KeyID)
	if err != nil {
		return signResponse{}, err
	}
	digest, err := in.digest()
	if err != nil {
		return signResponse{}, err
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, found.private, crypto.SHA256, digest)
	return signResponse{KeyID: found.arn(), Signature: signature, SigningAlgorithm: signingAlgorithm}, err
}

// check is what KMS looks at before it looks for the key.
func (in signRequest) check() error {
	switch {
	case in.Message == nil:
		return invalid("Message is missing")
	case len(in.Message) > maxMessage:
		return invalid("Message is over %d bytes", maxMessage)
	case !slices.Contains(in.MessageType.Values(), in.MessageType):
		return invalid("MessageType is none that KMS knows")
	case !slices.Contains(in.SigningAlgorithm.Values(), in.SigningAlgorithm):
		return invalid("SigningAlgorithm is none that KMS knows")
	}
	return nil
}

// digest is what is to be signed, if a key of ours can.
func (in signRequest) digest() ([]byte, error) {
	switch {
	case in.SigningAlgorithm != signingAlgorithm:
		return nil, &refusal{Kind: invalidKeyUsage, Message: fmt.Sprintf(
			"Algorithm %s is incompatible with this key of the spec %s, which is for %s",
			in.SigningAlgorithm, keySpec, signingAlgorithm)}
	case in.MessageType == types.MessageTypeRaw:
		sum := sha256.Sum256(in.Message)
		return sum[:], nil
	case in.MessageType != types.MessageTypeDigest:
		return nil, invalid("MessageType %s is not for %s", in.MessageType, signingAlgorithm)
	case len(in.Message) != sha256.Size:
		return nil, invalid("Digest is invalid length for algorithm %s", signingAlgorithm)
	}
	return in.Message, nil
}

type publicKeyRequest struct {
	KeyID string `json:"KeyId"`
}

type publicKeyResponse struct {
	KeyID             string `json:"KeyId"`
	PublicKey         []byte
	KeySpec           types.KeySpec
	KeyUsage          types.KeyUsageType
	SigningAlgorithms []types.SigningAlgorithmSpec
}

func (k *Keys) publicKey(in publicKeyRequest) (publicKeyResponse, error) {
	found, err := k.find(in.KeyID)
	if err != nil {
		return publicKeyResponse{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(found.private.Public())
	return publicKeyResponse{
		KeyID:             found.arn(),
		PublicKey:         der,
		KeySpec:           keySpec,
		KeyUsage:          keyUsage,
		SigningAlgorithms: []types.SigningAlgorithmSpec{signingAlgorithm},
	}, err
}
