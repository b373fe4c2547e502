package kms

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/keyservice/keyservicetest"
	"latchkey/shared/awsclient"
	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/fault"
)

func TestKeyService(t *testing.T) {
	client, id := keyservicetest.Start(t)
	digest := sha256.Sum256([]byte("text"))
	keys := New(client)

	public, err := keys.PublicKey(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := keys.Sign(t.Context(), id, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
	wantRefusals(t, keys, id)
}

// wantRefusals tries what a key service refuses that has but one key.
func wantRefusals(t *testing.T, keys *Keys, id string) {
	t.Helper()
	if _, err := keys.PublicKey(t.Context(), keyID); !errors.Is(err, fault.NotFound) {
		t.Errorf("public key of an unknown key: %v", err)
	}
	if _, err := keys.Sign(t.Context(), keyID, make([]byte, 32)); !errors.Is(err, fault.NotFound) {
		t.Errorf("signature of an unknown key: %v", err)
	}
	if _, err := keys.Sign(t.Context(), id, make([]byte, 31)); !errors.Is(err, fault.Internal) {
		t.Errorf("signature of a short digest: %v", err)
	}
}

// capture gives the one request of a client's action.
func capture(t *testing.T, client, action, path string) awsjsontest.Sent {
	t.Helper()
	return awsjsontest.Capture(t, string(good()), path, func(config awsclient.Config) error {
		_, err := subjects.Actions[action](t.Context(), subjects.Clients[client](config))
		return err
	})
}

func TestSameRequestAsSDK(t *testing.T) {
	for action := range subjects.Actions {
		for _, path := range []string{"", "/", "/kms", "/kms/"} {
			ours, theirs := capture(t, "ours", action, path), capture(t, "SDK", action, path)
			if diff := cmp.Diff(theirs.Blanked(), ours.Blanked()); diff != "" {
				t.Errorf("%s at %q:\n%s", action, path, diff)
			}
			ours.WantSigned(t, "kms")
			theirs.WantSigned(t, "kms")
		}
	}
}

// What is signed, and for whom.
func TestSignature(t *testing.T) {
	authorization := capture(t, "ours", "Sign", "").Blanked().Header.Get("Authorization")
	want := "AWS4-HMAC-SHA256 Credential=" + awsjsontest.AccessKey + "/date/" + awsjsontest.Region + "/kms/aws4_request, " +
		"SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
	if diff := cmp.Diff(want, authorization); diff != "" {
		t.Error(diff)
	}
}

// Each try is signed at its own time and is otherwise the same.
func TestEachTryIsSigned(t *testing.T) {
	var signed []string
	server := awsjsontest.Play(t, func(w http.ResponseWriter, r *http.Request) {
		sent := awsjsontest.Receive(t, r)
		signed = append(signed, sent.Text)
		sent.WantSigned(t, "kms")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := New(awsjsontest.ConfigOf(server.URL)).Sign(t.Context(), keyID, []byte("digest"))
	if len(signed) != 3 || len(slices.Compact(signed)) != 1 {
		t.Errorf("%d requests: %q, %v", len(signed), signed, err)
	}
}
