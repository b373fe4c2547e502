// Command infra is the CDK app of Latchkey: one stack, synthesised from the
// catalogue of operations and the schema of the table. cdk.json tells the CDK
// command line to start it; package latchkey holds what is in the stack.
//
// The account and region are those that the command line finds. CDK's context
// says the rest, as "-c name=value" or for good in cdk.json:
//
//	stack        the stack's name, "latchkey" without it
//	sessionKeys  the names of the session keys, separated by commas; see Props
//	issuer       the session tokens' issuer, the API's URL without it
//	audience     the session tokens' audience, "latchkey" without it
//
// A deployment without a value that the last one had is a change. What must not
// be forgotten, as sessionKeys after a rotation, belongs in cdk.json.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/latchkey"
	"latchkey/infra/names"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

// run looks at the bootstraps before it starts CDK, which takes seconds.
func run() error {
	props := latchkey.Props{Bootstraps: "dist/lambda"}
	if err := props.Validate(); err != nil {
		return err
	}
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	name, err := configure(app, &props)
	if err != nil {
		return err
	}
	if _, err := latchkey.NewStack(app, name, props); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// configure completes props from the context, and gives the stack's name.
func configure(app awscdk.App, props *latchkey.Props) (name string, err error) {
	name = names.Stack
	var keys string
	for _, setting := range []struct {
		name string
		into *string
	}{
		{"stack", &name}, {"sessionKeys", &keys}, {"issuer", &props.Issuer}, {"audience", &props.Audience},
	} {
		if err := read(app, setting.name, setting.into); err != nil {
			return "", err
		}
	}
	if keys != "" {
		props.SessionKeys = strings.Split(keys, ",")
	}
	return name, nil
}

// read leaves alone what the context says nothing of. What it cannot use, as a
// number or a list in cdk.json, must not pass for nothing.
func read(app awscdk.App, name string, into *string) error {
	value := app.Node().TryGetContext(&name)
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok || text == "" {
		return fmt.Errorf("context %s must be a text that is not empty", name)
	}
	*into = text
	return nil
}
