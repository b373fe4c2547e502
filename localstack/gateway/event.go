package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

const (
	account    = "000000000000"
	apiID      = "local"
	stage      = "$default"
	timeFormat = "02/Jan/2006:15:04:05 -0700"
)

// Why there is no event for a request.
var (
	errTooLarge   = errors.New("payload over the limit")
	errUnreadable = errors.New("unreadable request")
)

// request is the request as a function gets it.
func (g *Gateway) request(r *http.Request, match match, id string) (events.APIGatewayV2HTTPRequest, error) {
	body, err := readBody(r)
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
	headers, cookies := foldHeaders(r, len(body))
	text, isBase64 := encodeBody(body, r.Header.Get("Content-Type"))
	return events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              match.route.Key,
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies,
		Headers:               headers,
		QueryStringParameters: foldQuery(r.URL.RawQuery),
		PathParameters:        match.parameters,
		RequestContext:        g.requestContext(r, match.route.Key, id),
		Body:                  text,
		IsBase64Encoded:       isBase64,
	}, nil
}

// encode writes the event that a request is.
func encode(request events.APIGatewayV2HTTPRequest) ([]byte, error) {
	event, err := json.Marshal(request)
	if len(event) > MaxEvent {
		return nil, errTooLarge
	}
	return event, err
}

func (g *Gateway) requestContext(r *http.Request, routeKey, id string) events.APIGatewayV2HTTPRequestContext {
	now := g.config.Now().UTC()
	prefix, _, _ := strings.Cut(hostname(r.Host), ".")
	return events.APIGatewayV2HTTPRequestContext{
		RouteKey:     routeKey,
		AccountID:    account,
		Stage:        stage,
		RequestID:    id,
		APIID:        apiID,
		DomainName:   hostname(r.Host),
		DomainPrefix: prefix,
		Time:         now.Format(timeFormat),
		TimeEpoch:    now.UnixMilli(),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method:    r.Method,
			Path:      r.URL.Path,
			Protocol:  r.Proto,
			SourceIP:  hostname(r.RemoteAddr),
			UserAgent: r.UserAgent(),
		},
	}
}

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		drain(r.Body)
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if len(body) > MaxBody {
		drain(r.Body)
		return nil, errTooLarge
	}
	return body, err
}

// drain takes what the client still sends. The answer is the same if that breaks
// off.
func drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, maxDrained)
}

// foldHeaders joins the values of each header and takes the cookies out.
func foldHeaders(r *http.Request, bodySize int) (headers map[string]string, cookies []string) {
	headers = map[string]string{}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(headers, "cookie")
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				cookies = append(cookies, cookie)
			}
		}
	}
	headers["host"] = r.Host
	headers["content-length"] = strconv.Itoa(bodySize)
	forward(headers, r)
	return headers, cookies
}

// forward adds what a proxy tells of the client.
func forward(headers map[string]string, r *http.Request) {
	source := hostname(r.RemoteAddr)
	if before := headers["x-forwarded-for"]; before != "" {
		source = before + ", " + source
	}
	headers["x-forwarded-for"] = source
	headers["x-forwarded-proto"] = "http"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		headers["x-forwarded-port"] = port
	}
	if headers["x-amzn-trace-id"] == "" {
		headers["x-amzn-trace-id"] = newTraceID()
	}
}

// foldQuery joins the values of each parameter. Of a query that is malformed it
// takes the rest.
func foldQuery(raw string) map[string]string {
	values, _ := url.ParseQuery(raw)
	if len(values) == 0 {
		return nil
	}
	folded := map[string]string{}
	for name, list := range values {
		folded[name] = strings.Join(list, ",")
	}
	return folded
}

// encodeBody gives a text as it is, and anything else in base64.
func encodeBody(body []byte, contentType string) (text string, isBase64 bool) {
	if len(body) == 0 || isText(contentType) && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func isText(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	for _, suffix := range []string{"/json", "/xml", "/javascript", "+json", "+xml"} {
		if strings.HasSuffix(kind, suffix) {
			return true
		}
	}
	return strings.HasPrefix(kind, "text/")
}

// hostname is an address without its port.
func hostname(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

func newRequestID() string {
	var id [11]byte
	rand.Read(id[:])
	return base64.URLEncoding.EncodeToString(id[:])
}

func newTraceID() string {
	const hexDigits = "0123456789abcdef"
	var id [24]byte
	rand.Read(id[:])
	for i, b := range id {
		id[i] = hexDigits[b%16]
	}
	return "Root=1-" + strconv.FormatInt(time.Now().Unix(), 16) + "-" + string(id[:])
}
