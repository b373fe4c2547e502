// Package referencetest holds requests and answers against the OpenAPI document, for the
// tests of whatever sends and gets them.
//
// An answer must be one that the document has: its status, the headers that it demands,
// its content type, and a body that its schema allows. What no route takes is in no
// document; its answer must have the envelope of the API whose path it was.
//
// A request is held to the document only if it was answered with success: scripts make
// wrong ones on purpose.
package referencetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"latchkey/shared/api/reference"
	"latchkey/shared/operation"
	"latchkey/shared/route"
)

// A Document is the service's OpenAPI document. It may be used by several goroutines.
type Document struct {
	root any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	seen     map[string]map[int]bool // statuses by the names of operations
}

// location is where the schemas find the document that they refer to.
const location = "latchkey:openapi.json"

// New reads the document that the service publishes.
func New(t testing.TB) *Document {
	t.Helper()
	text, err := reference.Document()
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func parse(text []byte) (*Document, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(location, root); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	return &Document{root: root, compiler: compiler, seen: map[string]map[int]bool{}}, nil
}

// A Node is a part of the document: a value, and the JSON pointer to it.
type Node struct {
	document *Document
	pointer  string
	exists   bool
	Value    any // of a part that is null, or is not there, nil
}

// Operation gives the part that is about an operation with a route.
func (d *Document) Operation(op operation.Operation) Node {
	return d.Root().At("paths", op.Path(), strings.ToLower(op.Method()))
}

// Root gives the whole document.
func (d *Document) Root() Node { return Node{document: d, exists: true, Value: d.root} }

// At gives the part of an object at these names, one below the other, wherever the
// document refers to.
func (n Node) At(names ...string) Node {
	for _, name := range names {
		object, _ := n.Value.(map[string]any)
		value, exists := object[name]
		escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		n = n.document.followed(Node{n.document, n.pointer + "/" + escaped, exists, value})
	}
	return n
}

// followed is what a reference leads to, and anything else itself. What a schema refers
// to is for the schema's own compiler: it may say more beside.
func (d *Document) followed(n Node) Node {
	object, _ := n.Value.(map[string]any)
	reference, ok := object["$ref"].(string)
	if !ok || len(object) > 1 || strings.Contains(reference, "/schemas/") {
		return n
	}
	to := d.Root()
	for name := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
		to = to.At(name)
	}
	return to
}

// Exists reports whether the document has the part.
func (n Node) Exists() bool { return n.exists }

// Has reports whether an object has a part of this name.
func (n Node) Has(name string) bool { return n.At(name).exists }

// Items gives the parts of a list.
func (n Node) Items() []Node {
	list, _ := n.Value.([]any)
	items := make([]Node, len(list))
	for i, value := range list {
		items[i] = n.document.followed(Node{n.document, n.pointer + "/" + strconv.Itoa(i), true, value})
	}
	return items
}

// Names gives the names of an object's parts, sorted.
func (n Node) Names() []string {
	object, _ := n.Value.(map[string]any)
	return slices.Sorted(maps.Keys(object))
}

// Text gives a part that is a text, empty for anything else.
func (n Node) Text() string {
	text, _ := n.Value.(string)
	return text
}

