package latchkey_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"latchkey/infra/latchkey"
	"latchkey/shared/operation"
)

const stackName = "keys"

// A template is the synthesised one with what makes it hard to compare taken
// out: logical ids have lost their hashes, and references are texts such as
// "${Table.Arn}".
type template struct {
	raw       []byte
	dir       string   // of the cloud assembly, with the assets
	sessions  sessions // as they should be
	Resources map[string]resource
	Outputs   map[string]object
}

type object = map[string]any

type resource struct {
	Type                string
	Properties          object
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// A sessions is what a deployment's session tokens should come from.
type sessions struct {
	keys     []string // the names; the first signs
	issuer   string
	audience string
}

// synthesise makes the template as "cdk synth" does, with cdk.json's context,
// from bootstraps that hold nothing but the name of their operation.
func synthesise(t *testing.T, props latchkey.Props) template {
	t.Helper()
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, Context: contextOf(t, "../../cdk.json")})
	props.Bootstraps = stubBootstraps(t)
	if _, err := latchkey.NewStack(app, stackName, props); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	return parse(t, dir, readFile(t, filepath.Join(dir, stackName+".template.json")))
}

func contextOf(t *testing.T, path string) *map[string]any {
	t.Helper()
	var config struct{ Context map[string]any }
	decode(t, readFile(t, path), &config)
	return &config.Context
}

func stubBootstraps(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, op := range operation.All {
		if err := os.Mkdir(filepath.Join(dir, op.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, op.Name, "bootstrap"), []byte(op.Name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func parse(t *testing.T, dir string, raw []byte) template {
	t.Helper()
	var parsed, simple template
	var tree object
	decode(t, raw, &parsed)
	decode(t, raw, &tree)
	decode(t, []byte(encode(t, simplify(tree, idsWithoutHash(parsed)))), &simple)
	if len(simple.Resources) != len(parsed.Resources) {
		t.Fatal("two logical ids differ in nothing but their hash")
	}
	simple.raw, simple.dir = raw, dir
	return simple
}

var idHash = regexp.MustCompile(`[0-9A-F]{8}$`)

func idsWithoutHash(parsed template) map[string]string {
	ids := make(map[string]string)
	for id := range parsed.Resources {
		ids[id] = idHash.ReplaceAllString(id, "")
	}
	return ids
}

// simplify renames the keys of a tree, and writes its references as texts.
func simplify(node any, ids map[string]string) any {
	switch node := node.(type) {
	case object:
		if text, ok := reference(node, ids); ok {
			return text
		}
		simple := make(object)
		for key, value := range node {
			simple[rename(key, ids)] = simplify(value, ids)
		}
		return simple
	case []any:
		for i := range node {
			node[i] = simplify(node[i], ids)
		}
	}
	return node
}

func rename(id string, ids map[string]string) string {
	if renamed, ok := ids[id]; ok {
		return renamed
	}
	return id
}

// reference writes Ref, Fn::GetAtt and Fn::Join as Fn::Sub would.
func reference(node object, ids map[string]string) (string, bool) {
	if id, ok := node["Ref"].(string); ok {
		return "${" + rename(id, ids) + "}", true
	}
	if path, ok := node["Fn::GetAtt"].([]any); ok {
		return fmt.Sprintf("${%s.%s}", rename(path[0].(string), ids), path[1]), true
	}
	if join, ok := node["Fn::Join"].([]any); ok {
		var parts []string
		for _, part := range join[1].([]any) {
			parts = append(parts, simplify(part, ids).(string))
		}
		return strings.Join(parts, join[0].(string)), true
	}
	return "", false
}

// ofType gives the resources of one type, by id.
func (tmpl template) ofType(name string) map[string]resource {
	found := make(map[string]resource)
	for id, resource := range tmpl.Resources {
		if resource.Type == name {
			found[id] = resource
		}
	}
	return found
}

// properties gives the properties of the resources of one type, by id.
func (tmpl template) properties(name string) map[string]object {
	found := make(map[string]object)
	for id, resource := range tmpl.ofType(name) {
		found[id] = resource.Properties
	}
	return found
}

// logicalIDs gives the ids of all resources as they really are.
func logicalIDs(t *testing.T, tmpl template) []string {
	t.Helper()
	var parsed template
	decode(t, tmpl.raw, &parsed)
	return slices.Collect(maps.Keys(parsed.Resources))
}

// id is the logical id, without its hash, of a part of an operation.
func id(op operation.Operation, part string) string {
	return strings.ReplaceAll(op.Name, "-", "") + part
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

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
