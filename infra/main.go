// Command infra is the CDK app of Latchkey: one stack, synthesised from the
// catalogue of operations and the schema of the table, and if asked for another with an
// example of an API that Latchkey protects. cdk.json tells the CDK command line to start
// it; package latchkey holds what is in the stack, and can be used in any other app.
//
// The account and region are those that the command line finds. CDK's context
// says the rest, as "-c name=value" or for good in cdk.json: see settings, of which the
// README has a table. A name that is neither there nor CDK's own is refused: misspelt, it
// would be a setting that does not hold.
//
// A deployment without a value that the last one had is a change. What must not
// be forgotten, as sessionKeys after a rotation, belongs in cdk.json.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/example/stack"
	"latchkey/infra/latchkey"
	"latchkey/infra/names"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

// What is deployed, as context says it.
type deployment struct {
	name    string // of the stack
	example bool   // beside it
	props   latchkey.ServiceProps
}

// run looks at the bootstraps before it starts CDK, which takes seconds.
func run() error {
	d := deployment{props: latchkey.ServiceProps{Bootstraps: "dist/lambda"}}
	if err := d.props.Validate(); err != nil {
		return err
	}
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	if err := d.configure(app); err != nil {
		return err
	}
	if err := d.addTo(app); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

func (d deployment) addTo(app awscdk.App) error {
	service, err := latchkey.NewStack(app, d.name, d.props)
	if err != nil || !d.example {
		return err
	}
	_, err = stack.NewStack(app, d.name+"-example", stack.Props{Bootstraps: d.props.Bootstraps, Service: service.Reference()})
	return err
}

// configure completes a deployment from the context.
func (d *deployment) configure(app awscdk.App) error {
	d.name = names.Stack
	if err := checkNames(app); err != nil {
		return err
	}
	for _, setting := range settings {
		text, err := read(app, setting.name)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if err := setting.set(d, text); err != nil {
			return fmt.Errorf("context %s %w", setting.name, err)
		}
	}
	return nil
}

// CDK's own names in the context, but those that have a colon in them: the flags of features, as
// "@aws-cdk/core:…", what the command line wants of an app, as "aws:cdk:…", and what it has
// looked up, as "availability-zones:…".
//
// https://docs.aws.amazon.com/cdk/v2/guide/context.html
// https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-ack.html
// https://docs.aws.amazon.com/cdk/v2/guide/cli-telemetry.html
var cdkNames = []string{"acknowledged-issue-numbers", "cli-telemetry"}

// checkNames refuses what nothing reads.
func checkNames(app awscdk.App) error {
	context, ok := app.Node().GetAllContext(nil).(map[string]any)
	if !ok {
		return errors.New("context is not one of names and values")
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		if !isSetting(name) && !strings.Contains(name, ":") && !slices.Contains(cdkNames, name) {
			return fmt.Errorf("context %s is no setting: the README has a table of all, below \"Deploy it\"", name)
		}
	}
	return nil
}

func isSetting(name string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.name == name })
}

// read gives nothing where the context says nothing. What it cannot use, as a number or a
// list in cdk.json, must not pass for nothing.
func read(app awscdk.App, name string) (string, error) {
	value := app.Node().TryGetContext(&name)
	if value == nil {
		return "", nil
	}
	text, ok := value.(string)
	if !ok || text == "" {
		return "", fmt.Errorf("context %s must be a text that is not empty", name)
	}
	return text, nil
}
