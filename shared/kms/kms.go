// Package kms keeps the keys that sessions are signed with in AWS KMS, which never
// lets the private half of one out. It is the only package of the service that
// speaks to KMS.
//
// It does so by a client of its own for its two actions. The SDK's knows fifty more: 0.3 to
// 1.0 MB of a binary, and at every cold start half a millisecond and 430 KB of memory
// before main begins. Tests hold this client to do what the SDK's does.
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
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"

	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson"
	"latchkey/shared/fault"
)

// What KMS answers to the two actions has less than 2 KB.
var service = awsjson.Service{Name: "kms", ID: "KMS", Target: "TrentService.", Version: "1.1", MaxReply: 64 << 10}

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
	client *awsjson.Client
}

// New returns the keys of an account and region. It sends nothing.
func New(c awsclient.Config) *Keys {
	return &Keys{client: awsjson.New(c, service)}
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
	return k.call(ctx, "Sign", request, "Signature")
}

type publicKeyRequest struct {
	KeyID string `json:"KeyId"`
}

// PublicKey fetches the public half of a key; see session.KeyStore.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
func (k *Keys) PublicKey(ctx context.Context, id string) (*rsa.PublicKey, error) {
	der, err := k.call(ctx, "GetPublicKey", publicKeyRequest{KeyID: id}, "PublicKey")
	if err != nil {
		return nil, err
	}
	return parse(id, der)
}

// call asks for an action and gives the one member of its answer that is of use.
func (k *Keys) call(ctx context.Context, action string, request any, member string) (blob []byte, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("request for %s: %w", action, err)
	}
	err = k.client.Call(ctx, action, body, func(reply []byte) error {
		blob, err = blobIn(reply, member)
		return err
	})
	if err != nil {
		return nil, classify(err)
	}
	return blob, nil
}

// blobIn demands what the SDK's clients let be missing: no answer is of use without it.
func blobIn(text []byte, member string) ([]byte, error) {
	var reply map[string]json.RawMessage
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, err
	}
	var blob []byte
	if err := json.Unmarshal(reply[member], &blob); err != nil || len(blob) == 0 {
		return nil, fmt.Errorf("answer without a %s", member)
	}
	return blob, nil
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
