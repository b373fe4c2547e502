package reference

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"

	"latchkey/shared/api/wiring"
	"latchkey/shared/web"
)

// Docs is the endpoint of operation.Docs. The page shows the document that it finds
// beside itself, and asks nobody else for anything.
func Docs() wiring.Endpoint { return published(newPage) }

// viewerScript starts Swagger UI. It keeps a credential that is typed into it in the
// page's memory alone, and takes no settings from the address.
//
// https://github.com/swagger-api/swagger-ui/blob/master/docs/usage/configuration.md
const viewerScript = `
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayOperationId: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
`

// pageText has places for the viewer's style and script.
const pageText = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Latchkey</title>
<link rel="icon" href="data:,">
<style>%s</style>
</head>
<body>
<div id="docs"></div>
<script>%s</script>
</body>
</html>
`

func newPage() (web.Response, error) {
	style, err := asset("swagger-ui.css.gz")
	if err != nil {
		return web.Response{}, err
	}
	bundle, err := asset("swagger-ui-bundle.js.gz")
	if err != nil {
		return web.Response{}, err
	}
	script := inlined.Replace(bundle + viewerScript)
	return web.Response{
		Status: http.StatusOK,
		Header: map[string]string{
			"Content-Type":            "text/html; charset=utf-8",
			"Content-Security-Policy": policyFor(script),
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
		},
		Body: fmt.Appendf(nil, pageText, style, script),
	}, nil
}

// inlined writes in a script what would end it, or begin a comment in it, so that it is
// the same text to JavaScript and nothing to HTML.
//
// https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
var inlined = strings.NewReplacer("<!--", `\x3c!--`, "<script", `\x3cscript`, "</script", `\x3c/script`)

// policyFor lets the page run this script alone, and send requests to its own origin
// alone. The viewer sets styles as it goes, and its pictures are in its style.
//
// https://www.w3.org/TR/CSP3/
func policyFor(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"style-src 'unsafe-inline'; img-src data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// asset reads a file of the viewer, which is compressed.
func asset(name string) (string, error) {
	file, err := static.FS.Open(name)
	if err != nil {
		return "", fmt.Errorf("viewer: %w", err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return "", fmt.Errorf("viewer's %s: %w", name, err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		return "", fmt.Errorf("viewer's %s: %w", name, err)
	}
	return string(text), nil
}
