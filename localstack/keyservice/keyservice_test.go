package keyservice_test

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/localstack/keyservice"
)

const (
	algorithm = types.SigningAlgorithmSpecRsassaPkcs1V15Sha256
	otherID   = "0199a5b4-7a00-7000-8000-000000000000"
	arnPrefix = "arn:aws:kms:local:000000000000:key/"
)

func open(t testing.TB, directory string) *keyservice.Keys {
	t.Helper()
	keys, err := keyservice.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func create(t testing.TB, keys *keyservice.Keys) string {
	t.Helper()
	id, err := keys.Create()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// serve gives AWS's own client of a server of keys.
func serve(t *testing.T, keys *keyservice.Keys) *kms.Client {
	t.Helper()
	server := httptest.NewServer(keys)
	t.Cleanup(server.Close)
	return kms.New(kms.Options{
		Region:       "us-east-1",
		BaseEndpoint: &server.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func digestOf(message string) []byte {
	sum := sha256.Sum256([]byte(message))
	return sum[:]
}

func sign(t *testing.T, client *kms.Client, in kms.SignInput) *kms.SignOutput {
	t.Helper()
	in.SigningAlgorithm = algorithm
	out, err := client.Sign(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func publicKey(t *testing.T, client *kms.Client, name string) *kms.GetPublicKeyOutput {
	t.Helper()
	out, err := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parsed(t *testing.T, der []byte) *rsa.PublicKey {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("a key of type %T", key)
	}
	return public
}

func TestPublicKey(t *testing.T) {
	keys := open(t, "")
	id := create(t, keys)
	out := publicKey(t, serve(t, keys), id)
	if bits := parsed(t, out.PublicKey).N.BitLen(); bits != 2048 {
		t.Errorf("%d bits", bits)
	}
	want := &kms.GetPublicKeyOutput{
		KeyId:             new(arnPrefix + id),
		PublicKey:         out.PublicKey,
		KeySpec:           types.KeySpecRsa2048,
		KeyUsage:          types.KeyUsageTypeSignVerify,
		SigningAlgorithms: []types.SigningAlgorithmSpec{algorithm},
	}
	if diff := gocmp.Diff(want, out, cmpopts.IgnoreUnexported(*out), cmpopts.IgnoreFields(*out, "ResultMetadata")); diff != "" {
		t.Error(diff)
	}
}

func TestSignatures(t *testing.T) {
	keys := open(t, "")
	id := create(t, keys)
	client := serve(t, keys)
	public := parsed(t, publicKey(t, client, id).PublicKey)

	longest := strings.Repeat("m", 4096)
	tests := []struct {
		name    string
		kind    types.MessageType
		message []byte
		digest  []byte
	}{
		{"a digest", types.MessageTypeDigest, digestOf("text"), digestOf("text")},
		{"a message", types.MessageTypeRaw, []byte("text"), digestOf("text")},
		{"no type", "", []byte("text"), digestOf("text")},
		{"a digest as a message", types.MessageTypeRaw, digestOf("text"), digestOf(string(digestOf("text")))},
		{"the longest message", types.MessageTypeRaw, []byte(longest), digestOf(longest)},
		{"the empty message", types.MessageTypeRaw, []byte{}, digestOf("")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := sign(t, client, kms.SignInput{KeyId: &id, Message: test.message, MessageType: test.kind})
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, test.digest, out.Signature); err != nil {
				t.Error(err)
			}
			if out.SigningAlgorithm != algorithm {
				t.Errorf("algorithm %s", out.SigningAlgorithm)
			}
		})
	}
}

func TestNames(t *testing.T) {
	keys := open(t, "")
	first, second := create(t, keys), create(t, keys)
	client := serve(t, keys)
	for name, id := range map[string]string{
		first:              first,
		second:             second,
		arnPrefix + first:  first,
		arnPrefix + second: second,
		"arn:aws:kms:us-east-1:111122223333:key/" + first: first,
	} {
		want := arnPrefix + id
		if got := *publicKey(t, client, name).KeyId; got != want {
			t.Errorf("public key of %s: that of %s", name, got)
		}
		if got := *sign(t, client, kms.SignInput{KeyId: &name, Message: []byte("text")}).KeyId; got != want {
			t.Errorf("signature of %s: that of %s", name, got)
		}
	}
}

func TestUnknownKeys(t *testing.T) {
	keys := open(t, "")
	id := create(t, keys)
	client := serve(t, keys)
	names := []string{
		otherID, arnPrefix + otherID, arnPrefix, "arn:aws:kms:local:000000000000:alias/a",
		"alias/" + id, "x" + id, "x:key/" + id, "key/" + id, " ",
	}
	for _, name := range names {
		_, publicErr := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &name})
		_, signErr := client.Sign(t.Context(), &kms.SignInput{KeyId: &name, Message: []byte("text"), SigningAlgorithm: algorithm})
		for action, err := range map[string]error{"GetPublicKey": publicErr, "Sign": signErr} {
			if _, ok := errors.AsType[*types.NotFoundException](err); !ok {
				t.Errorf("%s of %q: %v", action, name, err)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	keys := open(t, "")
	id := create(t, keys)
	client := serve(t, keys)
	tests := []struct {
		name string
		in   kms.SignInput
		want string
	}{
		{"another algorithm", kms.SignInput{SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256}, "InvalidKeyUsageException"},
		{"another hash", kms.SignInput{SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha512}, "InvalidKeyUsageException"},
		{"another kind of key", kms.SignInput{SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}, "InvalidKeyUsageException"},
		{"an algorithm that KMS has not", kms.SignInput{SigningAlgorithm: "HS256"}, "ValidationException"},
		{"a message type that KMS has not", kms.SignInput{MessageType: "digest"}, "ValidationException"},
		{"a message type of other keys", kms.SignInput{MessageType: types.MessageTypeExternalMu}, "ValidationException"},
		{"a short digest", kms.SignInput{MessageType: types.MessageTypeDigest, Message: make([]byte, 31)}, "ValidationException"},
		{"a long digest", kms.SignInput{MessageType: types.MessageTypeDigest, Message: make([]byte, 33)}, "ValidationException"},
		{"a long message", kms.SignInput{Message: make([]byte, 4097)}, "ValidationException"},
		{"a body over the limit", kms.SignInput{Message: make([]byte, 16<<10)}, "ValidationException"},
		{"an unknown key", kms.SignInput{KeyId: new(otherID)}, "NotFoundException"},
		{"no name of a key", kms.SignInput{KeyId: new("")}, "ValidationException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.Sign(t.Context(), completed(test.in, id))
			expectRefusal(t, err, test.want)
		})
	}
}

// completed adds what makes a request a good one.
func completed(in kms.SignInput, id string) *kms.SignInput {
	if in.KeyId == nil {
		in.KeyId = &id
	}
	if in.Message == nil {
		in.Message = digestOf("text")
	}
	if in.SigningAlgorithm == "" {
		in.SigningAlgorithm = algorithm
	}
	return &in
}

func TestAnotherAction(t *testing.T) {
	_, err := serve(t, open(t, "")).ListKeys(t.Context(), &kms.ListKeysInput{})
	expectRefusal(t, err, "UnknownOperationException")
}

func expectRefusal(t *testing.T, err error, kind string) {
	t.Helper()
	refused, isRefused := errors.AsType[smithy.APIError](err)
	if !isRefused || refused.ErrorCode() != kind || refused.ErrorMessage() == "" {
		t.Errorf("got %v, want %s", err, kind)
	}
	response, isResponse := errors.AsType[*awshttp.ResponseError](err)
	if !isResponse || response.HTTPStatusCode() != http.StatusBadRequest || response.RequestID == "" {
		t.Errorf("got %v, want a response of the status 400 with a request id", err)
	}
}

// What no client of KMS sends.
func TestMalformedRequests(t *testing.T) {
	const target = "TrentService.Sign"
	tests := []struct {
		name   string
		method string
		path   string
		header map[string]string
		body   string
		want   string
	}{
		{name: "no body", want: "SerializationException"},
		{name: "no JSON", body: "{", want: "SerializationException"},
		{name: "two values", body: "{}{}", want: "SerializationException"},
		{name: "a list", body: "[]", want: "SerializationException"},
		{name: "no base64", body: `{"Message":"?"}`, want: "SerializationException"},
		{name: "a number for a name", body: `{"KeyId":1}`, want: "SerializationException"},
		{name: "a body of the limit", body: strings.Repeat(" ", 16<<10-1) + "[", want: "SerializationException"},
		{name: "an empty object", body: "{}", want: "ValidationException"},
		{name: "null", body: "null", want: "ValidationException"},
		{name: "a body over the limit", body: strings.Repeat(" ", 16<<10) + "[", want: "ValidationException"},
		{name: "another method", method: http.MethodPut, want: "UnknownOperationException"},
		{name: "another path", path: "/keys", want: "UnknownOperationException"},
		{name: "no target", header: map[string]string{"X-Amz-Target": ""}, want: "UnknownOperationException"},
		{name: "another service", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.Sign"}, want: "UnknownOperationException"},
		{name: "a web page", header: map[string]string{"Origin": "https://example.com"}, want: "AccessDeniedException"},
	}
	keys := open(t, "")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			method, path := cmp.Or(test.method, http.MethodPost), cmp.Or(test.path, "/")
			request := httptest.NewRequest(method, path, strings.NewReader(test.body))
			request.Header.Set("X-Amz-Target", target)
			for name, value := range test.header {
				request.Header.Set(name, value)
			}
			status, got := answer(t, keys, request)
			if status != http.StatusBadRequest || got["__type"] != test.want || got["message"] == "" {
				t.Errorf("got %d %v, want %s", status, got, test.want)
			}
		})
	}
}

// answer is what a handler answers, as JSON whatever that is.
func answer(t *testing.T, handler http.Handler, request *http.Request) (status int, body map[string]any) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if kind := recorder.Header().Get("Content-Type"); kind != "application/x-amz-json-1.1" {
		t.Errorf("content type %q", kind)
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
		t.Errorf("%q: %v", recorder.Body, err)
	}
	return recorder.Code, body
}

func TestABodyThatBreaksOff(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(errors.New("broken off")))
	request.Header.Set("X-Amz-Target", "TrentService.Sign")
	if status, got := answer(t, open(t, ""), request); status != http.StatusBadRequest || got["__type"] != "SerializationException" {
		t.Errorf("got %d %v", status, got)
	}
}

// Run with -race, it also tells of data that two goroutines touch.
func TestManyAtOnce(t *testing.T) {
	keys := open(t, t.TempDir())
	client := serve(t, keys)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			id, err := keys.Create()
			if err != nil {
				t.Error(err)
				return
			}
			in := kms.SignInput{KeyId: &id, Message: []byte("text"), SigningAlgorithm: algorithm}
			if _, err := client.Sign(t.Context(), &in); err != nil {
				t.Error(err)
			}
			if !slices.Contains(keys.IDs(), id) {
				t.Errorf("no %s", id)
			}
		})
	}
	all.Wait()
	if ids := keys.IDs(); len(ids) != 4 {
		t.Errorf("%d keys", len(ids))
	}
}

// Whatever the request, the answer is JSON: of a success or of a refusal.
func FuzzRequest(f *testing.F) {
	keys := open(f, "")
	id := create(f, keys)
	f.Add("TrentService.Sign", `{"KeyId":"`+id+`","Message":"dGV4dA==","SigningAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"}`)
	f.Add("TrentService.GetPublicKey", `{"KeyId":"`+arnPrefix+id+`"}`)
	f.Add("TrentService.GetPublicKey", `{"KeyId":"arn:"}`)
	f.Add("TrentService.Sign", `{"KeyId":null,"Message":[1],"MessageType":"DIGEST"}`)
	f.Add("TrentService.ListKeys", `{}`)
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, target, body string) {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("X-Amz-Target", target)
		status, got := answer(t, keys, request)
		kind, isRefusal := got["__type"].(string)
		switch {
		case status == http.StatusOK && got["KeyId"] == arnPrefix+id && !isRefusal:
		case status == http.StatusBadRequest && kind != "":
		default:
			t.Errorf("got %d %v", status, got)
		}
	})
}
