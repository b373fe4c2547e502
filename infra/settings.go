package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	"latchkey/infra/latchkey"
	"latchkey/infra/names"
	"latchkey/shared/operation"
)

// A setting is a value of CDK's context, always a text.
type setting struct {
	name    string
	without string // what holds without it, as the README says it
	meaning string // as the README says it

	// set puts the text into the deployment. Its error says what the text must be.
	set func(d *deployment, text string) error
}

// settings are all that the context may say, in the order in which it is read: the stack's name
// tells whether a preset may be applied, the preset is what all others change, and a domain is
// what executeApi needs.
var settings = []setting{
	{"stack", "`latchkey`", "the stack's name, as `STACK=`",
		text(func(d *deployment) *string { return &d.name })},
	{"preset", "`prod`", "`dev` keeps nothing: all goes with the stack, which must have another name than `latchkey`", setPreset},
	{"removalPolicy", "`retain`; dev: `destroy`", "what becomes of the table and the session keys with the stack; KMS waits a week", setRemoval},
	{"deletionProtection", "`true`; dev: `false`", "nobody deletes the table",
		not(func(d *deployment) *bool { return &d.props.Table.WithoutDeletionProtection })},
	{"pointInTimeRecovery", "`true`; dev: `false`", "the table can go back to any second of the last 35 days",
		not(func(d *deployment) *bool { return &d.props.Table.WithoutPointInTimeRecovery })},
	{"retentionDays", "`30`", "for how long expired keys stay listed, if made or changed from then on",
		number(func(d *deployment) *int { return &d.props.Table.RetentionDays })},
	{"tableName", "CloudFormation's", "a fixed name from the first deployment on: a later one makes a new, empty table; if the table stays, it stands in the way of the next stack",
		text(func(d *deployment) *string { return &d.props.Table.Name })},
	{"tableKeyArn", "DynamoDB's key", "a symmetric KMS key that encrypts the table, from the first deployment on: a later one shuts functions out until they have the right; its policy must leave the rights to IAM",
		text(func(d *deployment) *string { return &d.props.Table.KeyARN })},
	{"sessionKeys", "`1`", "names of the KMS keys for session tokens, separated by commas; the first signs, all verify",
		list(func(d *deployment) *[]string { return &d.props.SessionKeys })},
	{"sessionKeyArns", "none", "RSA keys of yours in place of `sessionKeys`; their policies must leave the rights to IAM",
		list(func(d *deployment) *[]string { return &d.props.SessionKeyARNs })},
	{"issuer", "the API's URL", "`iss` of the tokens; `/.well-known/jwks.json` below it must lead to the API",
		text(func(d *deployment) *string { return &d.props.Issuer })},
	{"audience", "`latchkey`", "`aud` of the tokens",
		text(func(d *deployment) *string { return &d.props.Audience })},
	{"domain", "none", "a name for the API, whose DNS record is to lead to the output `DomainTarget`",
		text(func(d *deployment) *string { return &d.props.Domain.Name })},
	{"certificateArn", "none", "ACM's certificate for the domain, in the same region",
		text(func(d *deployment) *string { return &d.props.Domain.CertificateARN })},
	{"executeApi", "`true`", "`false`: the API answers at the domain alone", setExecuteAPI},
	{"allowedOrigins", "none", "of web pages that may call the API (CORS), separated by commas; `*` alone for all",
		list(func(d *deployment) *[]string { return &d.props.AllowedOrigins })},
	{"throttles", "the table above", "limits of routes, as `login=50/20,health=10/10`: requests per second and at once", setThrottles},
	{"reservedConcurrency", "none", "how many instances functions have, as `validate-api-key=200`, taken from the account's others", setConcurrency},
	{"logRetentionDays", "`30`; dev: `7`", "for how long log lines are kept",
		number(func(d *deployment) *int { return &d.props.Functions.LogRetentionDays })},
	{"logLevel", "`INFO`", "`DEBUG`, `INFO`, `WARN` or `ERROR`; above `INFO` there is no line of each request, nor its metrics, and there can be no `alarmTopic`", setLogLevel},
	{"tracing", "`false`", "`true`: X-Ray traces of the functions",
		boolean(func(d *deployment) *bool { return &d.props.Functions.Tracing })},
	{"alarmTopic", "no alarms", "the ARN of an SNS topic, in the same region, that hears of alarms",
		text(func(d *deployment) *string { return &d.props.Alarms.Topic })},
	{"dashboard", "`true`", "CloudWatch's page about the service",
		not(func(d *deployment) *bool { return &d.props.WithoutDashboard })},
	{"accessLogs", "`true`", "a line of each request from API Gateway, also of those that reach no function",
		not(func(d *deployment) *bool { return &d.props.WithoutAccessLogs })},
	{"tags", "none", "on everything, as `team=platform,stage=prod`", setTags},
	{"example", "no example", "`true` adds the stack of the example, `latchkey-example`; then `ARGS=--all`", setExample},
}

