package kms

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson/awsjsontest"
)

const keyID = "0199a5b4-7a00-7000-8000-000000000000"

// A keyStore is what both clients are.
type keyStore interface {
	Sign(ctx context.Context, id string, digest []byte) ([]byte, error)
	PublicKey(ctx context.Context, id string) (*rsa.PublicKey, error)
}

// A reference does the same by the SDK's own client.
type reference struct{ client *sdk.Client }

func newReference(c awsclient.Config) reference {
	return reference{sdk.New(sdk.Options{
		Region:       c.Region,
		Credentials:  c.Credentials,
		BaseEndpoint: c.BaseEndpoint(),
		HTTPClient:   c.SDKClient(),
		Retryer:      c.NewRetryer(),
	})}
}

func (r reference) Sign(ctx context.Context, id string, digest []byte) ([]byte, error) {
	out, err := r.client.Sign(ctx, &sdk.SignInput{
		KeyId:            &id,
		Message:          digest,
		MessageType:      types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	})
	if err != nil {
		return nil, classify(err)
	}
	return out.Signature, nil
}

func (r reference) PublicKey(ctx context.Context, id string) (*rsa.PublicKey, error) {
	out, err := r.client.GetPublicKey(ctx, &sdk.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, classify(err)
	}
	return parse(id, out.PublicKey)
}

// subjects do both actions, of which each gives what it was answered.
var subjects = awsjsontest.Subjects[keyStore]{
	Clients: map[string]func(awsclient.Config) keyStore{
		"ours":            func(c awsclient.Config) keyStore { return New(c) },
		awsjsontest.OfSDK: func(c awsclient.Config) keyStore { return newReference(c) },
	},
	Actions: map[string]func(context.Context, keyStore) (string, error){
		"Sign": func(ctx context.Context, k keyStore) (string, error) {
			signature, err := k.Sign(ctx, keyID, make([]byte, 32))
			return string(signature), err
		},
		"GetPublicKey": func(ctx context.Context, k keyStore) (string, error) {
			public, err := k.PublicKey(ctx, keyID)
			if err != nil {
				return "", err
			}
			return public.N.String(), nil
		},
	},
}

// good is what KMS answers to both actions at once.
var good = sync.OnceValue(func() []byte {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	return encoded(map[string]any{
		"KeyId": keyID, "Signature": []byte("signature"), "PublicKey": der,
		"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256", "SigningAlgorithms": []string{"RSASSA_PKCS1_V1_5_SHA_256"},
	})
})

func encoded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
