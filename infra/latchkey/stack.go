package latchkey

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// The names of the stack's outputs. From OutputName to OutputAudience they are a
// ServiceReference, for apps other than the stack's own.
const (
	OutputBaseURL           = "BaseURL"
	OutputSessionKeysURL    = "SessionKeysURL"
	OutputName              = "Name"
	OutputTableName         = "TableName"
	OutputTableARN          = "TableARN"
	OutputTableKeyARN       = "TableKeyARN" // only where one was given
	OutputSessionKeyARNs    = "SessionKeyARNs"
	OutputIssuer            = "Issuer"
	OutputAudience          = "Audience"
	OutputBootstrapFunction = "BootstrapFunction"
	OutputDeadLetterQueue   = "DeadLetterQueue"
	OutputDashboard         = "Dashboard"
	OutputDomainTarget      = "DomainTarget" // only where there is a domain
)

// CDK leaves out "Default" where it makes logical ids: they are those that the parts of
// the service would have in the stack itself.
const serviceID = "Default"

// NewStack adds a stack of a service to an app, and gives the service. An error is that
// of NewService: nothing has been added then.
func NewStack(scope constructs.Construct, name string, props ServiceProps) (*Service, error) {
	if err := props.Validate(); err != nil {
		return nil, err
	}
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{
		StackName:   &name,
		Description: jsii.String("Latchkey: issues, validates and revokes API keys"),
	})
	service, err := NewService(stack, serviceID, props)
	if err != nil {
		return nil, err
	}
	addOutputs(stack, service)
	return service, nil
}

// An output without a value is left out.
func addOutputs(stack awscdk.Stack, s *Service) {
	for _, output := range []struct{ name, description, value string }{
		{OutputBaseURL, "Where the API answers", s.BaseURL()},
		{OutputSessionKeysURL, "Where others find the keys that verify session tokens", s.BaseURL() + operation.SessionKeys.Path()},
		{OutputName, "The name by which metrics tell this Latchkey from others", s.reference.Name},
		{OutputTableName, "The table's name", s.reference.TableName},
		{OutputTableARN, "The table, for the rights of authorizers", s.reference.TableARN},
		{OutputTableKeyARN, "The key that encrypts the table, for the rights of authorizers", s.reference.TableKeyARN},
		{OutputSessionKeyARNs, "The session keys, the first of which signs", strings.Join(s.reference.SessionKeyARNs, ",")},
		{OutputIssuer, "The issuer of session tokens", s.reference.Issuer},
		{OutputAudience, "The audience of session tokens", s.reference.Audience},
		{OutputBootstrapFunction, "The function that makes the first key of a namespace", names.Function(s.name, operation.Bootstrap)},
		{OutputDeadLetterQueue, "The queue of what could not be removed", *s.deadLetters.QueueName()},
		{OutputDomainTarget, "Where the domain's DNS record must lead", s.DomainTarget()},
	} {
		if output.value == "" {
			continue
		}
		awscdk.NewCfnOutput(stack, &output.name, &awscdk.CfnOutputProps{Description: &output.description, Value: &output.value})
	}
	if s.dashboard != nil {
		awscdk.NewCfnOutput(stack, jsii.String(OutputDashboard), &awscdk.CfnOutputProps{
			Description: jsii.String("The dashboard in CloudWatch"), Value: s.dashboard.Ref(),
		})
	}
}
