package awsjsontest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"latchkey/shared/awsclient"
)

// A Sent request is what a server sees of it.
type Sent struct {
	Method, Path, Host string
	Header             http.Header
	Text               string
	Body               map[string]any
}

// Capture gives the one request of a call, which is answered well, at an endpoint with a
// path.
func Capture(t *testing.T, good, path string, call func(awsclient.Config) error) Sent {
	t.Helper()
	var got Sent
	server := Play(t, func(w http.ResponseWriter, r *http.Request) {
		got = Receive(t, r)
		_, _ = w.Write([]byte(good))
	})
	if err := call(ConfigOf(server.URL + path)); err != nil {
		t.Fatal(err)
	}
	return got
}

// Receive reads a request.
func Receive(t *testing.T, r *http.Request) Sent {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	sent := Sent{Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host, Header: r.Header, Text: string(text)}
	if err := json.Unmarshal(text, &sent.Body); err != nil {
		t.Error(err)
	}
	return sent
}

// Headers by which the SDK's clients tell AWS of themselves and of their tries.
var ofSDKAlone = []string{"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"}

// Blanked leaves out what is another's for each request, and its host.
func (s Sent) Blanked() Sent {
	s.Header, s.Host, s.Text = s.Header.Clone(), "", ""
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

// WantSigned signs a request to a service again, from what the server has seen.
func (s Sent) WantSigned(t *testing.T, service string) {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), s.Method, "http://"+s.Host+s.Path, strings.NewReader(s.Text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(ofSDKAlone, []string{"Accept-Encoding", "Content-Type", "X-Amz-Target"}) {
		if value := s.Header.Get(name); value != "" && strings.Contains(s.Header.Get("Authorization"), strings.ToLower(name)) {
			again.Header.Set(name, value)
		}
	}
	at, err := time.Parse("20060102T150405Z", s.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	identity := aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: SecretKey, SessionToken: SessionToken}
	sum := sha256.Sum256([]byte(s.Text))
	if err := v4.NewSigner().SignHTTP(t.Context(), identity, again, hex.EncodeToString(sum[:]), service, Region, at); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want {
		t.Errorf("signed as %s, want %s", got, want)
	}
}
