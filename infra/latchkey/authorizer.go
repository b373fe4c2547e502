package latchkey

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/function"
	"latchkey/shared/operation"
	"latchkey/shared/policy"
	"latchkey/shared/protected"
)

const maxCacheTTL = protected.MaxCacheSeconds * time.Second

// AuthorizerProps are what an authorizer cannot know by itself.
type AuthorizerProps struct {
	// Service is the one whose keys and session tokens count. It must be set.
	Service ServiceReference

	// Bootstraps is the directory that holds authorizer/bootstrap, built for arm64. It
	// must be set.
	Bootstraps string

	// API is what the authorizer knows of the API that it protects. Its Header becomes
	// the identity source: a request without it is refused before the function is called.
	// Its CacheSeconds follow from CacheTTL.
	API protected.API

	// CacheTTL is for how long an answer may be used again for the same credential, up to
	// an hour in whole seconds. It is the revocation delay: a key that is deleted,
	// disabled or expired, and its session tokens, go on being accepted for so long, and
	// a key that may do more, or less, is judged as before. Without it nothing is kept,
	// and the next request is refused.
	//
	// What is kept is never used for what was not decided. A policy must be of all routes,
	// for which it takes the API's Routes, every one that the authorizer stands before; a
	// simple answer is kept for one route, method and path, which makes it of less use.
	CacheTTL time.Duration

	// Function are the settings of the authorizer's function.
	Function function.Settings

	// ReservedConcurrency is how many instances the function may have, as for a service:
	// at more, API Gateway refuses requests. Zero: as many as the account's others leave.
	ReservedConcurrency int

	// AlarmTopic is the ARN of the SNS topic that hears of the authorizer's alarms: for calls
	// that Lambda had no room for, for being slow, and before an HTTP or AppSync API for errors.
	// See Alarms.Topic; without a topic there are none. Each costs $0.10 a month.
	//
	// REST and WebSocket APIs want a bad credential refused by an error, so that anyone can bring
	// errors about. What such an authorizer fails for is in the metric faults of its service, as
	// of every authorizer, and sets off the service's alarm of that name: each writes it in its
	// own region, with the service's name.
	AlarmTopic string
}

// A kind is a kind of API, with what its authorizers can do.
type kind struct {
	name      string
	anyHeader bool // is not bound to Authorization
	routes    bool // has routes that ask for different rights
	untold    bool // but does not tell which was chosen
	simple    bool // takes simple answers
	query     bool // may have the credential in the query string
	usage     bool // counts by key
	cache     bool // keeps answers
	override  bool // for as long as the function says
	byError   bool // has a bad credential refused by an error
	flag      flag // must be on
}

// A flag is something that CDK does only where the app's context says so, as that of a
// new app does.
type flag struct{ name, without string }

var (
	ofHTTP      = kind{name: "an HTTP API", anyHeader: true, routes: true, simple: true, cache: true}
	ofREST      = kind{name: "a REST API", anyHeader: true, routes: true, usage: true, cache: true, byError: true, flag: deployAuthorizers}
	ofRESTToken = kind{
		name: "a REST API's TOKEN authorizer", anyHeader: true, routes: true, untold: true, usage: true, cache: true,
		byError: true, flag: deployAuthorizers,
	}
	ofWebSocket = kind{name: "a WebSocket API", anyHeader: true, query: true, byError: true}
	ofAppSync   = kind{name: "an AppSync API", cache: true, override: true, flag: scopeAppSync}

	deployAuthorizers = flag{
		"@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId", "a change of the authorizer would not be deployed",
	}
	scopeAppSync = flag{
		"@aws-cdk/aws-appsync:appSyncGraphQLAPIScopeLambdaPermission", "every AppSync API could call the authorizer",
	}
)

// validate finds out in one sentence what is wrong with props before an API of a kind.
func (p AuthorizerProps) validate(k kind) error {
	if err := p.Service.validate(); err != nil {
		return err
	}
	if err := p.validateFor(k); err != nil {
		return err
	}
	if err := p.validateCache(k); err != nil {
		return err
	}
	if err := validateTopic(p.AlarmTopic); err != nil {
		return err
	}
	if err := p.Function.Validate(); err != nil {
		return err
	}
	if p.ReservedConcurrency < 0 {
		return fmt.Errorf("ReservedConcurrency %d must be at least 1, or not be there", p.ReservedConcurrency)
	}
	return function.Validate(p.Bootstraps, operation.Authorizer)
}

