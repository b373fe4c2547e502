package kms

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/shared/awsjson/awsjsontest"
	"latchkey/shared/fault"
)

// What the SDK's client does with an answer, ours does, but for the few cases that say
// what the SDK's does. These are the cases that KMS has beside those of every service.
var ofKMS = []awsjsontest.Case{
	{Name: "missing", Answers: refusals(400, "NotFoundException"), Want: awsjsontest.Outcome{Kind: fault.NotFound, Requests: 1}},
	{Name: "missing, by its namespace", Answers: refusals(400, "com.amazonaws.kms#NotFoundException"), Want: awsjsontest.Outcome{Kind: fault.NotFound, Requests: 1}},
	{Name: "disabled", Answers: refusals(400, "DisabledException"), Want: awsjsontest.Outcome{Kind: fault.NotFound, Requests: 1}},
	{Name: "pending deletion", Answers: refusals(400, "KMSInvalidStateException"), Want: awsjsontest.Outcome{Kind: fault.NotFound, Requests: 1}},
	{Name: "key for another use", Answers: refusals(400, "InvalidKeyUsageException"), Want: awsjsontest.Outcome{Kind: fault.Internal, Requests: 1}},
	{Name: "over a limit", Answers: refusals(400, "LimitExceededException"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}},
	{Name: "internal", Answers: refusals(500, "KMSInternalException"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}},
	{Name: "key unavailable", Answers: refusals(500, "KeyUnavailableException"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}},
	{Name: "dependency too late", Answers: refusals(503, "DependencyTimeoutException"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}},
	{Name: "missing, with a server's status", Answers: refusals(500, "NotFoundException"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 3}},
	{
		Name:    "disabled in the meantime",
		Answers: []http.HandlerFunc{awsjsontest.Reply(503, "busy"), awsjsontest.Refuse(400, "DisabledException")},
		Want:    awsjsontest.Outcome{Kind: fault.NotFound, Requests: 2},
	},
	{Name: "null", Answers: replies("null"), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 1}},
	{
		Name: "name of a number", Answers: replies(`{"KeyId":5,` + string(good()[1:])),
		Want: awsjsontest.Outcome{Requests: 1}, OfSDK: &awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 1},
	},
	{Name: "blobs of numbers", Answers: replies(`{"Signature":5,"PublicKey":5}`), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 1}},
	{Name: "blobs that are no base64", Answers: replies(`{"Signature":"?","PublicKey":"?"}`), Want: awsjsontest.Outcome{Kind: fault.Unavailable, Requests: 1}},
}

func refusals(status int, code string) []http.HandlerFunc {
	return []http.HandlerFunc{awsjsontest.Refuse(status, code)}
}

func replies(text string) []http.HandlerFunc { return []http.HandlerFunc{awsjsontest.Reply(200, text)} }

func TestSameAsSDK(t *testing.T) {
	subjects.Same(t, slices.Concat(awsjsontest.Cases(string(good())), ofKMS))
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
		"huge answer":         awsjsontest.Padded(string(good()), 1<<20),
	} {
		server := awsjsontest.Play(t, awsjsontest.Reply(200, answer))
		for action, do := range subjects.Actions {
			before := server.Requests()
			text, err := do(t.Context(), New(awsjsontest.ConfigOf(server.URL)))
			if awsjsontest.KindOf(err) != fault.Unavailable || text != "" || server.Requests() != before+1 {
				t.Errorf("%s: %s after %d requests: %q, %v", name, action, server.Requests()-before, text, err)
			}
		}
		if _, err := newReference(awsjsontest.ConfigOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32)); err != nil {
			t.Errorf("%s: the SDK's client is as strict: %v", name, err)
		}
	}
}

func TestHugeRefusal(t *testing.T) {
	server := awsjsontest.Play(t, awsjsontest.Reply(400, awsjsontest.Padded(`{"__type":"NotFoundException"}`, 1<<20)))
	_, err := New(awsjsontest.ConfigOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32))
	if awsjsontest.KindOf(err) != fault.Unavailable || server.Requests() != 1 {
		t.Errorf("after %d requests: %v", server.Requests(), err)
	}
}

// What is no key of ours is no outage either.
func TestOtherKeys(t *testing.T) {
	for name, answer := range map[string]string{
		"no key":         `{"PublicKey":"bm8ga2V5"}`,
		"elliptic curve": `{"PublicKey":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="}`,
	} {
		server := awsjsontest.Play(t, awsjsontest.Reply(200, answer))
		for client, open := range subjects.Clients {
			_, err := open(awsjsontest.ConfigOf(server.URL)).PublicKey(t.Context(), keyID)
			if awsjsontest.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), keyID) {
				t.Errorf("%s: %s: %v", name, client, err)
			}
		}
	}
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
		config := awsjsontest.Answering(status, http.Header{"X-Amzn-Errortype": {header}}, body)
		ours, err := New(config).Sign(t.Context(), keyID, make([]byte, 32))
		theirs, errOfSDK := newReference(config).Sign(t.Context(), keyID, make([]byte, 32))
		isSame := awsjsontest.KindOf(err) == awsjsontest.KindOf(errOfSDK) && string(ours) == string(theirs)
		if !isSame && !(isSuccess && (awsjsontest.KindOf(err) == fault.Unavailable || errOfSDK != nil)) {
			t.Errorf("%d %q %q: %q, %v; the SDK's %q, %v", status, header, body, ours, err, theirs, errOfSDK)
		}
	})
}

// A refusal is told in the log as the SDK's client tells it.
func TestTextOfRefusal(t *testing.T) {
	server := awsjsontest.Play(t, awsjsontest.Refuse(400, "AccessDeniedException"))
	var texts []string
	for _, open := range subjects.Clients {
		_, err := open(awsjsontest.ConfigOf(server.URL)).Sign(t.Context(), keyID, make([]byte, 32))
		texts = append(texts, strings.Replace(err.Error(), "api error ", "", 1))
	}
	if len(slices.Compact(texts)) != 1 || !strings.Contains(texts[0], "RequestID: id of the request") {
		t.Error(texts)
	}
}