func text(of func(*deployment) *string) func(*deployment, string) error {
	return func(d *deployment, text string) error {
		*of(d) = text
		return nil
	}
}

func list(of func(*deployment) *[]string) func(*deployment, string) error {
	return func(d *deployment, text string) error {
		*of(d) = strings.Split(text, ",")
		return nil
	}
}

// number takes no zero, which would be as if there were nothing.
func number(of func(*deployment) *int) func(*deployment, string) error {
	return func(d *deployment, text string) error {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 {
			return errors.New("must be a whole number from 1 on")
		}
		*of(d) = number
		return nil
	}
}

func boolean(of func(*deployment) *bool) func(*deployment, string) error {
	return func(d *deployment, text string) error {
		if text != "true" && text != "false" {
			return errors.New(`must be "true" or "false"`)
		}
		*of(d) = text == "true"
		return nil
	}
}

// not is the boolean of a property that says the opposite.
func not(of func(*deployment) *bool) func(*deployment, string) error {
	return func(d *deployment, text string) error {
		err := boolean(of)(d, text)
		if err == nil {
			*of(d) = !*of(d)
		}
		return err
	}
}

// setPreset keeps what no preset knows. Who forgets to name the stack that is to leave nothing
// behind would have the one of production leave nothing.
func setPreset(d *deployment, text string) error {
	bootstraps := d.props.Bootstraps
	switch text {
	case "prod":
		d.props = latchkey.Prod()
	case "dev":
		if d.name == names.Stack {
			return fmt.Errorf(`"dev" must not be applied to the stack %q: name another, as STACK=try`, d.name)
		}
		d.props = latchkey.Dev()
	default:
		return errors.New(`must be "prod" or "dev"`)
	}
	d.props.Bootstraps = bootstraps
	return nil
}

func setRemoval(d *deployment, text string) error {
	if text != "retain" && text != "destroy" {
		return errors.New(`must be "retain" or "destroy"`)
	}
	d.props.RemovalPolicy = awscdk.RemovalPolicy(strings.ToUpper(text))
	return nil
}

// setExecuteAPI says in terms of the context what a Domain would say in its own.
func setExecuteAPI(d *deployment, text string) error {
	if text == "false" && d.props.Domain.Name == "" {
		return errors.New(`"false" leaves the API nowhere to answer: set domain and certificateArn, too`)
	}
	return not(func(d *deployment) *bool { return &d.props.Domain.Exclusive })(d, text)
}

func setThrottles(d *deployment, text string) error {
	d.props.Throttles = make(map[string]operation.Throttle)
	return eachPair(text, "login=50/20", func(name, value string) bool {
		rate, burst, _ := strings.Cut(value, "/")
		limit := operation.Throttle{Rate: wholeOrZero(rate), Burst: wholeOrZero(burst)}
		d.props.Throttles[name] = limit
		return limit.Rate > 0 && limit.Burst > 0
	})
}

func setConcurrency(d *deployment, text string) error {
	d.props.ReservedConcurrency = make(map[string]int)
	return eachPair(text, "validate-api-key=200", func(name, value string) bool {
		d.props.ReservedConcurrency[name] = wholeOrZero(value)
		return d.props.ReservedConcurrency[name] > 0
	})
}

func setTags(d *deployment, text string) error {
	d.props.Tags = make(map[string]string)
	return eachPair(text, "team=platform", func(key, value string) bool {
		d.props.Tags[key] = value
		return true
	})
}

// eachPair takes a list of pairs apart, none of whose names comes twice, for set to say
// which values it can use.
func eachPair(text, example string, set func(name, value string) bool) error {
	seen := make(map[string]bool)
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || seen[name] || !set(name, value) {
			return fmt.Errorf("must be pairs as %s, separated by commas, each name once", example)
		}
		seen[name] = true
	}
	return nil
}

// wholeOrZero reads a number that must not be zero.
func wholeOrZero(text string) int {
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return number
}

func setLogLevel(d *deployment, text string) error {
	d.props.Functions.LogLevel = awslambda.ApplicationLogLevel(text)
	return nil
}

func setExample(d *deployment, text string) error {
	if text != "true" {
		return errors.New(`must be "true", or not be there`)
	}
	d.example = true
	return nil
}
