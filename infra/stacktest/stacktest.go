// Package stacktest reads what CDK synthesises, for tests to compare: logical ids have
// lost their hashes, and references are texts. One to a resource is "${Table.Arn}", and
// if that is in another stack "${keys/Table.Arn}"; a part of one, as of an ARN,
// "${Table.Arn:1}".
package stacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"latchkey/shared/operation"
)

// An Object is one of JSON.
type Object = map[string]any

// A Template is a stack's.
type Template struct {
	Raw       []byte // as it was synthesised
	Dir       string // of the cloud assembly, with the assets
	Resources map[string]Resource
	Outputs   map[string]Object
}

// A Resource is one of a template.
type Resource struct {
	Type                string
	Properties          Object
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string
}

// NewApp makes an app that is synthesised into a directory of the test's.
func NewApp(t *testing.T, context map[string]any) awscdk.App {
	t.Helper()
	dir := t.TempDir()
	return awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, Context: &context})
}

// ContextOf gives the context that a cdk.json has.
func ContextOf(t *testing.T, path string) map[string]any {
	t.Helper()
	var config struct{ Context map[string]any }
	decode(t, readFile(t, path), &config)
	return config.Context
}

// StubBootstraps makes a directory of bootstraps that hold nothing but the name of their
// operation.
func StubBootstraps(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "bootstrap"), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Function gives the properties that an operation's function should have, but its code,
// its name and its environment. The id is what its role's and its log group's begin with.
func Function(id string, op operation.Operation) Object {
	return Object{
		"Description":   op.Summary,
		"Runtime":       "provided.al2023",
		"Architectures": []any{"arm64"},
		"Handler":       "bootstrap",
		"MemorySize":    float64(op.MemoryMB),
		"Timeout":       op.Timeout.Seconds(),
		"Role":          "${" + id + "Role.Arn}",
		"TracingConfig": Object{"Mode": "PassThrough"},
		"LoggingConfig": Object{
			"LogGroup": "${" + id + "Logs}", "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN",
		},
	}
}

// Environment gives the environment that an operation's function should have: the
// variables of its runtime and others.
func Environment(op operation.Operation, others Object) Object {
	variables := maps.Clone(others)
	if variables == nil {
		variables = Object{}
	}
	for name, value := range op.RuntimeEnvironment() {
		variables[name] = value
	}
	return Object{"Variables": variables}
}

// Synthesise gives the templates of an app's stacks, by their names.
func Synthesise(t *testing.T, app awscdk.App) map[string]Template {
	t.Helper()
	app.Synth(nil)
	return Read(t, *app.Outdir())
}

// Read gives the templates in a directory that CDK has written, by their stacks' names.
func Read(t *testing.T, dir string) map[string]Template {
	t.Helper()
	const suffix = ".template.json"
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates in %s: %v", dir, err)
	}
	raw, exports := make(map[string][]byte), make(map[string]string)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), suffix)
		raw[name] = readFile(t, path)
		addExports(t, exports, name, raw[name])
	}
	templates := make(map[string]Template)
	for name, text := range raw {
		template := parse(t, text, exports)
		template.Raw, template.Dir = text, dir
		templates[name] = template
	}
	return templates
}

func parse(t *testing.T, raw []byte, exports map[string]string) (simple Template) {
	t.Helper()
	var tree Object
	decode(t, raw, &tree)
	r := newReader(tree, exports)
	text, err := json.Marshal(r.simplify(tree))
	if err != nil {
		t.Fatal(err)
	}
	decode(t, text, &simple)
	if len(simple.Resources) != len(r.ids) {
		t.Fatal("two logical ids differ in nothing but their hash")
	}
	for _, resource := range simple.Resources {
		for i, id := range resource.DependsOn {
			resource.DependsOn[i] = r.rename(id)
		}
	}
	return simple
}

