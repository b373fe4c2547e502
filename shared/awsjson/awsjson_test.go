package awsjson_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"latchkey/shared/awsjson"
	"latchkey/shared/awsjson/awsjsontest"
)

const maxReply = 100

// A body tells whether it was read to its end, before which its connection serves no other
// request, and closed, without which that may be kept for ever.
type body struct {
	text               io.Reader
	hasEnded, isClosed bool
}

func (b *body) Read(into []byte) (int, error) {
	n, err := b.text.Read(into)
	b.hasEnded = b.hasEnded || err == io.EOF
	return n, err
}

func (b *body) Close() error {
	b.isClosed = true
	return nil
}

// Whatever is answered, the connection is left in good order: only what is too long or cut
// off costs it. What is sent is sent once: a transport could do it again if it had the means
// to.
func TestConnectionsAreLeftInGoodOrder(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		text   io.Reader
		ends   bool
	}{
		"success":              {200, strings.NewReader(`{}`), true},
		"of no use":            {200, strings.NewReader(`no`), true},
		"refusal":              {400, strings.NewReader(`{"__type":"SurpriseException"}`), true},
		"as long as it may be": {200, strings.NewReader(strings.Repeat("x", maxReply)), true},
		"too long":             {200, strings.NewReader(strings.Repeat("x", maxReply+1)), false},
		"no end":               {400, endless{}, false},
		"cut off":              {200, io.MultiReader(strings.NewReader(`{`), cut{}), false},
	} {
		config, got := awsjsontest.ConfigOf("http://service.invalid"), &body{text: test.text}
		config.Wrap = func(http.RoundTripper) http.RoundTripper {
			return awsjsontest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				if r.GetBody != nil {
					t.Errorf("%s: the request can be sent again", name)
				}
				return &http.Response{StatusCode: test.status, Header: http.Header{}, ContentLength: -1, Body: got, Request: r}, nil
			})
		}
		client := awsjson.New(config, awsjson.Service{Name: "service", ID: "Service", Version: "1.0", MaxReply: maxReply})
		err := client.Call(t.Context(), "Ask", []byte("{}"), func(reply []byte) error {
			if string(reply) != "{}" {
				return io.ErrNoProgress
			}
			return nil
		})
		if !got.isClosed || test.ends && !got.hasEnded || (err == nil) != (name == "success") {
			t.Errorf("%s: closed %v, read to its end %v, %v", name, got.isClosed, got.hasEnded, err)
		}
	}
}

// A service may tell in its refusal of a signature what should have been signed.
func TestRefusalTellsNoSecret(t *testing.T) {
	server := awsjsontest.Play(t, awsjsontest.Refuse(http.StatusBadRequest, "InvalidSignatureException"), func(w http.ResponseWriter, r *http.Request) {
		awsjsontest.Reply(http.StatusBadRequest, `{"__type":"InvalidSignatureException","message":"the reason\n\nThe Canonical String `+
			`should have been\n'POST\n/\n\nx-amz-security-token:`+r.Header.Get("X-Amz-Security-Token")+`'"}`)(w, r)
	})
	client := awsjson.New(awsjsontest.ConfigOf(server.URL), awsjson.Service{Name: "service", ID: "Service", Version: "1.0", MaxReply: 1000})
	var texts []string
	for range 2 {
		err := client.Call(t.Context(), "Ask", []byte("{}"), func([]byte) error { return nil })
		awsjsontest.WantNoSecret(t, err)
		texts = append(texts, err.Error())
	}
	if texts[0] != texts[1] {
		t.Errorf("%q, and with what should have been signed %q", texts[0], texts[1])
	}
}

type endless struct{}

func (endless) Read(into []byte) (int, error) { return len(into), nil }

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