// validateFor refuses what would have no effect, and what would refuse everybody.
func (p AuthorizerProps) validateFor(k kind) error {
	switch {
	case p.API.Header != protected.Authorization && !k.anyHeader:
		return fmt.Errorf("%s takes credentials from the header Authorization alone", k.name)
	case p.API.Simple && !k.simple:
		return fmt.Errorf("%s takes no simple answers in place of its own", k.name)
	case p.API.QueryParameter != "" && !k.query:
		return fmt.Errorf("%s takes no credential from the query string: only a WebSocket API's $connect may", k.name)
	case p.API.UsageIdentifier && !k.usage:
		return fmt.Errorf("%s has no usage plans to count by: only a REST API has", k.name)
	case len(p.API.Routes) > 0 && !k.routes:
		return fmt.Errorf("%s has no routes to tell rights by: say in Right what is asked for", k.name)
	case p.API.Right != (protected.Right{}) && k.routes:
		return fmt.Errorf("%s has routes to tell rights by: say in Routes, not in Right, what is asked for", k.name)
	case len(p.API.Routes) == 0 && k.untold:
		return fmt.Errorf("%s does not tell the route of a request: say in Routes which there are", k.name)
	case p.API.Right == (protected.Right{}) && !k.routes:
		return fmt.Errorf("%s would refuse every request: say in Right what is asked for", k.name)
	}
	return nil
}

func (p AuthorizerProps) validateCache(k kind) error {
	switch {
	case p.CacheTTL < 0 || p.CacheTTL > maxCacheTTL || p.CacheTTL%time.Second != 0:
		return fmt.Errorf("cache TTL %v must be whole seconds from 0s to %v", p.CacheTTL, maxCacheTTL)
	case p.CacheTTL > 0 && !k.cache:
		return fmt.Errorf("%s keeps no answers: its cache TTL must be 0s", k.name)
	case p.CacheTTL > 0 && k.routes && !p.API.Simple:
		return p.validateKept(k)
	}
	return nil
}

// validateKept refuses to keep policies that are of the requested route alone.
func (p AuthorizerProps) validateKept(k kind) error {
	if len(p.API.Routes) == 0 {
		return fmt.Errorf("cache TTL %v: without a table of routes an answer covers the requested route alone, "+
			"and %s would use it for the others", p.CacheTTL, k.name)
	}
	table, err := p.API.Table()
	if err != nil {
		return err
	}
	if err := policy.NewGrid(table).Problem(); err != nil {
		return fmt.Errorf("cache TTL %v: no answer can cover all routes: %w", p.CacheTTL, err)
	}
	return nil
}

// keptByFunction is for how many seconds a function says that its answers may be kept.
func (k kind) keptByFunction(ttl time.Duration) int {
	if !k.override {
		return 0
	}
	return int(ttl.Seconds())
}

// newAuthorizer adds a scope with the function before an API of a kind.
func newAuthorizer(
	scope constructs.Construct, id string, props AuthorizerProps, k kind,
) (constructs.Construct, awslambda.Function, error) {
	props.API.CacheSeconds = k.keptByFunction(props.CacheTTL)
	api, err := props.API.Encode()
	if err != nil {
		return nil, nil, err
	}
	if err := props.validate(k); err != nil {
		return nil, nil, err
	}
	if err := k.flag.require(scope); err != nil {
		return nil, nil, err
	}
	own := constructs.NewConstruct(scope, &id)
	environment := props.Service.environment(operation.Authorizer)
	environment[operation.ProtectedAPIVariable] = &api
	target := function.New(own, function.Props{
		Operation:   operation.Authorizer,
		Bootstraps:  props.Bootstraps,
		Environment: environment,
		Statements:  props.Service.statements(operation.Authorizer),
		Settings:    props.Function,

		ReservedConcurrency: props.ReservedConcurrency,
	})
	if props.AlarmTopic != "" {
		addAuthorizerAlarms(own, target, k, props.AlarmTopic)
	}
	return own, target, nil
}

// header is the name of the header, in the spelling that people know.
func (p AuthorizerProps) header() string {
	if p.API.Header == protected.Authorization {
		return "Authorization"
	}
	return string(p.API.Header)
}

// ttl is always said: what gateways and CDK take where nothing is said is five minutes.
func (p AuthorizerProps) ttl() awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(p.CacheTTL.Seconds()))
}

func (f flag) require(scope constructs.Construct) error {
	if f == (flag{}) || *awscdk.FeatureFlags_Of(scope).IsEnabled(&f.name) {
		return nil
	}
	return fmt.Errorf("%s: set %q to true in the context of the app", f.without, f.name)
}
