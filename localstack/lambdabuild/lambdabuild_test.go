package lambdabuild

import (
	"os"
	"strings"
	"testing"
)

func TestFlagsAreThoseOfMakeLambda(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	want := "\tCGO_ENABLED=0 " + strings.Join(platform, " ") + " go build " + strings.Join(flags, " ") + " "
	if !strings.Contains(strings.ReplaceAll(string(makefile), "'", ""), want) {
		t.Errorf("the Makefile has no line that begins with %q", want)
	}
}
