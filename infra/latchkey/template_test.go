package latchkey_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

const stackName = "keys"

type (
	object   = stacktest.Object
	resource = stacktest.Resource
)

// A template is a synthesised one, with the props that it was made of and what its
// session tokens should come from. Its resources have lost their tags, which stand apart.
type template struct {
	stacktest.Template
	props    latchkey.ServiceProps
	sessions sessions
	tags     map[string]any
}

// A sessions is what a deployment's session tokens should come from.
type sessions struct {
	keys     []string // the names of the service's own; the first signs
	given    []string // or the ARNs of others
	issuer   string
	audience string
}

// synthesise makes the template as "cdk synth" does, with cdk.json's context.
func synthesise(t *testing.T, props latchkey.ServiceProps, want sessions) template {
	t.Helper()
	app := stacktest.NewApp(t, stacktest.ContextOf(t, "../../cdk.json"))
	props.Bootstraps = stubBootstraps(t)
	if _, err := latchkey.NewStack(app, stackName, props); err != nil {
		t.Fatal(err)
	}
	tmpl := template{Template: stacktest.Synthesise(t, app)[stackName], props: props, sessions: want, tags: make(map[string]any)}
	for id, resource := range tmpl.Resources {
		if tags, ok := resource.Properties["Tags"]; ok {
			tmpl.tags[id] = tags
			delete(resource.Properties, "Tags")
		}
	}
	return tmpl
}

// stubBootstraps has those of a service and not the authorizer's.
func stubBootstraps(t *testing.T) string {
	t.Helper()
	var names []string
	for _, op := range deployed() {
		names = append(names, op.Name)
	}
	return stacktest.StubBootstraps(t, names...)
}

// deployed gives the operations that a service should have: all but the one that stands
// before other APIs.
func deployed() []operation.Operation {
	return slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool {
		return op.Name == operation.Authorizer.Name
	})
}

// logicalIDs gives the ids of all resources as they really are.
func logicalIDs(t *testing.T, tmpl template) []string {
	t.Helper()
	var parsed struct{ Resources map[string]any }
	if err := json.Unmarshal(tmpl.Raw, &parsed); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(maps.Keys(parsed.Resources))
}

// id is the logical id, without its hash, of a part of an operation.
func id(op operation.Operation, part string) string {
	return strings.ReplaceAll(op.Name, "-", "") + part
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
