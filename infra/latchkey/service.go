// Package latchkey is Latchkey as CDK constructs, to be used in any app: a Service is
// everything that Latchkey puts into an AWS account, an authorizer what it puts before
// an API of somebody else's. NewStack is a stack of a service and nothing else.
//
// # The service
//
// A service is the table, the session keys, a function, a role and a log group for
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
//
// # Alarms, the dashboard and the access log
//
// What goes wrong is told by the platform's own metrics, and by the few that functions write
// (package telemetry). There are alarms for what callers feel (answers of 500 or above, the
// latency), for why (functions that crash or find no room, faults, DynamoDB and KMS), for who
// tries keys that are not his, and for what nobody would feel before it is too late (the
// stream). They follow the catalogue and the schema: an alarm adds up to ten metrics,
// CloudWatch's limit. Errors and throttles are counted for each function, since those that
// have no route are seen nowhere else. An alarm costs $0.10 a month for each metric that it
// looks at, two for each operation and some twenty more; so there are none until somebody is
// there to hear them. An authorizer has three of its own, if it is given a topic. The
// dashboard has more metrics than CloudWatch's free ones may have, and costs up to $3 a
// month.
//
// Requests that reach no function are in the access log alone. It holds nothing that a
// client has sent.
//
// https://aws.amazon.com/cloudwatch/pricing/
//
// # Authorizers
//
// Each protected API has an authorizer of its own, with a function that knows that API
// and no other. There is one constructor for each kind of API, and not one authorizer
// with a method for each: so everything is checked before anything is added, an
// authorizer of API Gateway's cannot be put before two APIs, and what a constructor gives is
// what CDK takes where an API or a route is made, also as the default of all routes. Who
// gives two AppSync APIs one authorizer has them share it; CDK lets nobody notice. CDK makes
// the platform's authorizer and the Lambda permission when that happens; each permission
// is for one authorizer of one API, or for one AppSync API, and for nobody else.
//
// An authorizer may be in another stack than its service. It refers to the service by
// the names and ARNs of the table and of the session keys, with rights as exact as those
// of the service's own functions.
package latchkey

import (
	"cmp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"latchkey/infra/function"
	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// ServiceProps are what a service cannot know by itself.
type ServiceProps struct {
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
	//
	// Authorizers in other stacks verify as well: each list is theirs, too, before the
	// next one is deployed. CloudFormation gives up nothing that another stack uses, so
	// a key goes from them first: deploy their stacks alone, by "cdk deploy
	// --exclusively", and then the service's.
	SessionKeys []string

	// Issuer and Audience are those of session tokens. Without them, they are the
	// URL at which the API answers, and "latchkey". Whoever gives an issuer sees to
	// it that /.well-known/jwks.json below it leads here.
	Issuer   string
	Audience string

	// Alarms say who is told when the service is not well. Without a topic, nobody is.
	Alarms Alarms

	// WithoutDashboard leaves out the dashboard.
	WithoutDashboard bool

	// WithoutAccessLogs leaves out the log of what API Gateway answers, which alone tells of
	// requests that reach no function: those over a limit, those that are too large, and
	// those whose function does not answer.
	WithoutAccessLogs bool
}

// Validate finds out before CDK does, and in one sentence, what is wrong: a
// session key's name, an alarm's topic or limit, or a function that has not been built.
func (p ServiceProps) Validate() error {
	if err := p.validateSessionKeys(); err != nil {
		return err
	}
	if err := p.Alarms.validate(); err != nil {
		return err
	}
	for _, op := range deployed() {
		if err := function.Validate(p.Bootstraps, op); err != nil {
			return err
		}
	}
	return nil
}

// deployed gives the operations that a service deploys. Those that a gateway calls are
// deployed beside what they protect.
func deployed() []operation.Operation {
	return slices.DeleteFunc(slices.Clone(operation.All), func(op operation.Operation) bool {
		return op.Caller == operation.Gateway
	})
}

// A Service is one Latchkey. Its functions are called by its stack's name, so that a
// stack has one service at most.
type Service struct {
	scope       constructs.Construct
	name        string // of the stack
	bootstraps  string
	table       awsdynamodb.Table
	api         awsapigatewayv2.HttpApi
	deadLetters awssqs.Queue // of the stream
	reference   ServiceReference
	dashboard   awscloudwatch.CfnDashboard // nil without one
}

// NewService adds a service. It names no account and no region, so that one template
// fits all. An error is that of Validate: nothing has been added then.
func NewService(scope constructs.Construct, id string, props ServiceProps) (*Service, error) {
	if err := props.Validate(); err != nil {
		return nil, err
	}
	own := constructs.NewConstruct(scope, &id)
	name := *awscdk.Stack_Of(own).StackName()
	s := &Service{
		scope:       own,
		name:        name,
		bootstraps:  props.Bootstraps,
		api:         newAPI(own, name),
		table:       newTable(own),
		deadLetters: newDeadLetters(own),
	}
	s.reference = s.newReference(props)
	for _, op := range deployed() {
		s.addOperation(op)
	}
	s.watch(props)
	return s, nil
}

// watch adds what people watch the service by.
func (s *Service) watch(props ServiceProps) {
	alarms := s.addAlarms(props.Alarms)
	if !props.WithoutDashboard {
		s.dashboard = s.addDashboard(alarms)
	}
	if !props.WithoutAccessLogs {
		addAccessLogs(s.scope, s.name, s.api)
	}
}

// newReference adds the session keys, and gathers what functions must know.
func (s *Service) newReference(props ServiceProps) ServiceReference {
	var keys []string
	for _, key := range newSessionKeys(s.scope, props.SessionKeys) {
		keys = append(keys, *key.KeyArn())
	}
	return ServiceReference{
		Name:           s.name,
		TableName:      *s.table.TableName(),
		TableARN:       *s.table.TableArn(),
		SessionKeyARNs: keys,
		Issuer:         cmp.Or(props.Issuer, s.BaseURL()),
		Audience:       cmp.Or(props.Audience, defaultAudience),
	}
}

func (s *Service) addOperation(op operation.Operation) {
	scope := constructs.NewConstruct(s.scope, &op.Name)
	target := function.New(scope, function.Props{
		Operation:   op,
		Bootstraps:  s.bootstraps,
		Name:        names.Function(s.name, op),
		Environment: s.reference.environment(op),
		Statements:  slices.Concat(s.reference.statements(op), s.streamStatements(op)),
	})
	if op.Route != "" {
		s.addRoute(scope, op, target)
	}
	if op.Caller == operation.Stream {
		s.addFeed(scope, op, target)
	}
}

// BaseURL is where the API answers.
func (s *Service) BaseURL() string { return *s.api.ApiEndpoint() }

// Reference is what authorizers must know of the service, in whichever stack of the same
// app they are.
func (s *Service) Reference() ServiceReference { return s.reference }
