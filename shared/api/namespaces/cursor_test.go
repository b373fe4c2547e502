package namespaces

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"

	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
)

func TestCursor(t *testing.T) {
	mine, other := hashOf("list", "demo"), hashOf("list", "demo", "")
	at := place{at: locator(t, "demo.app"), rank: "a\x00rank"}
	for _, test := range []struct {
		name   string
		cursor string
		want   bool
	}{
		{"own", mine.cursor(at), true},
		{"without a rank", mine.cursor(place{at: at.at}), true},
		{"of another query", other.cursor(at), false},
		{"noise", "noise", false},
		{"nothing", "", false},
		{"of another version", rewritten(mine.cursor(at), func(raw []byte) []byte { raw[0]++; return raw }), false},
		{"of a malformed namespace", rewritten(mine.cursor(at), func(raw []byte) []byte { return append(raw, '.') }), false},
		{"of no namespace", rewritten(mine.cursor(at), func(raw []byte) []byte { return raw[:len(raw)-len("demo.app")] }), false},
		{"with a rank longer than it is", rewritten(mine.cursor(place{at: at.at}), func(raw []byte) []byte { raw[25] = 0x7f; return raw }), false},
		{"with a length that is written too long", rewritten(mine.cursor(place{at: at.at}), func(raw []byte) []byte {
			return append(append(raw[:25:25], 0x80, 0x00), raw[26:]...)
		}), false},
		{"with a line break", mine.cursor(at) + "\n", false},
		{"cut off", mine.cursor(at)[:30], false},
	} {
		got, ok := mine.place(test.cursor)
		if ok != test.want {
			t.Errorf("%s: accepted %v, want %v", test.name, ok, test.want)
		}
		if ok && mine.cursor(got) != test.cursor {
			t.Errorf("%s comes back as %+v", test.name, got)
		}
	}
}

// rewritten changes the bytes of a cursor.
func rewritten(cursor string, change func(raw []byte) []byte) string {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(change(raw))
}

// The longest cursor leaves room in a URL, of which API Gateway takes 10,240 bytes with
// all headers.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
func TestLongestCursor(t *testing.T) {
	order, err := keySchema().Order("meta.annotations.a", false)
	if err != nil {
		t.Fatal(err)
	}
	key := apikey.Key{Texts: apikey.Texts{Annotations: map[string]string{"a": strings.Repeat("x", maxAnnotationLength)}}}
	longest := strings.Repeat(strings.Repeat("n", namespace.MaxSegmentLength)+".", 4)[:namespace.MaxLength]
	at := place{at: locator(t, longest), rank: order.Rank(apiKeyOf(key))}
	if length := len(hashOf("list").cursor(at)); length < 1000 || length > 4000 {
		t.Errorf("the longest cursor has %d bytes", length)
	}
}

func FuzzCursor(f *testing.F) {
	mine := hashOf("list", "demo")
	f.Add(mine.cursor(place{at: locator(f, "demo.app"), rank: "rank"}))
	f.Add("019b7ca9-8f2e-7e98-833b-d887d15218ce")
	f.Fuzz(func(t *testing.T, text string) {
		if at, ok := mine.place(text); ok && mine.cursor(at) != text {
			t.Errorf("%q has another spelling, %q", text, mine.cursor(at))
		}
	})
}

func locator(t testing.TB, path string) apikey.Locator {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return apikey.Locator{Namespace: ns, ID: apikey.ID(uuid.Must(uuid.NewV7()))}
}
