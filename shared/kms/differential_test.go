package kms

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/awsclient"
	"latchkey/shared/fault"
)

func succeed(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good()) }

func reply(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "id of the request")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func refuse(status int, code string) http.HandlerFunc {
	return reply(status, fmt.Sprintf(`{"__type":%q,"message":"the reason"}`, code))
}

// withHeader answers what another does, with a header more.
func withHeader(name, value string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		answer(w, r)
	}
}

// hangUp sends a text that need not be an answer, and closes the connection, with a reset
// if that is wished.
func hangUp(text string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what is left of it would turn each closing into a reset
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		_, _ = connection.Write([]byte(text))
		if reset {
			_ = connection.(*net.TCPConn).SetLinger(0)
		}
	}
}

// hang sends what there is of an answer and waits until the client has gone.
func hang(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server looks after the client from then on
		if text != "" {
			_, _ = w.Write([]byte(text))
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	}
}

// padded is a JSON object of more than a megabyte.
func padded(object []byte) string {
	return `{"Padding":"` + strings.Repeat("x", 1<<20) + `",` + string(object[1:])
}

// An outcome is what comes of one call.
type outcome struct {
	Kind     error // nil for success
	Requests int
}

const partial = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"KeyId\":"

// What the SDK's client does with an answer, ours does, but for the few cases that say
// what the SDK's does.
var cases = []struct {
	name    string
	answers []http.HandlerFunc
	want    outcome
	ofSDK   *outcome
	isSlow  bool
}{
	{name: "success", answers: []http.HandlerFunc{succeed}, want: outcome{nil, 1}},
	{name: "success of another status", answers: []http.HandlerFunc{reply(201, string(good()))}, want: outcome{nil, 1}},

	{name: "missing", answers: []http.HandlerFunc{refuse(400, "NotFoundException")}, want: outcome{fault.NotFound, 1}},
	{name: "disabled", answers: []http.HandlerFunc{refuse(400, "DisabledException")}, want: outcome{fault.NotFound, 1}},
	{name: "pending deletion", answers: []http.HandlerFunc{refuse(400, "KMSInvalidStateException")}, want: outcome{fault.NotFound, 1}},
	{name: "access denied", answers: []http.HandlerFunc{refuse(400, "AccessDeniedException")}, want: outcome{fault.Internal, 1}},
	{name: "key for another use", answers: []http.HandlerFunc{refuse(400, "InvalidKeyUsageException")}, want: outcome{fault.Internal, 1}},
	{name: "invalid", answers: []http.HandlerFunc{refuse(400, "ValidationException")}, want: outcome{fault.Internal, 1}},
	{name: "unknown credentials", answers: []http.HandlerFunc{refuse(400, "UnrecognizedClientException")}, want: outcome{fault.Internal, 1}},
	{name: "wrong signature", answers: []http.HandlerFunc{refuse(400, "InvalidSignatureException")}, want: outcome{fault.Internal, 1}},
	{name: "expired credentials", answers: []http.HandlerFunc{refuse(400, "ExpiredTokenException")}, want: outcome{fault.Unavailable, 1}},
	{name: "unknown refusal", answers: []http.HandlerFunc{refuse(400, "SurpriseException")}, want: outcome{fault.Internal, 1}},
	{
		name:    "wrong time",
		answers: []http.HandlerFunc{withHeader("Date", "Mon, 02 Jan 2006 15:04:05 GMT", refuse(400, "InvalidSignatureException"))},
		want:    outcome{fault.Internal, 1}, ofSDK: &outcome{fault.Internal, 2},
	},

	{name: "code in a header", answers: []http.HandlerFunc{withHeader("X-Amzn-ErrorType", "NotFoundException:http://example.com/", reply(400, "{}"))}, want: outcome{fault.NotFound, 1}},
	{name: "code in a header alone", answers: []http.HandlerFunc{withHeader("X-Amzn-ErrorType", "NotFoundException", reply(400, ""))}, want: outcome{fault.NotFound, 1}},
	{name: "header before body", answers: []http.HandlerFunc{withHeader("X-Amzn-ErrorType", "NotFoundException", refuse(400, "AccessDeniedException"))}, want: outcome{fault.NotFound, 1}},
	{name: "code of a namespace", answers: []http.HandlerFunc{refuse(400, "com.amazonaws.kms#NotFoundException")}, want: outcome{fault.NotFound, 1}},
	{name: "code under another name", answers: []http.HandlerFunc{reply(400, `{"code":"NotFoundException"}`)}, want: outcome{fault.NotFound, 1}},
	{name: "code of a number", answers: []http.HandlerFunc{reply(400, `{"__type":"NotFoundException","code":5}`)}, want: outcome{fault.NotFound, 1}},
	{name: "no code", answers: []http.HandlerFunc{reply(400, `{"message":"no"}`)}, want: outcome{fault.Internal, 1}},
	{name: "empty refusal", answers: []http.HandlerFunc{reply(400, "")}, want: outcome{fault.Internal, 1}},
	{name: "refusal of a proxy", answers: []http.HandlerFunc{reply(403, "<html>no</html>")}, want: outcome{fault.Unavailable, 1}},
	{name: "refusal that is a list", answers: []http.HandlerFunc{reply(400, `[]`)}, want: outcome{fault.Unavailable, 1}},
	{name: "message of a number", answers: []http.HandlerFunc{reply(400, `{"__type":"NotFoundException","message":5}`)}, want: outcome{fault.Unavailable, 1}},

	{name: "throttled twice", answers: []http.HandlerFunc{refuse(400, "ThrottlingException"), refuse(400, "ThrottlingException"), succeed}, want: outcome{nil, 3}},
	{name: "throttled", answers: []http.HandlerFunc{refuse(400, "ThrottlingException")}, want: outcome{fault.Unavailable, 3}},
	{name: "over a limit", answers: []http.HandlerFunc{refuse(400, "LimitExceededException")}, want: outcome{fault.Unavailable, 3}},
	{name: "too late", answers: []http.HandlerFunc{refuse(400, "RequestTimeoutException")}, want: outcome{fault.Internal, 3}},
	{name: "internal once", answers: []http.HandlerFunc{refuse(500, "KMSInternalException"), succeed}, want: outcome{nil, 2}},
	{name: "internal", answers: []http.HandlerFunc{refuse(500, "KMSInternalException")}, want: outcome{fault.Unavailable, 3}},
	{name: "key unavailable", answers: []http.HandlerFunc{refuse(500, "KeyUnavailableException")}, want: outcome{fault.Unavailable, 3}},
	{name: "dependency too late", answers: []http.HandlerFunc{refuse(503, "DependencyTimeoutException")}, want: outcome{fault.Unavailable, 3}},
	{name: "missing, with a server's status", answers: []http.HandlerFunc{refuse(500, "NotFoundException")}, want: outcome{fault.Unavailable, 3}},
	{name: "empty 500", answers: []http.HandlerFunc{reply(500, "")}, want: outcome{fault.Unavailable, 3}},
	{name: "502 of a proxy", answers: []http.HandlerFunc{reply(502, "<html>no</html>")}, want: outcome{fault.Unavailable, 3}},
	{name: "503", answers: []http.HandlerFunc{reply(503, "busy")}, want: outcome{fault.Unavailable, 3}},
	{name: "501", answers: []http.HandlerFunc{reply(501, "no")}, want: outcome{fault.Unavailable, 1}},
	{name: "three kinds of failures", answers: []http.HandlerFunc{reply(503, "busy"), hangUp("", true), refuse(400, "ThrottlingException"), succeed}, want: outcome{fault.Unavailable, 3}},
	{name: "disabled in the meantime", answers: []http.HandlerFunc{reply(503, "busy"), refuse(400, "DisabledException")}, want: outcome{fault.NotFound, 2}},

	{name: "connection reset", answers: []http.HandlerFunc{hangUp("", true)}, want: outcome{fault.Unavailable, 3}},
	{name: "connection closed", answers: []http.HandlerFunc{hangUp("", false)}, want: outcome{fault.Unavailable, 3}},
	{name: "connection closed once", answers: []http.HandlerFunc{hangUp("", false), succeed}, want: outcome{nil, 2}},
	{name: "no HTTP", answers: []http.HandlerFunc{hangUp("220 ready\r\n", false)}, want: outcome{fault.Unavailable, 3}},
	{name: "cut off in the head", answers: []http.HandlerFunc{hangUp("HTTP/1.1 200 OK\r\nContent-", false)}, want: outcome{fault.Unavailable, 3}},
	{name: "cut off in the body", answers: []http.HandlerFunc{hangUp(partial, false)}, want: outcome{fault.Unavailable, 1}},
	{name: "reset in the body", answers: []http.HandlerFunc{hangUp(partial, true)}, want: outcome{fault.Unavailable, 3}},
	{name: "refusal cut off", answers: []http.HandlerFunc{hangUp(strings.Replace(partial, "200 OK", "400 Bad Request", 1), false)}, want: outcome{fault.Unavailable, 1}},
	{name: "too slow", answers: []http.HandlerFunc{hang("")}, want: outcome{fault.Unavailable, 3}, isSlow: true},
	{name: "too slow once", answers: []http.HandlerFunc{hang(""), succeed}, want: outcome{nil, 2}, isSlow: true},

	{name: "half of the JSON", answers: []http.HandlerFunc{reply(200, string(good()[:len(good())/2]))}, want: outcome{fault.Unavailable, 1}},
	{name: "no JSON", answers: []http.HandlerFunc{reply(200, "<html>welcome</html>")}, want: outcome{fault.Unavailable, 1}},
	{name: "null", answers: []http.HandlerFunc{reply(200, "null")}, want: outcome{fault.Unavailable, 1}},
	{
		name:    "name of a number",
		answers: []http.HandlerFunc{reply(200, `{"KeyId":5,`+string(good()[1:]))},
		want:    outcome{nil, 1}, ofSDK: &outcome{fault.Unavailable, 1},
	},
	{name: "list", answers: []http.HandlerFunc{reply(200, "[]")}, want: outcome{fault.Unavailable, 1}},
	{name: "blobs of numbers", answers: []http.HandlerFunc{reply(200, `{"Signature":5,"PublicKey":5}`)}, want: outcome{fault.Unavailable, 1}},
	{name: "blobs that are no base64", answers: []http.HandlerFunc{reply(200, `{"Signature":"?","PublicKey":"?"}`)}, want: outcome{fault.Unavailable, 1}},

	{name: "redirection of the body", answers: []http.HandlerFunc{withHeader("Location", "/there", reply(307, "")), succeed}, want: outcome{fault.Internal, 1}},
	{name: "redirection", answers: []http.HandlerFunc{withHeader("Location", "/there", reply(302, "")), refuse(400, "NotFoundException")}, want: outcome{fault.Internal, 1}},
}

