package kms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"latchkey/localstack/keyservice/keyservicetest"
	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

var withoutCredentials = credentials.NewStaticCredentialsProvider("", "", "")

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

// A sent request is what a server sees of it.
type sent struct {
	Method, Path, Host string
	Header             http.Header
	Body               map[string]any

	text []byte
}

// capture gives the one request of a client's action.
func capture(t *testing.T, client, action, path string) sent {
	t.Helper()
	var got sent
	server := play(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = sent{Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host, Header: r.Header, text: text}
		succeed(w, r)
	})
	if _, err := actions[action](t.Context(), clients[client](configOf(server.URL+path))); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got.text, &got.Body); err != nil {
		t.Fatal(err)
	}
	return got
}

// Headers by which the SDK's clients tell AWS of themselves and of their tries.
var ofSDKAlone = []string{"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"}

// blanked leaves out what is another's for each request, and its host.
func (s sent) blanked() sent {
	s.Header, s.Host, s.text = s.Header.Clone(), "", nil
	for _, name := range ofSDKAlone {
		s.Header.Del(name)
	}
	authorization := s.Header.Get("Authorization")
	authorization, _, _ = strings.Cut(authorization, "Signature=")
	for _, name := range ofSDKAlone {
		authorization = strings.Replace(authorization, strings.ToLower(name)+";", "", 1)
	}
	authorization = strings.Replace(authorization, s.Header.Get("X-Amz-Date")[:8], "date", 1)
	s.Header.Set("Authorization", authorization)
	for _, name := range []string{"Content-Length", "User-Agent", "X-Amz-Date"} {
		s.Header.Set(name, strings.Repeat("x", min(1, len(s.Header.Get(name)))))
	}
	return s
}

func TestSameRequestAsSDK(t *testing.T) {
	for action := range actions {
		for _, path := range []string{"", "/", "/kms", "/kms/"} {
			ours, theirs := capture(t, "ours", action, path), capture(t, "SDK", action, path)
			if diff := cmp.Diff(theirs.blanked(), ours.blanked(), cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("%s at %q:\n%s", action, path, diff)
			}
			wantSigned(t, ours)
			wantSigned(t, theirs)
		}
	}
}

// What is signed, and for whom.
func TestSignature(t *testing.T) {
	authorization := capture(t, "ours", "Sign", "").blanked().Header.Get("Authorization")
	want := "AWS4-HMAC-SHA256 Credential=" + accessKey + "/date/" + region + "/kms/aws4_request, " +
		"SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
	if diff := cmp.Diff(want, authorization); diff != "" {
		t.Error(diff)
	}
}

// wantSigned signs a request again, from what the server has seen.
func wantSigned(t *testing.T, s sent) {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), s.Method, "http://"+s.Host+s.Path, bytes.NewReader(s.text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(ofSDKAlone, []string{"Content-Type", "X-Amz-Target"}) {
		if value := s.Header.Get(name); value != "" {
			again.Header.Set(name, value)
		}
	}
	at, err := time.Parse("20060102T150405Z", s.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	identity := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey, SessionToken: sessionToken}
	sum := sha256.Sum256(s.text)
	if err := v4.NewSigner().SignHTTP(t.Context(), identity, again, hex.EncodeToString(sum[:]), "kms", region, at); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again.Header.Get("Authorization"), s.Header.Get("Authorization")); diff != "" {
		t.Error(diff)
	}
}

// Each try is signed at its own time and is otherwise the same.
func TestEachTryIsSigned(t *testing.T) {
	var signed []string
	server := play(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		signed = append(signed, string(text))
		wantSigned(t, sent{Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host, Header: r.Header, text: text})
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := New(configOf(server.URL)).Sign(t.Context(), keyID, []byte("digest"))
	if len(signed) != 3 || len(slices.Compact(signed)) != 1 {
		t.Errorf("%d requests: %q, %v", len(signed), signed, err)
	}
}

// The SDK's own resolver knows the partitions by patterns.
func TestEndpoints(t *testing.T) {
	resolver := sdk.NewDefaultEndpointResolverV2()
	for _, region := range []string{
		"us-east-1", "eu-central-1", "ap-southeast-7", "il-central-1", "mx-central-1", "me-south-1", "us-gov-east-1", "us-gov-west-1",
		"cn-north-1", "cn-northwest-1", "eusc-de-east-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
		"eu-isoe-west-1", "us-isof-south-1", "us-isof-east-1", "xx-future-1", "local",
	} {
		want, err := resolver.ResolveEndpoint(t.Context(), sdk.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false)})
		if err != nil {
			t.Fatal(err)
		}
		if got := endpointOf(awsclient.Config{Region: region}); got != want.URI.String() {
			t.Errorf("%s: %s, want %s", region, got, &want.URI)
		}
	}
}
