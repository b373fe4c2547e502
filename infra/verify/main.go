// Command verify writes the templates that the field's own tools are to look at: those of
// some deployments, which together ask for all that can be asked for, each into a directory
// of its own. Functions hold nothing but their names, since nobody looks at them.
//
// "make nag" does all of it: findings.mjs has the tools look, verdict.mjs tells which of
// their findings count, and accepted.json says of the others why they do not.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/example"
	"latchkey/infra/example/stack"
	"latchkey/infra/function"
	"latchkey/infra/latchkey"
	"latchkey/infra/names"
	"latchkey/shared/operation"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("name the directory to write to")
	}
	w, err := newWriter(args[0], "cdk.json")
	if err != nil {
		return err
	}
	defer jsii.Close()
	return w.write()
}

// A deployment is one of which there are templates.
type deployment struct {
	name    string
	props   latchkey.ServiceProps
	example bool // of an API that it protects, beside it
}

// deployments ask together for all that ServiceProps can ask for. What would leave
// something out need not be in any: it is the tools' to say that it is missing.
func deployments(bootstraps string) []deployment {
	all := []deployment{{name: "plain"}, {name: "everything", props: everything(), example: true}, {name: "given", props: given()}}
	for i := range all {
		all[i].props.Bootstraps = bootstraps
	}
	return all
}

// everything is what can be asked for together.
func everything() latchkey.ServiceProps {
	return latchkey.ServiceProps{
		SessionKeys:         []string{"2", "1"},
		Issuer:              "https://keys.example.com",
		Audience:            "example",
		Table:               latchkey.TableProps{Name: "api-keys", RetentionDays: 7, KeyARN: keyARN + "table"},
		Domain:              latchkey.Domain{Name: "keys.example.com", CertificateARN: "arn:aws:acm:" + account + "certificate/019b7ca9-8f2e-7e98-833b-d887d15218ce", Exclusive: true},
		AllowedOrigins:      []string{"https://console.example.com"},
		Throttles:           map[string]operation.Throttle{operation.Login.Name: {Rate: 50, Burst: 20}},
		ReservedConcurrency: map[string]int{operation.ValidateAPIKey.Name: 200},
		Functions:           function.Settings{LogRetentionDays: 90, LogLevel: awslambda.ApplicationLogLevel_DEBUG, Tracing: true},
		Alarms: latchkey.Alarms{
			Topic: "arn:aws:sns:" + account + "alerts", Faults: 1, WrongSecrets: 2, MalformedKeys: 3, Refusals: 4,
			P99Latency: 2 * time.Second, FeedAge: time.Hour,
		},
		Tags: map[string]string{"team": "platform"},
	}
}

// given is what excludes some of that.
func given() latchkey.ServiceProps {
	return latchkey.ServiceProps{
		SessionKeyARNs: []string{keyARN + "2", keyARN + "1"},
		RemovalPolicy:  awscdk.RemovalPolicy_DESTROY,
		Table:          latchkey.TableProps{WithoutDeletionProtection: true},
	}
}

// Whose what is given is, and how its keys are called.
const (
	account = "eu-central-1:123456789012:"
	keyARN  = "arn:aws:kms:" + account + "key/"
)

// A writer has what all templates are made with.
type writer struct {
	dir        string
	context    map[string]any // as the CDK command line would give it
	bootstraps string
}

func newWriter(dir, config string) (writer, error) {
	context, err := readContext(config)
	if err != nil {
		return writer{}, err
	}
	w := writer{dir: dir, context: context, bootstraps: filepath.Join(dir, "bootstraps")}
	return w, w.writeBootstraps()
}

func readContext(config string) (map[string]any, error) {
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	var parsed struct{ Context map[string]any }
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	return parsed.Context, nil
}

func (w writer) writeBootstraps() error {
	for _, op := range append([]operation.Operation{example.Orders}, operation.All...) {
		dir := filepath.Join(w.bootstraps, op.Name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(op.Name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// write has one app for each deployment: CDK has no more than one stack of a name in an app.
func (w writer) write() error {
	for _, d := range deployments(w.bootstraps) {
		if err := w.writeDeployment(d); err != nil {
			return fmt.Errorf("deployment %s: %w", d.name, err)
		}
	}
	return nil
}

func (w writer) writeDeployment(d deployment) error {
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(w.dir, d.name)), Context: &w.context})
	service, err := latchkey.NewStack(app, names.Stack, d.props)
	if err != nil {
		return err
	}
	if d.example {
		props := stack.Props{Bootstraps: w.bootstraps, Service: service.Reference()}
		if _, err := stack.NewStack(app, names.Stack+"-example", props); err != nil {
			return err
		}
	}
	app.Synth(nil)
	return nil
}
