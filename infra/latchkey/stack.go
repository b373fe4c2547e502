// Package latchkey is everything that Latchkey puts into an AWS account, as one
// CDK stack: the table, the session keys, a function, a role and a log group for
// each operation, an HTTP API with the catalogue's routes, and a way from the
// table's stream to the operations that it calls. It loops over operation.All and
// schema.Table and adds no list of its own, so that an operation is deployed by
// being in the catalogue. It imports nothing of the functions' code: it takes
// their bootstraps as files.
//
// Least privilege is exact. A role allows the actions of its operation's
// touches, each on the table or on the one index that the touch names and never
// on both; what the operation does with the session keys; to write to the
// function's own log group; and where the stream calls, to read it and to report
// to the queue. API Gateway may call a function for its own route
// and for no other; an operation without a route is called by whoever IAM lets,
// or by the stream.
//
// A confined touch is allowed for its attributes alone. To note that a key was
// used, functions update items that anyone may have them update, by presenting a
// key; IAM sees to it that such an update can name the table's keys and the time
// of use, and nothing else. Whatever goes wrong in the function that validates
// keys for everybody, it gives nobody a key, takes none away, and changes nothing
// of what one may do.
//
// The stream calls a function with the changes after which an item has the
// operation's feed attribute, in the order in which they were made to an item, and
// with no others. A batch that fails is tried again, also in halves; a record that
// still fails is reported to a queue of dead letters, so that the rest need not wait.
//
// What outlives the stack are the table and the session keys. They are kept when
// the stack is deleted and when a change would replace them, and the table is
// protected from deletion. They have no fixed names, and the log groups and the
// queue go with the stack: what is left behind must not stand in the way of the
// next deployment.
package latchkey

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// The names of the stack's outputs.
const (
	OutputBaseURL           = "BaseURL"
	OutputSessionKeysURL    = "SessionKeysURL"
	OutputTableName         = "TableName"
	OutputBootstrapFunction = "BootstrapFunction"
	OutputDeadLetterQueue   = "DeadLetterQueue"
)

// Props are what the stack cannot know by itself.
type Props struct {
	// Bootstraps is the directory that holds <operation>/bootstrap for every
	// operation, built for arm64. It must be set.
	Bootstraps string

	// SessionKeys are names of letters, digits and hyphens, one for each key that
	// session tokens are signed with; the first signs, all verify. Without any,
	// there is one, "1".
	//
	// To rotate from "1" to "2", deploy "1", "2", so that every function verifies
	// with both; at least five minutes later, when others who verify have fetched the
	// public keys again, "2", "1"; and once the last token that "1" signed has expired,
	// "2". The key whose name is gone stays in the account, and the same name again
	// is another key: whether nobody needs the old one any more is for people to say.
	SessionKeys []string

	// Issuer and Audience are those of session tokens. Without them, they are the
	// URL at which the API answers, and "latchkey". Whoever gives an issuer sees to
	// it that /.well-known/jwks.json below it leads here.
	Issuer   string
	Audience string
}

// Validate finds out before CDK does, and in one sentence, what is wrong: a
// session key's name, or a function that has not been built.
func (p Props) Validate() error {
	if err := p.validateSessionKeys(); err != nil {
		return err
	}
	return p.validateBootstraps()
}

// NewStack adds the stack to an app. It names no account and no region, so that
// one template fits all. An error is that of Validate: nothing has been added
// then.
func NewStack(scope constructs.Construct, name string, props Props) (awscdk.Stack, error) {
	if err := props.Validate(); err != nil {
		return nil, err
	}
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{
		StackName:   &name,
		Description: jsii.String("Latchkey: issues, validates and revokes API keys"),
	})
	api := newAPI(stack, name)
	d := deployment{
		Stack:      stack,
		name:       name,
		bootstraps: props.Bootstraps,
		table:      newTable(stack),
		sessions:   newSessions(stack, props, api.ApiEndpoint()),
		api:        api,

		deadLetters: newDeadLetters(stack),
	}
	for _, op := range operation.All {
		d.addOperation(op)
	}
	d.addOutputs()
	return stack, nil
}

// A deployment is the stack while it is built, with what its operations share.
type deployment struct {
	awscdk.Stack
	name       string
	bootstraps string
	table      awsdynamodb.Table
	sessions   sessions
	api        awsapigatewayv2.HttpApi

	deadLetters awssqs.Queue // of the stream
}

func (d deployment) addOperation(op operation.Operation) {
	scope := constructs.NewConstruct(d.Stack, &op.Name)
	function := d.newFunction(scope, op)
	if op.Route != "" {
		d.addRoute(scope, op, function)
	}
	if op.Caller == operation.Stream {
		d.addFeed(scope, op, function)
	}
}

func (d deployment) addOutputs() {
	d.addOutput(OutputBaseURL, "Where the API answers", d.api.ApiEndpoint())
	d.addOutput(OutputSessionKeysURL, "Where others find the keys that verify session tokens",
		jsii.String(*d.api.ApiEndpoint()+operation.SessionKeys.Path()))
	d.addOutput(OutputTableName, "The table, which outlives the stack", d.table.TableName())
	d.addOutput(OutputBootstrapFunction, "The function that makes the first key of a namespace",
		jsii.String(names.Function(d.name, operation.Bootstrap)))
	d.addOutput(OutputDeadLetterQueue, "The queue of what could not be removed", d.deadLetters.QueueName())
}

func (d deployment) addOutput(name, description string, value *string) {
	awscdk.NewCfnOutput(d.Stack, &name, &awscdk.CfnOutputProps{Description: &description, Value: value})
}
