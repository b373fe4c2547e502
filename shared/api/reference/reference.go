// Package reference publishes what the service speaks: an OpenAPI 3.1 document of the
// three APIs and of what belongs to none of them, and a page that shows it.
//
// The document is written by hand, one file for each API beside document.json, which has
// what they share. It is what clients are generated from, so it says what they should
// send, and no less than what a server may answer. Tests hold it against the catalogue,
// the envelopes, and every answer that the request scripts get: a route, a parameter, a
// status or a member that is in the one and not in the other fails them. Its version is
// its own: what is added raises the middle part. Nothing is taken away, as the three APIs
// are their vendors'.
//
// The page is Swagger UI, as github.com/swaggest/swgui embeds it, in one text with its
// script and style, so that one route serves it and nothing of it comes from elsewhere.
// Its policy names its script by its digest: what a text of the document might smuggle
// in is not run.
//
// Both are the same for everyone and for as long as a deployment lasts. They are made
// with the first request and kept in either encoding.
//
// https://spec.openapis.org/oas/v3.1.1.html
package reference

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/api/wiring"
	"latchkey/shared/web"
)

// cacheControl lets everyone keep an answer for five minutes, so that a deployment is
// soon known everywhere.
const cacheControl = "public, max-age=300"

// OpenAPI is the endpoint of operation.OpenAPI.
func OpenAPI() wiring.Endpoint { return published(newAnswer) }

func newAnswer() (web.Response, error) {
	document, err := Document()
	if err != nil {
		return web.Response{}, err
	}
	response := web.JSONBody(http.StatusOK, document)
	response.Header["X-Content-Type-Options"] = "nosniff"
	return response, nil
}

// published answers every request with what is made once.
func published(once func() (web.Response, error)) wiring.Endpoint {
	kept := sync.OnceValues(func() (web.Response, error) {
		response, err := once()
		if err == nil {
			response.Gzip = web.Gzip(response.Body)
			response.Header["Cache-Control"] = cacheControl
		}
		return response, err
	})
	return wiring.Endpoint{Envelope: web.Problem, Handler: func(context.Context, *web.Request) (web.Response, error) {
		response, err := kept()
		response.Header = maps.Clone(response.Header)
		return response, err
	}}
}

//go:embed *.json
var files embed.FS

// A document is as much of an OpenAPI document as its files are merged by.
type document struct {
	OpenAPI  string         `json:"openapi"`
	Info     jsontext.Value `json:"info"`
	Servers  jsontext.Value `json:"servers"`
	Security jsontext.Value `json:"security"`
	Tags     jsontext.Value `json:"tags"`
	part
}

// A part is what the file of an API has.
type part struct {
	Paths      map[string]jsontext.Value            `json:"paths"`
	Components map[string]map[string]jsontext.Value `json:"components"`
}

// Document gives the OpenAPI document, in JSON. Its error is a defect of the files.
func Document() ([]byte, error) {
	var whole document
	if err := read("document.json", &whole); err != nil {
		return nil, err
	}
	for _, name := range []string{"namespaces.json", "workspaces.json", "serviceaccounts.json", "platform.json"} {
		var api part
		if err := read(name, &api); err != nil {
			return nil, err
		}
		if err := whole.add(api); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	text, err := json.Marshal(whole, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	return text, nil
}

func read(name string, into any) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return fmt.Errorf("OpenAPI document: %w", err)
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("OpenAPI document, %s: %w", name, err)
	}
	return nil
}

// add adds the paths and components of one API, none of which may be there already.
func (p *part) add(api part) error {
	if err := addAll(&p.Paths, api.Paths); err != nil {
		return err
	}
	for kind, components := range api.Components {
		all := p.Components[kind]
		if err := addAll(&all, components); err != nil {
			return err
		}
		p.Components[kind] = all
	}
	return nil
}

func addAll(to *map[string]jsontext.Value, from map[string]jsontext.Value) error {
	if *to == nil {
		*to = map[string]jsontext.Value{}
	}
	for name, value := range from {
		if _, twice := (*to)[name]; twice {
			return fmt.Errorf("%s is there already", name)
		}
		(*to)[name] = value
	}
	return nil
}
