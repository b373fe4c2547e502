package main

import (
	"fmt"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/latchkey"
)

func TestConfigure(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for name, test := range map[string]struct {
		context map[string]any
		stack   string
		props   latchkey.Props
	}{
		"nothing": {nil, "latchkey", latchkey.Props{}},
		"everything": {
			map[string]any{"stack": "staging", "sessionKeys": "2,1", "issuer": "https://keys.example.com", "audience": "example"},
			"staging",
			latchkey.Props{SessionKeys: []string{"2", "1"}, Issuer: "https://keys.example.com", Audience: "example"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var props latchkey.Props
			stack, err := configure(newApp(test.context), &props)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, test.stack, stack)
			compare(t, test.props, props)
		})
	}
}

func TestRefusedContext(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for _, name := range []string{"stack", "sessionKeys", "issuer", "audience"} {
		for _, value := range []any{"", 2, []any{"2", "1"}} {
			_, err := configure(newApp(map[string]any{name: value}), &latchkey.Props{})
			compare(t, "context "+name+" must be a text that is not empty", fmt.Sprint(err))
		}
	}
}

func newApp(context map[string]any) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{Context: &context})
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
