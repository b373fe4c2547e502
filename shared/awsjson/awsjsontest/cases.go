package awsjsontest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/shared/fault"
)

// An Outcome is what comes of one call.
type Outcome struct {
	Kind     error // nil for success
	Requests int
}

// KindOf is the kind of a fault, and nil for success.
func KindOf(err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known.Kind
	}
	return fault.Internal
}

// A Case is what a service answers, one request after the other, and what that is to a
// client of ours and, unless OfSDK says otherwise, to the SDK's.
type Case struct {
	Name    string
	Answers []http.HandlerFunc
	Want    Outcome
	OfSDK   *Outcome
	IsSlow  bool // a time-out of the transport has to pass
}

const partial = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"KeyId\":"

// Outcomes of one request and of more.
var (
	unavailable = Outcome{fault.Unavailable, 1}
	internal    = Outcome{fault.Internal, 1}
	afterThree  = Outcome{fault.Unavailable, 3}
	second      = Outcome{nil, 2}
)

func answering(all ...http.HandlerFunc) []http.HandlerFunc { return all }

// Cases are those of every service. Good is an answer that is of use.
func Cases(good string) []Case {
	return slices.Concat(ofAnswers(good), ofRefusals(), ofRepetitions(good), ofConnections(good))
}

func ofAnswers(good string) []Case {
	succeed := Reply(200, good)
	return []Case{
		{Name: "success", Answers: answering(succeed), Want: Outcome{nil, 1}},
		{Name: "success of another status", Answers: answering(Reply(201, good)), Want: Outcome{nil, 1}},

		{Name: "half of the JSON", Answers: answering(Reply(200, good[:len(good)/2])), Want: unavailable},
		{Name: "no JSON", Answers: answering(Reply(200, "<html>welcome</html>")), Want: unavailable},
		{Name: "list", Answers: answering(Reply(200, "[]")), Want: unavailable},

		{Name: "redirection of the body", Answers: answering(WithHeader("Location", "/there", Reply(307, "")), succeed), Want: internal},
		{Name: "redirection", Answers: answering(WithHeader("Location", "/there", Reply(302, "")), Refuse(400, "ThrottlingException")), Want: internal},
	}
}

func ofRefusals() []Case {
	expire := Refuse(400, "ExpiredTokenException")
	return []Case{
		{Name: "access denied", Answers: answering(Refuse(400, "AccessDeniedException")), Want: internal},
		{Name: "invalid", Answers: answering(Refuse(400, "ValidationException")), Want: internal},
		{Name: "unknown credentials", Answers: answering(Refuse(400, "UnrecognizedClientException")), Want: internal},
		{Name: "wrong signature", Answers: answering(Refuse(400, "InvalidSignatureException")), Want: internal},
		{Name: "expired credentials", Answers: answering(expire), Want: unavailable},
		{Name: "unknown refusal", Answers: answering(Refuse(400, "SurpriseException")), Want: internal},
		{
			Name:    "wrong time",
			Answers: answering(WithHeader("Date", "Mon, 02 Jan 2006 15:04:05 GMT", Refuse(400, "InvalidSignatureException"))),
			Want:    internal, OfSDK: &Outcome{fault.Internal, 2},
		},

		{Name: "code in a header", Answers: answering(WithHeader("X-Amzn-ErrorType", "ExpiredTokenException:http://example.com/", Reply(400, "{}"))), Want: unavailable},
		{Name: "code in a header alone", Answers: answering(WithHeader("X-Amzn-ErrorType", "ExpiredTokenException", Reply(400, ""))), Want: unavailable},
		{Name: "header before body", Answers: answering(WithHeader("X-Amzn-ErrorType", "AccessDeniedException", expire)), Want: internal},
		{Name: "code of a namespace", Answers: answering(Refuse(400, "com.amazon.coral.service#ExpiredTokenException")), Want: unavailable},
		{Name: "code under another name", Answers: answering(Reply(400, `{"code":"ExpiredTokenException"}`)), Want: unavailable},
		{Name: "code of a number", Answers: answering(Reply(400, `{"__type":"AccessDeniedException","code":5}`)), Want: internal},
		{Name: "no code", Answers: answering(Reply(400, `{"message":"no"}`)), Want: internal},
		{Name: "empty refusal", Answers: answering(Reply(400, "")), Want: internal},
		{Name: "refusal of a proxy", Answers: answering(Reply(403, "<html>no</html>")), Want: unavailable},
		{Name: "refusal that is a list", Answers: answering(Reply(400, `[]`)), Want: unavailable},
		{Name: "message of a number", Answers: answering(Reply(400, `{"__type":"AccessDeniedException","message":5}`)), Want: unavailable},
	}
}

