package reference_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/access"
	"latchkey/shared/api/reference"
	"latchkey/shared/api/reference/referencetest"
	"latchkey/shared/api/unrouted"
	"latchkey/shared/api/wiring"
	"latchkey/shared/fault"
	"latchkey/shared/operation"
	"latchkey/shared/web"
)

func TestDocumentIsOpenAPI(t *testing.T) {
	text, err := reference.Document()
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if !document.IsOpenAPI31OrLater() {
		t.Errorf("it is OpenAPI %s", document.OpenAPI)
	}
	if err := document.Validate(t.Context(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Error(err)
	}
}

// routed are the operations that a document can have: each with its route.
func routed() []operation.Operation {
	return slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool {
		return op.Route == "" || op.Route == operation.DefaultRoute
	})
}

func TestRoutesAreTheCatalogues(t *testing.T) {
	var want, got []string
	for _, op := range routed() {
		want = append(want, op.Route)
	}
	paths := referencetest.New(t).Root().At("paths")
	for _, path := range paths.Names() {
		for _, method := range paths.At(path).Names() {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-catalogue +document):\n%s", diff)
	}
}

// A row is what the catalogue and the document both say of an operation.
type row struct {
	ID, Tag, Summary string
	Security         any
	PathParameters   []string
}

// security is what the document demands of each caller that a route can have.
var security = map[operation.Caller]any{
	operation.Anyone:    []any{},
	operation.KeyHolder: []any{map[string]any{"bearer": []any{}}},
}

func TestOperationsAreTheCatalogues(t *testing.T) {
	document := referencetest.New(t)
	for _, op := range routed() {
		want := row{ID: op.Name, Tag: string(op.API), Summary: op.Summary, Security: security[op.Caller]}
		for _, match := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(op.Path(), -1) {
			want.PathParameters = append(want.PathParameters, match[1])
		}
		if diff := cmp.Diff(want, rowOf(document, op)); diff != "" {
			t.Errorf("%s (-catalogue +document):\n%s", op.Name, diff)
		}
	}
}

func rowOf(document *referencetest.Document, op operation.Operation) row {
	documented := document.Operation(op)
	r := row{
		ID:       documented.At("operationId").Text(),
		Summary:  documented.At("summary").Text(),
		Security: documented.At("security").Value,
	}
	if !documented.Has("security") {
		r.Security = document.Root().At("security").Value
	}
	for _, tag := range documented.At("tags").Items() {
		r.Tag += tag.Text()
	}
	for _, parameter := range documented.At("parameters").Items() {
		if parameter.At("in").Text() == "path" {
			r.PathParameters = append(r.PathParameters, parameter.At("name").Text())
		}
	}
	return r
}

// Roles are granted by name: one that the document lacks could not be.
func TestRolesAreThoseOfAccess(t *testing.T) {
	want := []string{"SYSTEM_ROLE_UNSPECIFIED"}
	for _, role := range access.SystemRoles() {
		want = append(want, string(role))
	}
	var got []string
	for _, role := range referencetest.New(t).Root().At("components", "schemas", "Role", "enum").Items() {
		got = append(got, role.Text())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-access +document):\n%s", diff)
	}
}

// Which operations have these statuses follows from what they do. Of the others, the
// request scripts tell which there are.
func TestStatusesFollowFromTheCatalogue(t *testing.T) {
	document := referencetest.New(t)
	for _, op := range routed() {
		body := document.Operation(op).Has("requestBody")
		depends := op.UsesTable() || op.UsesSessions()
		statuses := document.Statuses(op)
		for status, want := range map[int]bool{
			http.StatusOK:                    true,
			http.StatusUnauthorized:          op.Caller == operation.KeyHolder || slices.Contains(op.SessionKeys, operation.Sign),
			http.StatusRequestEntityTooLarge: body,
			http.StatusTooManyRequests:       op.Throttle != operation.Throttle{},
			http.StatusInternalServerError:   true,
			http.StatusServiceUnavailable:    depends,
			http.StatusGatewayTimeout:        depends,
		} {
			if slices.Contains(statuses, status) != want {
				t.Errorf("%s has the status %d: %t", op.Name, status, !want)
			}
		}
	}
}