func TestSameAsSDK(t *testing.T) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, client, action string) {
				want := test.want
				if client == "SDK" && test.ofSDK != nil {
					want = *test.ofSDK
				}
				server := play(t, test.answers...)
				config := configOf(server.URL)
				if test.isSlow {
					config.Wrap = impatient
				}
				_, err := actions[action](t.Context(), clients[client](config))
				if diff := cmp.Diff(want, outcome{kindOf(err), server.count()}); diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
				wantNoSecret(t, err)
			})
		})
	}
}

func wantNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{secretKey, sessionToken, "AWS4-HMAC", "Credential="} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%v tells of %s", err, secret)
		}
	}
}

// What is only ours: an answer that is of no use is none, and a huge one is not read. The
// SDK's client calls all of them a success, most of them one without a signature.
func TestStricterThanSDK(t *testing.T) {
	for name, answer := range map[string]string{
		"empty body":          "",
		"empty object":        "{}",
		"null for blobs":      `{"Signature":null,"PublicKey":null}`,
		"empty blobs":         `{"Signature":"","PublicKey":""}`,
		"names in lower case": `{"signature":"c2ln","publickey":"c2ln"}`,
		"JSON and more":       string(good()) + "}",
		"huge answer":         padded(good()),
	} {
		server := play(t, reply(200, answer))
		for action, do := range actions {
			before := server.count()
			text, err := do(t.Context(), New(configOf(server.URL)))
			if kindOf(err) != fault.Unavailable || text != "" || server.count() != before+1 {
				t.Errorf("%s: %s after %d requests: %q, %v", name, action, server.count()-before, text, err)
			}
		}
		if _, err := newReference(configOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32)); err != nil {
			t.Errorf("%s: the SDK's client is as strict: %v", name, err)
		}
	}
}