// Validate tells what is wrong with a value by the schema that the part is.
func (n Node) Validate(value any) error {
	n.document.mu.Lock()
	defer n.document.mu.Unlock()
	fragment := (&url.URL{Fragment: n.pointer}).String()
	schema, err := n.document.compiler.Compile(location + fragment)
	if err != nil {
		return fmt.Errorf("schema at %s: %w", n.pointer, err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("by %s: %w", n.pointer, err)
	}
	return nil
}

// Statuses gives the statuses with which an operation is answered, sorted.
func (d *Document) Statuses(op operation.Operation) []int {
	var statuses []int
	for _, name := range d.Operation(op).At("responses").Names() {
		status, err := strconv.Atoi(name)
		if err == nil {
			statuses = append(statuses, status)
		}
	}
	return statuses
}

// Seen reports whether an answer of an operation with this status has been held against
// the document.
func (d *Document) Seen(op operation.Operation, status int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[op.Name][status]
}

func (d *Document) see(op operation.Operation, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[op.Name] == nil {
		d.seen[op.Name] = map[int]bool{}
	}
	d.seen[op.Name][status] = true
}

// An Exchange is a request and its answer.
type Exchange struct {
	Method   string
	URL      *url.URL
	Header   http.Header
	Body     []byte
	Response Response
}

// A Response is an answer as it was sent, compressed or not.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// CheckAnswer gives everything in the answer of an exchange that the document does not
// have.
func (d *Document) CheckAnswer(e Exchange) []error {
	op, ok := takenBy(e.Method, e.URL.Path)
	if !ok {
		return present(d.checkUnrouted(e))
	}
	d.see(op, e.Response.Status)
	return d.CheckResponse(op, e.Response)
}

// CheckRequest gives everything in a request that the document does not have, if it was
// answered with success.
func (d *Document) CheckRequest(e Exchange) []error {
	op, ok := takenBy(e.Method, e.URL.Path)
	if !ok || e.Response.Status >= http.StatusBadRequest {
		return nil
	}
	documented := d.Operation(op)
	problems := checkPath(documented, op, e.URL.Path)
	problems = append(problems, checkQuery(documented, e.URL.RawQuery)...)
	if timeout := e.Header.Get("Request-Timeout"); timeout != "" {
		problems = append(problems, checkParameter(documented, "header", "Request-Timeout", []string{timeout}))
	}
	if body := documented.At("requestBody"); body.exists {
		problems = append(problems, checkRequestBody(body.At("content"), e))
	}
	return present(problems...)
}

func takenBy(method, path string) (operation.Operation, bool) {
	i := slices.IndexFunc(operation.All, func(op operation.Operation) bool {
		return op.Method() == method && op.HasPath(path)
	})
	if i < 0 {
		return operation.Operation{}, false
	}
	return operation.All[i], true
}

func present(problems ...error) []error {
	return slices.DeleteFunc(problems, func(err error) bool { return err == nil })
}

// CheckResponse gives everything in an operation's answer that the document does not
// have.
func (d *Document) CheckResponse(op operation.Operation, r Response) []error {
	documented := d.Operation(op).At("responses", strconv.Itoa(r.Status))
	if !documented.exists {
		return []error{fmt.Errorf("%s is never answered %d", op.Name, r.Status)}
	}
	problems := []error{checkBody(documented.At("content"), r)}
	for _, name := range documented.At("headers").Names() {
		problems = append(problems, checkHeader(documented.At("headers", name), name, r.Header))
	}
	return present(problems...)
}

func checkHeader(documented Node, name string, header http.Header) error {
	values := header.Values(name)
	if len(values) == 0 {
		if documented.At("required").Value == true {
			return fmt.Errorf("the answer has no %s", name)
		}
		return nil
	}
	if err := documented.At("schema").Validate(strings.Join(values, ", ")); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func checkBody(content Node, r Response) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("content type of the answer: %w", err)
	}
	documented := content.At(mediaType)
	if !documented.exists {
		return fmt.Errorf("the answer is in %s, want one of %v", mediaType, content.Names())
	}
	value, err := decoded(mediaType, r)
	if err != nil {
		return err
	}
	return documented.At("schema").Validate(value)
}