// addExports adds what a stack exports, as others should read it.
func addExports(t *testing.T, exports map[string]string, stack string, raw []byte) {
	t.Helper()
	var tree Object
	decode(t, raw, &tree)
	r := newReader(tree, nil)
	outputs, _ := tree["Outputs"].(Object)
	for _, output := range outputs {
		export, isExport := output.(Object)["Export"].(Object)
		text, isText := r.simplify(output.(Object)["Value"]).(string)
		if isExport && isText {
			exports[export["Name"].(string)] = strings.Replace(text, "${", "${"+stack+"/", 1)
		}
	}
}

// A reader simplifies one template.
type reader struct {
	ids     map[string]string // without their hashes
	exports map[string]string
}

var idHash = regexp.MustCompile(`[0-9A-F]{8}$`)

func newReader(tree Object, exports map[string]string) reader {
	r := reader{ids: make(map[string]string), exports: exports}
	resources, _ := tree["Resources"].(Object)
	for id := range resources {
		r.ids[id] = idHash.ReplaceAllString(id, "")
	}
	return r
}

// simplify gives a tree whose keys are renamed and whose references are texts.
func (r reader) simplify(node any) any {
	switch node := node.(type) {
	case Object:
		if text, ok := r.reference(node); ok {
			return text
		}
		simple := make(Object)
		for key, value := range node {
			simple[r.rename(key)] = r.simplify(value)
		}
		return simple
	case []any:
		simple := make([]any, len(node))
		for i := range node {
			simple[i] = r.simplify(node[i])
		}
		return simple
	}
	return node
}

func (r reader) rename(id string) string {
	if renamed, ok := r.ids[id]; ok {
		return renamed
	}
	return id
}

// reference writes what refers to something as Fn::Sub would, nearly.
func (r reader) reference(node Object) (string, bool) {
	if id, ok := node["Ref"].(string); ok {
		return "${" + r.rename(id) + "}", true
	}
	if path, ok := node["Fn::GetAtt"].([]any); ok {
		return fmt.Sprintf("${%s.%s}", r.rename(path[0].(string)), path[1]), true
	}
	if name, ok := node["Fn::ImportValue"].(string); ok {
		return r.exports[name], r.exports[name] != ""
	}
	if join, ok := node["Fn::Join"].([]any); ok {
		return r.join(join[0].(string), join[1])
	}
	if part, ok := node["Fn::Select"].([]any); ok {
		return r.part(part)
	}
	return "", false
}

func (r reader) join(separator string, nodes any) (string, bool) {
	var parts []string
	for _, part := range nodes.([]any) {
		text, ok := r.simplify(part).(string)
		if !ok {
			return "", false
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, separator), true
}

// part reads a choice of what is between colons.
func (r reader) part(selected []any) (string, bool) {
	whole, _ := selected[1].(Object)
	split, ok := whole["Fn::Split"].([]any)
	if !ok || split[0] != ":" {
		return "", false
	}
	text, ok := r.simplify(split[1]).(string)
	return fmt.Sprintf("%s:%v}", strings.TrimSuffix(text, "}"), selected[0]), ok
}

// OfType gives the resources of one type, by id.
func (tmpl Template) OfType(name string) map[string]Resource {
	found := make(map[string]Resource)
	for id, resource := range tmpl.Resources {
		if resource.Type == name {
			found[id] = resource
		}
	}
	return found
}

// Properties gives the properties of the resources of one type, by id.
func (tmpl Template) Properties(name string) map[string]Object {
	found := make(map[string]Object)
	for id, resource := range tmpl.OfType(name) {
		found[id] = resource.Properties
	}
	return found
}

// Bootstrap gives what the bootstrap of a function holds, by way of its asset.
func (tmpl Template) Bootstrap(t *testing.T, function string) string {
	t.Helper()
	code, _ := tmpl.Resources[function].Properties["Code"].(Object)
	key, _ := code["S3Key"].(string)
	return string(readFile(t, filepath.Join(tmpl.Dir, "asset."+strings.TrimSuffix(key, ".zip"), "bootstrap")))
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
