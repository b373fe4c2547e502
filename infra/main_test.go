package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"latchkey/infra/example"
	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

func TestConfigure(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for name, test := range map[string]struct {
		context map[string]any
		want    deployment
	}{
		"nothing": {nil, deployment{name: "latchkey"}},
		"everything": {
			map[string]any{
				"stack": "staging", "sessionKeys": "2,1", "issuer": "https://keys.example.com", "audience": "example",
				"example": "true", "alarmTopic": "arn:aws:sns:eu-west-1:123456789012:alerts",
			},
			deployment{name: "staging", example: true, props: latchkey.ServiceProps{
				SessionKeys: []string{"2", "1"}, Issuer: "https://keys.example.com", Audience: "example",
				Alarms: latchkey.Alarms{Topic: "arn:aws:sns:eu-west-1:123456789012:alerts"},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got deployment
			if err := got.configure(newApp(test.context)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(deployment{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRefusedContext(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	for _, name := range []string{"stack", "sessionKeys", "issuer", "audience", "example", "alarmTopic"} {
		for _, value := range []any{"", 2, []any{"2", "1"}} {
			err := new(deployment).configure(newApp(map[string]any{name: value}))
			compare(t, "context "+name+" must be a text that is not empty", fmt.Sprint(err))
		}
	}
	err := new(deployment).configure(newApp(map[string]any{"example": "yes"}))
	compare(t, `context example must be "true", or not be there`, fmt.Sprint(err))
}

// The example is deployed if asked for, and by default is not even looked for.
func TestExample(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	var all []string
	for _, op := range operation.All {
		all = append(all, op.Name)
	}
	props := latchkey.ServiceProps{Bootstraps: stacktest.StubBootstraps(t, all...)}
	alone := stacktest.NewApp(t, nil)
	if err := (deployment{name: "keys", props: props}).addTo(alone); err != nil {
		t.Fatal(err)
	}
	compare(t, []string{"keys"}, slices.Sorted(maps.Keys(stacktest.Synthesise(t, alone))))
	props.Bootstraps = stacktest.StubBootstraps(t, append(all, example.Orders.Name)...)
	both := stacktest.NewApp(t, nil)
	if err := (deployment{name: "keys", example: true, props: props}).addTo(both); err != nil {
		t.Fatal(err)
	}
	compare(t, []string{"keys", "keys-example"}, slices.Sorted(maps.Keys(stacktest.Synthesise(t, both))))
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
