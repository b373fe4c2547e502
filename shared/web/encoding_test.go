package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/fault"
)

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"":                           false,
		"gzip":                       true,
		"GZip":                       true,
		"x-gzip":                     true,
		"deflate, gzip, br":          true,
		"deflate,gzip":               true,
		"deflate, br":                false,
		"identity":                   false,
		"gzipped":                    false,
		"*":                          true,
		"*;q=0":                      false,
		"gzip;q=0":                   false,
		"gzip;q=0.000":               false,
		"gzip;q=0.001":               true,
		"gzip;q=1.000":               true,
		"gzip ; Q=0.5":               true,
		"gzip;q=0, *":                false,
		"*, gzip;q=0":                false,
		"x-gzip;q=0, *;q=1":          false,
		"*;q=0, gzip;q=0.1":          true,
		"identity;q=1, *;q=0":        false,
		"gzip;q=1.0, identity;q=0.5": true,
		"gzip;q=":                    false,
		"gzip;q=-1":                  false,
		"gzip;q=2":                   false,
		"gzip;q=NaN":                 false,
		"gzip;q=1e-1":                false,
		"gzip;q=.":                   false,
		"gzip;level=9":               false,
		";q=1,,":                     false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q accepts gzip: %t, want %t", header, got, want)
		}
	}
}

func answering(body string) Handler {
	return func(context.Context, *Request) (Response, error) { return JSONBody(200, []byte(body)), nil }
}

func accepting(encodings string) *Request {
	return &Request{Header: map[string]string{"accept-encoding": encodings}}
}

func TestCompression(t *testing.T) {
	small, large := strings.Repeat("x", 1023), strings.Repeat("x", 1024)
	for name, test := range map[string]struct {
		request        *Request
		body           string
		encoding, vary string
	}{
		"large":                {accepting("gzip"), large, "gzip", "Accept-Encoding"},
		"large, refused":       {accepting("gzip;q=0"), large, "", "Accept-Encoding"},
		"large, not asked for": {&Request{}, large, "", "Accept-Encoding"},
		"small":                {accepting("gzip"), small, "", ""},
	} {
		response, _ := serve(t, t.Context(), test.request, answering(test.body))
		if response.Header["Content-Encoding"] != test.encoding || response.Header["Vary"] != test.vary {
			t.Errorf("%s: the header is %v", name, response.Header)
		}
		if diff := cmp.Diff(test.body, plain(t, response)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

// What a handler has compressed already goes out as it is, to who takes it.
func TestCompressedOnce(t *testing.T) {
	body, kept := strings.Repeat("x", 2000), Gzip([]byte("kept"))
	keeping := func(context.Context, *Request) (Response, error) {
		response := JSONBody(200, []byte(body))
		response.Gzip = kept
		return response, nil
	}
	if response, _ := serve(t, t.Context(), accepting("gzip"), keeping); plain(t, response) != "kept" {
		t.Errorf("the body was compressed again: %v", response.Header)
	}
	if response, _ := serve(t, t.Context(), &Request{}, keeping); plain(t, response) != body {
		t.Errorf("a client that takes no gzip gets %.20q", response.Body)
	}
}

func TestErrorsAreCompressed(t *testing.T) {
	failure := fault.New(fault.Invalid, strings.Repeat("wrong ", minCompressedBytes))
	response, _ := serve(t, t.Context(), accepting("gzip"), failing(failure))
	if response.Status != 400 || response.Header["Content-Encoding"] != "gzip" {
		t.Errorf("status %d, header %v", response.Status, response.Header)
	}
	if diff := cmp.Diff(string(Problem(nil, failure).Body), plain(t, response)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plain is what a client sees of a response's body.
func plain(t *testing.T, response Response) string {
	t.Helper()
	if response.Header["Content-Encoding"] == "" {
		return string(response.Body)
	}
	reader, err := gzip.NewReader(bytes.NewReader(response.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err = errors.Join(err, reader.Close()); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Noise in digits compresses to less than its own size even in base64; noise in all
// that can be printed does not.
func TestCompressionNeverTakesMoreOfThePlatform(t *testing.T) {
	const printable = " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	for alphabet, want := range map[string]string{"0123456789abcdef": "gzip", printable: ""} {
		for _, size := range []int{minCompressedBytes, 100_000, MaxAnswerBytes} {
			body := noise(alphabet, size)
			response, _ := serve(t, t.Context(), accepting("gzip"), answering(body))
			if response.Status != 200 || response.Header["Content-Encoding"] != want || response.Header["Vary"] == "" {
				t.Errorf("%d bytes of %q: status %d, header %v", size, alphabet, response.Status, response.Header)
			}
			taken := len(response.Body)
			if want != "" {
				taken = base64.StdEncoding.EncodedLen(taken)
			}
			if taken > size || plain(t, response) != body {
				t.Errorf("%d bytes of %q take %d, and stand for other ones: %t", size, alphabet, taken, plain(t, response) != body)
			}
		}
	}
}

// noise is the same in every run.
func noise(alphabet string, size int) string {
	random := rand.New(rand.NewPCG(1, 2))
	body := make([]byte, size)
	for i := range body {
		body[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(body)
}

func FuzzAcceptsGzip(f *testing.F) {
	f.Add("gzip;q=0.5, *;q=0")
	f.Fuzz(func(t *testing.T, header string) {
		if acceptsGzip(header) && !strings.Contains(strings.ToLower(header), "gzip") && !strings.Contains(header, "*") {
			t.Errorf("%q does not name gzip", header)
		}
	})
}
