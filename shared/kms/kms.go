// Package kms keeps the keys that sessions are signed with in AWS KMS, which never
// lets the private half of one out. It is the only package of the service that
// speaks to KMS.
//
// It does so by a client of its own for its two actions, made of the SDK's parts: its
// signer, its loop of tries and its errors. The SDK's client for KMS knows fifty more, and
// what it knows of them cannot be left out of a binary: 0.3 to 1.0 MB, and at every cold
// start half a millisecond and 430 KB of memory before main begins. Tests hold this client
// to do what the SDK's does.
//
// What KMS did not answer, or refused for now, is fault.Unavailable: nothing is known
// then about the token in question. A key that was deleted or disabled is NotFound.
// What KMS refuses for a reason that only we can mend, such as a policy that lacks an
// action, is Internal.
package kms

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"

	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

// Codes of refusals that pass.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
var passing = []string{
	"DependencyTimeoutException",
	"ExpiredTokenException",
	"KMSInternalException",
	"KeyUnavailableException",
	"LimitExceededException",
	"ThrottlingException",
}

// Codes of a key that was deleted, disabled or is about to be deleted.
var gone = []string{"DisabledException", "KMSInvalidStateException", "NotFoundException"}

// A Keys is a session.KeyStore on KMS. A key is named by its id or, in another
// account, its ARN. Its spec is RSA_2048 and its usage SIGN_VERIFY.
type Keys struct {
	client *client
}

// New returns the keys of an account and region. It sends nothing.
func New(c awsclient.Config) *Keys {
	return &Keys{client: newClient(c)}
}

type signRequest struct {
	KeyID            string `json:"KeyId"`
	Message          []byte
	MessageType      string
	SigningAlgorithm string
}

// Sign signs a SHA-256 digest as RS256 wants it; see session.KeyStore.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
func (k *Keys) Sign(ctx context.Context, id string, digest []byte) ([]byte, error) {
	request := signRequest{KeyID: id, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256"}
	signature, err := k.client.call(ctx, "Sign", request, "Signature")
	if err != nil {
		return nil, classify(err)
	}
	return signature, nil
}

type publicKeyRequest struct {
	KeyID string `json:"KeyId"`
}

// PublicKey fetches the public half of a key; see session.KeyStore.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
func (k *Keys) PublicKey(ctx context.Context, id string) (*rsa.PublicKey, error) {
	der, err := k.client.call(ctx, "GetPublicKey", publicKeyRequest{KeyID: id}, "PublicKey")
	if err != nil {
		return nil, classify(err)
	}
	return parse(id, der)
}

func parse(id string, der []byte) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("session key %s: %w", id, err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("session key %s is of the type %T, not RSA", id, parsed)
	}
	return public, nil
}

func classify(err error) error {
	refusal, _ := errors.AsType[smithy.APIError](err)
	switch {
	case !awsclient.IsRefusal(err, passing):
		return fault.Wrap(fault.Unavailable, err, "the key service did not answer, try again")
	case slices.Contains(gone, refusal.ErrorCode()):
		return fault.Wrap(fault.NotFound, err, "the session key is not in use")
	}
	return fault.Wrap(fault.Internal, err, "internal error")
}