func ofRepetitions(good string) []Case {
	succeed, throttle := Reply(200, good), Refuse(400, "ThrottlingException")
	return []Case{
		{Name: "throttled twice", Answers: answering(throttle, throttle, succeed), Want: Outcome{nil, 3}},
		{Name: "throttled", Answers: answering(throttle), Want: afterThree},
		{Name: "too late", Answers: answering(Refuse(400, "RequestTimeoutException")), Want: Outcome{fault.Internal, 3}},
		{Name: "internal once", Answers: answering(Refuse(500, "InternalFailure"), succeed), Want: second},
		{Name: "internal", Answers: answering(Refuse(500, "InternalFailure")), Want: afterThree},
		{Name: "refusal with a server's status", Answers: answering(Refuse(500, "AccessDeniedException")), Want: afterThree},
		{Name: "empty 500", Answers: answering(Reply(500, "")), Want: afterThree},
		{Name: "502 of a proxy", Answers: answering(Reply(502, "<html>no</html>")), Want: afterThree},
		{Name: "503", Answers: answering(Reply(503, "busy")), Want: afterThree},
		{Name: "501", Answers: answering(Reply(501, "no")), Want: unavailable},
		{Name: "three kinds of failures", Answers: answering(Reply(503, "busy"), hangUp("", true), throttle, succeed), Want: afterThree},
		{Name: "refused in the meantime", Answers: answering(Reply(503, "busy"), Refuse(400, "AccessDeniedException")), Want: Outcome{fault.Internal, 2}},
	}
}

func ofConnections(good string) []Case {
	succeed := Reply(200, good)
	return []Case{
		{Name: "connection reset", Answers: answering(hangUp("", true)), Want: afterThree},
		{Name: "connection closed", Answers: answering(hangUp("", false)), Want: afterThree},
		{Name: "connection closed once", Answers: answering(hangUp("", false), succeed), Want: second},
		{Name: "no HTTP", Answers: answering(hangUp("220 ready\r\n", false)), Want: afterThree},
		{Name: "cut off in the head", Answers: answering(hangUp("HTTP/1.1 200 OK\r\nContent-", false)), Want: afterThree},
		{Name: "cut off in the body", Answers: answering(hangUp(partial, false)), Want: unavailable},
		{Name: "reset in the body", Answers: answering(hangUp(partial, true)), Want: afterThree},
		{Name: "refusal cut off", Answers: answering(hangUp(strings.Replace(partial, "200 OK", "400 Bad Request", 1), false)), Want: unavailable},
		{Name: "too slow", Answers: answering(hang("")), Want: afterThree, IsSlow: true},
		{Name: "too slow once", Answers: answering(hang(""), succeed), Want: second, IsSlow: true},
	}
}

// answers plays cases to a client of ours or, if it is, of the SDK's.
func answers(t *testing.T, cases []Case, isSDK bool, open Open) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			want := test.Want
			if isSDK && test.OfSDK != nil {
				want = *test.OfSDK
			}
			server := Play(t, test.Answers...)
			config := ConfigOf(server.URL)
			if test.IsSlow {
				config.Wrap = impatient
			}
			err := open(config)(t.Context())
			if got := (Outcome{Kind: KindOf(err), Requests: server.Requests()}); got != want {
				t.Errorf("%v after %d requests, want %v after %d: %v", got.Kind, got.Requests, want.Kind, want.Requests, err)
			}
			WantNoSecret(t, err)
		})
	}
}