func decoded(mediaType string, r Response) (any, error) {
	plain, err := uncompressed(r)
	if err != nil {
		return nil, fmt.Errorf("body of the answer: %w", err)
	}
	if !isJSON(mediaType) {
		return string(plain), nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return nil, fmt.Errorf("body of the answer: %w", err)
	}
	return value, nil
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func uncompressed(r Response) ([]byte, error) {
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "":
		return r.Body, nil
	case "gzip":
		reader, err := gzip.NewReader(bytes.NewReader(r.Body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(reader)
	default:
		return nil, fmt.Errorf("it is encoded as %s", coding)
	}
}

// envelopes are the schemas of what each API answers where no route is.
var envelopes = map[operation.API][]string{
	operation.Namespaces:      {"Status"},
	operation.Workspaces:      {"WorkspaceError"},
	operation.ServiceAccounts: {"Raised", "Refusal"},
	operation.Platform:        {"Problem"},
}

func (d *Document) checkUnrouted(e Exchange) error {
	if e.Response.Status < http.StatusBadRequest {
		return fmt.Errorf("no route takes %s %s, and it is answered %d", e.Method, e.URL.Path, e.Response.Status)
	}
	mediaType, _, err := mime.ParseMediaType(e.Response.Header.Get("Content-Type"))
	if err != nil || !isJSON(mediaType) {
		return fmt.Errorf("the error is in %q", e.Response.Header.Get("Content-Type"))
	}
	value, err := decoded(mediaType, e.Response)
	if err != nil {
		return err
	}
	var problems []error
	for _, schema := range envelopes[operation.APIOf(e.URL.Path)] {
		err := d.Root().At("components", "schemas", schema).Validate(value)
		if err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func checkPath(documented Node, op operation.Operation, path string) []error {
	key, err := route.Parse(op.Route)
	if err != nil {
		return []error{err}
	}
	values, _ := key.Bind(route.Split(path))
	var problems []error
	for name, value := range values {
		problems = append(problems, checkParameter(documented, "path", name, []string{value}))
	}
	return problems
}

// checkQuery passes over what cannot be read, as the service does that has answered.
func checkQuery(documented Node, query string) []error {
	given, _ := url.ParseQuery(query)
	var problems []error
	for name, values := range given {
		values = slices.DeleteFunc(values, func(value string) bool { return value == "" })
		problems = append(problems, checkParameter(documented, "query", name, values))
	}
	return problems
}

// parameter gives the part that is about a parameter of an operation.
func parameter(documented Node, in, name string) (Node, bool) {
	for _, parameter := range documented.At("parameters").Items() {
		if parameter.At("in").Text() == in && parameter.At("name").Text() == name {
			return parameter, true
		}
	}
	return Node{}, false
}

func checkParameter(documented Node, in, name string, values []string) error {
	found, ok := parameter(documented, in, name)
	if !ok {
		return fmt.Errorf("there is no %s parameter %s", in, name)
	}
	if found.At("schema", "type").Text() == "array" {
		list := make([]any, len(values))
		for i, value := range values {
			list[i] = value
		}
		return found.At("schema").Validate(list)
	}
	for _, value := range values {
		if err := validateText(found.At("schema"), value); err != nil {
			return fmt.Errorf("%s parameter %s: %w", in, name, err)
		}
	}
	return nil
}

// validateText validates a text as itself, and as the number or flag that it may write.
func validateText(schema Node, text string) error {
	err := schema.Validate(text)
	if err == nil {
		return nil
	}
	var scalar any
	if json.Unmarshal([]byte(text), &scalar) == nil && schema.Validate(scalar) == nil {
		return nil
	}
	return err
}

// checkRequestBody reads a body as the service does: as a form where there is one, and
// else as JSON, whatever its content type says.
func checkRequestBody(content Node, e Exchange) error {
	const form = "application/x-www-form-urlencoded"
	if documented := content.At(form); documented.exists {
		return documented.At("schema").Validate(formOf(e.Body))
	}
	mediaType, _, _ := mime.ParseMediaType(e.Header.Get("Content-Type"))
	documented := content.At(mediaType)
	if !documented.exists {
		documented = content.At("application/json")
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Body))
	if err != nil {
		return fmt.Errorf("body of the request: %w", err)
	}
	return documented.At("schema").Validate(value)
}

// formOf is a form as an object, of the first value of each name.
func formOf(body []byte) map[string]any {
	values, _ := url.ParseQuery(string(body))
	form := map[string]any{}
	for name := range values {
		form[name] = values.Get(name)
	}
	return form
}
