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
// Unless its props say otherwise, the table and the session keys outlive the stack. They
// are kept when it is deleted and when a change would replace them, the table is protected
// from deletion, and neither has a fixed name. The log groups and the queue go with the
// stack: what is left behind must not stand in the way of the next deployment.
//
// Every route has a limit, which all its clients share. It guards what the account has
// for everybody, and is no limit per client: an HTTP API knows none, and no client
// should rely on others being kept from using up a route.
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
// looks at, two for nearly every operation and some twenty more; so there are none until
// somebody is there to hear them. An authorizer has some of its own, if it is given a topic.
// The dashboard has more metrics than CloudWatch's free ones may have, and costs up to $3 a
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
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

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

	// SessionKeyARNs are keys of KMS that are given, in place of SessionKeys and in the
	// same order: of the spec RSA_2048, to sign and verify, in the same region, with
	// policies that leave it to IAM who may use them. They are not the service's to delete.
	SessionKeyARNs []string

	// Issuer and Audience are those of session tokens. Without them, they are the
	// URL at which the API answers, and "latchkey". Whoever gives an issuer sees to
	// it that /.well-known/jwks.json below it leads here.
	Issuer   string
	Audience string

	// RemovalPolicy is what becomes of the table and of the service's own session keys
	// when the stack is deleted or a change would replace them: RETAIN, which holds
	// without it, or DESTROY. KMS deletes keys after a week.
	RemovalPolicy awscdk.RemovalPolicy

	// Table is what may be chosen of the table.
	Table TableProps

	// Domain is one of your own for the API, which then is where it answers.
	Domain Domain

	// AllowedOrigins are those of web pages that may call the API from a browser, as
	// https://console.example.com, or "*" alone for all; none without them. A browser
	// never sends its own credentials along.
	AllowedOrigins []string

	// Throttles are limits of routes in place of the catalogue's, by the names of their
	// operations. All clients of a route share its limit.
	Throttles map[string]operation.Throttle

	// ReservedConcurrency is how many instances a function may have, by the name of its
	// operation: so many are taken from all other functions of the account, and more it
	// never has. Without it, a function has what the others leave.
	ReservedConcurrency map[string]int

	// Functions are the settings of all of them.
	Functions function.Settings

	// Alarms say who is told when the service is not well. Without a topic, nobody is.
	Alarms Alarms

	// WithoutDashboard leaves out the dashboard.
	WithoutDashboard bool

	// WithoutAccessLogs leaves out the log of what API Gateway answers, which alone tells of
	// requests that reach no function: those over a limit, those that are too large, and
	// those whose function does not answer.
	WithoutAccessLogs bool

	// Tags are put on everything that can have any.
	Tags map[string]string
}

// Prod gives the props of a service that is there to stay: what holds where props say
// nothing.
func Prod() ServiceProps { return ServiceProps{} }

// Dev gives the props of a service to try things with, of which nothing is left when its
// stack is deleted.
func Dev() ServiceProps {
	return ServiceProps{
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Table:         TableProps{WithoutDeletionProtection: true, WithoutPointInTimeRecovery: true},
		Functions:     function.Settings{LogRetentionDays: devLogRetentionDays},
	}
}

const devLogRetentionDays = 7

func (p ServiceProps) removal() awscdk.RemovalPolicy {
	return cmp.Or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN)
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
	props       ServiceProps
	table       awsdynamodb.Table
	domain      awsapigatewayv2.DomainName // nil if there is none
	api         awsapigatewayv2.HttpApi
	routes      map[string]awsapigatewayv2.CfnRoute // by the names of the operations
	deadLetters awssqs.Queue                        // of the stream
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
	api := newAPI(own, name, props)
	s := &Service{
		scope:       own,
		name:        name,
		props:       props,
		domain:      newDomain(own, props.Domain, api),
		api:         api,
		routes:      make(map[string]awsapigatewayv2.CfnRoute),
		table:       newTable(own, props.Table, props.removal()),
		deadLetters: newDeadLetters(own),
	}
	s.reference = s.newReference()
	for _, op := range deployed() {
		s.addOperation(op)
	}
	s.throttle(props.Throttles)
	s.watch()
	for _, key := range slices.Sorted(maps.Keys(props.Tags)) {
		awscdk.Tags_Of(own).Add(&key, jsii.String(props.Tags[key]), nil)
	}
	return s, nil
}

// watch adds what people watch the service by.
func (s *Service) watch() {
	alarms := s.addAlarms(s.props.Alarms)
	if !s.props.WithoutDashboard {
		s.dashboard = s.addDashboard(alarms)
	}
	if !s.props.WithoutAccessLogs {
		s.addAccessLogs()
	}
}

// newReference adds the session keys, and gathers what functions must know.
func (s *Service) newReference() ServiceReference {
	return ServiceReference{
		Name:           s.name,
		TableName:      *s.table.TableName(),
		TableARN:       *s.table.TableArn(),
		TableKeyARN:    s.props.Table.KeyARN,
		SessionKeyARNs: sessionKeys(s.scope, s.props),
		Issuer:         cmp.Or(s.props.Issuer, s.BaseURL()),
		Audience:       cmp.Or(s.props.Audience, defaultAudience),
	}
}

func (s *Service) addOperation(op operation.Operation) {
	scope := constructs.NewConstruct(s.scope, &op.Name)
	target := function.New(scope, function.Props{
		Operation:   op,
		Bootstraps:  s.props.Bootstraps,
		Name:        names.Function(s.name, op),
		Environment: s.environment(op),
		Statements:  slices.Concat(s.reference.statements(op), s.streamStatements(op)),
		Settings:    s.props.Functions,

		ReservedConcurrency: s.props.ReservedConcurrency[op.Name],
	})
	if op.Route != "" {
		s.addRoute(scope, op, target)
	}
	if op.Caller == operation.Stream {
		s.addFeed(scope, op, target)
	}
}

// environment is what the reference tells, and to who stores keys for how long.
func (s *Service) environment(op operation.Operation) map[string]*string {
	variables := s.reference.environment(op)
	if op.WritesItems() {
		variables[operation.RetentionVariable] = jsii.String(strconv.Itoa(s.props.Table.retentionDays()))
	}
	return variables
}

// BaseURL is where the API answers.
func (s *Service) BaseURL() string {
	if s.domain != nil {
		return "https://" + s.props.Domain.Name
	}
	return *s.api.ApiEndpoint()
}

// Reference is what authorizers must know of the service, in whichever stack of the same
// app they are.
func (s *Service) Reference() ServiceReference { return s.reference }
