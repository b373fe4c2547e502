package awsclient

import (
	"io"
	"net/http"
	"strings"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// hasty answers a request before it has asked for the end of its body, as net/http's
// transport may when the service is quick.
type hasty struct{ body io.Reader }

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	h.body = r.Body
	_, err := io.CopyN(io.Discard, r.Body, r.ContentLength)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, err
}

func TestBodyEndsInGoodOrderAfterTheAnswer(t *testing.T) {
	transport := &hasty{}
	config := Config{Wrap: func(http.RoundTripper) http.RoundTripper { return transport }}
	plain := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	plain.Method = http.MethodPost
	plain.URL.Scheme, plain.URL.Host = "http", "service.example"
	plain.ContentLength = 4
	request, err := plain.SetStream(strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := smithyhttp.NewClientHandlerWithOptions(config.SDKClient()).Handle(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, transport.body); n != 0 || err != nil {
		t.Errorf("the rest of a sent body: %d bytes, %v", n, err)
	}
}

// What does not answer costs a try no longer than that, at whichever step, and a proxy is
// asked where the environment names one.
func TestTransportBoundsEachTry(t *testing.T) {
	transport := Config{}.Transport().(*http.Transport)
	if transport.TLSHandshakeTimeout != attemptTimeout || transport.ResponseHeaderTimeout != attemptTimeout || transport.Proxy == nil {
		t.Errorf("TLS may take %v, the head of an answer %v", transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout)
	}
}
