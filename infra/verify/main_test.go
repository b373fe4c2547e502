package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
)

func TestTemplates(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	all := templates(t)
	compare(t, []string{"everything/latchkey", "everything/latchkey-example", "given/latchkey", "plain/latchkey"}, slices.Sorted(maps.Keys(all)))
	for name, tmpl := range all {
		t.Run(name, func(t *testing.T) { checkRules(t, tmpl) })
	}
}

func TestDeployments(t *testing.T) {
	var all []latchkey.ServiceProps
	for _, d := range deployments("bootstraps") {
		all = append(all, d.props)
	}
	for _, property := range stacktest.NeverSet(all...) {
		t.Errorf("no deployment has %s", property)
	}
}

// TestVersions has the tools read templates with the CDK that makes them.
func TestVersions(t *testing.T) {
	var pinned struct {
		DevDependencies map[string]string
	}
	if err := json.Unmarshal(readFile(t, "package.json"), &pinned); err != nil {
		t.Fatal(err)
	}
	for dependency, module := range map[string]string{
		"aws-cdk-lib": `github.com/aws/aws-cdk-go/awscdk/v2`,
		"constructs":  `github.com/aws/constructs-go/constructs/v10`,
	} {
		required := regexp.MustCompile(regexp.QuoteMeta(module) + ` v(\S+)`).FindSubmatch(readFile(t, "../../go.mod"))
		if required == nil {
			t.Fatalf("go.mod does not require %s", module)
		}
		compare(t, string(required[1]), pinned.DevDependencies[dependency])
	}
}

// templates gives those that are written, by deployment and stack.
func templates(t *testing.T) map[string]stacktest.Template {
	t.Helper()
	dir := t.TempDir()
	w, err := newWriter(dir, "../../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.write(); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]stacktest.Template)
	for _, d := range deployments(w.bootstraps) {
		for stack, tmpl := range stacktest.Read(t, filepath.Join(dir, d.name)) {
			all[d.name+"/"+stack] = tmpl
		}
	}
	return all
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