func TestHugeRefusal(t *testing.T) {
	server := play(t, reply(400, padded([]byte(`{"__type":"NotFoundException"}`))))
	_, err := New(configOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32))
	if kindOf(err) != fault.Unavailable || server.count() != 1 {
		t.Errorf("after %d requests: %v", server.count(), err)
	}
}

// What is no key of ours is no outage either.
func TestOtherKeys(t *testing.T) {
	for name, answer := range map[string]string{
		"no key":         `{"PublicKey":"bm8ga2V5"}`,
		"elliptic curve": `{"PublicKey":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="}`,
	} {
		server := play(t, reply(200, answer))
		for client, open := range clients {
			_, err := open(configOf(server.URL)).PublicKey(t.Context(), keyID)
			if kindOf(err) != fault.Internal || !strings.Contains(err.Error(), keyID) {
				t.Errorf("%s: %s: %v", name, client, err)
			}
		}
	}
}

// The same quota of repetitions holds for all the calls of a client.
func TestQuota(t *testing.T) {
	each(t, func(t *testing.T, client, action string) {
		const calls, repetitions = 120, 100
		server := play(t, reply(503, ""))
		keys := clients[client](configOf(server.URL))
		var all sync.WaitGroup
		for range calls {
			all.Go(func() {
				if _, err := actions[action](t.Context(), keys); kindOf(err) != fault.Unavailable {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if server.count() != calls+repetitions {
			t.Errorf("%d requests", server.count())
		}
	})
}

func TestNobodyThere(t *testing.T) {
	for _, endpoint := range []string{"http://127.0.0.1:1", "http://kms.invalid", "://", "http://[::1"} {
		each(t, func(t *testing.T, client, action string) {
			if _, err := actions[action](t.Context(), clients[client](configOf(endpoint))); kindOf(err) != fault.Unavailable {
				t.Errorf("%s: %v", endpoint, err)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	each(t, func(t *testing.T, client, action string) {
		server := play(t, succeed)
		config := configOf(server.URL)
		config.Credentials = withoutCredentials
		_, err := actions[action](t.Context(), clients[client](config))
		if kindOf(err) != fault.Unavailable || server.count() != 0 {
			t.Errorf("after %d requests: %v", server.count(), err)
		}
	})
}

// The time of a caller who waits for the head or the body of an answer.
func TestTimeIsUp(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"head": hang(""),
		"body": hang(`{"KeyId":`),
		"refusal": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			hang(`{"__type":`)(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, client, action string) {
				server := play(t, answer)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
				defer cancel()
				_, err := actions[action](ctx, clients[client](configOf(server.URL)))
				if kindOf(err) != fault.Unavailable || server.count() != 1 {
					t.Errorf("after %d requests: %v", server.count(), err)
				}
			})
		})
	}
}

func TestCallerHasGone(t *testing.T) {
	each(t, func(t *testing.T, client, action string) {
		server := play(t, succeed)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := actions[action](ctx, clients[client](configOf(server.URL)))
		if kindOf(err) != fault.Unavailable || server.count() != 0 {
			t.Errorf("after %d requests: %v", server.count(), err)
		}
	})
}

// Nothing is sent for a caller who goes between two tries.
func TestCallerGoesDuringBackOff(t *testing.T) {
	each(t, func(t *testing.T, client, action string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		requests := 0
		config := configOf("http://kms.invalid")
		config.Wrap = func(http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				requests++
				cancel()
				return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			})
		}
		if _, err := actions[action](ctx, clients[client](config)); kindOf(err) != fault.Unavailable || requests != 1 {
			t.Errorf("after %d requests: %v", requests, err)
		}
	})
}

// Whatever is answered with a status of which nothing is repeated: a refusal is read as the
// SDK's client reads it, and nothing is a signature that is another one for the SDK's.
func FuzzAnswer(f *testing.F) {
	f.Add(400, "", `{"__type":"NotFoundException","message":"no"}`)
	f.Add(400, "a#DisabledException:b", `{"code":"x"}`)
	f.Add(400, "", `{"__TYPE":"a","Code":["x"],"message":null}{`)
	f.Add(200, "", `{"Signature":"c2ln"}`)
	f.Add(200, "", `{"Signature":"c2ln","Signature":null}`)
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		isSuccess := status >= 200 && status < 300
		if !isSuccess && (status < 400 || status > 499) {
			t.Skip()
		}
		config := answering(status, header, body)
		ours, err := New(config).Sign(t.Context(), keyID, make([]byte, 32))
		theirs, errOfSDK := newReference(config).Sign(t.Context(), keyID, make([]byte, 32))
		isSame := kindOf(err) == kindOf(errOfSDK) && string(ours) == string(theirs)
		if !isSame && !(isSuccess && (kindOf(err) == fault.Unavailable || errOfSDK != nil)) {
			t.Errorf("%d %q %q: %q, %v; the SDK's %q, %v", status, header, body, ours, err, theirs, errOfSDK)
		}
	})
}

// answering leads to no network but to one answer.
func answering(status int, header, body string) awsclient.Config {
	config := configOf("http://kms.invalid")
	config.Wrap = func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status,
				Header:     http.Header{"X-Amzn-Errortype": {header}},
				Body:       io.NopCloser(strings.NewReader(body)),
				Request:    r,
			}, nil
		})
	}
	return config
}

// A refusal is told in the log as the SDK's client tells it.
func TestTextOfRefusal(t *testing.T) {
	server := play(t, refuse(400, "AccessDeniedException"))
	var texts []string
	for _, open := range clients {
		_, err := open(configOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32))
		texts = append(texts, strings.Replace(err.Error(), "api error ", "", 1))
	}
	if len(slices.Compact(texts)) != 1 || !strings.Contains(texts[0], "RequestID: id of the request") {
		t.Error(texts)
	}
}
