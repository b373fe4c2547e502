// Package functions_test holds the functions' folders against the catalogue.
package functions_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// A function is a package comment and one call: boot.Serve of its own operation.
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
		if strings.ReplaceAll(op.Name, "-", "") != strings.ToLower(served) {
			t.Errorf("%s serves operation.%s", op.Name, served)
		}
	}
}

// servedBy is X of the one statement boot.Serve(operation.X), or what is there in
// its place.
func servedBy(file *ast.File) string {
	main, ok := file.Decls[len(file.Decls)-1].(*ast.FuncDecl)
	if !ok || len(file.Decls) != 2 || len(main.Body.List) != 1 {
		return "something else"
	}
	statement, ok := main.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return "something else"
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok || fmt.Sprint(call.Fun.(*ast.SelectorExpr).Sel) != "Serve" || len(call.Args) != 1 {
		return "something else"
	}
	return call.Args[0].(*ast.SelectorExpr).Sel.Name
}
