// Package functions_test holds the functions' folders against the catalogue.
package functions_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/operation"
)

func TestEveryOperationHasItsFunction(t *testing.T) {
	var folders, names []string
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			folders = append(folders, entry.Name())
		}
	}
	for _, op := range operation.All {
		names = append(names, op.Name)
	}
	slices.Sort(names)
	if !slices.Equal(folders, names) {
		t.Errorf("the folders are %v, the operations %v", folders, names)
	}
}

// A function is a package comment and one call: boot.Serve of its own operation, with the
// handler of the same name and the parts that the catalogue says it touches.
func TestFunctionsOnlyServe(t *testing.T) {
	for _, op := range operation.All {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(op.Name, "main.go"), nil, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasPrefix(file.Doc.Text(), "Command "+op.Name+" ") {
			t.Errorf("%s: the package comment begins %.40q", op.Name, file.Doc.Text())
		}
		served := servedBy(file)
		name, ok := strings.CutPrefix(served.operation, "operation.")
		if !ok || strings.ReplaceAll(op.Name, "-", "") != strings.ToLower(name) {
			t.Errorf("%s serves %s", op.Name, served.operation)
		}
		if !handlers(name).MatchString(served.function) {
			t.Errorf("%s is handled by %s", op.Name, served.function)
		}
		if !slices.Equal(served.parts, partsOf(op)) {
			t.Errorf("%s takes %v from the environment, want %v", op.Name, served.parts, partsOf(op))
		}
	}
}

// handlers are the texts of what makes the function of an operation: its own handler, in
// a maker of package boot where it is not one itself.
func handlers(name string) *regexp.Regexp {
	return regexp.MustCompile(`^(boot\.[A-Z]\w+\([a-z]+\.` + name + `\)|[a-z]+\.` + name + `)$`)
}

func partsOf(op operation.Operation) []string {
	var parts []string
	switch {
	case op.OnlyVerifies():
		parts = append(parts, "records.DynamoDB")
	case op.UsesTable():
		parts = append(parts, "store.DynamoDB")
	}
	if op.UsesSessions() {
		parts = append(parts, "sessions.KMS")
	}
	if op.Name == operation.Authorizer.Name {
		parts = append(parts, "guard.API")
	}
	return parts
}

// The tests of package boot run what the mains serve, and nothing else.
func TestProgramsAreTheMains(t *testing.T) {
	const programs = "../shared/boot/functions_test.go"
	file, err := parser.ParseFile(token.NewFileSet(), programs, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var tested, served []string
	for _, args := range callsOf(file, "serve") {
		tested = append(tested, strings.Join(args, ", "))
	}
	for _, op := range operation.All {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(op.Name, "main.go"), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range callsOf(file, "boot.Serve") {
			served = append(served, strings.Join(args, ", "))
		}
	}
	if diff := cmp.Diff(served, tested); diff != "" {
		t.Errorf("%s (-mains +programs):\n%s", programs, diff)
	}
}

// A package that a function imports is linked and initialised, used or not.
func TestFunctionsHoldWhatTheyUse(t *testing.T) {
	apis := map[string]operation.API{
		"latchkey/shared/api/namespaces":      operation.Namespaces,
		"latchkey/shared/api/workspaces":      operation.Workspaces,
		"latchkey/shared/api/serviceaccounts": operation.ServiceAccounts,
	}
	deps := depsOfFunctions(t)
	for _, op := range operation.All {
		wants := map[string]bool{
			"latchkey/shared/dynamo":         op.UsesTable() && !op.OnlyVerifies(),
			"latchkey/shared/dynamo/records": op.UsesTable(),
			"latchkey/shared/kms":            op.UsesSessions(),
			"latchkey/shared/authorizer":     op.Name == operation.Authorizer.Name,

			"github.com/aws/aws-sdk-go-v2/service/dynamodb/types": op.UsesTable() && !op.OnlyVerifies(),
		}
		for imported, api := range apis {
			wants[imported] = op.API == api || op.Name == operation.NotFound.Name
		}
		for imported, wanted := range wants {
			if slices.Contains(deps[op.Name], imported) != wanted {
				t.Errorf("%s holds %s: %v", op.Name, imported, !wanted)
			}
		}
	}
}

func depsOfFunctions(t *testing.T) map[string][]string {
	t.Helper()
	command := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		deps[path.Base(fields[0])] = fields[1:]
	}
	return deps
}

// A program is what a main gives to boot.Serve, as it is written.
type program struct {
	operation string
	function  string
	parts     []string
}

// servedBy is what the one statement of a main serves, or nothing if there is another.
func servedBy(file *ast.File) program {
	main, ok := file.Decls[len(file.Decls)-1].(*ast.FuncDecl)
	calls := callsOf(file, "boot.Serve")
	if !ok || len(file.Decls) != 2 || len(main.Body.List) != 1 || len(calls) != 1 || len(calls[0]) < 2 {
		return program{}
	}
	statement, ok := main.Body.List[0].(*ast.ExprStmt)
	if !ok || !strings.HasPrefix(types.ExprString(statement.X), "boot.Serve(") {
		return program{}
	}
	return program{operation: calls[0][0], function: calls[0][1], parts: calls[0][2:]}
}

// callsOf gives the arguments of each call of a function, as they are written.
func callsOf(file *ast.File, function string) [][]string {
	var calls [][]string
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || types.ExprString(call.Fun) != function {
			return true
		}
		args := make([]string, len(call.Args))
		for i, arg := range call.Args {
			args[i] = types.ExprString(arg)
		}
		calls = append(calls, args)
		return true
	})
	return calls
}
