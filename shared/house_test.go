// Package shared_test holds the house to its plan: who may import whom, which headers are
// read, and that no key lies about in the tree.
package shared_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/localstack/bars"
	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"
	"latchkey/shared/operation"
)

// A room is a package, or a folder of them, and what it may import of this module
// and of others. Everything of the standard library but what bans says is free.
type room struct {
	path   string
	may    []string // prefixes of import paths
	banned []string // prefixes of import paths of the standard library
}

const (
	sdk        = "github.com/aws/aws-sdk-go-v2/"
	lambda     = "github.com/aws/aws-lambda-go/"
	cdk        = "github.com/aws/aws-cdk-go/"
	constructs = "github.com/aws/constructs-go/"
	jsii       = "github.com/aws/jsii-runtime-go"
	smithy     = "github.com/aws/smithy-go"
	jsonv2     = "github.com/go-json-experiment/json"
	uuid       = "github.com/google/uuid"
	jwt        = "github.com/golang-jwt/jwt/v5"
	swagger    = "github.com/swaggest/swgui/v5/static"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
)

// The first room that a package lies in is its own.
var plan = []room{
	{path: "latchkey/shared/schema"},
	{path: "latchkey/shared/fault"},
	{path: "latchkey/shared/namespace"},
	{path: "latchkey/shared/credential"},
	{path: "latchkey/shared/route"},
	{path: "latchkey/shared/jsonread", may: []string{jsonv2}},
	{path: "latchkey/shared/telemetry", may: []string{jsonv2}},
	{path: "latchkey/docs"},
	{path: "latchkey/shared/operation", may: []string{"latchkey/shared/route", "latchkey/shared/schema"}},
	{
		path:   "latchkey/shared/access",
		may:    []string{"latchkey/shared/fault", "latchkey/shared/namespace"},
		banned: []string{"net", "encoding/json"},
	},
	{
		path: "latchkey/shared/protected",
		may:  []string{"latchkey/shared/access", "latchkey/shared/credential", "latchkey/shared/jsonread", "latchkey/shared/namespace", "latchkey/shared/route"},
	},
	{path: "latchkey/shared/policy/policytest", may: []string{"latchkey/shared/policy"}},
	{path: "latchkey/shared/policy", may: []string{"latchkey/shared/protected", "latchkey/shared/route"}},
	{path: "latchkey/shared/apikey/apikeytest"},
	{
		path:   "latchkey/shared/apikey",
		may:    []string{"latchkey/shared/access", "latchkey/shared/fault", "latchkey/shared/namespace", uuid},
		banned: []string{"net", "encoding/json"},
	},
	{
		path:   "latchkey/shared/session",
		may:    []string{"latchkey/shared/apikey", "latchkey/shared/fault", "latchkey/shared/namespace", "latchkey/shared/telemetry", jwt},
		banned: []string{"net", "encoding/json"},
	},
	{
		path: "latchkey/shared/authorizer",
		may: []string{
			"latchkey/shared/access", "latchkey/shared/apikey", "latchkey/shared/fault", "latchkey/shared/jsonread", "latchkey/shared/namespace", "latchkey/shared/policy",
			"latchkey/shared/protected", "latchkey/shared/route", "latchkey/shared/session", "latchkey/shared/telemetry", jsonv2,
		},
	},
	{path: "latchkey/shared/awsclient", may: []string{sdk, smithy}},
	{path: "latchkey/shared/awsjson/awsjsontest", may: []string{"latchkey/shared/awsclient", "latchkey/shared/fault", sdk}},
	{path: "latchkey/shared/awsjson", may: []string{"latchkey/shared/awsclient", sdk, smithy}},
	{path: "latchkey/shared/kms", may: []string{"latchkey/shared/awsclient", "latchkey/shared/awsjson", "latchkey/shared/fault", smithy}},
	{
		path: "latchkey/shared/dynamo/dynamotest",
		may:  []string{"latchkey/shared/awsclient", "latchkey/shared/dynamo", "latchkey/shared/operation", "latchkey/shared/schema", "latchkey/localstack/", sdk},
	},
	{
		path:   "latchkey/shared/dynamo/stored",
		may:    []string{"latchkey/shared/access", "latchkey/shared/apikey", "latchkey/shared/fault", "latchkey/shared/namespace", "latchkey/shared/schema"},
		banned: []string{"net", "encoding/json"},
	},
	{path: "latchkey/shared/dynamo/fetched", may: []string{"latchkey/shared/dynamo/stored", sdk + "service/dynamodb/types"}},
	{
		path: "latchkey/shared/dynamo/records",
		may: []string{
			"latchkey/shared/apikey", "latchkey/shared/awsclient", "latchkey/shared/awsjson", "latchkey/shared/dynamo/stored",
			"latchkey/shared/fault", "latchkey/shared/schema", sdk + "aws", smithy, jsonv2,
		},
	},
	{
		path: "latchkey/shared/dynamo",
		may: []string{
			"latchkey/shared/access", "latchkey/shared/apikey", "latchkey/shared/awsclient", "latchkey/shared/dynamo/", "latchkey/shared/fault",
			"latchkey/shared/namespace", "latchkey/shared/schema", sdk,
		},
	},
	{
		path: "latchkey/shared/web",
		may:  []string{"latchkey/shared/credential", "latchkey/shared/fault", "latchkey/shared/operation", "latchkey/shared/telemetry", jsonv2},
	},
	{
		path: "latchkey/shared/lambdaweb",
		may:  []string{"latchkey/shared/fault", "latchkey/shared/operation", "latchkey/shared/telemetry", "latchkey/shared/web", lambda, jsonv2},
	},
	{path: "latchkey/shared/api/namespaces/query", may: []string{jsonv2}},
	{path: "latchkey/shared/api/serviceaccounts/query", may: []string{jsonv2}},
	{
		path: "latchkey/shared/api/unrouted",
		may:  []string{"latchkey/shared/api/", "latchkey/shared/fault", "latchkey/shared/operation", "latchkey/shared/web"},
	},
	{
		path: "latchkey/shared/api/reference/referencetest",
		may:  []string{"latchkey/shared/api/reference", "latchkey/shared/operation", "latchkey/shared/route", jsonschema},
	},
	{
		path: "latchkey/shared/api/reference",
		may:  []string{"latchkey/shared/api/wiring", "latchkey/shared/web", jsonv2, swagger},
	},
	{
		path: "latchkey/shared/api",
		may: []string{
			"latchkey/shared/access", "latchkey/shared/api/bearer", "latchkey/shared/api/namespaces/query",
			"latchkey/shared/api/serviceaccounts/query", "latchkey/shared/api/wiring", "latchkey/shared/apikey",
			"latchkey/shared/fault", "latchkey/shared/namespace", "latchkey/shared/operation", "latchkey/shared/session",
			"latchkey/shared/telemetry", "latchkey/shared/web", jsonv2, uuid,
		},
	},
	{path: "latchkey/shared/boot", may: []string{"latchkey/shared/", sdk + "credentials"}},
	{path: "latchkey/functions", may: []string{"latchkey/shared/api/", "latchkey/shared/boot", "latchkey/shared/operation"}},
	{path: "latchkey/infra/example/orders", may: []string{lambda}},
	{
		path: "latchkey/infra/example/stack",
		may:  []string{"latchkey/infra/", cdk, constructs, jsii},
	},
	{
		path: "latchkey/infra/example",
		may:  []string{"latchkey/shared/access", "latchkey/shared/operation", "latchkey/shared/protected"},
	},
	{path: "latchkey/infra/locate", may: []string{"latchkey/shared/apikey"}},
	{
		path: "latchkey/infra",
		may: []string{
			"latchkey/infra/", "latchkey/shared/access", "latchkey/shared/namespace", "latchkey/shared/operation",
			"latchkey/shared/policy", "latchkey/shared/protected", "latchkey/shared/schema", "latchkey/shared/telemetry", cdk, constructs, jsii, sdk + "config", sdk + "aws", sdk + "service/lambda", smithy,
		},
	},
	{
		path: "latchkey/localstack/keyservice/keyservicetest",
		may:  []string{"latchkey/localstack/keyservice", "latchkey/shared/awsclient", sdk},
	},
	{
		path: "latchkey/localstack",
		may: []string{
			"latchkey/infra/example", "latchkey/localstack/", "latchkey/shared/apikey", "latchkey/shared/operation",
			"latchkey/shared/route", "latchkey/shared/schema", lambda, sdk, uuid,
		},
	},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsFollowThePlan(t *testing.T) {
	for _, p := range packages(t) {
		i := slices.IndexFunc(plan, func(r room) bool { return within(p.ImportPath, r.path) })
		if i < 0 {
			if len(p.Imports) > 0 {
				t.Errorf("%s is in no room of the plan", p.ImportPath)
			}
			continue
		}
		for _, imported := range p.Imports {
			if !plan[i].allows(imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func (r room) allows(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if first != "latchkey" && !strings.Contains(first, ".") {
		return !slices.ContainsFunc(r.banned, func(b string) bool { return within(imported, b) })
	}
	return slices.ContainsFunc(r.may, func(m string) bool {
		return within(imported, strings.TrimSuffix(m, "/"))
	})
}

// A room whose packages are gone, or that allows what nobody imports, is a plan
// that the house has left.
func TestPlanHasNoEmptyRoom(t *testing.T) {
	all := packages(t)
	for _, r := range plan {
		mine := slices.DeleteFunc(slices.Clone(all), func(p goPackage) bool { return !within(p.ImportPath, r.path) })
		if len(mine) == 0 {
			t.Errorf("there is no package %s", r.path)
		}
		for _, m := range r.may {
			used := slices.ContainsFunc(mine, func(p goPackage) bool {
				return slices.ContainsFunc(p.Imports, func(i string) bool { return within(i, strings.TrimSuffix(m, "/")) })
			})
			if !used {
				t.Errorf("%s may import %s and does not", r.path, m)
			}
		}
	}
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// packages reads the real import graph of the module, tests left out.
func packages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "latchkey/...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// Only the local stack's stand-in for TTL scans. A policy that granted it would name it.
func TestNothingScans(t *testing.T) {
	scans, elsewhere := 0, "none"
	walkTree(t, func(path string, content []byte) {
		isCode := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
		if !isCode || !regexp.MustCompile(`\bScan(Input|Paginator)\b|\.Scan\(ctx|"(dynamodb:)?Scan"`).Match(content) {
			return
		}
		scans++
		if filepath.Base(filepath.Dir(path)) != "table" {
			elsewhere = path
		}
	})
	bars.Hold(t, "scans", bars.Text(elsewhere))
	if scans != 1 {
		t.Errorf("%d files scan, want the local stack's alone", scans)
	}
}

func TestNoKeyLiesAbout(t *testing.T) {
	published := publishedKeys(t)
	for form, pattern := range map[string]*regexp.Regexp{
		"plain":   regexp.MustCompile(`lk_[0-9a-v]+_[0-9a-v]{59}`),
		"wrapped": regexp.MustCompile(`eyJpZCI6I[A-Za-z0-9+/]+=*`),
	} {
		seen := 0
		walkTree(t, func(path string, content []byte) {
			for _, text := range pattern.FindAllString(string(content), -1) {
				key, err := apikey.ParseFullKey(text)
				if err != nil {
					continue
				}
				seen++
				if !published[key.Reveal()] {
					t.Errorf("%s holds a %s key that is no published vector", path, form)
				}
			}
		})
		if seen == 0 {
			t.Errorf("not even the published vectors were found, %s", form)
		}
	}
}

func publishedKeys(t *testing.T) map[string]bool {
	t.Helper()
	vectors, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, v := range vectors.Accepted {
		published[v.FullKey] = true
	}
	return published
}

// isIgnored reports whether a folder says itself that it is no part of the tree, as
// the local stack's state directories do.
func isIgnored(folder string) bool {
	content, err := os.ReadFile(filepath.Join(folder, ".gitignore"))
	return err == nil && strings.TrimSpace(string(content)) == "*"
}

// walkTree visits every file of the repository that is no one's build, data or
// dependency.
func walkTree(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	skipped := []string{".git", ".local", "dist", "node_modules", "cdk.out"}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (slices.Contains(skipped, entry.Name()) || isIgnored(path)):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		visit(path, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var readHeader = regexp.MustCompile(`\.Header\["([a-z-]+)"\]`)

// A browser's page may send what functions read, and no more. Accept-Encoding it sends by
// itself.
func TestHeadersThatAreReadMayBeSent(t *testing.T) {
	read := []string{}
	for _, folder := range []string{"web", "api"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range readHeader.FindAllStringSubmatch(string(text), -1) {
				read = append(read, found[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(read)
	read = slices.DeleteFunc(slices.Compact(read), func(name string) bool { return name == "accept-encoding" })
	if !slices.Equal(read, operation.RequestHeaders) {
		t.Errorf("functions read %q, and browsers may send %q", read, operation.RequestHeaders)
	}
}
