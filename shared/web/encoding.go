package web

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strconv"
	"strings"
)

// A smaller body fits in one packet with its headers, compressed or not.
const minCompressedBytes = 1024

// acceptsGzip reports whether an Accept-Encoding allows gzip. What is said of gzip by
// name counts before what is said of everything.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
func acceptsGzip(header string) bool {
	accepted := false
	for element := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(element, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return isPositiveWeight(weight)
		case "*":
			accepted = isPositiveWeight(weight)
		}
	}
	return accepted
}

// isPositiveWeight reads q=0.5 and the like; none is 1. One that is malformed allows
// nothing: a body that is not compressed suits everyone.
func isPositiveWeight(weight string) bool {
	weight = strings.ToLower(strings.TrimSpace(weight))
	if weight == "" {
		return true
	}
	text, ok := strings.CutPrefix(weight, "q=")
	value, err := strconv.ParseFloat(text, 64)
	return ok && isDecimal(text) && err == nil && 0 < value && value <= 1
}

// isDecimal reports whether a text is free of what Go's parsers take and headers do
// not, as signs, exponents and units.
func isDecimal(text string) bool { return strings.Trim(text, "0123456789.") == "" }

// compress replaces a body, unless that makes it larger on its way through the
// platform, which takes what is no text in base64: the limit on an answer is checked
// before, and must hold after. That an answer's size tells something of its secrets
// helps nobody who cannot make a caller ask: no browser adds our credentials.
func compress(response *Response) {
	body := response.Gzip
	if body == nil {
		body = Gzip(response.Body)
	}
	if base64.StdEncoding.EncodedLen(len(body)) >= WireSize(response.Body) {
		return
	}
	response.Header["Content-Encoding"] = "gzip"
	response.Body = body
}

// Gzip compresses a body, at the fastest level: our JSON is mostly member names that
// repeat, which every level finds. The others search longer, while the client waits, for
// a few percent of the body.
func Gzip(body []byte) []byte {
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level exists
	}
	_, _ = w.Write(body) // memory takes everything
	_ = w.Close()
	return compressed.Bytes()
}
