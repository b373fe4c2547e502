package authorizer

import (
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/jsonread"
)

// decode reads an event. It is the platform's: members that are not known here are passed
// over, and of two by one name the last counts.
func decode(payload []byte) (event, error) {
	var e event
	r := jsonread.New(payload, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	r.Members(func(name string) { e.read(r, name) })
	return e, r.End()
}

func (e *event) read(r *jsonread.Reader, name string) {
	switch name {
	case "type":
		r.Text(&e.Type)
	case "version":
		r.Text(&e.Version)
	case "methodArn":
		r.Text(&e.MethodARN)
	case "routeArn":
		r.Text(&e.RouteARN)
	case "routeKey":
		r.Text(&e.RouteKey)
	case "resource":
		r.Text(&e.Resource)
	case "httpMethod":
		r.Text(&e.HTTPMethod)
	case "authorizationToken":
		r.Text(&e.AuthorizationToken)
	case "headers":
		r.Texts(&e.Headers)
	case "multiValueHeaders":
		readLists(r, &e.MultiValueHeaders)
	case "queryStringParameters":
		r.Texts(&e.QueryStringParameters)
	case "multiValueQueryStringParameters":
		readLists(r, &e.MultiValueParameters)
	case "requestContext":
		r.Members(func(name string) { e.readContext(r, name) })
	default:
		r.Skip()
	}
}

func (e *event) readContext(r *jsonread.Reader, name string) {
	switch name {
	case "apiId":
		r.Text(&e.RequestContext.APIID)
	case "eventType":
		r.Text(&e.RequestContext.EventType)
	default:
		r.Skip()
	}
}

func readLists(r *jsonread.Reader, into *map[string][]string) {
	r.Members(func(name string) {
		if *into == nil {
			*into = map[string][]string{}
		}
		(*into)[name] = r.List()
	})
}
