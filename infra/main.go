// Command infra is the CDK app of Latchkey: one stack, synthesised from the
// catalogue of operations and the schema of the table. cdk.json tells the CDK
// command line to start it; package latchkey holds what is in the stack.
//
// The account and region are those that the command line finds, and
// "-c stack=name" gives the stack another name than "latchkey".
package main

import (
	"fmt"
	"os"

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
	if _, err := latchkey.NewStack(app, stackName(app), props); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

func stackName(app awscdk.App) string {
	if name, ok := app.Node().TryGetContext(jsii.String("stack")).(string); ok && name != "" {
		return name
	}
	return names.Stack
}