// Every fault of every operation is rendered as the document says of its status, and no
// status is there that no fault has.
func TestFaultsAreDocumented(t *testing.T) {
	document := referencetest.New(t)
	for _, op := range routed() {
		rendered := []int{http.StatusOK, http.StatusTooManyRequests} // which API Gateway gives
		for _, kind := range fault.Kinds() {
			response := failing(t, op, fault.InvalidField("name", "value is required"), kind)
			if !slices.Contains(document.Statuses(op), response.Status) || isOfItsOwn(op, response.Status) {
				continue
			}
			rendered = append(rendered, response.Status)
			for _, problem := range document.CheckResponse(op, response) {
				t.Errorf("%s, %v: %v", op.Name, kind, problem)
			}
		}
		for _, status := range document.Statuses(op) {
			if !slices.Contains(rendered, status) && !isOfItsOwn(op, status) {
				t.Errorf("%s is documented with %d, which no fault has", op.Name, status)
			}
		}
	}
}

// isOfItsOwn tells a status that the service-accounts API gives in a form of its own: for a
// list that cannot be shown or a form that is no login, and for what an exception of
// ZenML's says is not there. The request scripts have them.
func isOfItsOwn(op operation.Operation, status int) bool {
	return op.API == operation.ServiceAccounts && (status == http.StatusBadRequest || status == http.StatusNotFound)
}

// failing is what a server answers whose handler fails with a fault of this kind.
func failing(t *testing.T, op operation.Operation, failure *fault.Error, kind fault.Kind) referencetest.Response {
	t.Helper()
	failure.Kind = kind
	answer := serve(t, wiring.Endpoint{
		Handler:  func(context.Context, *web.Request) (web.Response, error) { return web.Response{}, failure },
		Envelope: unrouted.EnvelopeOf(op.Path()),
	}, &web.Request{Operation: op, Path: op.Path()})
	response := referencetest.Response{Status: answer.Status, Header: http.Header{}, Body: answer.Body}
	for name, value := range answer.Header {
		response.Header.Set(name, value)
	}
	return response
}

// Whatever can be sent, and whatever can be answered, has an example that its own schema
// allows.
func TestExamplesAreAllowed(t *testing.T) {
	document := referencetest.New(t)
	for _, op := range routed() {
		documented := document.Operation(op)
		checkExamples(t, op, documented.At("requestBody", "content"))
		responses := documented.At("responses")
		for _, status := range responses.Names() {
			checkExamples(t, op, responses.At(status, "content"))
			headers := responses.At(status, "headers")
			for _, name := range headers.Names() {
				checkExample(t, op, headers.At(name), headers.At(name, "example"))
			}
		}
		for _, parameter := range documented.At("parameters").Items() {
			checkExample(t, op, parameter, parameter.At("example"))
		}
	}
}

func checkExamples(t *testing.T, op operation.Operation, content referencetest.Node) {
	t.Helper()
	for _, mediaType := range content.Names() {
		media := content.At(mediaType)
		examples := media.At("examples")
		if !media.Has("example") && len(examples.Names()) == 0 {
			t.Errorf("%s: there is no example in %s", op.Name, mediaType)
		}
		checkExample(t, op, media, media.At("example"))
		for _, name := range examples.Names() {
			checkExample(t, op, media, examples.At(name, "value"))
		}
	}
}

func checkExample(t *testing.T, op operation.Operation, of, example referencetest.Node) {
	t.Helper()
	if !example.Exists() {
		return
	}
	if err := of.At("schema").Validate(example.Value); err != nil {
		t.Errorf("%s: %v", op.Name, err)
	}
}
